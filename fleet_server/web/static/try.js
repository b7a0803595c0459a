// "Try a kiosk": sends touches and switches to the virtual kiosk and shows what it says of itself. The page works
// without this file too, a form at a time.
"use strict";
(() => {
  const root = document.getElementById("try");
  if (!root) return;
  const base = "/try/" + root.dataset.device;
  const words = document.getElementById("words").dataset;
  const front = document.getElementById("front");
  const out = document.getElementById("out");
  const trail = document.getElementById("trail");
  const MOST_LINES = 9;
  let seen = null;

  function say(text, kind) {
    document.getElementById("trail-empty").hidden = true;
    const line = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString(document.documentElement.lang || "fi");
    line.append(time, document.createTextNode(text));
    if (kind) line.className = kind;
    trail.prepend(line);
    while (trail.children.length > MOST_LINES) trail.lastChild.remove();
  }

  async function post(action, body) {
    try {
      const answer = await fetch(base + "/" + action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (!answer.ok) say(words.failed.replace("{n}", (await answer.json()).error || answer.status), "bad");
    } catch (fault) {
      say(words.failed.replace("{n}", fault.message), "bad");
    }
  }

  document.getElementById("faces").addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    button.dataset.down = "";
    setTimeout(() => delete button.dataset.down, 130);
    say(words.pressed.replace("{n}", Number(button.value) + 1));
    post("press", new URLSearchParams({ face: button.value }));
  });

  function flip(id, on) {
    const form = document.getElementById(id);
    const key = on ? "yes" : "no";
    const button = form.querySelector("button");
    const state = form.querySelector(".switch-state");
    form.dataset.on = key;
    form.action = base + "/" + button.dataset[key + "Do"];
    button.textContent = button.dataset[key];
    state.textContent = state.dataset[key];
  }
  for (const id of ["net", "power"]) {
    document.getElementById(id).addEventListener("submit", (event) => {
      event.preventDefault();
      post(event.currentTarget.action.split("/").pop());
    });
  }

  function lights(list) {
    document.querySelectorAll(".press").forEach((button, index) => {
      if (list && list[index]) button.dataset.lit = "";
      else delete button.dataset.lit;
    });
  }

  function texts(id, languages, byLanguage) {
    const box = document.getElementById(id);
    box.replaceChildren(...languages.map((language, index) => {
      const line = document.createElement("p");
      line.lang = language;
      line.className = index ? "other" : "first";
      line.textContent = byLanguage[language] || "";
      return line;
    }));
  }

  function screen(name) {
    front.dataset.screen = name;
    if (name === "thanks") say(words.thanked, "good");
    if (name === "full") { out.textContent = words.full; say(words.refused, "bad"); }
    if (name === "out") out.textContent = words.unasked;
  }

  function show(what, quietly) {
    if (what.question) {
      texts("question", what.languages, what.question);
      texts("thanks", what.languages, what.thanks || {});
      const labels = (what.labels || {})[document.documentElement.lang] || [];
      document.querySelectorAll(".press").forEach((button, index) => {
        if (labels[index]) button.setAttribute("aria-label", labels[index]);
      });
      if (!quietly) say(words.question.replace("{n}", what.number));
    }
    if (what.screen) quietly ? (front.dataset.screen = what.screen) : screen(what.screen);
    if (what.status) {
      const led = document.getElementById("led");
      if (!quietly && (what.status === "online") !== (led.dataset.status === "online")) {
        say(what.status === "online" ? words.online : words.offline, what.status === "online" ? "good" : "bad");
      }
      led.dataset.status = what.status;
    }
  }

  function power(on, quietly) {
    flip("power", on);
    front.dataset.power = on ? "on" : "off";
    if (!on) { lights(null); out.textContent = words.off; front.dataset.screen = ""; document.getElementById("led").dataset.status = ""; }
    if (!quietly) say(on ? words.on : words.cut, on ? "good" : "bad");
  }

  function net(on, quietly) {
    flip("net", on);
    if (!quietly) say(on ? words.plugged : words.unplugged, on ? "good" : "bad");
  }

  function number(name, value) {
    const cell = document.getElementById("n-" + name);
    const text = value.toLocaleString(document.documentElement.lang || "fi");
    if (cell.textContent === text) return;
    cell.textContent = text;
    cell.classList.remove("bump");
    void cell.offsetWidth;
    cell.classList.add("bump");
  }

  const stream = new EventSource(base + "/events");
  stream.addEventListener("kiosk", (event) => {
    const what = JSON.parse(event.data);
    const first = "snapshot" in what;
    const state = first ? what.snapshot : what;
    if ("power" in state) power(state.power, first);
    if ("net" in state) net(state.net, first);
    if ("lights" in state) lights(state.lights);
    if ("light" in state) lights(state.light);
    if (state.show) show(state.show, first);
  });
  stream.addEventListener("numbers", (event) => {
    const what = JSON.parse(event.data);
    for (const name of ["pressed", "waiting", "received", "counted"]) number(name, what[name]);
    if (seen !== null && what.received > seen) say(words.received.replace("{n}", what.received - seen), "good");
    seen = what.received;
  });
})();
