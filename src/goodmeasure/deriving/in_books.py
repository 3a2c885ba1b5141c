"""What formulas and losses are as books print them, in arbitrary precision: what every number and claim is held to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, TypeAlias

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.activations import Activation, predicted
from goodmeasure.formulas.evaluation import evaluate
from goodmeasure.formulas.expression import Expr, symbol, symbols

Evaluation: TypeAlias = Callable[[Sequence[Expr], Mapping[str, Any]], list[Any]]


def _lgamma(x: Any) -> Any:
    """The logarithm of the gamma function, lifted to where its asymptotic series serves at once.

    Next to zero mpmath would make a table for every new number of digits, which takes seconds.
    """
    import mpmath as mp

    return _lifted_lgamma(x, mp.mp.dps) if 0 < x < mp.mp.dps else mp.loggamma(x)


@lru_cache(maxsize=16)  # a hyperparameter is the same at every point
def _lifted_lgamma(x: Any, digits: int) -> Any:
    import mpmath as mp

    # Factors from both ends in pairs, (x + k)(x + last - k) = x(x + last) + k(last - k), are half as many products.
    count = digits + digits % 2
    last = count - 1
    ends = x * (x + last)
    pairs = (ends + k * (last - k) for k in range(count // 2))
    return mp.loggamma(x + count) - mp.log(math.prod(pairs))


# Numbers of more bits than this before the point are as good as infinite to an exponential: it would take all memory.
_BITS = 10_000


def _exp(x: Any) -> Any:
    """The exponential, infinite or zero where its argument has more digits before the point than memory has room for."""
    import mpmath as mp

    if mp.isfinite(x) and x and mp.mag(x) > _BITS:
        return mp.inf if x > 0 else mp.mpf(0)
    return mp.exp(x)


def _power(a: Any, b: Any) -> Any:
    """A power, which is the exponential of the logarithm where the exponent is no whole number."""
    import mpmath as mp

    if a > 0 and b and mp.isfinite(a) and mp.isfinite(b) and mp.mag(b) + abs(mp.mag(a)).bit_length() > _BITS:
        return _exp(b * mp.log(a))
    return a**b


@cache
def language() -> dict[str, Callable[..., Any]]:
    """How arbitrary precision spells the elementary words."""
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
        "power": guarded(_power),
        "neg": lambda a: -a,
        "less": lambda a, b: a < b,
        "less_equal": lambda a, b: a <= b,
        "where": lambda c, a, b: a if c else b,
        "log": guarded(mp.log),
        "log1p": guarded(lambda x: mp.log(1 + x)),
        "exp": _exp,
        "expm1": lambda x: _exp(x) - 1,
        "sqrt": guarded(mp.sqrt),
        "maximum": max,
        "minimum": min,
        "lgamma": guarded(_lgamma),
        "digamma": guarded(mp.digamma),
        "trigamma": guarded(lambda x: mp.psi(1, x)),
        "i0e": lambda x: mp.besseli(0, x) * mp.exp(-abs(x)),
        "i1e": lambda x: mp.besseli(1, x) * mp.exp(-abs(x)),
        **{name: getattr(mp, {"abs": "fabs"}.get(name, name)) for name in ("abs", "sign", "sin", "cos")},
        **{name: guarded(getattr(mp, name)) for name in ("erf", "erfc")},
    }


def in_books(roots: Sequence[Expr], values: Mapping[str, Any]) -> list[Any]:
    """What formulas are, each word as a book defines it, at the working precision of the moment."""
    import mpmath as mp

    return evaluate(list(roots), values, language(), mp.mpf, as_in_books=True)


@lru_cache(maxsize=256)
def _predicted(activation: tuple[Activation, ...], raw_names: tuple[str, ...]) -> list[Expr]:
    return predicted(activation, list(map(symbol, raw_names)))


def value(loss: Record, y: Any, z: Sequence[Any], book: Evaluation = in_books) -> Any:
    """The loss of one example as an mpmath number; ``book`` is asked what each formula on the way is."""
    import mpmath as mp

    known = {name: mp.mpf(v) for name, v in loss.hyperparameters}
    if loss.is_classwise:
        weight = loss.class_weight[y] if loss.class_weight else 1
        return book([loss.book], {**known, **_of_class(loss, y, z), class_statistics.WEIGHT: mp.mpf(weight)})[0]
    raws = book(_predicted(loss.activation, loss.raw_names), dict(zip(loss.raw_names, z, strict=True)))
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
