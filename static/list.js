// A list follows what happens like other pages, and does not move under its reader.
(() => {
  "use strict";
  const GLANCE = 5000;
  const at = (id) => document.getElementById(id);
  const newer = (on) => { document.querySelector("[data-newer]").hidden = !on; };
  const address = () => location.pathname + location.search;
  let touched = 0, isWithheld = false, left = 0;

  addEventListener("touchmove", () => { touched = Date.now(); }, { passive: true });
  const isRead = () => {
    const list = at("list"), selection = getSelection();
    return Date.now() - touched < GLANCE || list.matches(":hover") || list.contains(document.activeElement)
      || (!selection.isCollapsed && list.contains(selection.anchorNode)) || !!list.querySelector("details[open]");
  };
  // It asks for the address as it is now, without the part to which it would scroll.
  document.addEventListener("htmx:configRequest", (e) => {
    if (e.detail.elt.id === "list") e.detail.path = address();
  });
  document.addEventListener("htmx:beforeSwap", (e) => {
    const d = e.detail;
    if (!d.shouldSwap || d.target.id !== "list") return;
    const asksItself = d.requestConfig.elt.id === "list";
    isWithheld = asksItself && isRead();
    if (isWithheld) {
      // Why it is not fresher is told at once.
      if (d.requestConfig.triggeringEvent?.detail.isNews) newer(true);
      d.target = at("freshness");
      d.selectOverride = "#freshness";
    } else if (asksItself && d.pathInfo.responsePath !== address()) {
      // Led elsewhere: what is above the list must change along.
      d.shouldSwap = false;
      location.reload();
    } else {
      newer(false);
      left = asksItself ? document.querySelector("#list .page")?.scrollLeft : 0;
    }
  });
  document.addEventListener("htmx:afterSwap", (e) => {
    const table = e.target.id === "list" && e.target.querySelector(".page");
    if (table) table.scrollLeft = left;
  });
  setInterval(() => {
    if (isWithheld && !document.hidden && !isRead()) document.body.dispatchEvent(new CustomEvent("live", { detail: {} }));
  }, 2000);
})();
