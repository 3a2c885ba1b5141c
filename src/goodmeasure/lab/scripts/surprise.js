// The price of surprise: a probability is moved, and its price shows on the curve and in coins.
import { LOSSES } from "./formulas.js";
import { control, question, write } from "./frame.js";
import { plotOf } from "./plots.js";

const price = (p) => LOSSES.binary_cross_entropy(1, Math.log(p / (1 - p)))[0];

export function surprise(page) {
  const [curve, coins] = ["curve", "coins"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const moved = () => {
    const p = probability.get();
    const bits = price(p) / Math.LN2;
    curve.point("here", p, price(p));
    curve.upright("now", p);
    [...coins.part("coins").children].forEach((coin, k) => {
      coin.setAttribute("fill-opacity", Math.min(Math.max(bits - k, 0), 1).toFixed(3));
    });
    write(page, "p", p.toFixed(3));
    write(page, "price", price(p).toFixed(4));
    write(page, "bits", bits.toFixed(2));
  };
  const probability = control(page, "p", moved);
  moved();

  question(page, "times", ([guess]) => {
    const times = price(0.01) / price(0.9);
    const begun = guess === "-" ? "" : guess === times.toFixed(0) ? `You said ${guess} times, and so it is. ` : `You said ${guess} times. `;
    return `${begun}${price(0.01).toFixed(4)} in place of ${price(0.9).toFixed(4)}: ${times.toFixed(1)} times as much.`;
  });
}
