// What a loss asks for: one number is moved along a sample, and four losses say what it costs to say it.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { mean } from "./neurons.js";
import { plotOf } from "./plots.js";

export function asking(page) {
  const { days, level, told } = GIVEN.asking;
  const losses = {
    squared_error: LOSSES.squared_error,
    absolute_error: LOSSES.absolute_error,
    pinball: (y, z) => LOSSES.pinball(y, z, { level }),
    hit: (y, z) => [Number(y !== z)],
  };
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));
  const panels = Object.entries(losses).map(([name, loss]) => ({ name, loss, panel: plot(`cost-${name}`) }));
  const sample = plot("sample");
  const sum = (misses) => misses.reduce((found, miss) => found + miss, 0).toFixed(1);

  const moved = () => {
    const said = number.get();
    sample.upright("answer-said", said);
    for (const { name, loss, panel } of panels) {
      const cost = mean(days.map((y) => loss(y, said)[0]));
      panel.point("here", said, cost);
      write(page, `cost-${name}`, cost.toFixed(2));
    }
    const [above, below] = [days.filter((y) => y > said), days.filter((y) => y < said)];
    write(page, "number", said.toFixed(1));
    write(page, "above", above.length);
    write(page, "below", below.length);
    write(page, "sum-above", sum(above.map((y) => y - said)));
    write(page, "sum-below", sum(below.map((y) => said - y)));
  };
  const number = control(page, "number", moved);
  moved();

  question(page, "promise", ([guess]) => {
    const begun = guess === "-" ? "" : guess === "pinball" ? "So it is. " : "Not that one. ";
    return begun + told;
  });
}
