"""The best constant: the raw output that every example could share at the smallest mean loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from goodmeasure.deriving import class_statistics, numbers, pointwise
from goodmeasure.deriving.apart import apart
from goodmeasure.deriving.arguments import Examples, check_targets, numeric, weights
from goodmeasure.deriving.record import Record
from goodmeasure.errors import NothingToAverage, TargetOutsideDomain
from goodmeasure.formulas.activations import Activation, linear, natural
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import derivative, expression, simplify, symbol, symbols
from goodmeasure.statistics.arrays import array_of, same_order
from goodmeasure.statistics.quantiles import weighted_quantile
from goodmeasure.statistics.weights import scaled

Slope: TypeAlias = Callable[[Any], Any]
Where: TypeAlias = Callable[[Any], Any]
_FEW = 500
_MOST_KEPT = 100_000  # of more targets the answer is not kept: they would be kept with it
_MOST = 1e299
_FADED = 1e-250
_MOST_PLANES = 100
_FARTHEST_PLANE = 100.0  # margins are of the order of 1


def best_constant(loss: Record, y: Any, sample_weight: Any = None, *, classes: int | None = None) -> Any:
    """The raw output with the smallest mean loss on these targets: a number, or one for each raw output of an example.

    Where every value between two is best (the median of an even number of targets) it is the middle. It is infinite where
    only that is best (targets that are all yes). ``classes`` is how many raw outputs an example has, for losses of classes;
    without it there are as many as the class weights or else the labels at hand say. Where labels weigh each for itself,
    each has a constant of its own.
    """
    same_order(y=y, sample_weight=sample_weight)
    loss = loss.released
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
    if apart(loss):
        return np.array([_of_present(each, y, w, None) for each in apart(loss)])
    if len(loss.activation) > 1:
        return _best_of_several(loss, targets.astype(np.float64), counts)
    if asks_for_mean(loss):
        targets, counts = np.average(targets.astype(np.float64), weights=counts)[None], np.ones(1)
    if targets.size > _MOST_KEPT:
        return _best_number(loss, targets.astype(np.float64), counts)
    return _once(loss, targets.astype(np.float64).tobytes(), counts.tobytes())


@lru_cache(maxsize=256)
def asks_for_mean(loss: Record) -> bool:
    """Whether the signal is a line in the target: then that of many targets is that of their mean, wherever they lie."""
    slope = derivative(loss.signal[0], "y")
    return slope.number != 0 and "y" not in symbols(slope)


@lru_cache(maxsize=4)
def _once(loss: Record, y: bytes, w: bytes) -> float:
    """The best constant of the targets asked for last is kept: each fit along a path of strengths begins at it."""
    return _best_number(loss, np.frombuffer(y), np.frombuffer(w))


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
    slope, few, grid = _slope(loss, y, w), _thinned(y, w), _grid(loss, y)
    rough = slope if few is None else _slope(loss, *few)
    low, high = _brackets(np.sign(rough(grid)), grid)
    if few is not None and np.isfinite(low[0]):
        low, high = _widened(slope, *_ends(rough, low, high))

    def mean(z: float) -> float:
        return float(np.sum(numbers.value(loss, y, np.full(y.shape, z)) * w))

    return min(_crossings(slope, low, high), key=mean)


def _slope(loss: Record, y: Any, w: Any) -> Slope:
    """The summed signal of each of several raw outputs for all targets, which are checked already."""

    def summed(raws: Any) -> Any:
        targets, outputs = (table.copy() for table in np.broadcast_arrays(y, raws[:, None]))
        given = Examples(targets, outputs, None, None, outputs.dtype, outputs.shape)
        signal = pointwise.signal(loss, given)
        # Far from the best the sum may overflow; its sign, all that is asked of it, is right.
        with np.errstate(over="ignore"):
            return np.sum(np.where(signal == 0, 0, signal * w), axis=1)

    return summed


def _thinned(y: Any, w: Any) -> tuple[Any, Any] | None:
    """A few hundred targets that stand for very many while a bracket is looked for; None where there are few."""
    if y.size <= 4 * _FEW:
        return None
    share = np.cumsum(w) / np.sum(w)
    return y[np.searchsorted(share, (np.arange(_FEW) + 0.5) / _FEW)], np.full(_FEW, 1.0 / _FEW)


def _widened(slope: Slope, low: Any, high: Any) -> tuple[Any, Any]:
    """The brackets, widened until the signal of all targets is negative below and positive above, or as far as numbers go."""
    width = high - low
    below = _moved(lambda z: slope(z) >= 0, low, -np.maximum(np.maximum(width, np.abs(low) * 1e-3), 1e-3))
    above = _moved(lambda z: slope(z) <= 0, high, np.maximum(np.maximum(high - below, np.abs(high) * 1e-3), 1e-3))
    return below, above


def _moved(wrong: Where, ends: Any, step: Any) -> Any:
    """Ends of brackets, moved by steps that double as long as they are wrong."""
    ends = ends.copy()
    left = np.flatnonzero(wrong(ends) & (np.abs(ends) < _MOST))
    while left.size:
        ends[left] = np.clip(ends[left] + step[left], -_MOST, _MOST)
        step = 2 * step
        left = left[wrong(ends[left]) & (np.abs(ends[left]) < _MOST)]
    return ends


def _grid(loss: Record, y: Any) -> Any:
    """Raw outputs among which the mean signal is looked at: around what the targets themselves would be, and far out."""
    reaches = loss.activation[0].reaches
    inside = y[(y > reaches.low) & (y < reaches.high)]
    own = np.zeros(1)
    if inside.size:
        own = _raw_of(loss.activation[0], np.quantile(inside, np.linspace(0, 1, 33)))
    around = (own[:, None] + np.asarray([-4.0, -1.0, -0.1, 0.0, 0.1, 1.0, 4.0])).ravel()
    if loss.activation[0].name == "linear" and not loss.is_binary:
        # The centre of real targets lies among them; far out, misses of a periodic loss are nothing but rounding.
        span = float(own.max() - own.min())
        return np.unique(np.concatenate([around, np.linspace(own.min() - span - 4, own.max() + span + 4, 201)]))
    far = np.concatenate([-np.logspace(-3, 300, 102)[::-1], [0.0], np.logspace(-3, 300, 102)])
    return np.unique(np.concatenate([far, around]))


def _raw_of(activation: Activation, predictions: Any) -> Any:
    """The raw outputs behind predictions inside an activation's reach."""
    assert activation.inverse is not None
    (found,) = on_arrays([simplify(expression(activation.inverse(symbol("mu"))))], {"mu": predictions}, predictions)
    return found


