"""The loss: a formula with its activation and hyperparameters, and every number that is read from it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np

from goodmeasure import constants, outcomes, readings
from goodmeasure.activations import Activation, activation, softmax
from goodmeasure.arrays import Examples, examples
from goodmeasure.domains import Domain, OutcomeDomain
from goodmeasure.errors import NothingToAverage, UsageError
from goodmeasure.evaluation import Array, on_arrays
from goodmeasure.exact import exact_sum
from goodmeasure.formula import Expr, Word, derivative, simplify, symbol, symbols


@dataclass(frozen=True)
class Facts:
    """What a definition says about itself beyond its formula; each is optional, and a test holds it against the formula."""

    sentence: str = ""
    asks_for: str = ""
    also: tuple[str, ...] = ()
    also_binary: tuple[str, ...] = ()
    advice: str = ""


@dataclass(frozen=True)
class Total:
    """A sum of losses and of weights that adds without rounding: parts merge to the same bits in any order."""

    sum: Fraction | float
    weight: Fraction | float

    def __add__(self, other: Total) -> Total:
        return Total(self.sum + other.sum, self.weight + other.weight)

    @property
    def mean(self) -> float:
        """The weighted mean, rounded once."""
        if self.weight == 0:
            raise NothingToAverage(
                "a mean over no examples was asked for",
                seen="every example is masked or has weight zero, or there are none",
                fix="check the mask and the weights: mask.any(), sample_weight.sum()",
            )
        return float(self.sum / self.weight)


@dataclass(frozen=True, repr=False)
class Loss:
    """One scalar that says what good means, on raw outputs; its signal, its curvature and its readings are derived.

    Made by the factories of ``goodmeasure.losses`` or by ``@goodmeasure.loss`` on a formula of your own.
    """

    spelling: str
    book: Expr
    target: Domain
    predictions: tuple[str, ...]
    activation: tuple[Activation, ...]
    hyperparameters: tuple[tuple[str, float], ...] = ()
    class_weight: tuple[float, ...] = ()
    facts: Facts = field(default=Facts(), compare=False)

    def __repr__(self) -> str:
        return self.spelling

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone: what was derived from them is derived again."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    # --- what the formula is ---

    @property
    def is_classwise(self) -> bool:
        """Whether a row of raw outputs, one a class, belongs to each example."""
        return self.activation == (softmax,)

    @property
    def is_binary(self) -> bool:
        """Whether the target is yes or no, on one raw output."""
        return isinstance(self.target, OutcomeDomain) and not self.is_classwise

    @property
    def raw_names(self) -> tuple[str, ...]:
        """The symbols of the raw outputs in `composed`: z, or z0, z1, ... where there are several."""
        count = len(self.activation)
        return ("z",) if count == 1 else tuple(f"z{i}" for i in range(count))

    @cached_property
    def values(self) -> dict[str, float]:
        """The hyperparameters, which are runtime symbols of the formula, with their values."""
        return dict(self.hyperparameters)

    @cached_property
    def settled(self) -> Expr:
        """The book formula with hyperparameters of exactly 0 and 1 put in: a term whose coefficient is zero is absent."""
        return simplify(self.book, {name: int(value) for name, value in self.hyperparameters if value in (0, 1)})

    @property
    def weights_of_yes_and_no(self) -> tuple[Any, Any]:
        """How much a yes and a no count in the formula."""
        return (1 if self.values.get("positive_weight", 1) == 1 else symbol("positive_weight"), 1)

    @cached_property
    def composed(self) -> Expr:
        """The formula on raw outputs: of y and z, or for classes of the row statistics (see `outcomes`)."""
        return _composed(self)

    @cached_property
    def signal(self) -> tuple[Expr, ...]:
        """The derivative of the formula by each raw output; for classes, by each statistic in turn."""
        if self.is_classwise:
            return tuple(outcomes.by_statistic(self.composed).values())
        return tuple(derivative(self.composed, name) for name in self.raw_names)

    @cached_property
    def curvature(self) -> tuple[tuple[Expr, ...], ...]:
        """The second derivatives by each pair of raw outputs (not for classes: see `outcomes.by_statistic`)."""
        return tuple(tuple(derivative(slope, name) for name in self.raw_names) for slope in self.signal)

    def half(self, outcome: int) -> Expr:
        """The loss of a yes/no target as a formula of z alone, when yes (1) or no (0) happened."""
        return simplify(self.composed, {"y": outcome})

    def with_activation(self, given: Activation | Word | str | tuple[Activation | Word | str, ...]) -> Loss:
        """The same loss on another scale of raw outputs, for example ``losses.poisson().with_activation(softplus)``."""
        chosen = tuple(activation(g) for g in (given if isinstance(given, tuple) else (given,)))
        if len(chosen) != len(self.activation):
            raise UsageError(
                f"{self} has {len(self.activation)} raw outputs and was given {len(chosen)} activations",
                fix=f"give {len(self.activation)} activations",
            )
        names = ", ".join(a.name for a in chosen)
        base = self.spelling.split(".with_activation", 1)[0]
        return replace(self, activation=chosen, spelling=f"{base}.with_activation({names})")

    # --- numbers, one an example ---

    def value(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The loss of each example, in the dtype of ``z``; 0 where masked."""
        given = examples(self, y, z, mask=mask)
        return _finish(given, numbers(self, given, 0)[0])

    def gradient(self, y: Any, z: Any, *, mask: Any = None) -> Array:
        """The signal of each example: the derivative of its loss by its raw outputs, of z's shape and dtype."""
        given = examples(self, y, z, mask=mask)
        return _finish(given, numbers(self, given, 1)[1])

    def hessian(self, y: Any, z: Any, *, mask: Any = None, full: bool = False) -> Array:
        """The curvature of each example: second derivatives by its raw outputs, of z's shape.

        ``full=True`` gives the whole matrix of an example with several raw outputs, of shape z.shape + (K,).
        """
        given = examples(self, y, z, mask=mask)
        return _finish(given, bends(self, given, full=full))

    # --- sums and means ---

    def total(self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None) -> Total:
        """The sum of weight times loss, and of the weights: totals of parts add up exactly to that of the whole."""
        given = examples(self, y, z, sample_weight, mask)
        return _total(given, numbers(self, given, 0)[0])

    def __call__(
        self, y: Any, z: Any = None, sample_weight: Any = None, *, prediction: Any = None, mask: Any = None
    ) -> float:
        """The weighted mean of the loss; ``prediction=`` takes predictions in place of raw outputs."""
        if (z is None) == (prediction is None):
            raise UsageError(
                f"{self} takes raw outputs or predictions, one of them", fix="loss(y, z) or loss(y, prediction=p)"
            )
        if prediction is None:
            return self.total(y, z, sample_weight, mask=mask).mean
        given = readings.check_predictions(self, prediction)
        return readings.on_predictions(self).total(y, given, sample_weight, mask=mask).mean

    def value_and_gradient(
        self, y: Any, z: Any, sample_weight: Any = None, *, mask: Any = None, out: Any = None
    ) -> tuple[float, Array]:
        """The weighted mean and its derivative by z; ``out``, of z's shape and dtype, is where the derivative goes."""
        given = examples(self, y, z, sample_weight, mask)
        value, slope = numbers(self, given, 1)
        total = _total(given, value)
        share = _shares(given, total)
        slope = _finish(given, slope * (share if slope.ndim == share.ndim else share[..., None]))
        mean = total.mean
        if out is None:
            return mean, slope
        if not isinstance(out, np.ndarray) or out.shape != slope.shape or out.dtype != slope.dtype:
            raise UsageError(
                "out does not fit the gradient",
                seen=f"out of shape {getattr(out, 'shape', None)} and dtype {getattr(out, 'dtype', None)}",
                fix=f"out = numpy.empty({slope.shape}, dtype='{slope.dtype}')",
            )
        out[...] = slope
        return mean, out

    # --- readings (see `readings`) ---

    def predict(self, z: Any) -> Array:
        """Raw outputs as predictions; probabilities are free of what weights, focusing or smoothing did to them."""
        return readings.predict(self, z)

    def raw(self, prediction: Any) -> Array:
        """The raw outputs whose `predict` is this."""
        return readings.raw(self, prediction)

    def best_constant(self, y: Any, sample_weight: Any = None) -> Any:
        """The raw output that has the smallest mean loss when it is used for every example."""
        return constants.best_constant(self, y, sample_weight)

    def identification(self, y: Any, z: Any) -> Array:
        """What is zero on average where the predictions are what the loss asks for: for a mean, prediction minus target."""
        return readings.identification(self, y, z)

    # --- algebra ---

    def __mul__(self, factor: float) -> Loss:
        return readings.scaled(self, factor)

    __rmul__ = __mul__

    def __add__(self, other: Loss) -> Loss:
        return readings.summed(self, other)


