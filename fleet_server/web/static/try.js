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
  const lang = { en: "en-GB" }[document.documentElement.lang] || document.documentElement.lang || "fi";
  let books = null; // what the server knows
  let journal = null; // what the kiosk's own journal says

  function say(text, kind) {
    document.getElementById("trail-empty").hidden = true;
    const line = document.createElement("li");
    const time = document.createElement("time");
    time.textContent = new Date().toLocaleTimeString(lang, { timeZone: "Europe/Helsinki" });
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

  const faces = document.getElementById("faces"); // a touch kiosk has none
  faces?.addEventListener("submit", (event) => {
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
    if (what.question instanceof Object) {
      texts("question", what.languages, what.question);
      texts("thanks", what.languages, what.thanks || {});
      const labels = (what.labels || {})[document.documentElement.lang] || [];
      document.querySelectorAll(".press").forEach((button, index) => {
        if (labels[index]) button.setAttribute("aria-label", labels[index]);
      });
      if (!quietly) say(words.question.replace("{n}", what.number));
    }
    if (what.ignored && !quietly) say(words["ignored" + what.ignored[0].toUpperCase() + what.ignored.slice(1)] || words.refused, "bad");
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
    const text = value.toLocaleString(lang);
    if (cell.textContent === text) return;
    cell.textContent = text;
    cell.classList.remove("bump");
    void cell.offsetWidth;
    cell.classList.add("bump");
  }

  // The first two numbers are the kiosk's own: they move while the cable is out, too.
  function way() {
    if (!books) return;
    const heard = { ...books.epochs };
    if (journal) heard[journal.epoch] = journal.pressed;
    const pressed = Object.values(heard).reduce((sum, one) => sum + one, 0);
    number("pressed", pressed);
    number("waiting", Math.max(0, pressed - books.received));
    number("received", books.received);
    number("counted", books.counted);
    number("filtered", books.received - books.counted);
    document.getElementById("filtered").hidden = books.received === books.counted;
  }

  const TryScreen = window.tryScreen?.(base, post, words);
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
    if ("frame" in state) TryScreen?.frame(state.frame);
    if (state.journal) {
      // A touch kiosk thanks in the end only: each answer is safe before the next page comes.
      if (!faces && journal && state.journal.pressed > journal.pressed) say(words.safe, "good");
      journal = state.journal;
      way();
    }
  });
  stream.addEventListener("targets", (event) => TryScreen?.targets(JSON.parse(event.data)));
  stream.addEventListener("numbers", (event) => {
    const now = JSON.parse(event.data);
    if (books && now.received > books.received) say(words.received.replace("{n}", now.received - books.received), "good");
    books = now;
    way();
  });
})();
