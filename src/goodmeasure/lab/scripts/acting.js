// From a probability to an act: a cut and two costs are moved, and all machines are counted anew.
import { GIVEN } from "./given.js";
import { control, question, write } from "./frame.js";
import { evenly, plotOf } from "./plots.js";

export function acting(page) {
  const { chances, fail, fine, alarm, miss } = GIVEN.acting;
  const [strip, bill] = ["strip", "bill"].map((name) => plotOf(page.querySelector(`[data-picture="${name}"]`)));
  const dots = (counts) => counts.flatMap((count, k) => Array(count).fill(chances[k]));
  const machines = [...dots(fail).map((p) => [p, true]), ...dots(fine).map((p) => [p, false])];
  const circles = [...strip.part("machines").children];
  const cuts = evenly(0, 1, 401);

  const sum = (counts, wanted) => counts.reduce((found, count, k) => found + (wanted(chances[k]) ? count : 0), 0);
  const counted = (at) => {
    const [missed, idle] = [sum(fail, (p) => p < at), sum(fine, (p) => p >= at)];
    return { missed, idle, reached: sum(fail, () => true) - missed };
  };
  const hours = ({ missed, idle }) => missed * misses.get() + idle * alarms.get();
  const best = () => alarms.get() / (alarms.get() + misses.get());

  const found = new Map(cuts.map((at) => [at, counted(at)]));
  const dearest = () => Math.max(...cuts.map((at) => hours(found.get(at))));
  // Where a cut stands among the columns: in the gap before the first that is checked.
  const between = (at) => {
    const first = 1 + chances.filter((p) => p < at).length;
    return first - 0.5 + 0.2 * (20 * at - first + 0.5);
  };
  const priced = () => {
    const most = dearest();
    const line = (name, cost) => bill.line(name, cuts, (at) => cost(found.get(at)) / most);
    line("missed", (each) => each.missed * misses.get());
    line("idle", (each) => each.idle * alarms.get());
    line("all", hours);
    bill.upright("best", best());
    strip.upright("answer-best", between(best()));
    write(page, "alarm", alarms.get());
    write(page, "miss", misses.get());
    write(page, "both", alarms.get() + misses.get());
    write(page, "best", best().toFixed(3));
    write(page, "best-hours", hours(counted(best())));
    moved();
  };
  const moved = () => {
    const at = cut.get();
    const here = counted(at);
    machines.forEach(([p, fails], i) => circles[i].setAttribute("class", `${fails ? "yes" : "no"}${p >= at === fails ? "" : " mistaken"}`));
    strip.upright("cut", between(at));
    bill.point("here", at, hours(here) / dearest());
    write(page, "cut", at.toFixed(2));
    write(page, "checked", here.reached + here.idle);
    for (const name of ["reached", "missed", "idle"]) write(page, name, here[name]);
    write(page, "hours", hours(here));
  };
  const cut = control(page, "cut", moved);
  const alarms = control(page, "alarm", priced);
  const misses = control(page, "miss", priced);
  priced();

  question(page, "from", ([guess]) => {
    const from = alarm / (alarm + miss);
    const begun = guess === "-" ? "" : guess === from.toFixed(2) ? "So it is. " : "Not there. ";
    return `${begun}From ${alarm} / (${alarm} + ${miss}) on, about ${(100 * from).toFixed(0)} %: there a check wastes as much as it saves.`;
  });
}
