// Saves a draft while it is written, and keeps what is not saved yet through an expired sign-in and a server that is away.
// Without it the same form works with its buttons.
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
  const waiting = []; // buttons that were pressed and are not done yet
  let revision = Number(words.revision), newest = revision; // what this page shows, and what the server has
  let timer, sending = false, lost = false; // `lost`: what was sent last was not answered, so it may have been done
  document.documentElement.classList.add("scripted");

  const say = (text, bad = false) => { state.textContent = text; state.classList.toggle("bad", bad); };
  const keep = () => {
    if (touched.size || waiting.length) sessionStorage.setItem(place, JSON.stringify({ revision, touched: [...touched], waiting, lost: lost || sending }));
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
  const put = (part, html) => {
    const open = [...part.querySelectorAll("details[open][id]")].map((each) => each.id);
    part.innerHTML = html;
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  };
  const renew = (html) => {
    const active = document.activeElement;
    const inside = editor.contains(active);
    const focus = inside && (active.id || active.name);
    const range = inside && active.selectionStart !== undefined ? [active.selectionStart, active.selectionEnd] : null;
    put(editor, html);
    for (const values of touched.values()) fill(values);
    if (!focus) return;
    let next = document.getElementById(focus) || fields(focus)[0];
    if (next?.disabled) next = next.closest(".desk-question");
    next?.focus();
    if (range && next?.setSelectionRange && next.type !== "number") try { next.setSelectionRange(...range); } catch { /* a field without a caret */ }
  };

  // Buttons are done in the order of the presses, each with what was typed before it. What is sent once more says so, and
  // whether its button went along before: the server does nothing twice, and takes what it has by now for ours.
  const press = (action, type = "") => {
    held.clear();
    waiting.push({ do: action, type, typed: [...touched] });
    keep();
    send();
  };
  const send = async () => {
    if (sending) return;
    clearTimeout(timer);
    const [button] = waiting;
    const taken = button?.do.startsWith("take:") ? button.do.slice(5) : "";
    if (taken) for (const name of [...touched.keys()]) if (name === taken || name.startsWith(`${taken}/`)) touched.delete(name);
    const going = (button?.typed ?? [...touched]).filter(([name, values]) => touched.get(name) === values && !held.has(name));
    const looks = !going.length && !button; // somebody else has changed something, and nothing is to be saved
    if (looks && newest <= revision) return;
    sending = true;
    keep();
    if (!looks) say(words.saving);
    try {
      const body = new URLSearchParams([["revision", revision], ...going.flatMap(([, values]) => values)]);
      for (const [name, value] of Object.entries({ do: button?.do, new_type: button?.type, again: lost && (button?.again || "texts"), whole: editor.querySelector("[role=alert]") && "yes" })) if (value) body.set(name, value);
      const answer = looks
        ? await fetch(`${form.getAttribute("action")}?part=editor&since=${revision}`)
        : await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "X-Part": "1" } });
      if (answer.status === 401 || answer.redirected) { sending = false; signedOut(); return; }
      if (!answer.ok && answer.status !== 422) throw new Error(answer.status);
      const said = await answer.json();
      const refused = answer.status === 422;
      for (const [name, values] of going) {
        if (touched.get(name) !== values) continue; // typed on meanwhile
        if (refused || said.held.some((each) => each === name || each.startsWith(`${name}/`))) held.add(name);
        else touched.delete(name);
      }
      if (button) waiting.shift();
      lost = false;
      revision = said.revision;
      keep();
      if (said.editor !== null) renew(said.editor);
      put(side, said.side);
      say(`${placeOf(button?.do)} ${said.state}`.trim(), held.size > 0);
      sending = false;
      if (waiting.length || newest > revision) send();
      else if ([...touched.keys()].some((name) => !held.has(name))) timer = setTimeout(send, REST_MS);
    } catch {
      if (button) button.again = "button";
      lost = true;
      say(words.away, true);
      sending = false;
      timer = setTimeout(send, AGAIN_MS);
    }
  };
  const signedOut = () => {
    keep();
    say(words.signedOut + " ", true);
    const link = document.createElement("a");
    link.href = `/sign-in?next=${form.getAttribute("action")}`;
    link.textContent = words.signIn;
    state.append(link);
  };

  // Where a question stands, for those who do not see it.
  const told = (detail) => words.moved.replace(/\{(\w+)\}/g, (_whole, name) => detail[name]);
  const placeOf = (action = "") => {
    const [verb, code] = action.split(":");
    const codes = [...editor.querySelectorAll(".desk-question")].map((each) => each.dataset.code);
    return ["up", "down", "after"].includes(verb) && codes.includes(code) ? told({ code, place: codes.indexOf(code) + 1, count: codes.length }) : "";
  };

  form.addEventListener("input", (event) => { if (!event.target.matches("select, [type=checkbox]")) touch(event.target); });
  form.addEventListener("change", (event) => { if (event.target.matches("select, [type=checkbox]")) touch(event.target); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    press(event.submitter?.value ?? "", document.getElementById("new_type")?.value);
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key === "z" || key === "y") { event.preventDefault(); press(key === "y" || event.shiftKey ? "redo" : "undo"); }
  });

  // draft_drag.js carries questions; the buttons do the same with keys.
  let before = "";
  editor.addEventListener("carry", (event) => { before ||= state.textContent || " "; say(told(event.detail)); });
  editor.addEventListener("carried", (event) => {
    if (event.detail) press(`after:${event.detail.code}:${event.detail.after}`); else say(before.trim());
    before = "";
  });

  document.addEventListener("signedout", (event) => { event.preventDefault(); signedOut(); });

  // Somebody else has changed the draft: the side is renewed by live.js and says its revision.
  new MutationObserver(() => {
    newest = Math.max(newest, Number(side.querySelector("[data-revision]")?.dataset.revision ?? 0));
    if (newest > revision) send();
  }).observe(side, { childList: true });

  const kept = sessionStorage.getItem(place);
  if (kept) {
    const { revision: then, touched: values, waiting: buttons = [], lost: was } = JSON.parse(kept);
    revision = then;
    lost = was;
    for (const [name, each] of values) { touched.set(name, each); fill(each); }
    waiting.push(...buttons.map((each, place) => ({ ...each, typed: [...touched], again: place ? "" : "button" })));
    send();
  }
  // The page is left before it was saved: once more, without waiting for an answer. What was saved already changes nothing.
  addEventListener("pagehide", () => {
    const going = [...touched].filter(([name]) => !held.has(name)).flatMap(([, values]) => values);
    if (going.length) navigator.sendBeacon(form.getAttribute("action"), new URLSearchParams([["revision", revision], ...going]));
  });
})();
