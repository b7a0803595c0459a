// The page of translating: counts characters as they are typed, and asks before typed texts are left behind.
// Without it the page counts what was saved, and everything else works the same.
"use strict";
(() => {
  const form = document.querySelector("form[data-texts]");
  if (!form) return;
  const fields = [...form.querySelectorAll("textarea")];
  const unsaved = form.querySelector(".unsaved");
  let leaving = false;
  const altered = () => fields.some((field) => field.value !== field.defaultValue);
  form.addEventListener("input", (event) => {
    const counter = document.getElementById(event.target.id + "/count");
    if (!counter) return;
    const length = [...event.target.value].length;
    counter.textContent = `${length} / ${counter.dataset.limit}`;
    counter.classList.toggle("over", length > Number(counter.dataset.limit));
    if (unsaved) {
      const text = altered() ? form.dataset.unsaved : "";
      if (unsaved.textContent !== text) unsaved.textContent = text;
    }
  });
  form.addEventListener("submit", () => { leaving = true; });
  addEventListener("beforeunload", (event) => { if (!leaving && altered()) event.preventDefault(); });
})();
