// The number that costs least on all targets.
import { mean } from "./neurons.js";
import { evenly } from "./plots.js";

// Among even steps and the targets themselves, the cheapest; then, between its neighbours, cheaper ones as long as there are any.
export function bestConstant(loss, targets) {
  const cost = (z) => mean(targets.map((y) => loss(y, z)[0]));
  const places = [...evenly(Math.min(...targets), Math.max(...targets), 201), ...targets].sort((a, b) => a - b);
  const costs = places.map(cost);
  const at = costs.indexOf(Math.min(...costs));
  let [low, high] = [places[Math.max(0, at - 1)], places[Math.min(places.length - 1, at + 1)]];
  for (let k = 0; k < 80; k++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
    if (cost(a) < cost(b)) high = b;
    else low = a;
  }
  const found = (low + high) / 2;
  return cost(found) < costs[at] ? found : places[at];
}
