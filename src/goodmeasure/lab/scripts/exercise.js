// The exercise: the weight of a neuron is moved, three losses race from the same start, and the reader explains.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, player, question, remember, remembered, write } from "./frame.js";
import { countWrong, descend, isWrong, meanLoss, raw, sigmoid } from "./neurons.js";
import { evenly, plotOf } from "./plots.js";

const MILLISECONDS = 60; // a step of the race
const WORDS = 20; // letters of an explanation, before another is shown

export function exercise(page) {
  const given = GIVEN.exercise;
  const { rows, y } = given;
  const features = evenly(-4, 4, 121);
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));

  const [neuron, stairs, slope] = ["neuron", "stairs", "slope"].map(plot);
  const moved = () => {
    const weights = [weight.get(), given.start[1]];
    const wrong = countWrong(weights, rows, y);
    const cost = meanLoss(LOSSES.binary_cross_entropy, weights, rows, y);
    neuron.line("curve", features, (x) => sigmoid(raw(weights, [x, 1])));
    neuron.upright("border", weights[0] === 0 ? 1e3 : -weights[1] / weights[0]);
    [...neuron.part("answers").children].forEach((answer, i) => {
      answer.setAttribute("class", isWrong(raw(weights, rows[i]), y[i]) ? "wrong" : "right");
    });
    stairs.point("here", weights[0], wrong);
    slope.point("here", weights[0], cost);
    write(page, "weight", weights[0].toFixed(2));
    write(page, "count", wrong);
    write(page, "cost", cost.toFixed(4));
  };
  const weight = control(page, "weight", moved);
  moved();

  const losses = { count: LOSSES.zero_one, entropy: LOSSES.binary_cross_entropy, squared: LOSSES.binary_brier };
  const runs = Object.entries(losses).map(([name, loss]) => [name, descend(loss, given)]);
  const [runners, race] = ["runners", "race"].map(plot);
  const stepped = () => {
    const at = step.get();
    for (const [name, run] of runs) {
      runners.line(name, features, (x) => sigmoid(raw(run[at].weights, [x, 1])));
      write(page, `wrong-${name}`, run[at].wrong);
      write(page, `pull-${name}`, run[at].pull.toFixed(3));
    }
    race.upright("now", at);
    write(page, "step", at);
  };
  const step = control(page, "step", stepped);
  stepped();

  player(page.querySelector('[data-button="play"]'), step, given.steps, MILLISECONDS);

  question(page, "nudge", ([guess]) => {
    const after = countWrong([given.start[0] + 0.01, given.start[1]], rows, y);
    const more = countWrong(given.start, rows, y) - after;
    const begun = guess === "-" ? "" : Number(guess) === more ? `You said ${guess}, and so it is. ` : `You said ${guess}. `;
    return `${begun}${more === 0 ? "None" : more} of them: all 40 answers stay as they are, and the count says nothing.`;
  });
  question(page, "race", (guesses) => {
    const names = ["the count", "cross-entropy", "squared error"];
    const pairs = runs.map(([, run], k) => `${names[k]} ${run[given.step].wrong}${guesses.length > 1 ? ` (you said ${guesses[k]})` : ""}`);
    return `Wrong after ${given.step} steps of training: on ${pairs.join(", on ")}.`;
  });

  const text = page.querySelector("textarea");
  const reveal = page.querySelector('[data-button="reveal"]');
  const answer = page.querySelectorAll('[data-after="explain"]');
  const allowed = () => (reveal.disabled = text.value.trim().length < WORDS);
  const revealed = () => {
    for (const part of answer) part.hidden = false;
    reveal.hidden = true;
  };
  for (const part of answer) part.hidden = true;
  text.addEventListener("input", allowed);
  reveal.addEventListener("click", () => {
    remember("explain", 1);
    revealed();
    answer[0].focus();
  });
  allowed();
  if (remembered("explain")) revealed();

  const printed = (answers) => {
    document.documentElement.dataset.sheet = answers ? "key" : "sheet";
    print();
    delete document.documentElement.dataset.sheet;
  };
  page.querySelector('[data-button="sheet"]').addEventListener("click", () => printed(false));
  page.querySelector('[data-button="key"]').addEventListener("click", () => printed(true));
}