def _brackets(signs: Any, grid: Any) -> Any:
    """Neighbouring points between which the mean signal turns from negative to positive, or infinities if it never does.

    The first row holds the lower ends, the second the upper ones.
    """
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
    return np.asarray(found).T


def _ends(slope: Slope, low: Any, high: Any) -> tuple[Any, Any]:
    """The first and the last raw output in each bracket at which the mean signal is zero."""
    first = _boundaries(lambda z: slope(z) < 0, low, high)
    last, flat = first.copy(), slope(first) <= 0
    if flat.any():
        last[flat] = _boundaries(lambda z: slope(z) <= 0, first[flat], high[flat])
    return first, last


def _crossings(slope: Slope, low: Any, high: Any) -> list[float]:
    """The middle of where the mean signal is zero; where that has no end, its near end, or infinity if it only fades out."""
    if not np.isfinite(low[0]):
        return [float(low[0])]
    return [_middle(slope, float(first), float(last)) for first, last in zip(*_ends(slope, low, high), strict=True)]


def _middle(slope: Slope, first: float, last: float) -> float:
    if abs(first) < _MOST and abs(last) < _MOST:
        return first / 2 + last / 2
    far, near = (np.inf, first) if abs(last) >= _MOST else (-np.inf, last)
    # A hinge stops at its corner with a jump; an exponential only underflows, and is smaller still further out.
    outside = float(slope(np.nextafter([near], -far))[0]) if np.isfinite(near) else 0.0
    return near if abs(outside) > _FADED else far


def _boundaries(below: Where, low: Any, high: Any) -> Any:
    """The raw output in each bracket at which ``below`` turns false, to the last bit; all brackets are halved together.

    Not lengths are halved but the numbers that there are between two: 64 times is enough, next to zero as well.
    """
    low, high = _places(low), _places(high)
    for _ in range(64):
        middle = (low >> 1) + (high >> 1) + (low & high & 1)
        left = np.flatnonzero((middle != low) & (middle != high))
        if not left.size:
            break
        under = below(_at_places(middle[left]))
        low[left[under]], high[left[~under]] = middle[left[under]], middle[left[~under]]
    return _at_places(high)


def _places(numbers: Any) -> Any:
    """The place of each number in the row of all doubles, counted from zero."""
    bits = numbers.astype(np.float64).view(np.int64)
    return np.where(bits < 0, np.iinfo(np.int64).min - bits, bits)


def _at_places(places: Any) -> Any:
    """The number at each place."""
    return np.where(places < 0, np.iinfo(np.int64).min - places, places).view(np.float64)


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
    targets, share, start = np.arange(len(start)), frequency[present], start - start.mean()
    found = _minimum(narrow, targets, share, start)
    if _is_made_of_planes(narrow):
        below = _where_planes_meet(narrow, targets, share)
        found = min(found, below, key=lambda z: numbers.total(narrow, targets, _shared(z, targets), share).mean)
    result = np.full(k, -np.inf)
    result[present] = found - found.mean()
    return result


