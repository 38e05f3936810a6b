// Follows what a page shows; without this file the page loads itself again.
(() => {
  "use strict";
  const one = (s) => document.querySelector(s);
  // Two beats of the server and a little.
  const SILENCE = 12000;
  let stream = null, heard = 0, failing = null, isFirst = true;

  const each = (s, f) => document.querySelectorAll(s).forEach(f);
  const paused = (on) => each("[data-paused]", (n) => { n.hidden = !on; });
  const fetchAgain = (isNews) => document.body.dispatchEvent(new CustomEvent("live", { detail: { isNews } }));
  const close = () => { if (stream) stream.close(); stream = null; };

  // When everything shown was read: the page need not be fetched for that alone.
  const read = (at) => {
    const [time, ago] = document.querySelectorAll("#read-at time");
    if (!at || !ago) return;
    for (const t of [time, ago]) t.dateTime = at.at;
    time.title = at.utc;
    time.textContent = at.clock;
    const s = Math.max(0, Math.round((Date.now() - Date.parse(at.at)) / 1000));
    if (s < 60) ago.textContent = `${s} s ago`;
  };
  const hear = (e) => {
    const now = JSON.parse(e.data), was = failing;
    heard = Date.now();
    failing = now.failing;
    paused(false);
    read(now.read);
    // A check that fails now, or no longer, is told at the place of the data.
    if (was !== null && was !== failing) fetchAgain(false);
  };
  const changed = (e) => { hear(e); fetchAgain(true); };

  const open = () => {
    const at = one("[data-live]");
    if (stream || document.hidden || !at) return;
    heard = Date.now();
    stream = new EventSource(at.dataset.live);
    // What happened between two streams was not heard.
    stream.addEventListener("open", () => { if (!isFirst) fetchAgain(false); isFirst = false; });
    stream.addEventListener("beat", hear);
    stream.addEventListener("read", hear);
    stream.addEventListener("changed", changed);
  };
  // A page in the background asks for nothing; when it comes to the front it may be old.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) close();
    else open();
  });
  // What is final is followed no longer.
  document.addEventListener("htmx:afterSettle", () => { if (!one("[data-live]")) close(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  setInterval(() => {
    if (!stream || Date.now() - heard < SILENCE) return;
    paused(true);
    close();
    open();
  }, 2000);
  open();
})();
