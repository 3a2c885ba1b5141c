"""What a loss truly is at a point: its book form in arbitrary precision, composed with the activation by no identity at all.

Digits are raised until two settings agree. Signals and curvatures are differences of that value, so the truth shares nothing
with the derived formulas but the book form itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.evaluation import evaluate
from goodmeasure.formulas.expression import symbol

_TRIES = 5


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


def _book(roots: Sequence[Any], values: dict[str, Any]) -> list[Any]:
    import mpmath as mp

    return evaluate(list(roots), values, _language(), mp.mpf, as_in_books=True)


def value(loss: Record, y: Any, z: Sequence[Any]) -> Any:
    """The loss of one example as an mpmath number, at the working precision of the moment."""
    import mpmath as mp

    known = {name: mp.mpf(v) for name, v in loss.hyperparameters}
    if loss.is_classwise:
        table = {name: s.book(mp, z, y) for name, s in class_statistics.statistics().items()}
        weight = loss.class_weight[y] if loss.class_weight else 1
        return _book(
            [loss.book], {**known, **table, "p": mp.exp(table["log_p"]), class_statistics.WEIGHT: mp.mpf(weight)}
        )[0]
    raws = [_book([a(symbol("z"))], {"z": raw})[0] for a, raw in zip(loss.activation, z, strict=True)]
    if not class_statistics.speaks_of_outcomes(loss.predictions):
        return _book([loss.book], {**known, "y": y, **dict(zip(loss.predictions, raws, strict=True))})[0]
    weights = (known.get("positive_weight", mp.mpf(1)), mp.mpf(1))
    sides = [(y, raws[0], weights[0]), (1 - y, 1 - raws[0], weights[1])]
    return sum(share * _of_outcome(loss, known, p, weight) for share, p, weight in sides if share > 0)


def _of_outcome(loss: Record, known: dict[str, Any], p: Any, weight: Any) -> Any:
    shares = {name: s.share(symbol("p")) for name, s in class_statistics.statistics().items() if s.share is not None}
    table = dict(zip(shares, _book(list(shares.values()), {"p": p}), strict=True))
    return _book([loss.book], {**known, **table, "p": p, class_statistics.WEIGHT: weight})[0]


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

    ``digits`` is where to begin; what is smaller than a third of them count as zero.
    """
    import mpmath as mp

    # One minus a sigmoid of z is lost below |z| / log(10) digits, and its differences below twice that.
    digits += int(3 * max(abs(a) for a in z))
    last: list[Any] | None = None
    for _ in range(_TRIES):
        with mp.workdps(digits):
            found, kinked = _jet_and_moves(loss, y, [mp.mpf(a) for a in z])
        if kinked or (last is not None and all(map(_agree, last, found))):
            break
        last, digits = found, 2 * digits if last is None else 4 * digits
    else:
        raise ArithmeticError(f"the truth of {loss} at y={y}, z={z} needs more than {digits // 4} digits")
    size = 1 + 2 * len(z)
    jet, moves = found[:size], [found[i : i + size] for i in range(size, len(found), size)]
    return Truth(jet[0], jet[1 : 1 + len(z)], jet[1 + len(z) :], moves, kinked)


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
