// The learning signal: one raw output is moved, and every loss shows which way it pulls there, and how hard.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { sigmoid } from "./neurons.js";
import { plotOf } from "./plots.js";

const pullWords = (pull) =>
  pull === 0 ? "no pull" : `pull ${Math.abs(pull).toFixed(3)} to the ${pull > 0 ? "right" : "left"}`;

export function signal(page) {
  const { losses, reach } = GIVEN.signal;
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));
  const panels = Object.entries(losses).map(([name, y]) => ({ name, y, loss: LOSSES[name], panel: plot(`loss-${name}`) }));
  const pulls = plot("pulls");

  const moved = () => {
    const z = raw.get();
    for (const { name, y, loss, panel } of panels) {
      const [value, slope] = loss(y, z);
      panel.point("here", z, value);
      panel.arrow("answer-pull", z, value, -slope * reach);
      write(page, `pull-${name}`, pullWords(-slope));
    }
    pulls.upright("now", z);
    write(page, "raw", z.toFixed(1));
    write(page, "probability", `${(100 * sigmoid(z)).toPrecision(3)} %`);
  };
  const raw = control(page, "raw", moved);
  moved();

  question(page, "harder", ([guess]) => {
    const [sure, wrong] = [0.9, 0.01].map((p) => -LOSSES.binary_brier(1, Math.log(p / (1 - p)))[1]);
    const begun = { "-": "", same: "You said about equally, and so it is: ", A: "You said on A: ", B: "You said on B: " }[guess] ?? "";
    const text = `squared error pulls A with ${sure.toFixed(3)} and B, which is badly wrong, with ${wrong.toFixed(4)}.`;
    return begun ? begun + text : text[0].toUpperCase() + text.slice(1);
  });
}
