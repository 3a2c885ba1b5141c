"""The formulas of a loss on the line of raw outputs: bounds in boxes that cover it, exact values, and jumps.

Bounds are interval arithmetic; what refutes a claim is looked at in arbitrary precision, so that no rounding can. Every
tolerance is relative to what is there, because hyperparameters may be of any size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from goodmeasure.deriving.in_books import in_books
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import Expr
from goodmeasure.formulas.interval_arithmetic import Box, bounds, line
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.traits.views import View, kinks, views

# How far out the line is looked at, at least, and at most where a hyperparameter lies further out itself.
END, _LAST = 1e12, 1e60
# Formulas whose constants were rounded to double precision are continuous no further than that.
_ROUNDED = 1e-12
_DIGITS = 60
_ROUNDS, _MOST_OPEN = 60, 2_000


@dataclass(frozen=True)
class Kink:
    """A point where the value or the signal jumps, and by how much; zero where it does not."""

    at: float
    value: float
    signal: float


@dataclass(frozen=True)
class Line:
    """A view of a loss on the line, with the loss's hyperparameters."""

    view: View
    hyperparameters: tuple[tuple[str, float], ...]

    @cached_property
    def boxes(self) -> Box:
        """The line as far as it is looked at, fine near zero on the scale of each hyperparameter."""
        return line(units=tuple(_units([value for _, value in self.hyperparameters])), end=self.end)

    @property
    def end(self) -> float:
        """How far out the line is looked at: beyond each hyperparameter and its inverse, where a formula may turn."""
        return min(self._wanted, _LAST)

    @property
    def is_cut_short(self) -> bool:
        """Whether a formula may turn further out than the line is looked at, so that nothing is proved of all of it."""
        return self._wanted > _LAST

    @cached_property
    def _wanted(self) -> float:
        sizes = [size for _, value in self.hyperparameters if value for size in (abs(value), 1 / abs(value))]
        return max([END, *(1e9 * size for size in sizes)])

    def bounded(self, formula: Expr, boxes: Box | None = None) -> Box:
        """Bounds of a formula in boxes."""
        return bounds(formula, {"u": self.boxes if boxes is None else boxes}, dict(self.hyperparameters))

    def refined(self, formula: Expr, excess: Callable[[Box], Floats]) -> tuple[Box, Box]:
        """The boxes and bounds of a formula, with those boxes halved whose bounds exceed what is asked the most."""
        boxes, found = self.boxes, self.bounded(formula)
        for halved in range(_ROUNDS):
            by = excess(found)
            worst = by > max(0.0, float(by.max()) / 4)
            if not worst.any() or (halved and worst.sum() > _MOST_OPEN):
                break
            halves = _halved(Box(boxes.low[worst], boxes.high[worst]))
            boxes = _joined(Box(boxes.low[~worst], boxes.high[~worst]), halves)
            found = _joined(Box(found.low[~worst], found.high[~worst]), self.bounded(formula, halves))
        order = np.argsort(boxes.low)
        return Box(boxes.low[order], boxes.high[order]), Box(found.low[order], found.high[order])

    @cached_property
    def signal(self) -> Box:
        return self.bounded(self.view.signal)

    @cached_property
    def curvature(self) -> Box:
        return self.bounded(self.view.curvature)

    def at(self, formula: Expr, u: Any) -> Floats:
        """A formula at points, in double precision."""
        points = np.atleast_1d(np.asarray(u, dtype=np.float64))
        found: Floats = on_arrays([formula], {**dict(self.hyperparameters), "u": points}, points)[0]
        return found

    def exactly(self, formula: Expr, u: Any) -> Any:
        """A formula at a point as books define it, to 18 digits at least; NaN where that cannot be said."""
        import mpmath as mp

        found = [self._with_digits(formula, u, digits) for digits in (_DIGITS, 4 * _DIGITS)]
        return found[1] if _same(*found) else mp.nan

    def _with_digits(self, formula: Expr, u: Any, digits: int) -> Any:
        import mpmath as mp

        with mp.workdps(digits):
            given = {name: mp.mpf(value) for name, value in self.hyperparameters}
            try:
                return mp.mpf(in_books([formula], {**given, "u": mp.mpf(u)})[0])
            except (Problem, ArithmeticError, ValueError, TypeError):
                return mp.nan

    @cached_property
    def kinks(self) -> tuple[Kink, ...]:
        """Every jump of the value or of the signal, where a choice in the formula changes."""
        points = sorted({root for each in kinks(self.view) for root in self._roots(each)})
        found = [self._jump(at) for at in points]
        return tuple(k for k in found if k.value or k.signal)

    def _roots(self, formula: Expr) -> Iterator[Any]:
        import mpmath as mp

        where = self.bounded(formula)
        low, high = (x[(where.low <= 0) & (where.high >= 0)] for x in (self.boxes.low, self.boxes.high))
        for a, b, at_a, at_b in zip(low, high, self.at(formula, low), self.at(formula, high), strict=True):
            if at_a == 0 or at_b == 0:
                yield mp.mpf(float(a if at_a == 0 else b))
            elif at_a * at_b < 0:
                yield self._bisected(formula, mp.mpf(float(a)), mp.mpf(float(b)))

    def _bisected(self, formula: Expr, a: Any, b: Any) -> Any:
        """The root between two points, to all digits: next to it, and not at it, is where a jump shows."""
        import mpmath as mp

        with mp.workdps(_DIGITS):
            below = self._with_digits(formula, a, _DIGITS) < 0
            for _ in range(int(3.4 * _DIGITS)):
                middle = (a + b) / 2
                there = self._with_digits(formula, middle, _DIGITS)
                if there == 0:
                    return middle
                a, b = (middle, b) if (there < 0) == below else (a, middle)
            return b

    def _jump(self, at: Any) -> Kink:
        import mpmath as mp

        with mp.workdps(_DIGITS):
            side = (abs(at) if at else mp.mpf(1)) * mp.mpf(10) ** -40
            (v0, v1), (s0, s1), (c0, c1) = (
                [self._with_digits(f, at + way * side, 2 * _DIGITS) for way in (-1, 1)]
                for f in (self.view.value, self.view.signal, self.view.curvature)
            )
            return Kink(float(at) + 0.0, _step(v0, v1, side, s0, s1), _step(s0, s1, side, c0, c1))


