// A miss is moved, and shows as a length, as a square, and as what each loss charges for it.
import { LOSSES } from "./formulas.js";
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { plotOf } from "./plots.js";

const times = (name, miss) => LOSSES[name](0, miss)[0] / LOSSES[name](0, 1)[0];

export function misses(page) {
  const [tiles, lines] = ["tiles", "lines"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const moved = () => {
    const size = miss.get();
    tiles.square("square", size);
    tiles.line("length", [0, size], () => 0);
    write(page, "off-by", size.toFixed(1));
    for (const name of GIVEN.misses.losses) {
      lines.point(`answer-at-${name}`, size, times(name, size));
      write(page, `times-${name}`, times(name, size).toFixed(1));
    }
  };
  const miss = control(page, "off-by", moved);
  moved();

  question(page, "huber", ([guess]) => {
    const found = times("huber", 10).toFixed(0);
    const begun = guess === "-" ? "" : guess === found ? `You said ${guess} times, and so it is. ` : `You said ${guess} times. `;
    return `${begun}${LOSSES.huber(0, 10)[0]} in place of ${LOSSES.huber(0, 1)[0]}: ${found} times as much.`;
  });
}
