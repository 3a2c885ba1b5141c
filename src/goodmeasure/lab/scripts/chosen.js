// The four steps: a column is taken, and what is asked of it, and the plan that was made for both is shown.
import { GIVEN } from "./given.js";
import { choice, question } from "./frame.js";

export function chosen(page) {
  const cases = [...page.querySelectorAll("[data-case]")];
  const moved = () => {
    for (const part of page.querySelectorAll("[data-column]")) part.hidden = part.dataset.column !== column.get();
    const asked = `${column.get()} ${ask.get()}`;
    const isThere = cases.some((part) => part.dataset.case === asked);
    ask.list.parentElement.hidden = !isThere; // a column of labels has one answer
    const wanted = isThere ? asked : `${column.get()} usual`;
    for (const part of cases) part.hidden = part.dataset.case !== wanted;
  };
  const column = choice(page, "column", moved);
  const ask = choice(page, "ask", moved);
  moved();

  question(page, "claims", ([guess]) => {
    const begun = guess === "-" ? "" : guess === "tweedie" ? "So it is. " : "Not that one. ";
    return begun + GIVEN.chosen.told;
  });
}
