"""What a loss truly is at a point: its book form in arbitrary precision, composed with the activation by no identity at all.

Digits are raised until two settings agree. Signals and curvatures are differences of that value, so the truth shares nothing
with the derived formulas but the book form itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from time import monotonic
from typing import Any

from goodmeasure.deriving.in_books import Evaluation, in_books, language, value
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem
from goodmeasure.formulas.domains import OrderDomain
from goodmeasure.formulas.expression import Expr, nodes, symbol, with_parts

_TRIES = 5
_BELOW_DOUBLES = 400  # one over ten to this is zero to the finest floating point
_AGES = 1e9  # seconds: as good as any time
# Seconds that a part of a formula takes in few digits, and in how many it takes twice that.
_A_PART, _TWICE_AS_LONG = 1e-5, 500


class NoTruth(Problem, ArithmeticError):
    """What a loss truly is at a point cannot be computed, so its numbers cannot be held to it.

    The truth is the book form in arbitrary precision. A word of your own needs a ``book`` for that: its definition in words
    that have one, or that arbitrary precision knows by itself (arithmetic, ``exp``, ``log``, ``sqrt``, ``sin``, ``erf``,
    ``lgamma``, ...). The book is right where the formula is used: it gives a number there, and the same one with more digits.
    """

    code = "GM013"


@dataclass(frozen=True)
class Truth:
    """Value, signal and curvature at a point, how each moves with each input, and whether the signal has one value there."""

    value: Any
    signal: list[Any]
    curvature: list[Any]
    moves: list[list[Any]]
    kinked: bool

    @property
    def all(self) -> list[Any]:
        """Value, signals, curvatures in one list, in the order of ``moves``."""
        return [self.value, *self.signal, *self.curvature]


class OutOfTime(Exception):
    """The time or the work that was given for the truth is over, or what is asked next would take more."""


# Formulas are asked thousands of times, each at other numbers: what holds of the formula alone is found once.


@lru_cache(maxsize=4096)
def _parts(*roots: Expr) -> int:
    """How many parts formulas have."""
    return len(nodes(*roots))


@lru_cache(maxsize=4096)
def _held(*roots: Expr) -> tuple[Expr, ...]:
    """The parts that derivatives take for constants."""
    return tuple(node for node in nodes(*roots) if node.word is not None and node.word.holds)


class Clock:
    """Evaluates formulas as books define them until a moment, and stops before an evaluation that would go far beyond it.

    The time of an evaluation grows about as the cube of its digits, which is how it is foreseen. Where ``work`` is given, it
    also ends after so many seconds as a quiet machine would need, counted in parts of formulas and their digits: that end is the
    same on every machine and in every run.
    """

    def __init__(self, seconds: float, work: float = _AGES) -> None:
        self.until: float = monotonic() + min(seconds, _AGES)
        self.work: float = work
        self._a_digit_cubed = 0.0

    @contextmanager
    def keeping(self, share: float) -> Iterator[None]:
        """Keep a share of the time and of the work for what comes after."""
        seconds, work = share * max(self.until - monotonic(), 0.0), share * max(self.work, 0.0)
        self.until, self.work = self.until - seconds, self.work - work
        try:
            yield
        finally:
            self.until, self.work = self.until + seconds, self.work + work

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return min(self.until - monotonic(), self.work)

    def __call__(self, roots: Sequence[Expr], values: Mapping[str, Any]) -> list[Any]:
        import mpmath as mp

        begun = monotonic()
        work = _parts(*roots) * _A_PART * (1 + (mp.mp.dps / _TWICE_AS_LONG) ** 2)
        if begun >= self.until or work > self.work or self._a_digit_cubed * mp.mp.dps**3 > max(0.5, self.until - begun):
            raise OutOfTime
        self.work -= work
        found = in_books(roots, values)
        self._a_digit_cubed = (monotonic() - begun) / mp.mp.dps**3
        return found


class Holding:
    """The value of a loss with what derivatives take for a constant as it was the first time, however inputs have moved since."""

    def __init__(self, loss: Record, book: Evaluation) -> None:
        self.loss: Record = loss
        self.book: Evaluation = book
        self._kept: list[list[Any]] = []
        self._asked = 0

    def value(self, y: Any, z: Sequence[Any]) -> Any:
        """The value at a target and raw outputs."""
        self._asked = 0
        return value(self.loss, y, z, self._evaluated)

    def _evaluated(self, roots: Sequence[Expr], values: Mapping[str, Any]) -> list[Any]:
        parts = _held(*roots)
        if not parts:
            return self.book(roots, values)
        if self._asked == len(self._kept):
            self._kept.append(self.book(parts, values))
        names = [symbol(f"held {i}") for i in range(len(parts))]
        known = {name.args[0]: kept for name, kept in zip(names, self._kept[self._asked], strict=True)}
        self._asked += 1
        places = dict(zip(parts, names, strict=True))
        return self.book([with_parts(root, places) for root in roots], {**values, **known})


def truth(loss: Record, y: Any, z: Sequence[float], *, digits: int = 80, book: Evaluation = in_books) -> Truth:
    """The truth at a target and raw outputs that are exact numbers; ``moves`` holds derivatives by each raw output, then y.

    ``digits`` is where to begin; what is smaller than a third of them, or than any double, is zero; ``book`` evaluates
    formulas. Raises `NoTruth`, which names the word.
    """
    try:
        found, kinked = _settled(loss, y, z, digits, book)
    except OutOfTime:
        raise
    except Exception as problem:  # a word's book is anybody's function
        word = next(_without_truth(loss, y, z), None)
        if word is None:
            raise
        raise NoTruth(
            f"the word {word} has no truth in arbitrary precision, so {loss} has none",
            where=f"y={y}, z={list(z)}",
            seen=problem.what if isinstance(problem, Problem) else f"{type(problem).__name__}: {problem}",
            fix=f"Word({word!r}, ..., book=lambda x: ...)",
        ) from problem
    size = 1 + 2 * len(z)
    jet, moves = found[:size], [found[i : i + size] for i in range(size, len(found), size)]
    return Truth(jet[0], jet[1 : 1 + len(z)], jet[1 + len(z) :], moves, kinked)


def _settled(loss: Record, y: Any, z: Sequence[float], digits: int, book: Evaluation) -> tuple[list[Any], bool]:
    """The numbers of a point with so many digits that more would not change them, and whether it is a kink."""
    import mpmath as mp

    # One minus a sigmoid of z is lost below |z| / log(10) digits, and its differences below twice that.
    digits += int(3 * max(abs(a) for a in z))
    last: list[Any] | None = None
    for _ in range(_TRIES):
        with mp.workdps(digits):
            found, kinked = _jet_and_moves(loss, y, [mp.mpf(a) for a in z], book)
        if kinked or (last is not None and all(map(_agree, last, found))):
            return found, kinked
        if last is not None and any(map(partial(_grown, digits), last, found)):
            return found, True
        if last is not None and mp.isnan(last[0]) and mp.isnan(found[0]):
            raise NoTruth(
                f"the truth of {loss} is no number",
                where=f"y={y}, z={list(z)}",
                fix="take a target and raw outputs where the book form has a value",
            )
        last, digits = found, 2 * digits if last is None else 4 * digits
    raise NoTruth(
        f"the truth of {loss} needs more than {digits // 4} digits",
        where=f"y={y}, z={list(z)}",
        fix="take raw outputs that lie nearer to zero, or further from a kink",
    )


def _grown(digits: int, last: Any, found: Any) -> bool:
    """Whether a number grows with the digits, as what moves a jump does: one over the step, however small the jump."""
    import mpmath as mp

    with mp.workdps(15):
        return bool(last and mp.isfinite(last) and abs(found) > abs(last) * mp.mpf(10) ** (digits // 20))


def target_moves(loss: Record, y: Any) -> bool:
    """Whether a target is a number that rounding could move, rather than the name of what happened."""
    named = loss.is_classwise or isinstance(loss.target, OrderDomain)
    return not named and not (loss.is_binary and y in (0, 1))


def value_and_moves(loss: Record, y: Any, z: Sequence[float], book: Evaluation) -> tuple[Any, list[Any]]:
    """The value alone, and nearly how it moves with each raw output and the target: a small part of the work of `truth`."""
    import mpmath as mp

    digits, last = 50 + int(max(abs(a) for a in z)), None
    for _ in range(_TRIES):
        with mp.workdps(digits):
            found = _value_and_moves(loss, y, [mp.mpf(a) for a in z], book)
        nothing = last is not None and max(abs(last), abs(found[0])) < mp.mpf(10) ** (-digits / 3)
        if nothing or (last is not None and _agree(last, found[0])):
            return found[0], found[1:]
        last, digits = found[0], 2 * digits
    raise NoTruth(
        f"the truth of {loss} needs more than {digits // 2} digits",
        where=f"y={y}, z={list(z)}",
        fix="take raw outputs that lie nearer to zero, or further from a kink",
    )


def _value_and_moves(loss: Record, y: Any, z: list[Any], book: Evaluation) -> list[Any]:
    import mpmath as mp

    step = mp.mpf(10) ** -(mp.mp.dps // 3)
    target = y if loss.is_classwise else mp.mpf(y)
    here = value(loss, target, z, book)
    moved = [value(loss, target, [a + (i == k) * step for i, a in enumerate(z)], book) for k in range(len(z))]
    if target_moves(loss, y):
        moved.append(value(loss, target + step, z, book))
    return [here, *((there - here) / step for there in moved)]


def _without_truth(loss: Record, y: Any, z: Sequence[float]) -> Iterator[str]:
    """The words of a loss that have no number at a point: first those that books define, then what books are made of."""
    import mpmath as mp

    asked: list[tuple[Expr, Mapping[str, Any]]] = []

    def noting(roots: Sequence[Expr], values: Mapping[str, Any]) -> list[Any]:
        asked.extend((node, values) for node in nodes(*roots) if node.word is not None)
        return in_books(roots, values)

    with suppress(Exception):  # what it stops at is the last that was asked
        value(loss, y if loss.is_classwise else mp.mpf(y), [mp.mpf(a) for a in z], noting)
    parts = [(node.word.name, node, values) for node, values in asked if node.word is not None]
    for name, node, values in sorted(parts, key=lambda part: part[0] in language()):
        if not _has_truth(node, values):
            yield name


def _has_truth(node: Expr, values: Mapping[str, Any]) -> bool:
    """Whether a part of a formula is a number, and the same with more digits."""
    import mpmath as mp

    found = []
    for digits in (200, 800):
        with mp.workdps(digits):
            try:
                found += in_books([node], values)
            except Exception:  # whatever its book raises
                return False
    return bool(_agree(*found))


def _agree(a: Any, b: Any) -> bool:
    import mpmath as mp

    if mp.isinf(a) or mp.isinf(b):
        return bool(a == b)
    return bool(abs(a - b) <= max(abs(a), abs(b)) * mp.mpf(10) ** -18)


def _jet_and_moves(loss: Record, y: Any, z: list[Any], book: Evaluation) -> tuple[list[Any], bool]:
    import mpmath as mp

    step = mp.mpf(10) ** -(mp.mp.dps // 5)
    target = y if loss.is_classwise else mp.mpf(y)

    def shifted(k: int, by: Any) -> list[Any]:
        return [a + by if i == k else a for i, a in enumerate(z)]

    def jet(y: Any, z: list[Any]) -> list[Any]:
        held = Holding(loss, book)
        middle = held.value(y, z)
        sides = [
            tuple(held.value(y, [*z[:k], z[k] + way * step, *z[k + 1 :]]) for way in (-1, 1)) for k in range(len(z))
        ]
        slopes = [(up - down) / (2 * step) for down, up in sides]
        return [middle, *slopes, *((up - 2 * middle + down) / step**2 for down, up in sides)]

    # A wider step for how things move: its differences must not see the rounding of the inner ones.
    wide = step * 16
    moved = [(jet(target, shifted(k, -wide)), jet(target, shifted(k, wide))) for k in range(len(z))]
    if target_moves(loss, y):
        moved.append((jet(target - wide, z), jet(target + wide, z)))
    here = jet(target, z)
    moves = [[(b - a) / (2 * wide) for a, b in zip(down, up, strict=True)] for down, up in moved]
    # At a kink the signal jumps within a step, so its difference is of the order of 1 / step.
    kinked = any(abs(m) > 1 / (step * 1000) for row in moves for m in row)
    # A zero shows as the noise of the differences, far below anything that these digits were taken for.
    noise = mp.mpf(10) ** -min(mp.mp.dps // 3, _BELOW_DOUBLES)
    return [mp.mpf(0) if abs(m) < noise else m for m in [*here, *(m for row in moves for m in row)]], kinked
