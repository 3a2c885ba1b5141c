// Raise one, lower the others, or both: raw outputs of three classes are moved, and three losses show how they pull each.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { plotOf } from "./plots.js";

// Probabilities by softmax, and the logarithm of the sum that they share.
function softmax(zs) {
  const most = Math.max(...zs);
  const parts = zs.map((z) => Math.exp(z - most));
  const sum = parts.reduce((found, part) => found + part, 0);
  return { shares: parts.map((part) => part / sum), log: most + Math.log(sum) };
}

// Each loss is one of yes and no on how far the true class is ahead, of all others together or of the best of them.
const pulls = {
  softmax: (zs, truth) => {
    const others = softmax(zs.filter((_, k) => k !== truth));
    const slope = LOSSES.binary_cross_entropy(1, zs[truth] - others.log)[1];
    return zs.map((_, k) => (k === truth ? -slope : slope * others.shares[k - (k > truth)]));
  },
  each: (zs, truth) => zs.map((z, k) => -LOSSES.binary_cross_entropy(k === truth ? 1 : 0, z)[1]),
  hinge: (zs, truth) => {
    const rival = Math.max(...zs.filter((_, k) => k !== truth));
    const slope = LOSSES.hinge(1, zs[truth] - rival)[1];
    const lowered = zs.findIndex((z, k) => k !== truth && z === rival);
    return zs.map((_, k) => (k === truth ? -slope : k === lowered ? slope : 0));
  },
};

const signed = (pull) => (Math.abs(pull) < 5e-4 ? "0" : `${pull < 0 ? "-" : "+"}${Math.abs(pull).toFixed(3)}`);

export function raising(page) {
  const { classes, truth, heights, reach, told } = GIVEN.raising;
  const plot = (name) => plotOf(page.querySelector(`[data-picture="${name}"]`));
  const says = plot("says");
  const ways = Object.entries(pulls).map(([name, pull]) => ({ name, pull, panel: plot(`way-${name}`) }));

  const moved = () => {
    const zs = raws.map((raw) => raw.get() + all.get());
    const { shares } = softmax(zs);
    classes.forEach((name, k) => {
      says.line(`share-${name}`, [0, shares[k]], () => heights[k]);
      write(page, `raw-${name}`, zs[k].toFixed(1));
      write(page, `z-${name}`, raws[k].get().toFixed(1));
      write(page, `share-${name}`, `${(100 * shares[k]).toFixed(1)} %`);
    });
    for (const { name: way, pull, panel } of ways) {
      const found = pull(zs, truth);
      classes.forEach((name, k) => {
        panel.point(`at-${name}`, zs[k], heights[k]);
        panel.arrow(`answer-pull-${name}`, zs[k], heights[k], found[k] * reach);
        write(page, `${way}-${name}`, signed(found[k]));
      });
      write(page, `${way}-sum`, signed(found.reduce((sum, each) => sum + each, 0)));
    }
    write(page, "all", all.get().toFixed(1));
  };
  const raws = classes.map((name) => control(page, `z-${name}`, moved));
  const all = control(page, "all", moved);
  moved();

  question(page, "alike", ([guess]) => {
    const begun = { "-": "", same: "So it is. " }[guess] ?? "Not so. ";
    return begun + told;
  });
}
