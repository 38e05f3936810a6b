// Comforts only: every page works without this file.
(() => {
  "use strict";
  const root = document.documentElement, one = (s) => document.querySelector(s);
  root.classList.add("js");

  // Theme: the form behind the buttons does the same on the server.
  const theme = (button) => {
    const value = button.value;
    document.cookie = `hg-theme=${value};path=/;max-age=31536000;samesite=lax` + (location.protocol === "https:" ? ";secure" : "");
    value === "system" ? delete root.dataset.theme : (root.dataset.theme = value);
    for (const b of document.querySelectorAll("[data-theme-set]")) b.setAttribute("aria-pressed", b === button);
  };
  const copy = async (button) => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    const word = button.querySelector("span"), before = word.textContent;
    word.textContent = "Copied";
    setTimeout(() => { word.textContent = before; }, 1500);
  };
  const reveal = (button) => {
    const input = document.getElementById(button.dataset.reveal), show = input.type === "password";
    input.type = show ? "text" : "password";
    button.setAttribute("aria-pressed", show);
  };

  document.addEventListener("click", (e) => {
    const b = e.target.closest("[data-theme-set],[data-copy],[data-reveal],[data-dialog]");
    for (const m of document.querySelectorAll("details.menu[open]")) if (!m.contains(e.target)) m.open = false;
    if (!b) return;
    if ("themeSet" in b.dataset) { e.preventDefault(); theme(b); }
    else if (b.dataset.copy) copy(b);
    else if (b.dataset.reveal) reveal(b);
    else document.getElementById(b.dataset.dialog).showModal();
  });

  // A form is sent once; coming back with Back makes it usable again.
  const sending = (form, on) => form.querySelectorAll("[type=submit]").forEach((b) => on ? b.setAttribute("aria-disabled", "true") : b.removeAttribute("aria-disabled"));
  document.addEventListener("submit", (e) => {
    if (e.target.method !== "post" || e.defaultPrevented) return;
    if (e.target.dataset.sent) return e.preventDefault();
    e.target.dataset.sent = "1";
    sending(e.target, true);
  });
  const again = (form) => { delete form.dataset.sent; sending(form, false); };
  addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(again));
  // Asked for by the page itself.
  const follows = (elt) => /every|live/.test(elt.getAttribute("hx-trigger"));
  // Our own error fragments say where they go; anything else that fails, and pages that follow something, leave the page as it is.
  document.addEventListener("htmx:beforeSwap", (e) => {
    const d = e.detail;
    if (d.xhr.status >= 400 && d.xhr.getResponseHeader("HX-Retarget") && !follows(d.requestConfig.elt)) d.shouldSwap = true;
  });

  // A page that follows something says so when it no longer does; one that was given up is no failure.
  const pausing = (name, tell) => document.addEventListener(name, ({ detail: d }) => {
    if (follows(d.elt) && tell(d) !== undefined) for (const note of document.querySelectorAll("[data-paused]")) note.hidden = !tell(d);
  });
  pausing("htmx:afterRequest", (d) => d.failed);
  pausing("htmx:sendError", () => true);
  pausing("htmx:timeout", () => true);

  const UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const ago = () => document.querySelectorAll("time[data-ago]").forEach((t) => {
    const s = Math.max(0, Math.round((Date.now() - Date.parse(t.dateTime)) / 1000));
    const [size, unit] = UNITS.find(([size]) => s >= size) || UNITS[3];
    t.textContent = `${Math.floor(s / size)} ${unit} ago`;
  });
  setInterval(ago, 10000);

  // Keys: never inside a field, and the help dialog switches them off.
  const off = one("#keys-off"), KEY = "hg-keys-off";
  if (off) { off.checked = !!localStorage.getItem(KEY); off.addEventListener("change", () => off.checked ? localStorage.setItem(KEY, "1") : localStorage.removeItem(KEY)); }
  let g = -1e4;
  const go = (s) => { const a = one(s); if (a) a.click(); };
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") for (const m of document.querySelectorAll("details.menu[open]")) { m.open = false; m.firstElementChild.focus(); }
    if (e.ctrlKey || e.metaKey || e.altKey || localStorage.getItem(KEY) || e.target.closest("input,select,textarea,dialog")) return;
    const after = e.timeStamp - g < 1000; g = -1e4;
    if (after && "froasite".includes(e.key)) return go(`[data-key="${e.key}"]`);
    if (e.key === "g") g = e.timeStamp;
    else if (e.key === "n") go("[data-key=n]");
    else if (e.key === "?") { const d = one("#help"); if (d) d.showModal(); }
    else if (e.key === "/") { const f = one("[data-search]"); if (f) { e.preventDefault(); f.focus(); } }
  });

  const errors = (within) => { const s = within.querySelector && within.querySelector("[data-errors]"); if (s) s.focus(); };
  document.addEventListener("htmx:afterSettle", (e) => errors(e.target));
  errors(document);
})();