def _composed(loss: Loss) -> Expr:
    book = loss.settled
    if loss.is_classwise:
        return outcomes.class_formula(book)
    if outcomes.speaks_of_outcomes(loss.predictions):
        z = symbol("z")
        (squash,) = loss.activation
        return outcomes.yes_no(book, squash(z), squash(-z), loss.weights_of_yes_and_no)
    raws = [a(symbol(z)) for a, z in zip(loss.activation, loss.raw_names, strict=True)]
    return simplify(book, dict(zip(loss.predictions, raws, strict=True)))


def numbers(loss: Loss, given: Examples, order: int) -> list[Array]:
    """Value (and, of order 1, signal) of checked examples, one an example, in the dtype of computing."""
    if loss.is_classwise:
        return _class_numbers(loss, given, order)
    return _pointwise(loss, [loss.composed, *(loss.signal if order else ())], given)


def bends(loss: Loss, given: Examples, *, full: bool) -> Array:
    """Second derivatives of checked examples: the diagonal, or every pair of raw outputs."""
    xp, count = given.xp, given.z.shape[-1] if given.z.ndim else 1
    if loss.is_classwise:
        eye = xp.eye(count, dtype=xp.bool)
        columns = [_class_bends(loss, given, eye[j]) for j in range(count)]
        table = xp.stack(columns, axis=-1)
        return table if full else xp.stack([table[..., j, j] for j in range(count)], axis=-1)
    m = len(loss.activation)
    picks = [loss.curvature[i][j] for i in range(m) for j in range(m) if full or i == j]
    found = _split(_pointwise(loss, [loss.composed, *picks], given)[1], len(picks))
    if m == 1:
        return found[0]
    table = xp.stack(found, axis=-1)
    return xp.reshape(table, (*table.shape[:-1], m, m)) if full else table


