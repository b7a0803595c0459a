// Saves a draft while it is written, lets questions be dragged, and keeps what is not saved yet through an expired
// sign-in and a server that is away. Without it the same form works with its buttons.
// Only touched fields are sent, with the revision that they were read at; the server says what others changed since.
"use strict";
(() => {
  const REST_MS = 800; // of quiet after a key before what was typed is sent
  const AGAIN_MS = 5000; // while the server is away
  const form = document.getElementById("draft");
  if (!form) return;
  const editor = document.getElementById("editor");
  const side = document.getElementById("side");
  const state = form.querySelector(".desk-state");
  const words = form.dataset;
  const place = `hymio ${form.getAttribute("action")} ${words.person}`;
  const touched = new Map(); // name of a field or group → pairs to send
  const held = new Set(); // those that the server did not take: sent again once they are touched or saved by hand
  let revision = Number(words.revision);
  let timer, sending = false;
  document.documentElement.classList.add("scripted");

  const say = (text, bad = false) => { state.textContent = text; state.classList.toggle("bad", bad); };
  const keep = () => {
    if (touched.size) sessionStorage.setItem(place, JSON.stringify({ revision, touched: [...touched] }));
    else sessionStorage.removeItem(place);
  };
  const fields = (name) => [...form.elements].filter((element) => element.name === name);

  const pairs = (element) => {
    const group = element.dataset.group;
    if (!group) return [element.name, [[element.name, element.value]]];
    const members = [...form.querySelectorAll("[data-group]")].filter((each) => each.dataset.group === group);
    return [group, members.filter((each) => each.type !== "checkbox" || each.checked).map((each) => [each.name, each.value])];
  };
  const touch = (element) => {
    if (!element.name || ["revision", "new_type", "do"].includes(element.name)) return;
    const [name, values] = pairs(element);
    touched.set(name, values);
    held.delete(name);
    keep();
    say(words.unsaved);
    clearTimeout(timer);
    timer = setTimeout(send, REST_MS);
  };

  // What is being written is put back into a part that was made anew.
  const fill = (values) => {
    const names = new Set(values.map(([name]) => name));
    for (const name of names) {
      for (const element of fields(name)) {
        if (element.type === "checkbox") element.checked = values.some(([each, value]) => each === name && value === element.value);
        else if (element.type !== "hidden") element.value = values.find(([each]) => each === name)[1];
      }
    }
  };
  const renew = (html) => {
    const active = document.activeElement;
    const inside = editor.contains(active);
    const focus = inside && (active.id || active.name);
    const range = inside && active.selectionStart !== undefined ? [active.selectionStart, active.selectionEnd] : null;
    const open = [...editor.querySelectorAll("details[id]")].map((each) => [each.id, each.open]);
    editor.innerHTML = html;
    open.forEach(([id, is]) => { const details = document.getElementById(id); if (details) details.open = details.open || is; });
    for (const values of touched.values()) fill(values);
    if (!focus) return;
    let next = document.getElementById(focus) || fields(focus)[0];
    if (next?.disabled) next = next.closest(".desk-question");
    next?.focus();
    if (range && next?.setSelectionRange && next.type !== "number") try { next.setSelectionRange(...range); } catch { /* a field without a caret */ }
  };

  const send = async (action = "", more = {}) => {
    if (sending) { timer = setTimeout(() => send(action, more), 100); return; }
    clearTimeout(timer);
    if (action || more.all) held.clear();
    const drop = action.startsWith("take:") ? action.slice(5) : "";
    if (drop) for (const name of [...touched.keys()]) if (name === drop || name.startsWith(`${drop}/`)) touched.delete(name);
    const going = [...touched].filter(([name]) => !held.has(name));
    if (!going.length && !action && !more.look) return;
    sending = true;
    if (!more.look) say(words.saving);
    try {
      const body = new URLSearchParams([["revision", revision], ["do", action], ...going.flatMap(([, values]) => values)]);
      if (more.type) body.set("new_type", more.type);
      const answer = more.look
        ? await fetch(`${form.getAttribute("action")}?part=editor&since=${revision}`)
        : await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "X-Part": "1" } });
      if (answer.status === 401 || answer.redirected) { signedOut(); return; }
      if (!answer.ok && answer.status !== 422) throw new Error(answer.status);
      const said = await answer.json();
      const refused = answer.status === 422;
      for (const [name, values] of going) {
        if (touched.get(name) !== values) continue; // typed on meanwhile
        if (refused || said.held.some((each) => each === name || each.startsWith(`${name}/`))) held.add(name);
        else touched.delete(name);
      }
      revision = said.revision;
      keep();
      if (said.editor !== null) renew(said.editor);
      side.innerHTML = said.side;
      say(said.state, held.size > 0);
      sending = false;
      if ([...touched.keys()].some((name) => !held.has(name))) timer = setTimeout(send, REST_MS);
    } catch {
      say(words.away, true);
      timer = setTimeout(() => { sending = false; send(action, more); }, AGAIN_MS);
    }
  };
  const signedOut = () => {
    keep();
    say(words.signedOut + " ", true);
    const link = document.createElement("a");
    link.href = `/sign-in?next=${form.getAttribute("action")}`;
    link.textContent = words.signIn;
    state.append(link);
    sending = false;
  };

  form.addEventListener("input", (event) => { if (!event.target.matches("select, [type=checkbox]")) touch(event.target); });
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) touch(event.target); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    send(button?.value ?? "", { type: document.getElementById("new_type")?.value, all: true });
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key === "z" || key === "y") { event.preventDefault(); send(key === "y" || event.shiftKey ? "redo" : "undo"); }
  });

  // Dragging by the handle; the buttons do the same with keys.
  let dragged = null;
  const over = (event) => event.target.closest?.(".desk-question");
  editor.addEventListener("dragstart", (event) => {
    if (!event.target.matches(".handle")) return;
    dragged = event.target.closest(".desk-question");
    dragged.classList.add("dragged");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged.dataset.code);
    event.dataTransfer.setDragImage(dragged, 10, 10);
  });
  editor.addEventListener("dragover", (event) => {
    if (!dragged || !over(event)) return;
    event.preventDefault();
    editor.querySelectorAll(".over").forEach((each) => each.classList.remove("over"));
    over(event).classList.add("over");
  });
  editor.addEventListener("drop", (event) => {
    const target = over(event);
    if (!dragged || !target) return;
    event.preventDefault();
    const code = dragged.dataset.code;
    const others = [...editor.querySelectorAll(".desk-question")].filter((each) => each !== dragged);
    if (target !== dragged) { // it comes before the one it is dropped on
      const before = others[others.indexOf(target) - 1];
      send(`after:${code}:${before ? before.dataset.code : ""}`);
    }
  });
  editor.addEventListener("dragend", () => {
    editor.querySelectorAll(".over, .dragged").forEach((each) => each.classList.remove("over", "dragged"));
    dragged = null;
  });

  // Somebody else has changed the draft: the side is renewed by live.js and says its revision.
  new MutationObserver(() => {
    const newest = Number(side.querySelector("[data-revision]")?.dataset.revision ?? 0);
    if (newest > revision && !sending) send("", touched.size ? {} : { look: true });
  }).observe(side, { childList: true });

  const kept = sessionStorage.getItem(place);
  if (kept) {
    const { revision: then, touched: values } = JSON.parse(kept);
    revision = then;
    for (const [name, each] of values) { touched.set(name, each); fill(each); }
    send();
  }
  // The page is left before it was saved: once more, without waiting for an answer. What was saved already changes nothing.
  addEventListener("pagehide", () => {
    const going = [...touched].filter(([name]) => !held.has(name)).flatMap(([, values]) => values);
    if (going.length) navigator.sendBeacon(form.getAttribute("action"), new URLSearchParams([["revision", revision], ...going]));
  });
})();
