"""What a loss truly is at a point: its book form in arbitrary precision, composed with the activation by no identity at all.

Digits are raised until two settings agree. Signals and curvatures are differences of that value, so the truth shares nothing
with the derived formulas but the book form itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.record import Record
from goodmeasure.errors import Problem
from goodmeasure.formulas.evaluation import evaluate
from goodmeasure.formulas.expression import Expr, nodes, symbol, symbols

Evaluation: TypeAlias = Callable[[Sequence[Expr], Mapping[str, Any]], list[Any]]
_TRIES = 5


class NoTruth(Problem, ArithmeticError):
    """What a loss truly is at a point cannot be computed, so its numbers cannot be held to it.

    The truth is the book form in arbitrary precision. A word of your own needs a ``book`` for that: its definition in words
    that have one, or that arbitrary precision knows by itself (arithmetic, ``exp``, ``log``, ``sqrt``, ``sin``, ``erf``,
    ``lgamma``, ...). The book is right where the formula is used: it gives a number there, and the same one with more digits.
    """

    code = "GM013"


@cache
def _language() -> dict[str, Callable[..., Any]]:
    import mpmath as mp

    def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
        """Real answers only: where there is none, infinity or NaN, as in floating point."""

        def apply(*args: Any) -> Any:
            try:
                found = function(*args)
            except (ZeroDivisionError, ValueError):
                return mp.nan
            return found if mp.isnan(found) or mp.im(found) == 0 else mp.nan

        return apply

    return {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": guarded(lambda a, b: a / b),
        "power": guarded(lambda a, b: a**b),
        "neg": lambda a: -a,
        "less": lambda a, b: a < b,
        "less_equal": lambda a, b: a <= b,
        "where": lambda c, a, b: a if c else b,
        "log": guarded(mp.log),
        "log1p": guarded(lambda x: mp.log(1 + x)),
        "expm1": lambda x: mp.exp(x) - 1,
        "sqrt": guarded(mp.sqrt),
        "maximum": max,
        "minimum": min,
        "lgamma": guarded(mp.loggamma),
        "digamma": guarded(mp.digamma),
        "trigamma": guarded(lambda x: mp.psi(1, x)),
        **{name: getattr(mp, {"abs": "fabs"}.get(name, name)) for name in ("abs", "sign", "exp", "sin", "cos")},
        **{name: guarded(getattr(mp, name)) for name in ("erf", "erfc")},
    }


def in_books(roots: Sequence[Expr], values: Mapping[str, Any]) -> list[Any]:
    """What formulas are, each word as a book defines it, at the working precision of the moment."""
    import mpmath as mp

    return evaluate(list(roots), values, _language(), mp.mpf, as_in_books=True)


def value(loss: Record, y: Any, z: Sequence[Any], book: Evaluation = in_books) -> Any:
    """The loss of one example as an mpmath number; ``book`` is asked what each formula on the way is."""
    import mpmath as mp

    known = {name: mp.mpf(v) for name, v in loss.hyperparameters}
    if loss.is_classwise:
        weight = loss.class_weight[y] if loss.class_weight else 1
        return book([loss.book], {**known, **_of_class(loss, y, z), class_statistics.WEIGHT: mp.mpf(weight)})[0]
    raws = [book([a(symbol("z"))], {"z": raw})[0] for a, raw in zip(loss.activation, z, strict=True)]
    if not class_statistics.speaks_of_outcomes(loss.predictions):
        return book([loss.book], {**known, "y": y, **dict(zip(loss.predictions, raws, strict=True))})[0]
    weights = (known.get("positive_weight", mp.mpf(1)), mp.mpf(1))
    sides = [(y, raws[0], weights), (1 - y, 1 - raws[0], weights[::-1])]
    return sum(share * _of_outcome(loss, known, p, counts, book) for share, p, counts in sides if share > 0)


@cache
def _named(book: Expr) -> set[str]:
    return symbols(book)


def _spoken_of(loss: Record) -> dict[str, class_statistics.Statistic]:
    """The statistics that the book form names: those of all others would take most of the time."""
    return {name: s for name, s in class_statistics.statistics().items() if name in _named(loss.book)}


def _of_class(loss: Record, y: int, z: Sequence[Any]) -> dict[str, Any]:
    import mpmath as mp

    weights = [mp.mpf(w) for w in loss.class_weight or (1,) * len(z)]
    found = {name: s.book(mp, z, y, weights) for name, s in _spoken_of(loss).items()}
    return {**found, "p": mp.exp(class_statistics.log_p.book(mp, z, y, weights))} if "p" in _named(loss.book) else found


def _of_outcome(loss: Record, known: dict[str, Any], p: Any, weights: Any, book: Evaluation) -> Any:
    counts = (symbol("own"), symbol("other"))
    shares = {name: s.share(symbol("p"), *counts) for name, s in _spoken_of(loss).items() if s.share is not None}
    table = dict(
        zip(shares, book(list(shares.values()), {"p": p, "own": weights[0], "other": weights[1]}), strict=True)
    )
    return book([loss.book], {**known, **table, "p": p, class_statistics.WEIGHT: weights[0]})[0]


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


def truth(loss: Record, y: Any, z: Sequence[float], *, digits: int = 80) -> Truth:
    """The truth at a target and raw outputs that are exact numbers; ``moves`` holds derivatives by each raw output, then y.

    ``digits`` is where to begin; what is smaller than a third of them count as zero. Raises `NoTruth`, which names the word.
    """
    try:
        found, kinked = _settled(loss, y, z, digits)
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


def _settled(loss: Record, y: Any, z: Sequence[float], digits: int) -> tuple[list[Any], bool]:
    """The numbers of a point with so many digits that more would not change them, and whether it is a kink."""
    import mpmath as mp

    # One minus a sigmoid of z is lost below |z| / log(10) digits, and its differences below twice that.
    digits += int(3 * max(abs(a) for a in z))
    last: list[Any] | None = None
    for _ in range(_TRIES):
        with mp.workdps(digits):
            found, kinked = _jet_and_moves(loss, y, [mp.mpf(a) for a in z])
        if kinked or (last is not None and all(map(_agree, last, found))):
            return found, kinked
        if last is not None and mp.isnan(last[0]) and mp.isnan(found[0]):
            raise NoTruth(f"the truth of {loss} is no number", where=f"y={y}, z={list(z)}")
        last, digits = found, 2 * digits if last is None else 4 * digits
    raise NoTruth(f"the truth of {loss} needs more than {digits // 4} digits", where=f"y={y}, z={list(z)}")


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
    for name, node, values in sorted(parts, key=lambda part: part[0] in _language()):
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


def _jet_and_moves(loss: Record, y: Any, z: list[Any]) -> tuple[list[Any], bool]:
    import mpmath as mp

    step = mp.mpf(10) ** -(mp.mp.dps // 5)
    target = y if loss.is_classwise else mp.mpf(y)

    def shifted(k: int, by: Any) -> list[Any]:
        return [a + by if i == k else a for i, a in enumerate(z)]

    def jet(y: Any, z: list[Any]) -> list[Any]:
        middle = value(loss, y, z)
        sides = [
            (value(loss, y, [*z[:k], z[k] - step, *z[k + 1 :]]), value(loss, y, [*z[:k], z[k] + step, *z[k + 1 :]]))
            for k in range(len(z))
        ]
        slopes = [(up - down) / (2 * step) for down, up in sides]
        return [middle, *slopes, *((up - 2 * middle + down) / step**2 for down, up in sides)]

    # A wider step for how things move: its differences must not see the rounding of the inner ones.
    wide = step * 16
    moved = [(jet(target, shifted(k, -wide)), jet(target, shifted(k, wide))) for k in range(len(z))]
    if not loss.is_classwise and not (loss.is_binary and y in (0, 1)):
        moved.append((jet(target - wide, z), jet(target + wide, z)))
    here = jet(target, z)
    moves = [[(b - a) / (2 * wide) for a, b in zip(down, up, strict=True)] for down, up in moved]
    # At a kink the signal jumps within a step, so its difference is of the order of 1 / step.
    kinked = any(abs(m) > 1 / (step * 1000) for row in moves for m in row)
    # A zero shows as the noise of the differences, far below anything that these digits were taken for.
    noise = mp.mpf(10) ** -(mp.mp.dps // 3)
    return [mp.mpf(0) if abs(m) < noise else m for m in [*here, *(m for row in moves for m in row)]], kinked
