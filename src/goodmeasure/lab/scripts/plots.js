// Moves the named marks of pictures that are drawn already: a picture says in `data-ends` where its axes begin and end.

export function plotOf(figure) {
  const box = figure.querySelector("clipPath rect");
  const size = (name) => Number(box.getAttribute(name));
  const [left, top, wide, tall] = [size("x") + 4, size("y") + 4, size("width") - 8, size("height") - 8];
  const [x0, x1, y0, y1] = figure.dataset.ends.split(" ").map(Number);
  const across = (x) => left + ((x - x0) / (x1 - x0)) * wide;
  const up = (y) => top + (1 - (y - y0) / (y1 - y0)) * tall;
  const near = (v) => Math.max(-9999, Math.min(9999, v)).toFixed(1);
  const place = (x, y) => `${near(across(x))},${near(up(y))}`;
  const part = (name) => figure.querySelector(`[data-mark="${name}"]`);
  const first = (name, tag) => part(name).querySelector(tag);

  // Where f changes its sign, piece by piece of a grid: each square of it is crossed from side to side.
  const crossings = (f, n) => {
    const segments = [];
    const [xs, ys] = [evenly(x0, x1, n), evenly(y0, y1, n)];
    const values = ys.map((y) => xs.map((x) => f(x, y)));
    const between = (a, b, from, to) => from + ((to - from) * a) / (a - b);
    for (let j = 0; j + 1 < n; j++) {
      for (let i = 0; i + 1 < n; i++) {
        const [a, b, c, d] = [values[j][i], values[j][i + 1], values[j + 1][i + 1], values[j + 1][i]];
        const found = [];
        if (a > 0 !== b > 0) found.push(place(between(a, b, xs[i], xs[i + 1]), ys[j]));
        if (b > 0 !== c > 0) found.push(place(xs[i + 1], between(b, c, ys[j], ys[j + 1])));
        if (c > 0 !== d > 0) found.push(place(between(d, c, xs[i], xs[i + 1]), ys[j + 1]));
        if (d > 0 !== a > 0) found.push(place(xs[i], between(a, d, ys[j], ys[j + 1])));
        for (let k = 0; k + 1 < found.length; k += 2) segments.push([found[k], found[k + 1]]);
      }
    }
    return chained(segments);
  };

  return {
    part,
    crossed: (name, f, n) => first(name, "path").setAttribute("d", crossings(f, n)),
    points: (name, rows, classes) => {
      [...part(name).children].forEach((circle, i) => {
        circle.setAttribute("cx", across(rows[i][0]));
        circle.setAttribute("cy", up(rows[i][1]));
        circle.setAttribute("class", classes[i]);
      });
    },
    line: (name, xs, y) => first(name, "path").setAttribute("d", `M${xs.map((x) => place(x, y(x))).join("L")}`),
    // The line where a x + b y + c is zero, from beyond the picture to beyond it.
    straight: (name, [a, b, c]) => {
      const [length, far] = [Math.hypot(a, b), 4 * x1];
      const [x, y] = [(-c * a) / length ** 2, (-c * b) / length ** 2];
      const ends = [-far, far].map((t) => place(x - (b / length) * t, y + (a / length) * t));
      first(name, "path").setAttribute("d", length > 0 ? `M${ends.join("L")}` : "");
    },
    square: (name, side) => {
      const [x, y] = [across(side), up(side)];
      const found = { x: across(0), y, width: x - across(0), height: up(0) - y };
      for (const [key, value] of Object.entries(found)) first(name, "rect").setAttribute(key, value.toFixed(1));
    },
    upright: (name, x) => first(name, "path").setAttribute("d", `M${near(across(x))},0V9999`),
    point: (name, x, y) => {
      first(name, "circle").setAttribute("cx", across(x));
      first(name, "circle").setAttribute("cy", up(y));
    },
    arrow: (name, x, y, length) => {
      const [from, to] = [across(x), across(x) + length];
      const head = Math.sign(length) * Math.min(6, Math.abs(length));
      const [h, v] = [from.toFixed(1), up(y).toFixed(1)];
      first(name, "path").setAttribute("d", `M${h},${v}H${to.toFixed(1)}m${-head},-4l${head},4l${-head},4`);
    },
  };
}

// Segments that share their ends as few long lines, so that dashes run on: first those with two ends, then the rings.
function chained(segments) {
  const meeting = new Map();
  for (const segment of segments) for (const end of segment) meeting.set(end, [...(meeting.get(end) ?? []), segment]);
  const left = new Set(segments);
  const walk = (start) => {
    let [at, path] = [start, `M${start}`];
    for (;;) {
      const next = meeting.get(at).find((segment) => left.has(segment));
      if (!next) return path;
      left.delete(next);
      at = next[0] === at ? next[1] : next[0];
      path += `L${at}`;
    }
  };
  let path = "";
  for (const [end, found] of meeting) if (found.length === 1 && left.has(found[0])) path += walk(end);
  for (const segment of segments) if (left.has(segment)) path += walk(segment[0]);
  return path;
}

export const evenly = (from, to, count) => Array.from({ length: count }, (_, k) => from + ((to - from) * k) / (count - 1));
