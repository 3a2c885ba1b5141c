"""The derived formulas of a loss in any array library that differentiates programs: what JAX and Keras share.

A host hands over its namespace and how it spells the elementary words. What it needs for derivatives that are exact in the tails
is here: the value of each example, the signal, and how the signal turns along a direction.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from goodmeasure.deriving import mending
from goodmeasure.deriving.arguments import Names, examples, harmless, numeric, raw_outputs_beside, targets_outside
from goodmeasure.deriving.pointwise import less_huge, limit
from goodmeasure.errors import ShapeMismatch, TargetOutsideDomain, UsageError, shorter
from goodmeasure.formulas.evaluation import Array, evaluate, language
from goodmeasure.formulas.expression import Expr
from goodmeasure.frameworks.arrays_classes import ArrayClasses
from goodmeasure.frameworks.arrays_sums import Words, constant, dtype_of
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of


class ArrayProgram:
    """The functions of one loss in a host's operations.

    Targets ``y`` are whole numbers where they are indices of classes, and else of the dtype of the raw outputs ``z``. Where a
    target lies outside the domain of the loss, everything is NaN: a traced program cannot stop, and must not be wrong.
    """

    def __init__(self, loss: Loss, xp: Any, words: Words) -> None:
        self.loss: Loss = loss
        self.xp: Any = xp
        self.words: Words = words
        self.wide: bool = (
            loss.is_classwise or len(loss.activation) > 1
        )  # raw outputs of an example have an axis of their own

    # --- numbers ---

    def value(self, y: Array, z: Array) -> Array:
        """The value of each example."""
        return self._known(y, z, self._classwise(y, z).value(y, z) if self.loss.is_classwise else self._values(y, z))

    def signal(self, y: Array, z: Array) -> Array:
        """The derivative of the value by each raw output, of z's shape."""
        return self._known(y, z, self._classwise(y, z).signal(y, z) if self.loss.is_classwise else self._signals(y, z))

    def turned(self, y: Array, z: Array, v: Array) -> Array:
        """The derivative of the signal along ``v``, of z's shape: second derivatives times it."""
        found = self._classwise(y, z).turned(y, z, v) if self.loss.is_classwise else self._turned(y, z, v)
        return self._known(y, z, found)

    def _classwise(self, y: Array, z: Array) -> ArrayClasses:
        return self._shared if y.ndim == z.ndim else self._indexed

    @cached_property
    def _indexed(self) -> ArrayClasses:
        return ArrayClasses(self.loss, self.xp, self.words, soft=False)

    @cached_property
    def _shared(self) -> ArrayClasses:
        return ArrayClasses(self.loss, self.xp, self.words, soft=True)

    def _values(self, y: Array, z: Array) -> Array:
        return self._formulas([self.loss.composed], y, z)[0]

    def _signals(self, y: Array, z: Array) -> Array:
        found = self._formulas(list(self.loss.signal), y, z)
        return self.xp.stack(found, axis=-1) if self.wide else found[0]

    def _turned(self, y: Array, z: Array, v: Array) -> Array:
        count = len(self.loss.activation)
        bends = self._formulas([bend for row in self.loss.curvature for bend in row], y, z)
        if count == 1:
            return v * bends[0]
        rows = [sum(bends[i * count + j] * v[..., j] for j in range(count)) for i in range(count)]
        return self.xp.stack(rows, axis=-1)

    # --- formulas of one or several raw outputs ---

    def _formulas(self, formulas: list[Expr], y: Array, z: Array) -> list[Array]:
        """Formulas on raw outputs; where a huge one leaves no number (inf - inf), what a less huge one gives."""
        found = self._at(formulas, y, z)
        for bounds in less_huge(float(np.finfo(dtype_of(z)).max)) if self._leaves_no_number else ():
            there, before = (self._at(formulas, y, self.xp.clip(z, -bound, bound)) for bound in bounds)
            found = [
                self.xp.where(f != f, limit(a, b, self.xp), f) for f, a, b in zip(found, there, before, strict=True)
            ]
        return found

    def _at(self, formulas: list[Expr], y: Array, z: Array) -> list[Array]:
        return formulas_at(self.loss, formulas, y, z, self.xp, self.words)

    @cached_property
    def _leaves_no_number(self) -> bool:
        """Whether a formula of the loss is NaN at some raw output that is a number."""
        y, z = ends(self.loss)
        formulas = [self.loss.composed, *self.loss.signal, *(bend for row in self.loss.curvature for bend in row)]
        with np.errstate(all="ignore"):
            found = formulas_at(self.loss, formulas, y, z, np, language(np))
        return any(bool(np.isnan(f).any()) for f in found)

    def _known(self, y: Array, z: Array, found: Array) -> Array:
        """What was found, and NaN where a raw output is, or a target lies outside the domain."""
        lost = self.xp.any(z != z, axis=-1) if self.wide else z != z
        lost = lost | targets_outside(y, z, self.loss.target, self.xp)
        return self.xp.where(_spread(lost, found), constant(self.xp, np.nan, z), found)

    # --- what goes in ---

    def rows(self, z: Array) -> tuple[int, ...]:
        """The shape of the examples that raw outputs are of."""
        return tuple(z.shape[:-1] if self.wide else z.shape)

    def without_absent(self, y: Array, z: Array, present: Array) -> tuple[Array, Array]:
        """Targets and raw outputs with harmless ones where an example is absent."""
        where = self.xp.where
        stead = constant(self.xp, harmless(self.loss, y, z), y)
        return where(_spread(present, y), y, stead), where(_spread(present, z), z, constant(self.xp, 0, z))


