// The playground: any three losses of yes and no race on the same points from the same start.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { choice, control, field, player, question, write } from "./frame.js";
import { countWrong, descend, raw } from "./neurons.js";
import { plotOf } from "./plots.js";
import { typedLoss } from "./typed.js";

const GRID = 41;
const TYPED = "typed";

export function playground(page) {
  const given = GIVEN.playground;
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));
  const [plane, progress] = [plot("plane"), plot("progress")];
  const known = new Map();
  let race = [];

  // A run, computed when it is first asked for.
  const run = (name, model, sample) => {
    const key = [name, model, sample, name === TYPED ? written : ""].join();
    if (!known.has(key)) {
      const loss = name === TYPED ? typedLoss(written) : LOSSES[name];
      known.set(key, descend(loss, { ...given.samples[sample], ...given.models[model], steps: given.steps }));
    }
    return known.get(key);
  };

  const shown = () => {
    const at = step.get();
    const [model, sample] = [given.models[models.get()], given.samples[samples.get()]];
    race.forEach((steps, k) => {
      const { weights, wrong } = steps[at];
      if (model.hidden) plane.crossed(`answer-${k}`, (x, y) => raw(weights, [x, y, 1], model.hidden), GRID);
      else plane.straight(`answer-${k}`, weights);
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
      progress.line(`answer-${k}`, [...steps.keys()], (at) => steps[at].wrong);
      write(page, `name-${k}`, racers[k].text());
    });
    const ended = race.map((steps) => steps.findIndex((step) => !Number.isFinite(step.pull)));
    const lost = ended.flatMap((at, k) => (at < 0 ? [] : `Loss ${k + 1} stands still from step ${at}: its pull is no number there.`));
    write(page, "formula", [wrongFormula, ...lost].filter(Boolean).join(" "));
    shown();
  };
  // The formula that is raced is the last one that could be read.
  const typed = () => {
    try {
      typedLoss(formula.get());
      [written, wrongFormula] = [formula.get(), ""];
    } catch (error) {
      wrongFormula = `Not a formula yet: ${error.message}.`;
    }
    formula.input.setAttribute("aria-invalid", wrongFormula !== "");
  };
  const formula = field(page, "formula", () => {
    typed();
    if (!wrongFormula && !racers.some((racer) => racer.get() === TYPED)) racers[2].set(TYPED);
    changed();
  });
  let [written, wrongFormula] = [formula.input.defaultValue, ""];
  typed();
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
