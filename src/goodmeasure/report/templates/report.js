// Moves the costs of a miss and of a false alarm, and shows what acting by the model then does.
// The page is complete without it: it changes what the page already shows, from numbers that the page holds.
"use strict";
{
  const part = (name) => document.getElementById(`acting-${name}`);
  const given = JSON.parse(part("data").textContent);
  const [PEOPLE, TOP] = [given.people, given.top];
  const [ACROSS, CELL, SIDE] = given.grid;
  const written = (value) => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });

  const apportioned = (shares) => {
    const exact = shares.map((share) => (share / shares.reduce((a, b) => a + b)) * PEOPLE);
    const found = exact.map(Math.floor);
    const left = PEOPLE - found.reduce((a, b) => a + b);
    const order = exact.map((value, k) => [found[k] - value, k]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    order.slice(0, left).forEach(([, k]) => (found[k] += 1));
    return found;
  };

  const squares = (start, end) => {
    let path = "";
    for (let k = start; k < end; k++) {
      path += `M${CELL * (k % ACROSS)},${CELL * Math.floor(k / ACROSS)}h${SIDE}v${SIDE}h-${SIDE}z`;
    }
    return path;
  };

  const figure = part("figure");
  const curve = figure.querySelector('g[clip-path] path[stroke*="--loss"]');
  const line = figure.querySelector('g[clip-path] path[d$="V9999"]');
  const box = figure.querySelector("clipPath rect");
  const [left, top] = ["x", "y"].map((name) => Number(box.getAttribute(name)) + 4);
  const [wide, tall] = ["width", "height"].map((name) => Number(box.getAttribute(name)) - 8);
  const across = (x) => (left + Math.min(x, 1) * wide).toFixed(1);
  const up = (y) => (top + (1 - y / TOP) * tall).toFixed(1);

  const show = () => {
    const miss = given.miss * 10 ** Number(part("miss").value);
    const alarm = given.false_alarm * 10 ** Number(part("alarm").value);
    const cut = alarm / (alarm + miss);
    let at = given.threshold.findIndex((threshold) => threshold >= cut);
    if (at < 0) at = given.threshold.length - 1;
    const [hit, called] = [given.hit[at], given.alarm[at]];
    const people = apportioned([hit, given.hit[0] - hit, called, given.alarm[0] - called]);

    let start = 0;
    people.forEach((count, k) => {
      part(`kind-${k}`).setAttribute("d", squares(start, start + count));
      part(`count-${k}`).textContent = count;
      start += count;
    });
    const least = Math.min(alarm * given.alarm[0], miss * given.hit[0]);
    const costs = given.threshold.map((_, k) => (miss * (given.hit[0] - given.hit[k]) + alarm * given.alarm[k]) / least);
    curve.setAttribute(
      "d",
      costs.map((cost, k) => `${k ? "V" : `M${across(0)},`}${up(Math.min(cost, 50))}H${across(given.threshold[k])}`).join(""),
    );
    line.setAttribute("d", `M${across(cut)},0V9999`);
    part("miss-shown").textContent = written(miss);
    part("alarm-shown").textContent = written(alarm);
    part("sentence").textContent =
      `Of ${PEOPLE.toLocaleString("en")} rows like these, ${people[0] + people[1]} are ${given.event}. Acting from ${written(cut)} on calls ` +
      `${people[0] + people[2]}: ${people[0]} are ${given.event}, ${people[2]} are not; ${people[1]} are missed.`;
    part("share").textContent = `${Math.round(100 * costs[at])} %`;
  };

  for (const name of ["miss", "alarm"]) part(name).addEventListener("input", show);
  part("again").addEventListener("click", () => {
    for (const name of ["miss", "alarm"]) part(name).value = 0;
    show();
  });
  part("sliders").hidden = false;
  show();
}
