"""The exact minimum of a sum of functions made of straight lines: a primal-dual interior point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from goodmeasure.newton import solve

Floats = NDArray[np.float64]

# How much of the way to the boundary a step goes.
_STAY_INSIDE = 0.9995


@dataclass(frozen=True)
class Lines:
    """Minimise ``sum(max(left * (X w - at), right * (X w - at))) + sum(penalty * w**2) / 2`` over w."""

    features: Floats
    at: Floats
    left: Floats
    right: Floats
    penalty: Floats

    def value(self, w: Floats) -> float:
        """The objective."""
        beyond = self.features @ w - self.at
        return float(np.sum(np.maximum(self.left * beyond, self.right * beyond)) + self.penalty @ w**2 / 2)

    def bound(self, slope: Floats, w: Floats) -> float:
        """What no w near this one can undercut, by convex duality: ``slope`` holds one slope of each row's lines."""
        pull = self.features.T @ slope
        return float(-self.at @ slope - abs(pull + self.penalty * w) @ np.abs(w) - self.penalty @ w**2 / 2)


def minimise(
    lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats], bool]
) -> tuple[Floats, float, int]:
    """The minimum, the proven gap to the optimum, and the number of steps.

    Mehrotra's predictor and corrector on the box of slopes (Portnoy and Koenker 1997), with normal equations X' D X; w is
    free, the slope of each row lies between its two lines, and ``above - below`` is how far the row is beyond its kink.
    """
    x, low, high = lines.features, lines.left, lines.right
    w, slope = start.copy(), (low + high) / 2
    beyond = x @ w - lines.at
    size = float(np.abs(beyond).mean()) or 1.0
    above, below = np.maximum(beyond, 0) + 0.1 * size, np.maximum(-beyond, 0) + 0.1 * size
    best, best_gap, first = w, np.inf, lines.value(w)
    for step in range(1, max_iter + 1):
        up, down = high - slope, slope - low
        off = x @ w - lines.at - above + below
        pull = x.T @ slope + lines.penalty * w
        mu = float(above @ up + below @ down) / (2 * len(slope))
        stiff = above / up + below / down
        normal = (x / stiff[:, None]).T @ x
        normal[np.diag_indices_from(normal)] += lines.penalty
        move = _Mover(lines, normal, stiff, (up, down, above, below), off, pull)
        dw, ds, da, db = move(np.zeros(1), np.zeros(1), 0.0)
        reach = _reach((up, down, above, below), (-ds, ds, da, db))
        ahead = float((above + reach * da) @ (up - reach * ds) + (below + reach * db) @ (down + reach * ds))
        centring = (ahead / (2 * len(slope)) / mu) ** 3
        dw, ds, da, db = move(-da * ds, db * ds, centring * mu)
        reach = _reach((up, down, above, below), (-ds, ds, da, db))
        w, slope, above, below = w + reach * dw, slope + reach * ds, above + reach * da, below + reach * db
        value = lines.value(w)
        gap = value - lines.bound(slope, w)
        if gap < best_gap:
            best, best_gap = w, gap
        if watch(w) or gap <= tol * max(abs(value), 1e-3 * abs(first)) or reach < 1e-10:
            break
    return best, max(best_gap, 0.0), step


class _Mover:
    """One Newton step of the interior point, for a target of complementarity and second-order corrections."""

    def __init__(
        self, lines: Lines, normal: Floats, stiff: Floats, slack: tuple[Floats, ...], off: Floats, pull: Floats
    ):
        self.lines, self.normal, self.stiff, self.slack, self.off, self.pull = lines, normal, stiff, slack, off, pull

    def __call__(self, above_more: Floats, below_more: Floats, target: float) -> tuple[Floats, ...]:
        x = self.lines.features
        up, down, above, below = self.slack
        rise = (target - above_more) / up - above
        fall = (target - below_more) / down - below
        rest = self.off - rise + fall
        dw = solve(self.normal, -self.pull - x.T @ (rest / self.stiff))
        ds = (x @ dw + rest) / self.stiff
        return dw, ds, rise + above / up * ds, fall - below / down * ds


def _reach(slack: tuple[Floats, ...], change: tuple[Floats, ...]) -> float:
    """How far all the slacks can move without one of them reaching zero."""
    longest = 1.0
    for s, d in zip(slack, change, strict=True):
        falling = d < 0
        if falling.any():
            longest = min(longest, _STAY_INSIDE * float((-s[falling] / d[falling]).min()))
    return longest
