// The screen of a kiosk on "Try a kiosk": the newest picture, a finger that stays as long as the pointer does, and the
// same places as buttons. It draws nothing itself; try.js tells it what the kiosk said.
"use strict";
window.tryScreen = (base, post, words) => {
  const screen = document.getElementById("screen");
  const glass = document.getElementById("glass");
  const list = document.getElementById("targets");
  let shown = 0; // number of the picture that is loaded or being loaded
  let newest = 0;
  let loading = false;

  function load() {
    if (loading || newest === shown) return;
    loading = true;
    shown = newest;
    const next = new Image();
    const over = () => {
      loading = false;
      load(); // there may be a newer one by now
    };
    next.onload = () => {
      screen.src = next.src;
      over();
    };
    next.onerror = () => setTimeout(over, 1000);
    next.src = base + "/screen.png?frame=" + shown;
  }

  // One after the other: a finger is never lifted before it is put down.
  let queue = Promise.resolve();
  function send(fields) {
    queue = queue.then(() => post("touch", new URLSearchParams(fields)));
  }

  if (glass) {
    const finger = document.getElementById("finger");
    let down = false;
    glass.classList.add("live");
    glass.addEventListener("submit", (event) => event.preventDefault());
    screen.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      event.preventDefault();
      screen.setPointerCapture(event.pointerId);
      const box = screen.getBoundingClientRect();
      const at = (value, start, size, pixels) =>
        Math.max(0, Math.min(pixels - 1, Math.floor(((value - start) / size) * pixels)));
      finger.style.left = event.clientX - box.left + "px";
      finger.style.top = event.clientY - box.top + "px";
      finger.hidden = false;
      down = true;
      send({
        how: "down",
        x: at(event.clientX, box.left, box.width, 480),
        y: at(event.clientY, box.top, box.height, 320),
      });
    });
    const lift = () => {
      if (!down) return;
      down = false;
      finger.hidden = true;
      send({ how: "up" });
    };
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) screen.addEventListener(name, lift);
    // Who leaves the page takes the finger along.
    addEventListener("pagehide", () => {
      if (down) navigator.sendBeacon(base + "/touch", new URLSearchParams({ how: "up" }));
    });
    list.addEventListener("submit", (event) => {
      event.preventDefault();
      send({ target: event.submitter.value });
    });
  }

  return {
    frame(number) {
      newest = number;
      load();
    },
    targets({ asked, targets }) {
      const said = document.getElementById("asked");
      if (said.textContent !== asked) said.textContent = asked;
      const focused = list.contains(document.activeElement) ? document.activeElement.textContent : null;
      const place = [...list.children].indexOf(document.activeElement);
      list.replaceChildren(...targets.map(({ name, at }) => {
        const button = document.createElement("button");
        button.className = "button";
        button.name = "target";
        button.value = at;
        button.textContent = name;
        return button;
      }));
      if (!targets.length) list.textContent = words.nothing;
      if (focused === null || !targets.length) return;
      // The focus stays with the same word, else at the same place: nobody has to begin anew after each letter.
      const buttons = [...list.children];
      (buttons.find((button) => button.textContent === focused) || buttons[Math.min(place, buttons.length - 1)]).focus();
    },
  };
};
