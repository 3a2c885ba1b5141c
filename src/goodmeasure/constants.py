"""The best constant: the raw output that every example could share at the smallest mean loss."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from goodmeasure import outcomes
from goodmeasure.arrays import weights
from goodmeasure.errors import NothingToAverage
from goodmeasure.evaluation import on_arrays
from goodmeasure.formula import expression, simplify, symbol

if TYPE_CHECKING:
    from goodmeasure.loss import Loss


def best_constant(loss: Loss, y: Any, sample_weight: Any = None) -> Any:
    """The raw output with the smallest mean loss on these targets: a number, or one for each raw output of an example.

    Where every value between two is best (the median of an even number of targets) it is the middle. It is infinite where
    only that is best (targets that are all yes).
    """
    targets, counts = _distinct(loss, np.asarray(y), sample_weight)
    if loss.is_classwise:
        return _best_row(loss, targets, counts)
    if len(loss.activation) > 1:
        return _minimum(loss, targets, counts, np.zeros(len(loss.activation)))
    return _best_number(loss, targets, counts)


def _distinct(loss: Loss, y: Any, sample_weight: Any) -> tuple[Any, Any]:
    """The distinct targets with their summed weights: many rows share few targets."""
    rows = loss.is_classwise and y.ndim == 2
    given = weights(sample_weight, y.shape[:1] if rows else y.shape, np, y)
    w = np.ones(y.shape[:1] if rows else y.shape) if given is None else given
    if not w.sum() > 0:
        raise NothingToAverage(
            f"{loss} has no best constant on no examples",
            seen=f"{y.shape[0] if y.ndim else 1} targets of total weight {float(w.sum()):g}",
            fix="check sample_weight.sum()",
        )
    y, w = (y, w) if rows else (y.ravel(), w.ravel())
    y, w = y[w > 0], w[w > 0]
    found, where = np.unique(y, axis=0, return_inverse=True)
    return found, np.bincount(where.ravel(), weights=w)


def _best_number(loss: Loss, y: Any, w: Any) -> float:
    """Between the last raw output where the mean signal is negative and the first where it is positive."""
    y = y.astype(np.float64)

    def slope(z: float) -> float:
        signal = loss.gradient(y, np.full(y.shape, z))
        return float(np.sum(np.where(signal == 0, 0, signal * w)))

    def mean(z: float) -> float:
        return float(np.sum(loss.value(y, np.full(y.shape, z)) * w))

    brackets = _brackets(slope, _grid(loss, y))
    candidates = [_crossing(slope, low, high) for low, high in brackets]
    return min(candidates, key=mean)


def _grid(loss: Loss, y: Any) -> Any:
    """Raw outputs among which the mean signal is looked at: around what the targets themselves would be, and far out."""
    reaches = loss.activation[0].reaches
    inside = y[(y > reaches.low) & (y < reaches.high)]
    inverse = loss.activation[0].inverse
    assert inverse is not None
    own = np.zeros(1)
    if inside.size:
        levels = np.quantile(inside, np.linspace(0, 1, 33))
        (own,) = on_arrays([simplify(expression(inverse(symbol("mu"))))], {"mu": levels}, levels)
    far = np.concatenate([-np.logspace(-3, 300, 102)[::-1], [0.0], np.logspace(-3, 300, 102)])
    around = (own[:, None] + np.asarray([-4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0])).ravel()
    return np.unique(np.concatenate([far, around, [(own.min() + own.max()) / 2]]))


def _brackets(slope: Any, grid: Any) -> list[tuple[float, float]]:
    """Neighbouring points between which the mean signal turns from negative to positive, or infinities if it never does."""
    signs = np.sign([slope(z) for z in grid])
    falls, rises = signs[:-1] < 0, signs[1:] > 0
    found = [(float(grid[i]), float(grid[i + 1])) for i in np.flatnonzero(falls & rises)]
    flat = np.flatnonzero(signs == 0)
    if flat.size:
        # Runs of zeros count where the signal is negative before and positive after them, or at the ends.
        for run in np.split(flat, np.flatnonzero(np.diff(flat) > 1) + 1):
            before, after = max(run[0] - 1, 0), min(run[-1] + 1, len(grid) - 1)
            if signs[before] <= 0 and signs[after] >= 0:
                found.append((float(grid[before]), float(grid[after])))
    if not found:
        found = [(np.inf, np.inf)] if signs[-1] < 0 else [(-np.inf, -np.inf)]
    return found


def _crossing(slope: Any, low: float, high: float) -> float:
    """The middle of where the mean signal is zero between two points."""
    if not np.isfinite(low):
        return low
    first = _boundary(lambda z: slope(z) < 0, low, high)
    last = _boundary(lambda z: slope(z) <= 0, low, high)
    if abs(first) >= 1e300 or abs(last) >= 1e300:
        return float(np.copysign(np.inf, first if abs(first) > abs(last) else last))
    return first / 2 + last / 2


def _boundary(below: Any, low: float, high: float) -> float:
    """The raw output at which ``below`` turns false, to the last bit."""
    for _ in range(1100):
        middle = low / 2 + high / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if below(middle) else (low, middle)
    return high


def _best_row(loss: Loss, y: Any, w: Any) -> Any:
    """Raw outputs, one a class and centred, from the class frequencies; minus infinity for a class that never occurs."""
    if y.ndim == 1:
        k = max(int(y.max()) + 1, len(loss.class_weight), 2)
        frequency = np.bincount(y.astype(int), weights=w, minlength=k)
    else:
        k = y.shape[1]
        frequency = (y * w[:, None]).sum(axis=0)
    # Where only log p matters, a class that never occurs is best at minus infinity; smoothing, for one, keeps it finite.
    present = frequency > 0 if set(outcomes.by_statistic(loss.composed)) == {"log_p"} else np.ones(k, dtype=bool)
    if present.sum() < 2:
        return np.where(present, np.inf, -np.inf)
    start = np.log(np.maximum(frequency[present], 1e-3 * frequency.sum()))
    narrow = replace(loss, class_weight=tuple(np.asarray(loss.class_weight)[present])) if loss.class_weight else loss
    found = _minimum(narrow, np.arange(len(start)), frequency[present], start - start.mean())
    result = np.full(k, -np.inf)
    result[present] = found - found.mean()
    return result


def _minimum(loss: Loss, y: Any, w: Any, start: Any) -> Any:
    """The raw outputs of one example, shared by all, at the smallest mean loss."""
    from scipy.optimize import minimize

    def mean(z: Any) -> tuple[float, Any]:
        value, gradient = loss.value_and_gradient(y, np.broadcast_to(z, (len(y), len(z))).copy(), w)
        return value, gradient.sum(axis=0)

    found = minimize(mean, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 1000})
    return found.x