def _split(stacked: Array, count: int) -> list[Array]:
    return [stacked] if count == 1 else [stacked[..., i] for i in range(count)]


def _pointwise(loss: Loss, formulas: list[Expr], given: Examples) -> list[Array]:
    """The first formula an example, and the others stacked on the last axis if there are several."""
    xp = given.xp
    raws = [given.z] if len(loss.activation) == 1 else [given.z[..., i] for i in range(len(loss.activation))]
    found = _at_limits(loss, formulas, given, raws)
    lost = xp.isnan(raws[0])
    for raw in raws[1:]:
        lost = lost | xp.isnan(raw)
    found = [xp.where(lost, xp.asarray(xp.nan, dtype=f.dtype), f) for f in found]
    rest = found[1:]
    return [found[0], *([rest[0]] if len(rest) == 1 else [xp.stack(rest, axis=-1)] if rest else [])]


def _at_limits(loss: Loss, formulas: list[Expr], given: Examples, raws: list[Array]) -> list[Array]:
    """The formulas on raw outputs; where an infinite or huge one leaves no number (inf - inf), that at a smaller huge one."""
    xp = given.xp

    def at(outputs: list[Array]) -> list[Array]:
        values = {**loss.values, "y": given.y, **dict(zip(loss.raw_names, outputs, strict=True))}
        return on_arrays(formulas, values, like=given.y)

    found = at(raws)
    most = float(xp.finfo(given.z.dtype).max)
    for bound in (most, most**0.5):
        if not any(bool(xp.any(xp.isnan(f))) for f in found):
            break
        near = at([xp.clip(r, -bound, bound) for r in raws])
        found = [xp.where(xp.isnan(f), n, f) for f, n in zip(found, near, strict=True)]
    return found


# --- classes: the chain rule through the row statistics ---


def _each_class(loss: Loss, given: Examples) -> list[tuple[Array | None, Array, Array]]:
    """(share, one-hot of the class, its weight) for the class that happened, or for every class of a probability row."""
    xp, k = given.xp, given.z.shape[-1]
    table = xp.asarray(loss.class_weight or [1.0] * k, dtype=given.z.dtype)
    if table.shape[0] != k:
        raise UsageError(
            f"{loss} has {table.shape[0]} class weights and the raw outputs {k} classes", fix="give one a class"
        )
    classes = xp.arange(k)
    if given.y.ndim < given.z.ndim:
        return [
            (None, classes == given.y[..., None], xp.take(table, xp.reshape(given.y, (-1,))).reshape(given.y.shape))
        ]
    return [(given.y[..., j], xp.broadcast_to(classes == j, given.z.shape), table[j]) for j in range(k)]


