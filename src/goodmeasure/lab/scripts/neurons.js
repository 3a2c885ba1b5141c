// A neuron, or a small net with one hidden layer, trained by gradient descent on a loss that was printed from its formula.
// Its weights are one list: a row for each hidden unit, then those of the output. Without hidden units it is one neuron.

function dot(row, weights, from) {
  let sum = 0;
  for (let k = 0; k < row.length; k++) sum += row[k] * weights[from + k];
  return sum;
}

// What the output adds up: the row itself, or the hidden units and a constant.
function unitsOf(weights, row, hidden) {
  if (!hidden) return row;
  const units = [];
  for (let j = 0; j < hidden; j++) units.push(Math.tanh(dot(row, weights, j * row.length)));
  units.push(1);
  return units;
}

export const raw = (weights, row, hidden = 0) => dot(unitsOf(weights, row, hidden), weights, hidden * row.length);
export const sigmoid = (z) => (z < 0 ? Math.exp(z) / (1 + Math.exp(z)) : 1 / (1 + Math.exp(-z)));
export const isWrong = (z, y) => z > 0 !== y > 0;
export const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

export const countWrong = (weights, rows, y, hidden = 0) =>
  rows.reduce((count, row, i) => count + isWrong(raw(weights, row, hidden), y[i]), 0);
export const meanLoss = (loss, weights, rows, y, hidden = 0) =>
  mean(rows.map((row, i) => loss(y[i], raw(weights, row, hidden))[0]));

// The slope of the mean loss by each weight.
export function pull(loss, weights, rows, y, hidden = 0) {
  const found = weights.map(() => 0);
  for (let i = 0; i < rows.length; i++) {
    const [row, output] = [rows[i], hidden * rows[i].length];
    const units = unitsOf(weights, row, hidden);
    const slope = loss(y[i], dot(units, weights, output))[1] / rows.length;
    for (let j = 0; j < units.length; j++) found[output + j] += slope * units[j];
    for (let j = 0; j < hidden; j++) {
      const back = slope * weights[output + j] * (1 - units[j] ** 2);
      for (let k = 0; k < row.length; k++) found[j * row.length + k] += back * row[k];
    }
  }
  return found;
}

// Weights, wrong answers and the length of the pull at the start and after each step. Where the pull is no number, nothing moves.
export function descend(loss, { rows, y, start, steps, rate, hidden = 0, truth = y }) {
  let weights = start;
  return Array.from({ length: steps + 1 }, () => {
    const slopes = pull(loss, weights, rows, y, hidden);
    const here = { weights, wrong: countWrong(weights, rows, truth, hidden), pull: Math.hypot(...slopes) };
    if (slopes.every(Number.isFinite)) weights = weights.map((w, k) => w - rate * slopes[k]);
    return here;
  });
}
