// A secret is copied with one press, and what was done is said aloud.
for (const button of document.querySelectorAll("[data-copies]")) {
  const label = button.textContent;
  button.addEventListener("click", async () => {
    const said = document.querySelector("[data-copied]");
    const shown = document.getElementById(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(shown.textContent);
      button.textContent = "Copied";
      said.textContent = "Copied.";
    } catch {
      getSelection().selectAllChildren(shown);
      said.textContent = "Your browser blocked copying. The text is selected: copy it manually.";
    }
    setTimeout(() => { button.textContent = label; }, 3000);
  });
}
