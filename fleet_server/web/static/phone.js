// How much room a text has left. The form works without this: the server says it, too, and loses nothing.
for (const field of document.querySelectorAll("textarea[data-most]")) {
  const line = field.parentElement.querySelector(".question-left");
  const most = Number(field.dataset.most);
  const tell = () => {
    const left = most - new TextEncoder().encode(field.value.trim()).length; // bytes: ä has two
    line.classList.toggle("over", left < 0);
    if (left < 0) line.textContent = line.dataset.over.replace("{over}", -left);
    else line.textContent = left > most / 2 ? "" : line.dataset.left.replace("{left}", left);
  };
  field.addEventListener("input", tell);
  tell();
}
