// Outliers: one wrong row is moved, and four losses show how far their answer goes with it.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { bestConstant } from "./lowest.js";
import { plotOf } from "./plots.js";

const signed = (value) => `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(2)}`;

export function outliers(page) {
  const { hours, meant, typed, losses } = GIVEN.outliers;
  const [row, dragged] = ["row", "dragged"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const answer = (name, last) => bestConstant(LOSSES[name], [...hours, last]);
  const share = (name, last, at) => {
    const costs = [...hours, last].map((y) => LOSSES[name](y, at)[0]);
    return costs.at(-1) / costs.reduce((sum, cost) => sum + cost, 0);
  };

  const moved = () => {
    const last = wrong.get();
    row.points("wrong", [[last, 0.5]], ["yes mistaken"]);
    dragged.upright("now", last);
    for (const name of losses) {
      const at = answer(name, last);
      row.upright(`stands-${name}`, at);
      dragged.point(`at-${name}`, last, at);
      write(page, `answer-${name}`, at.toFixed(2));
      write(page, `moved-${name}`, signed(at - answer(name, meant)));
      write(page, `share-${name}`, `${(100 * share(name, last, at)).toFixed(0)} %`);
    }
    write(page, "wrong", last.toFixed(1));
  };
  const wrong = control(page, "wrong", moved);
  moved();

  question(page, "twice", ([guess]) => {
    const further = answer("squared_error", 2 * typed) - answer("squared_error", typed);
    const begun = guess === "-" ? "" : guess === "one" ? "So it is. " : "Not quite. ";
    return `${begun}Only that of squared error moves on, by ${further.toFixed(1)} hours. In Huber's loss it pulls as hard as it can already.`;
  });
}