@cache
def lines(loss: Record) -> tuple[Line, ...]:
    """The views of a loss on the line."""
    return tuple(Line(view, loss.hyperparameters) for view in views(loss))


def _step(before: Any, after: Any, side: Any, slope_before: Any, slope_after: Any) -> float:
    """A jump that neither the slope between the two points nor the rounding of constants explains; else 0."""
    explained = _ROUNDED * max(abs(before), abs(after)) + 10 * side * (abs(slope_before) + abs(slope_after))
    return float(after - before) if abs(after - before) > explained else 0.0


def _same(a: Any, b: Any) -> bool:
    import mpmath as mp

    if mp.isinf(a) or mp.isinf(b):
        return bool(a == b)
    return bool(abs(a - b) <= max(abs(a), abs(b)) * mp.mpf(10) ** -18)


def _units(values: list[float]) -> set[float]:
    """The scales on which a formula with these hyperparameters may turn: each, its inverse, its root, and their products."""
    sizes = [abs(v) for v in values if v and not 0.2 <= abs(v) <= 5]
    single = {s**power for s in sizes for power in (1.0, -1.0, 0.5, -0.5)}
    roots = {float(np.sqrt(abs(v))) for v in values if v}
    return {u for u in single | {a * b for a in single for b in roots} if 1 / _LAST < u < _LAST}


def _halved(boxes: Box) -> Box:
    """Each box in two, at its middle; on the scale of logarithms where it spans more than one."""
    low, high = boxes.low, boxes.high
    wide = (low * high > 0) & (np.maximum(np.abs(low), np.abs(high)) > 4 * np.minimum(np.abs(low), np.abs(high)))
    middle = np.where(wide, np.sign(low) * np.sqrt(np.abs(low)) * np.sqrt(np.abs(high)), low / 2 + high / 2)
    return Box(np.concatenate([low, middle]), np.concatenate([middle, high]))


def _joined(a: Box, b: Box) -> Box:
    return Box(np.concatenate([a.low, b.low]), np.concatenate([a.high, b.high]))
