"""The best constant: the raw output that every example could share at the smallest mean loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from goodmeasure.deriving import class_statistics, numbers
from goodmeasure.deriving.arguments import check_targets, numeric, weights
from goodmeasure.deriving.record import Record
from goodmeasure.errors import NothingToAverage, TargetOutsideDomain
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import expression, simplify, symbol
from goodmeasure.statistics.arrays import array_of
from goodmeasure.statistics.weights import scaled

Mean: TypeAlias = Callable[[float], float]
_FEW = 500
_MOST = 1e299
_FADED = 1e-250


def best_constant(loss: Record, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
    """The raw output with the smallest mean loss on these targets: a number, or one for each raw output of an example.

    Where every value between two is best (the median of an even number of targets) it is the middle. It is infinite where
    only that is best (targets that are all yes). ``classes`` is how many raw outputs an example has, for losses of classes;
    without it there are as many as the class weights or else the labels at hand say. Where labels weigh each for itself,
    each has a constant of its own.
    """
    targets, w = present_targets(loss, array_of(y, "y", TargetOutsideDomain), sample_weight, classes)
    if not loss.labels:
        return _of_present(loss, targets, w, classes)
    w = np.broadcast_to(w, targets.shape)
    each = [_of_present(loss.of_label(k), targets[..., k], w[..., k], None) for k in range(loss.labels)]
    return np.array(each)


def _of_present(loss: Record, y: Any, w: Any, classes: int | None) -> Any:
    targets, counts = _distinct(loss, y, w)
    if loss.is_classwise:
        return _best_row(loss, targets, counts, classes or _classes(loss, targets))
    if len(loss.activation) > 1:
        return _minimum(loss, targets, counts, np.zeros(len(loss.activation)))
    return _best_number(loss, targets, counts)


def present_targets(loss: Record, y: Any, sample_weight: Any, classes: int | None) -> tuple[Any, Any]:
    """The targets as numbers, checked where they are there, and their weights: zero where they are not."""
    rows = loss.is_classwise and y.ndim == 2
    shape = y.shape[:1] if rows else y.shape
    given = weights(sample_weight, shape, np, y)
    w = np.ones(shape) if given is None else given
    if not w.any():
        raise NothingToAverage(
            f"{loss} has no best constant on no examples",
            seen=f"{y.shape[0] if y.ndim else 1} targets of total weight 0",
            fix="check sample_weight.sum()",
        )
    y = numeric(y, loss, w > 0)
    outputs = (
        y if rows or not loss.is_classwise else np.broadcast_to(0.0, (*shape, classes or _classes(loss, y[w > 0])))
    )
    check_targets(y, outputs, loss.target, w > 0, loss)
    return y, w


def _classes(loss: Record, y: Any) -> int:
    """How many classes there are where no outputs say so."""
    if loss.class_weight or y.ndim == 2:
        return len(loss.class_weight) or int(y.shape[1])
    return max(int(np.max(y, initial=1, where=np.isfinite(y))) + 1, 2)


def _distinct(loss: Record, y: Any, w: Any) -> tuple[Any, Any]:
    """The distinct targets that are there with their summed weights: many rows share few targets."""
    y, w = y[w > 0], scaled(w[w > 0])
    found, where = np.unique(y, axis=0, return_inverse=True)
    return found, np.bincount(where.ravel(), weights=w)


def _best_number(loss: Record, y: Any, w: Any) -> float:
    """Where the mean signal turns from negative to positive, at the smallest mean loss if it does so more than once."""
    y = y.astype(np.float64)
    slope, few, grid = _slope(loss, y, w), _thinned(y, w), _grid(loss, y)
    brackets = _brackets(np.sign(_slopes(loss, *(few or (y, w)), grid)), grid)
    if few is not None:
        rough = _slope(loss, *few)
        brackets = [_widened(slope, *_ends(rough, low, high)) for low, high in brackets]

    def mean(z: float) -> float:
        return float(np.sum(numbers.value(loss, y, np.full(y.shape, z)) * w))

    return min((_crossing(slope, low, high) for low, high in brackets), key=mean)


def _slope(loss: Record, y: Any, w: Any) -> Mean:
    """The summed signal of one raw output for all."""
    return lambda z: float(_slopes(loss, y, w, np.asarray([z]))[0])


def _slopes(loss: Record, y: Any, w: Any, raws: Any) -> Any:
    """The summed signal of each of several raw outputs for all."""
    targets, outputs = np.broadcast_arrays(y, raws[:, None])
    signal = numbers.gradient(loss, targets.ravel(), outputs.ravel()).reshape(targets.shape)
    # Far from the best the sum may overflow; its sign, all that is asked of it, is right.
    with np.errstate(over="ignore"):
        return np.sum(np.where(signal == 0, 0, signal * w), axis=1)


def _thinned(y: Any, w: Any) -> tuple[Any, Any] | None:
    """A few hundred targets that stand for very many while a bracket is looked for; None where there are few."""
    if y.size <= 4 * _FEW:
        return None
    share = np.cumsum(w) / np.sum(w)
    return y[np.searchsorted(share, (np.arange(_FEW) + 0.5) / _FEW)], np.full(_FEW, 1.0 / _FEW)


def _widened(slope: Mean, low: float, high: float) -> tuple[float, float]:
    """The bracket, widened until the signal of all targets is negative below and positive above, or as far as numbers go."""
    if not np.isfinite(low):
        return low, high
    step = max((high - low), abs(low) * 1e-3, 1e-3)
    while slope(low) >= 0 and low > -_MOST:
        low, step = max(low - step, -_MOST), 2 * step
    step = max((high - low), abs(high) * 1e-3, 1e-3)
    while slope(high) <= 0 and high < _MOST:
        high, step = min(high + step, _MOST), 2 * step
    return low, high


def _grid(loss: Record, y: Any) -> Any:
    """Raw outputs among which the mean signal is looked at: around what the targets themselves would be, and far out."""
    reaches = loss.activation[0].reaches
    inside = y[(y > reaches.low) & (y < reaches.high)]
    inverse = loss.activation[0].inverse
    assert inverse is not None
    own = np.zeros(1)
    if inside.size:
        levels = np.quantile(inside, np.linspace(0, 1, 33))
        (own,) = on_arrays([simplify(expression(inverse(symbol("mu"))))], {"mu": levels}, levels)
    around = (own[:, None] + np.asarray([-4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0])).ravel()
    if loss.activation[0].name == "linear" and not loss.is_binary:
        # The centre of real targets lies among them; far out, misses of a periodic loss are nothing but rounding.
        span = float(own.max() - own.min())
        return np.unique(np.concatenate([around, np.linspace(own.min() - span - 4, own.max() + span + 4, 201)]))
    far = np.concatenate([-np.logspace(-3, 300, 102)[::-1], [0.0], np.logspace(-3, 300, 102)])
    return np.unique(np.concatenate([far, around]))


def _brackets(signs: Any, grid: Any) -> list[tuple[float, float]]:
    """Neighbouring points between which the mean signal turns from negative to positive, or infinities if it never does."""
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


def _ends(slope: Mean, low: float, high: float) -> tuple[float, float]:
    """The first and the last raw output between two points at which the mean signal is zero."""
    if not np.isfinite(low):
        return low, high
    first = _boundary(lambda z: slope(z) < 0, low, high)
    return first, first if slope(first) > 0 else _boundary(lambda z: slope(z) <= 0, first, high)


def _crossing(slope: Mean, low: float, high: float) -> float:
    """The middle of where the mean signal is zero; where that has no end, its near end, or infinity if it only fades out."""
    if not np.isfinite(low):
        return low
    first, last = _ends(slope, low, high)
    if abs(first) < _MOST and abs(last) < _MOST:
        return first / 2 + last / 2
    far, near = (np.inf, first) if abs(last) >= _MOST else (-np.inf, last)
    # A hinge stops at its corner with a jump; an exponential only underflows, and is smaller still further out.
    outside = slope(float(np.nextafter(near, -far))) if np.isfinite(near) else 0.0
    return near if abs(outside) > _FADED else far


def _boundary(below: Callable[[float], bool], low: float, high: float) -> float:
    """The raw output at which ``below`` turns false, to the last bit."""
    for _ in range(1100):
        middle = low / 2 + high / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if below(middle) else (low, middle)
    return high


def _best_row(loss: Record, y: Any, w: Any, k: int) -> Any:
    """Raw outputs, one a class and centred, from the class frequencies; minus infinity for a class that never occurs."""
    frequency = w @ y if y.ndim > 1 else np.bincount(y.astype(int), weights=w, minlength=k)
    # Where only log p matters, a class that never occurs is best at minus infinity; smoothing, for one, keeps it finite.
    present = (
        frequency > 0 if set(class_statistics.by_statistic(loss.composed)) == {"log_p"} else np.ones(k, dtype=bool)
    )
    if present.sum() < 2:
        return np.where(present, np.inf, -np.inf)
    start = np.log(np.maximum(frequency[present], 1e-3 * frequency.sum()))
    narrow = replace(loss, class_weight=tuple(np.asarray(loss.class_weight)[present])) if loss.class_weight else loss
    found = _minimum(narrow, np.arange(len(start)), frequency[present], start - start.mean())
    result = np.full(k, -np.inf)
    result[present] = found - found.mean()
    return result


def _minimum(loss: Record, y: Any, w: Any, start: Any) -> Any:
    """The raw outputs of one example, shared by all, at the smallest mean loss."""
    from scipy.optimize import minimize

    def mean(z: Any) -> tuple[float, Any]:
        value, gradient = numbers.value_and_gradient(loss, y, np.broadcast_to(z, (len(y), len(z))).copy(), w)
        return value, gradient.sum(axis=0)

    found = minimize(mean, start, jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 1000})
    return found.x