def _mixed(parts: list[tuple[Array | None, Array]], xp: Any) -> Array:
    """The sum of share times table over the classes that have a share."""
    total = None
    for share, table in parts:
        if share is None:
            return table
        share = share if share.ndim == table.ndim else share[..., None]
        term = xp.where(share > 0, share * table, xp.zeros_like(table))
        total = term if total is None else total + term
    return total


def _class_numbers(loss: Loss, given: Examples, order: int) -> list[Array]:
    slopes = outcomes.by_statistic(loss.composed)
    values, signals = [], []
    for share, of, weight in _each_class(loss, given):
        row = outcomes.Row(given.z, of)
        like = row.pick(given.z)
        known = {**outcomes.row_values(row, symbols(loss.composed, *slopes.values())), **loss.values}
        with np.errstate(all="ignore"):
            found = on_arrays([loss.composed, *slopes.values()], {**known, "weight": weight + 0 * like}, like)
            values.append((share, found[0]))
            if order:
                signals.append((share, _chained(row, dict(zip(slopes, found[1:], strict=True)))))
    return [_mixed(values, given.xp), *([_mixed(signals, given.xp)] if order else [])]


def _chained(row: outcomes.Row, slopes: dict[str, Array]) -> Array:
    total = None
    for name, slope in slopes.items():
        moves = outcomes.statistics()[name].slope(row)
        # Where a statistic does not move, an infinite slope must not make a NaN.
        term = row.xp.where(moves == 0, row.xp.zeros_like(moves), slope[..., None] * moves)
        total = term if total is None else total + term
    return row.xp.zeros_like(row.z) if total is None else total


def _class_bends(loss: Loss, given: Examples, one_hot: Array) -> Array:
    """The derivative of every class's signal by one raw output."""
    xp, slopes = given.xp, outcomes.by_statistic(loss.composed)
    pairs = {a: outcomes.by_statistic(slope) for a, slope in slopes.items()}
    formulas = [*slopes.values(), *(bend for row in pairs.values() for bend in row.values())]
    parts = []
    for share, of, weight in _each_class(loss, given):
        row = outcomes.Row(given.z, of)
        like, j = row.pick(given.z), xp.broadcast_to(one_hot, given.z.shape)
        known = {**outcomes.row_values(row, symbols(*formulas)), **loss.values, "weight": weight + 0 * like}
        with np.errstate(all="ignore"):
            found = iter(on_arrays(formulas, known, like))
            table = outcomes.statistics()
            total = xp.zeros_like(given.z)
            for name in slopes:
                total = total + next(found)[..., None] * table[name].bend(row, j)
            for a, others in pairs.items():
                for b in others:
                    moved = xp.sum(xp.where(j, table[b].slope(row), xp.zeros_like(given.z)), axis=-1)[..., None]
                    total = total + next(found)[..., None] * table[a].slope(row) * moved
        parts.append((share, total))
    return _mixed(parts, xp)


# --- finishing ---


def _present(given: Examples, table: Array) -> Array:
    """The table with zeros for absent examples."""
    if given.present is None:
        return table
    present = given.present
    while present.ndim < table.ndim:
        present = present[..., None]
    return given.xp.where(present, table, given.xp.zeros_like(table))


def _finish(given: Examples, table: Array) -> Array:
    """Absent examples as zeros, in the dtype that came in."""
    table = _present(given, table)
    if table.dtype != given.dtype:
        return given.xp.astype(table, given.dtype)
    return table if given.xp is not np or table.flags.writeable else table.copy()


def _total(given: Examples, value: Array) -> Total:
    value = _to_numpy(_present(given, value))
    if given.weight is None:
        count = value.size if given.present is None else int(np.asarray(given.present).sum())
        return Total(exact_sum(value), Fraction(count))
    weight = _to_numpy(_present(given, given.weight))
    with np.errstate(over="ignore", invalid="ignore"):
        return Total(exact_sum(np.where(weight > 0, value * weight, 0)), exact_sum(weight))


def _to_numpy(array: Array) -> Any:
    detached = array.detach() if hasattr(array, "detach") else array
    return np.asarray(detached, dtype=np.float64)


def _shares(given: Examples, total: Total) -> Array:
    """What part of the mean each example is, in the dtype of computing."""
    xp = given.xp
    _ = total.mean  # a mean of nothing is an error before it is a division by zero
    if given.weight is None:
        return xp.full(given.shape, float(1 / total.weight), dtype=given.z.dtype)
    return xp.astype(given.weight / float(total.weight), given.z.dtype)
