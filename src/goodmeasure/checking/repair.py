"""Where a formula loses digits: another way to write it that keeps them, found by trying.

A search in the manner of Herbie (Panchekha, Sanchez-Stern, Wilcox, Tatlock 2015), over the words that this package has for
what cancels: of all ways to rewrite a part those go on that lose least, until nothing is lost beyond what rounding may cost.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

import numpy as np

from goodmeasure.checking.rewriting import written_otherwise
from goodmeasure.deriving import numbers
from goodmeasure.formulas.expression import Expr, nodes, symbols
from goodmeasure.formulas.words import vocabulary
from goodmeasure.making.loss import Loss

_KEPT, _DEEP = 8, 4  # formulas that are rewritten further, and how often
_PARTS = 80  # of a formula, above which it is left alone
_SURELY = 1e-3  # digits below which nothing was won
_TRIED = 1000  # formulas at most, so that the answer is the same in every run
_MANY = 100_000  # examples on which a formula is timed
_ROUNDS = 7  # how often each of two formulas is timed, in turn

# The truth of one number of a point and what rounding may cost it, in each precision.
Known: TypeAlias = Mapping[tuple[int, int], Mapping[Any, tuple[Any, Any]]]


@dataclass(frozen=True)
class Repair:
    """A formula that keeps the digits which another loses.

    Attributes:
        line: what the formula returns, as Python.
        imports: the line that brings its words; empty where it needs none.
        digits: how many decimal digits it wins where the other loses most.
        nanoseconds: what value and signal of an example cost more; negative where they cost less, and zero where they take
            about the same, as far as timing can tell.
        whole: whether nothing is lost any more, as far as was tried.
    """

    line: str
    imports: str
    digits: float
    nanoseconds: float
    whole: bool

    def __str__(self) -> str:
        dearer = f"{abs(self.nanoseconds):.2g} ns an example {'more' if self.nanoseconds > 0 else 'less'}"
        dearer = dearer if self.nanoseconds else "about the same time"
        left = "" if self.whole else "; some are still lost"
        lines = (self.line, self.imports, f"wins {self.digits:.1f} digits for {dearer}{left}")
        return "\n".join(filter(None, lines))


def repaired(
    loss: Loss, y: list[float], z: list[list[float]], known: Known
) -> tuple[Loss, Repair] | None:
    """The loss with its formula written so that it keeps its digits, and what that is; None where nothing better was found.

    ``known`` holds the truth of each number at each point.
    """
    search = _Search(loss, y, z, known)
    best = search.best()
    before, after = search.lost(loss), search.lost(best)
    won = max((b - a for b, a in zip(before, after, strict=True)), default=0.0)
    if best is loss or won < _SURELY:
        return None
    words = sorted(
        {node.word.name for node in nodes(best.book) if node.word is not None} & vocabulary().keys() - _SYNTAX
    )
    imports = f"from goodmeasure.words import {', '.join(words)}" if words else ""
    return best, Repair(f"return {best.book}", imports, won, paid(*_nanoseconds(loss, best, y, z)), not any(after))


# What Python's own operators spell.
_SYNTAX = {"add", "sub", "mul", "div", "neg", "power", "less", "less_equal"}


@dataclass
class _Search:
    """Formulas that were tried, and what each loses."""

    loss: Loss
    y: list[float]
    z: list[list[float]]
    known: Known

    def best(self) -> Loss:
        """The formula that loses least, and of those the shortest."""
        held = {self.loss.book: self._rank(self.loss)}
        front = [self.loss]
        for _ in range(_DEEP):
            fresh = dict.fromkeys(book for each in front for book in self._others(each.book) if book not in held)
            for book in islice(fresh, _TRIED - len(held)):
                held[book] = self._rank(replace(self.loss, book=book))
            ranked = sorted(held, key=held.__getitem__)
            least = ranked[0]
            if not held[least][0] or len(held) >= _TRIED:
                break
            front = [replace(self.loss, book=book) for book in ranked if book in fresh][:_KEPT]
        return self.loss if least is self.loss.book else replace(self.loss, book=least)

    def _others(self, book: Expr) -> Iterator[Expr]:
        if len(nodes(book)) <= _PARTS:
            yield from (each for each in written_otherwise(book) if symbols(each) <= symbols(book))

    def _rank(self, loss: Loss) -> tuple[float, int, int]:
        """All digits that a formula loses, how long what is computed of it is, and how long it is written."""
        return sum(self.lost(loss)), len(nodes(loss.composed)), len(nodes(loss.book))

    def lost(self, loss: Loss) -> list[float]:
        """The most decimal digits that are lost at a point, beyond what rounding may cost: for each number and precision."""
        worst: dict[tuple[int, Any], float] = {}
        for dtype in (np.float32, np.float64):
            seen = computed(loss, self.y, self.z, dtype)
            for (row, index), truths in self.known.items():
                if dtype in truths:  # what was given may have run out between two
                    digits = _digits(float(seen[row, index]), *truths[dtype], dtype)
                    worst[index, dtype] = max(worst.get((index, dtype), 0.0), digits)
        return list(worst.values())


def computed(loss: Loss, y: list[float], z: list[list[float]], dtype: Any) -> np.ndarray[Any, Any]:
    """Value, signals and curvatures of each point by plain evaluation, one row a point."""
    raw: Any = np.asarray(z, dtype=dtype)
    raw = raw if loss.is_classwise or len(loss.activation) > 1 else raw[:, 0]
    target = np.asarray(y, dtype=np.int64 if loss.is_classwise else dtype)
    with np.errstate(all="ignore"):
        found = [f(loss, target, raw) for f in (numbers.value, numbers.gradient, numbers.hessian)]
    return np.concatenate([c if c.ndim == 2 else c[:, None] for c in found], axis=1)


def budgets_off(seen: float, answer: Any, allowed: Any, dtype: Any) -> float:
    """How many budgets of rounding lie between a number and its truth; none where both are beyond what a dtype holds."""
    import mpmath as mp

    most = float(np.finfo(dtype).max)
    if abs(answer) > most / 2:
        return 0.0 if math.isinf(seen) or abs(seen) > most / 4 else math.inf
    return math.inf if math.isnan(seen) else float(abs(mp.mpf(seen) - answer) / allowed)


def _digits(seen: float, answer: Any, allowed: Any, dtype: Any) -> float:
    """Decimal digits lost beyond the budget; at most those that a number of this dtype has."""
    off = budgets_off(seen, answer, allowed, dtype)
    return min(math.log10(max(off, 1.0)), float(-np.log10(np.finfo(dtype).eps)))


def paid(before: Sequence[float], after: Sequence[float]) -> float:
    """What one of two formulas takes more than the other, each timed several times: the least of each is compared.

    Zero where the difference is no more than what the timings of one formula differ by in their lower half.
    """
    noise = max(median(each) - min(each) for each in (before, after))
    more = min(after) - min(before)
    return more if abs(more) > noise else 0.0


def _nanoseconds(loss: Loss, other: Loss, y: list[float], z: list[list[float]]) -> tuple[list[float], list[float]]:
    """What value and signal of an example take, as a training step computes them: both formulas in turn, after a first call."""
    copies = -(-_MANY // len(y))
    raw: Any = np.tile(np.asarray(z, dtype=float), (copies, 1))
    raw = raw if loss.is_classwise or len(loss.activation) > 1 else raw[:, 0]
    target = np.tile(np.asarray(y, dtype=np.int64 if loss.is_classwise else float), copies)
    taken: tuple[list[float], list[float]] = ([], [])
    with np.errstate(all="ignore"):
        for turn in range(_ROUNDS + 1):
            for each, times in zip((loss, other), taken, strict=True):
                begun = perf_counter()
                each.value_and_gradient(target, raw)
                if turn:  # the first call compiles
                    times.append((perf_counter() - begun) / len(target) * 1e9)
    return taken
