// How much room a text has left. The form works without this: the server says it, too, and loses nothing.
for (const field of document.querySelectorAll("textarea[data-most]")) {
  const line = field.parentElement.querySelector(".question-left");
  const most = Number(field.dataset.most);
  const tell = () => {
    const text = field.value.trim();
    const bytes = new TextEncoder().encode(text); // ä has two
    const left = most - bytes.length;
    line.classList.toggle("over", left < 0);
    if (left < 0) {
      const fitting = new TextDecoder().decode(bytes.slice(0, most)).replace(/\uFFFD$/, ""); // half an ä
      line.textContent = line.dataset.over.replace("{over}", [...text].length - [...fitting].length);
    } else line.textContent = left > most / 2 ? "" : line.dataset.left.replace("{left}", left);
  };
  field.addEventListener("input", tell);
  tell();
}
