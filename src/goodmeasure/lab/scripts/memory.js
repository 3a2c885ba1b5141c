// Learning against memorising: a curve has more or fewer coefficients, and costs this on the rows that it was fitted to, and that on others.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { choice, control, question, write } from "./frame.js";
import { mean } from "./neurons.js";
import { evenly, plotOf } from "./plots.js";

// A sum of Chebyshev's polynomials, each made of the two before it.
function at(coefficients, x) {
  let [before, now, sum] = [1, x, coefficients[0]];
  for (const coefficient of coefficients.slice(1)) {
    sum += coefficient * now;
    [before, now] = [now, 2 * x * now - before];
  }
  return sum;
}

export function memory(page) {
  const { x, y, fits, aside, away, told } = GIVEN.memory;
  const [curve, progress] = ["curve", "progress"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const features = evenly(-1, 1, 201);
  const cost = (fit, from, to) => mean(x.slice(from, to).map((place, i) => LOSSES.squared_error(y[from + i], at(fit, place))[0]));
  const both = (fit) => ({ seen: cost(fit, 0, Number(samples.get())), aside: cost(fit, aside, x.length) });
  const text = (value) => (value < 10 ? value.toFixed(3) : value.toFixed(1));
  let costs = [];

  const moved = () => {
    const k = count.get();
    curve.line("curve", features, (place) => at(fits[samples.get()][k - 1], place));
    progress.upright("now", k);
    for (const name of ["seen", "aside"]) {
      progress.point(`at-${name}`, k, costs[k - 1][name]);
      write(page, name, text(costs[k - 1][name]));
    }
    write(page, "coefficients", k);
  };
  const changed = () => {
    const n = Number(samples.get());
    costs = fits[n].map(both);
    for (const name of ["seen", "aside"]) progress.line(name, [...costs.keys()].map((k) => k + 1), (k) => costs[k - 1][name]);
    curve.points("seen", x.map((place, i) => [i < n ? place : away, y[i]]), x.map(() => "yes"));
    write(page, "rows", n);
    moved();
  };
  const samples = choice(page, "rows", changed);
  const count = control(page, "coefficients", moved);
  changed();

  question(page, "elsewhere", ([guess]) => {
    const begun = { "-": "", more: "So it is. " }[guess] ?? "Not so little. ";
    return begun + told;
  });
}
