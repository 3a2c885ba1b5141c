// When activation and loss disagree: a raw output is moved, and three ways to wire the two show what they make of it.
import { LOSSES } from "./formulas.js";
import { control, question, write } from "./frame.js";
import { sigmoid } from "./neurons.js";
import { plotOf } from "./plots.js";

const f = Math.fround; // a number in single precision
const together = (z) => LOSSES.binary_cross_entropy(0, z);
const twice = (z) => {
  const p = sigmoid(z);
  const [cost, slope] = together(p);
  return [cost, slope * p * (1 - p)];
};
// Step by step in single precision: first the sigmoid, then the logarithm, each with its own slope.
const apart = (z) => {
  const p = f(1 / f(1 + f(Math.exp(-z))));
  const q = f(1 - p);
  return [-Math.log(q), q > 0 ? f(f(1 / q) * f(p * q)) : 0];
};

export function wiring(page) {
  const [costs, pulls] = ["costs", "pulls-of-ways"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const ways = { together, apart, twice };

  const moved = () => {
    const z = raw.get();
    costs.upright("now", z);
    pulls.upright("now", z);
    for (const [name, way] of Object.entries(ways)) {
      const [cost, pull] = way(z);
      write(page, `cost-${name}`, Number.isFinite(cost) ? cost.toFixed(3) : "without end");
      write(page, `pull-${name}`, pull === 0 ? "none" : pull.toFixed(4));
    }
    write(page, "wired", z.toFixed(1));
    write(page, "believed", `${(100 * sigmoid(z)).toPrecision(10)} %`);
  };
  const raw = control(page, "wired", moved);
  moved();

  question(page, "hard", ([guess]) => {
    const begun = guess === "-" ? "" : guess === "none" ? "So it is. " : "One would hope so. ";
    return `${begun}Not at all: in single precision the sigmoid of 20 is 1, and the logarithm of 1 - 1 has no slope to hand back.`;
  });
}
