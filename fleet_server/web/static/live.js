// Keeps the parts of a page that are marked data-live fresh: on each change of one of their topics, and every 15 s.
// While the server is away a banner says since when.
// data-live: topics, separated by spaces; data-src: address of the part. Without this script pages are whole, only still.
"use strict";
(() => {
  const POLL_MS = 15000; // when the event stream is cut, a page is never older than this
  const REST_MS = 250; // a busy kiosk does not make a page ask more than four times a second,
  const REST_TIMES = 3; // and a part that takes long to make rests three times as long: one page never fills a server
  const AWAY_MS = 5000; // while the server is away it is asked this often whether it is back
  const parts = [...document.querySelectorAll("[data-live]")];
  if (parts.length === 0) return;

  const inUse = (part) =>
    part.matches("[data-touched]") || (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea, button"));

  const swap = (part, html) => {
    const open = [...part.querySelectorAll("details[open][id]")].map((element) => element.id);
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    part.innerHTML = html;
    open.forEach((id) => part.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", ""));
    if (focused) document.getElementById(focused)?.focus();
  };

  const banner = document.querySelector(".connection");
  let away; // the timer while the server is away
  const gone = () => {
    if (away) return;
    away = setInterval(knock, AWAY_MS);
    const time = new Date().toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    if (banner) banner.textContent = banner.dataset.gone.replace("{time}", time);
  };
  const back = () => {
    if (!away) return;
    clearInterval(away);
    away = undefined;
    if (banner) banner.textContent = "";
    if (stream?.readyState === EventSource.CLOSED) { stream = undefined; listen(); }
    parts.forEach(refresh);
  };
  const knock = async () => {
    try {
      const answer = await fetch("/health/live");
      if (answer.ok) back(); else gone(); // a proxy that answers for a server that is away
    } catch { gone(); }
  };

  const refresh = async (part) => {
    if (document.hidden || inUse(part)) return;
    if (part.asking) { part.again = true; return; }
    part.asking = true;
    const started = performance.now();
    try {
      const answer = await fetch(part.dataset.src, { headers: { "X-Part": "1" } });
      if (answer.redirected || answer.status === 401) { // signed out meanwhile; a page with something typed in it stays
        if (document.dispatchEvent(new CustomEvent("signedout", { cancelable: true }))) location.reload();
        part.asking = false;
        return;
      }
      const html = answer.ok ? await answer.text() : part.last;
      if (html !== part.last && !inUse(part)) swap(part, html);
      part.last = html;
      if (away) knock();
    } catch { knock(); } // the server is away, or this part alone
    setTimeout(() => {
      part.asking = false;
      if (part.again) { part.again = false; refresh(part); }
    }, Math.max(REST_MS, REST_TIMES * (performance.now() - started)));
  };

  const wants = (part, topic) => {
    const topics = part.dataset.live.split(" ");
    return topics.includes(topic) || topics.includes(`${topic.split(":")[0]}s`);
  };

  let stream;
  const listen = () => {
    if (stream || !window.EventSource) return;
    const topics = new Set(parts.flatMap((part) => part.dataset.live.split(" ")));
    stream = new EventSource(`/live?topics=${encodeURIComponent([...topics].join(" "))}`);
    stream.addEventListener("error", knock); // it also ends after some minutes, by itself
    stream.addEventListener("ready", () => parts.forEach(refresh));
    stream.addEventListener("change", (event) => {
      const changed = event.data.split(" ");
      parts.filter((part) => changed.some((topic) => wants(part, topic))).forEach(refresh);
    });
  };

  // A hidden tab lets go of its connection: browsers allow six to a server, shared by all tabs.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { stream?.close(); stream = undefined; } else { parts.forEach(refresh); listen(); }
  });
  parts.forEach((part) => part.addEventListener("input", () => { part.dataset.touched = ""; }));
  setInterval(() => parts.forEach(refresh), POLL_MS);
  if (!document.hidden) listen();
})();
