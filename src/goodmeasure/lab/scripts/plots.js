// Moves the named marks of pictures that are drawn already: a picture says in `data-ends` where its axes begin and end.

export function plotOf(figure) {
  const box = figure.querySelector("clipPath rect");
  const size = (name) => Number(box.getAttribute(name));
  const [left, top, wide, tall] = [size("x") + 4, size("y") + 4, size("width") - 8, size("height") - 8];
  const [x0, x1, y0, y1] = figure.dataset.ends.split(" ").map(Number);
  const across = (x) => left + ((x - x0) / (x1 - x0)) * wide;
  const up = (y) => top + (1 - (y - y0) / (y1 - y0)) * tall;
  const place = (x, y) => `${across(x).toFixed(1)},${Math.max(-9999, Math.min(9999, up(y))).toFixed(1)}`;
  const part = (name) => figure.querySelector(`[data-mark="${name}"]`);
  const first = (name, tag) => part(name).querySelector(tag);

  return {
    part,
    line: (name, xs, y) => first(name, "path").setAttribute("d", `M${xs.map((x) => place(x, y(x))).join("L")}`),
    upright: (name, x) => first(name, "path").setAttribute("d", `M${across(x).toFixed(1)},0V9999`),
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

export const evenly = (from, to, count) => Array.from({ length: count }, (_, k) => from + ((to - from) * k) / (count - 1));