@lru_cache(maxsize=256)
def _is_made_of_planes(loss: Record) -> bool:
    """Whether a loss of classes curves nowhere, as far as some raw outputs of four classes tell."""
    outputs = np.random.default_rng(0).normal(scale=3, size=(64, 4))
    return not numbers.hessian(replace(loss, class_weight=()), np.arange(64) % 4, outputs).any()


def _where_planes_meet(loss: Record, targets: Any, share: Any) -> Any:
    """The raw outputs at which the mean of losses made of planes is smallest.

    Each plane that was met is a bound from below, and one looks next where the highest of them is lowest (Kelley 1960): a
    search along lines stays in the first ridge instead. It ends where the bound is reached; of more classes than there are
    planes to be met it is the lowest place that was seen, among them no side taken and that of the commonest class.
    """
    from scipy.optimize import linprog

    k = len(targets)
    least, best, z = np.inf, np.zeros(k), np.eye(k)[np.argmax(share)]
    planes: list[Any] = []
    heights: list[float] = []
    for met in range(_MOST_PLANES):
        value, gradient = numbers.value_and_gradient(loss, targets, _shared(z, targets), share)
        if value < least:
            least, best = value, z
        slope = gradient.sum(axis=0)
        planes.append([*slope, -1.0])
        heights.append(slope @ z - value)
        bounds = [(-_FARTHEST_PLANE, _FARTHEST_PLANE)] * k + [(None, None)]
        lowest = linprog([0.0] * k + [1.0], planes, heights, bounds=bounds).x
        if lowest is None or lowest[-1] >= least - 1e-12 * abs(least):
            break
        z = lowest[:-1] if met else np.zeros(k)
    return best


def _best_of_several(loss: Record, y: Any, w: Any) -> Any:
    """The raw outputs that are best for all targets, from several places on: the lowest place that is reached."""
    found = [_minimum(loss, y, w, *start) for start in _starts(loss, y, w)]
    with np.errstate(over="ignore", invalid="ignore"):
        means = [float(np.sum(numbers.value(loss, y, _shared(z, y)) * w)) for z in found]
    return found[int(np.argmin(np.nan_to_num(means, nan=np.inf)))]


def _starts(loss: Record, y: Any, w: Any) -> list[tuple[Any, Any]]:
    """Raw outputs to begin at, each with its unit: zero, and where the targets lie if the first output is one of them."""
    count = len(loss.activation)
    zero = (np.zeros(count), np.ones(count))
    # Of one target alone a likelihood has no least: the further one starts, the further it falls.
    if loss.activation[0] is not linear or loss.is_graded or not np.ptp(y):
        return [zero]
    centre, low, high = (weighted_quantile(y, w, level) for level in (0.5, 0.1, 0.9))
    bulk = _standing(loss, centre, (high - low) or float(np.ptp(y)))
    if natural(loss.target) is not linear:
        return [zero, bulk]
    # A few targets far off leave the bulk no idea of the mean, nor of how wide all of them lie.
    mean = np.average(y, weights=w)
    return [bulk, _standing(loss, mean, float(np.sqrt(np.average((y - mean) ** 2, weights=w))))]


def _standing(loss: Record, centre: float, width: float) -> tuple[Any, Any]:
    """Raw outputs at a centre and as wide as the targets lie, each with its unit."""
    start, unit = np.zeros(len(loss.activation)), np.ones(len(loss.activation))
    for k, activation in enumerate(loss.activation):
        if activation is linear:
            start[k], unit[k] = centre, width
        elif activation.reaches.low < width < activation.reaches.high and activation.inverse is not None:
            start[k] = float(_raw_of(activation, np.array([width]))[0])
    return start, unit


def _shared(z: Any, y: Any) -> Any:
    return np.broadcast_to(z, (len(y), len(z))).copy()


@np.errstate(over="ignore", invalid="ignore")
def _minimum(loss: Record, y: Any, w: Any, start: Any, unit: Any = 1.0) -> Any:
    """The raw outputs of one example, shared by all, at the smallest mean loss, looked for in their units and in its own."""
    from scipy.optimize import minimize

    size = float(np.abs(numbers.value(loss, y, _shared(start, y))) @ w / w.sum())
    size = size if np.isfinite(size) and size > 0 else 1.0

    def mean(x: Any) -> tuple[float, Any]:
        value, gradient = numbers.value_and_gradient(loss, y, _shared(start + unit * x, y), w)
        return value / size, unit * gradient.sum(axis=0) / size

    found = minimize(mean, np.zeros(len(start)), jac=True, method="BFGS", options={"gtol": 1e-10, "maxiter": 1000})
    return start + unit * found.x
