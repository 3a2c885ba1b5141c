// The playground: any three losses of yes and no race on the same points from the same start.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { choice, control, player, question, write } from "./frame.js";
import { countWrong, descend, raw } from "./neurons.js";
import { plotOf } from "./plots.js";

const GRID = 41;

export function playground(page) {
  const given = GIVEN.playground;
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));
  const [plane, progress] = [plot("plane"), plot("progress")];
  const known = new Map();
  let race = [];

  // A run, computed when it is first asked for.
  const run = (name, model, sample) => {
    const key = [name, model, sample].join();
    if (!known.has(key)) {
      known.set(key, descend(LOSSES[name], { ...given.samples[sample], ...given.models[model], steps: given.steps }));
    }
    return known.get(key);
  };

  const shown = () => {
    const at = step.get();
    const [model, sample] = [given.models[models.get()], given.samples[samples.get()]];
    race.forEach((steps, k) => {
      const { weights, wrong } = steps[at];
      if (model.hidden) plane.crossed(`border-${k}`, (x, y) => raw(weights, [x, y, 1], model.hidden), GRID);
      else plane.straight(`border-${k}`, weights);
      write(page, `wrong-${k}`, wrong);
      write(page, `labels-${k}`, countWrong(weights, sample.rows, sample.y, model.hidden));
    });
    progress.upright("now", at);
    write(page, "steps", at);
  };
  const changed = () => {
    const sample = given.samples[samples.get()];
    race = racers.map((racer) => run(racer.get(), models.get(), samples.get()));
    const classes = sample.y.map((y, i) => `${y ? "yes" : "no"}${y === sample.truth[i] ? "" : " mistaken"}`);
    plane.points("points", sample.rows, classes);
    race.forEach((steps, k) => {
      progress.line(`border-${k}`, [...steps.keys()], (at) => steps[at].wrong);
      write(page, `name-${k}`, racers[k].text());
    });
    shown();
  };
  const samples = choice(page, "points", changed);
  const models = choice(page, "model", changed);
  const racers = [0, 1, 2].map((k) => choice(page, `loss-${k}`, changed));
  const step = control(page, "steps", shown);
  changed();
  player(page.querySelector('[data-button="play"]'), step, given.steps, 20);

  question(page, "dragged", ([guess]) => {
    const names = ["exponential", "binary_cross_entropy", "binary_brier"];
    const [most, middle, least] = names.map((name) => run(name, 0, 0)[given.steps].wrong);
    const begun = guess === "-" ? "" : guess === "exponential" ? "So it is. " : "Not that one. ";
    return `${begun}The exponential loss, with ${most} truly wrong answers; cross-entropy has ${middle}, and squared error ${least}.`;
  });
}