def arrays_of(loss: Loss, y: Any, z: Any, make: Callable[[Any], Any], names: Names) -> tuple[Any, Any]:
    """Targets and raw outputs as arrays of a host, which ``make`` gives; what it makes none of is refused in our own words."""
    for name, given in zip(names, (y, z), strict=True):
        if given is None:
            raise UsageError(
                f"{name} is None, an array is needed", where=name, fix=f"give {name}, one for each example"
            )

    def raw_outputs_as_numbers() -> Any:
        return raw_outputs_beside(y, z, names)[0]

    def targets_as_numbers() -> Any:
        return numeric(array_of(y, names[0], TargetOutsideDomain), loss, name=names[0])

    return made(make, y, targets_as_numbers), made(make, z, raw_outputs_as_numbers)


def made(make: Callable[[Any], Any], given: Any, ours: Callable[[], Any]) -> Any:
    """An array of the host; of what it takes for none our own reading of it, or our own error."""
    try:
        return make(given)
    except (TypeError, ValueError, OverflowError):
        return make(ours())


def check_batch(loss: Loss, y: Any, z: Any, weight: Any, present: Any) -> None:
    """Refuse a batch where the loss itself would: the numbers are waited for, which a traced program cannot do."""
    weight, present = (None if each is None else np.asarray(each) for each in (weight, present))
    examples(loss, np.asarray(y), np.asarray(z), weight, present)


def refuse_exchanged(loss: Loss, y: Any, z: Any, names: Names) -> None:
    """Refuse targets of yes and no that were given for raw outputs, where numbers can be looked at."""
    if mending.stand_for_each_other(loss, y, z):
        raise UsageError(
            f"{names[0]} hold raw outputs, and {names[1]} yes or no: they are the other way round",
            seen=f"{names[0]} {shorter(y.ravel()[:3].tolist())}, {names[1]} {shorter(z.ravel()[:3].tolist())}",
            fix=mending.exchanged(names),
        )


def check_beside(name: str, given: tuple[int, ...], rows: tuple[int, ...]) -> None:
    """One number for each example, or an error."""
    if tuple(given) != rows:
        raise ShapeMismatch(
            f"{name} has shape {tuple(given)}, and the examples {rows}", fix=f"give one {name} for each example"
        )


def formulas_at(loss: Loss, formulas: list[Expr], y: Array, z: Array, xp: Any, words: Words) -> list[Array]:
    """Formulas of targets and raw outputs in a host's words, of the shape of the targets."""
    count = len(loss.activation)
    raws = [z] if count == 1 else [z[..., i] for i in range(count)]
    given = {name: constant(xp, value, z) for name, value in loss.values.items()}
    known = {**given, "y": y, **dict(zip(loss.raw_names, raws, strict=True))}
    return [f + xp.zeros_like(y) for f in evaluate(formulas, known, words, lambda value: constant(xp, value, z))]


def ends(loss: Loss) -> tuple[np.ndarray, np.ndarray]:
    """Targets and raw outputs, some of them as huge as there are."""
    count = len(loss.activation)
    raws = np.array([-np.inf, -1e300, -1e30, -800, -1, 0, 1, 800, 1e30, 1e300, np.inf])
    y = np.array([v for v in (0, 0.5, 1, 2, -3, 7) if v in loss.target])
    grid = np.meshgrid(y, *[raws] * count)
    target, z = grid[0].ravel(), np.stack([g.ravel() for g in grid[1:]], -1)
    if loss.labels:
        return np.repeat(target[:, None], loss.labels, 1), np.repeat(z, loss.labels, 1)
    return target, z if count > 1 else z[:, 0]


def _spread(of_example: Array, like: Array) -> Array:
    """One number an example beside a table of them."""
    return of_example[..., None] if of_example.ndim < like.ndim else of_example
