// Honest forecasts: a forecast and a belief are moved, and four losses show what the one costs under the other.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { evenly, plotOf } from "./plots.js";

const percent = (p) => `${(100 * p).toFixed(0)} %`;
const FORECASTS = evenly(0.001, 0.999, 500);

export function forecasts(page) {
  const { linked, days: count, row } = GIVEN.forecasts;
  const [days, curves] = ["days", "curves"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const places = Array.from({ length: count }, (_, k) => [k % row, -Math.floor(k / row)]);

  const raw = (name, p) => (linked[name] ? Math.log(p) - Math.log1p(-p) : p);
  const expected = (name, b, p) => b * LOSSES[name](1, raw(name, p))[0] + (1 - b) * LOSSES[name](0, raw(name, p))[0];
  // What a point more saves over a hundred days where yes happens, and costs where no does, at this rate.
  const balance = (name, b, p) => {
    const [saves, costs] = [1, 0].map((y) => LOSSES[name](y, raw(name, p))[1] / (linked[name] ? p * (1 - p) : 1));
    return [0 - b * saves, (1 - b) * costs];
  };
  const advice = (saves, costs) => {
    if (saves === 0 && costs === 0) return "nothing moves";
    return Math.abs(saves - costs) < 1e-9 ? "stay" : saves > costs ? "say more" : "say less";
  };

  const moved = () => {
    const [p, b] = [forecast.get(), belief.get()];
    const best = { binary_cross_entropy: b, binary_brier: b, absolute_error: 1 };
    days.points("days", places, places.map((_, k) => (k < Math.round(count * b) ? "yes" : "no")));
    curves.upright("now", p);
    for (const name of Object.keys(linked)) {
      const [saves, costs] = balance(name, b, p);
      curves.line(`cost-${name}`, FORECASTS, (at) => expected(name, b, at));
      if (name in best) curves.point(`lowest-${name}`, best[name], expected(name, b, best[name]));
      write(page, `now-${name}`, expected(name, b, p).toFixed(3));
      write(page, `honest-${name}`, expected(name, b, b).toFixed(3));
      write(page, `best-${name}`, name in best ? percent(best[name]) : "any above 50 %");
      write(page, `saves-${name}`, saves.toFixed(2));
      write(page, `costs-${name}`, costs.toFixed(2));
      write(page, `so-${name}`, advice(saves, costs));
    }
    write(page, "forecast", percent(p));
    write(page, "belief", percent(b));
    write(page, "rain", Math.round(count * b));
    write(page, "dry", count - Math.round(count * b));
  };
  const forecast = control(page, "forecast", moved);
  const belief = control(page, "belief", moved);
  moved();

  question(page, "pays", ([guess]) => {
    const costs = [1, 0.7].map((p) => expected("absolute_error", 0.7, p).toFixed(2));
    const begun = guess === "-" ? "" : guess === "100" ? "So it is. " : `You said ${guess} %. `;
    return `${begun}100 %: it costs ${costs[0]} a day, where an honest 70 % costs ${costs[1]}.`;
  });
}
