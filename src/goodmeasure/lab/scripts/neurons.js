// One neuron on rows of features, trained by gradient descent on a loss that was printed from its formula.

export const raw = (weights, row) => row.reduce((sum, x, k) => sum + x * weights[k], 0);
export const sigmoid = (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));
export const isWrong = (z, y) => z > 0 !== y > 0;
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export const countWrong = (weights, rows, y) => rows.filter((row, i) => isWrong(raw(weights, row), y[i])).length;
export const meanLoss = (loss, weights, rows, y) => mean(rows.map((row, i) => loss(y[i], raw(weights, row))[0]));

// The slope of the mean loss by each weight.
export function pull(loss, weights, rows, y) {
  const found = weights.map(() => 0);
  rows.forEach((row, i) => {
    const slope = loss(y[i], raw(weights, row))[1] / rows.length;
    row.forEach((x, k) => (found[k] += slope * x));
  });
  return found;
}

// Weights, wrong answers and the length of the pull at the start and after each step.
export function descend(loss, { rows, y, start, steps, rate }) {
  let weights = start;
  return Array.from({ length: steps + 1 }, () => {
    const slopes = pull(loss, weights, rows, y);
    const here = { weights, wrong: countWrong(weights, rows, y), pull: Math.hypot(...slopes) };
    weights = weights.map((w, k) => w - rate * slopes[k]);
    return here;
  });
}
