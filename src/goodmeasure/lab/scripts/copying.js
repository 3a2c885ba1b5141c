// Buttons that copy a line of code, or the address of what is seen.

const MILLISECONDS = 1500; // that a button says what it did

// What a button copies; null where it is the address.
const lineOf = (button) => (button.dataset.copy === "line" ? button.parentElement.querySelector("code") : null);

async function copied(button) {
  const line = lineOf(button);
  try {
    await navigator.clipboard.writeText(line ? line.textContent : location.href);
    return "copied";
  } catch {
    // Whoever refuses the clipboard can still copy what is selected.
    if (line) getSelection().selectAllChildren(line);
    return line ? "selected" : "not allowed";
  }
}

export function copying() {
  const status = document.querySelector("[data-copied]");
  for (const button of document.querySelectorAll("[data-copy]")) {
    const word = button.querySelector("span");
    button.addEventListener("click", async () => {
      status.textContent = word.textContent = await copied(button);
      setTimeout(() => (status.textContent = "", word.textContent = "copy"), MILLISECONDS);
    });
  }
}
