// Lets a question be carried to another place by its handle: with a mouse, a pen or a finger. Meanwhile the questions
// are folded to their heads, so that the way is short, and a line shows where the one that is carried would stand.
// It knows the list and the pointer, not the server: the editor hears "carry" on the way and "carried" at its end.
"use strict";
(() => {
  const START_PX = 4; // less is a click that trembled
  const EDGE_PX = 80, MOST_STEP_PX = 16; // this near an edge of the window it scrolls, the nearer the faster
  const editor = document.getElementById("editor");
  if (!editor) return;
  let carried; // { code, pointer, from, y, grip, moving, after }

  const boxes = () => [...editor.querySelectorAll(".desk-question")];
  const boxOf = (code) => boxes().find((each) => each.dataset.code === code);
  const codeBefore = (box) => { const all = boxes(); return all[all.indexOf(box) - 1]?.dataset.code ?? ""; };
  const tell = (name, detail) => editor.dispatchEvent(new CustomEvent(name, { detail }));
  const unmark = () => boxes().forEach((each) => { each.classList.remove("carried", "drop-before", "drop-after"); each.style.transform = ""; });

  // A head shows what its question says by now.
  const nameHeads = () => {
    for (const box of boxes()) {
      const said = box.querySelector("textarea")?.value;
      if (said) box.querySelector(".desk-said").textContent = said;
    }
  };
  // The box stays where it is in the window while everything around it folds or unfolds.
  const fold = (box, is) => {
    const top = box.getBoundingClientRect().top;
    editor.classList.toggle("carrying", is);
    scrollBy({ top: box.getBoundingClientRect().top - top, behavior: "instant" });
  };

  const show = () => {
    const box = boxOf(carried.code);
    if (!box) { end(false); return; } // somebody else has removed it meanwhile
    unmark();
    const others = boxes().filter((each) => each !== box);
    const after = others.filter((each) => { const { top, height } = each.getBoundingClientRect(); return top + height / 2 < carried.y; }).at(-1);
    if (after) after.classList.add("drop-after"); else others[0]?.classList.add("drop-before");
    box.classList.add("carried");
    box.style.transform = `translateY(${carried.y - carried.grip - box.getBoundingClientRect().top}px)`;
    const code = after?.dataset.code ?? "";
    if (carried.after === code) return;
    carried.after = code;
    tell("carry", { code: carried.code, place: others.indexOf(after) + 2, count: others.length + 1 });
  };
  const roll = () => {
    if (!carried?.moving) return;
    const near = Math.max(EDGE_PX - carried.y, 0) - Math.max(carried.y - (innerHeight - EDGE_PX), 0);
    if (near) { scrollBy({ top: -Math.max(-1, Math.min(near / EDGE_PX, 1)) * MOST_STEP_PX, behavior: "instant" }); show(); }
    requestAnimationFrame(roll);
  };
  const end = (dropped) => {
    const { code, moving, after } = carried;
    carried = undefined;
    if (!moving) return;
    unmark();
    const box = boxOf(code);
    const moved = dropped && box && after !== codeBefore(box);
    if (moved && after) boxOf(after).after(box);
    else if (moved) box.parentElement.prepend(box);
    if (box) fold(box, false); else editor.classList.remove("carrying");
    // The browser, too, tries to hold what was in sight when the list changed above it, and may push the head out.
    requestAnimationFrame(() => { const there = boxOf(code); if (there && there.getBoundingClientRect().top < parseFloat(getComputedStyle(there).scrollMarginTop)) there.scrollIntoView({ behavior: "instant" }); });
    tell("carried", moved ? { code, after } : null);
  };

  editor.addEventListener("pointerdown", (event) => {
    const box = event.target.closest(".handle")?.closest(".desk-question");
    if (!box || carried || event.button !== 0 || !event.isPrimary) return;
    event.preventDefault(); // no selecting of text
    editor.setPointerCapture(event.pointerId); // the list may be made anew on the way, the editor stays
    carried = { code: box.dataset.code, pointer: event.pointerId, from: event.clientY, y: event.clientY, grip: event.clientY - box.getBoundingClientRect().top };
  });
  editor.addEventListener("pointermove", (event) => {
    if (event.pointerId !== carried?.pointer) return;
    carried.y = event.clientY;
    if (!carried.moving) {
      if (Math.abs(carried.y - carried.from) < START_PX) return;
      carried.moving = true;
      nameHeads();
      fold(boxOf(carried.code), true);
      requestAnimationFrame(roll);
    }
    show();
  });
  editor.addEventListener("pointerup", (event) => { if (event.pointerId === carried?.pointer) end(true); });
  for (const name of ["pointercancel", "lostpointercapture"]) editor.addEventListener(name, (event) => { if (event.pointerId === carried?.pointer) end(false); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && carried) end(false); });
})();
