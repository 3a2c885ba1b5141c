"""How a raw output becomes a prediction: one row an activation, with its inverse and what it can produce."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from goodmeasure.errors import UsageError
from goodmeasure.formulas import words
from goodmeasure.formulas.domains import (
    Classes,
    Domain,
    OrderDomain,
    OutcomeDomain,
    Positive,
    Real,
    UnitInterval,
    bounded,
    domain,
    span,
    written,
)
from goodmeasure.formulas.expression import Expr, Word, expression, log
from goodmeasure.strict.calls import strict_class

_NUMBER = r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"


@strict_class
@dataclass(frozen=True)
class Activation:
    """A function from raw outputs to predictions, its inverse, and the domain it reaches.

    Attributes:
        name: as ``activation=`` takes it: "linear", "exp", "softplus", "softplus(8)", "sigmoid", "sigmoid(0,100)",
            "softmax", or "falling".
        forward: the formula from raw outputs to predictions; None where it acts on a whole row.
        inverse: the formula back; None where it acts on a whole row.
        reaches: which predictions it can make.
        onward: from where the prediction before stands and a raw output, the formula of where this one stands: such
            predictions keep their order whatever the raw outputs are. None where each stands for itself.
        between: the formula of that raw output, from where the two stand.

    Example:
        >>> import goodmeasure as gm
        >>> activation = gm.losses.poisson().activation[0]
        >>> activation, str(activation.reaches)
        (exp, 'a positive number (0, inf)')
    """

    name: str
    forward: Callable[[Expr], Any] | None
    inverse: Callable[[Expr], Any] | None
    reaches: Domain
    onward: Callable[[Expr, Expr], Any] | None = None
    between: Callable[[Expr, Expr], Any] | None = None

    def __call__(self, raw: Expr) -> Expr:
        """The formula of predictions in terms of raw outputs.

        Args:
            raw: the formula of a raw output.

        Returns:
            The formula of its prediction.
        """
        assert self.forward is not None, f"{self.name} acts on a whole row"
        return expression(self.forward(raw))

    def __repr__(self) -> str:
        return self.name

    def __reduce__(self) -> tuple[Any, ...]:
        return activation, (self.name,)


def _before_softplus(mu: Expr) -> Expr:
    """The formula of z where softplus(z) = mu: mu + log(1 - exp(-mu)), which neither overflows nor cancels."""
    return mu + words.log1mexp(-mu)


linear: Activation = Activation("linear", lambda z: z, lambda mu: mu, domain(Real))
exp: Activation = Activation("exp", words.exp, log, domain(Positive))
softplus: Activation = Activation("softplus", words.softplus, _before_softplus, domain(Positive))
sigmoid: Activation = Activation("sigmoid", words.sigmoid, lambda p: log(p) - words.log1p(-p), domain(UnitInterval))
softmax: Activation = Activation("softmax", None, None, domain(Classes))
# A probability below the one before, whose log-odds lie softplus(z) lower.
falling = replace(
    sigmoid,
    name="falling",
    onward=lambda before, z: before - words.softplus(z),
    between=lambda before, here: _before_softplus(before - here),
)


def predicted(activations: Sequence[Activation], raws: Sequence[Expr]) -> list[Expr]:
    """The formulas of an example's predictions in terms of its raw outputs."""
    return [a(stand) for a, stand in zip(activations, _stands(activations, raws), strict=True)]


def _stands(activations: Sequence[Activation], raws: Sequence[Expr]) -> Iterator[Expr]:
    """What each activation is applied to: its own raw output, or that and where the prediction before it stands."""
    stand = expression(0)
    for a, raw in zip(activations, raws, strict=True):
        stand = raw if a.onward is None else expression(a.onward(stand, raw))
        yield stand


def rising(formulas: Sequence[Expr]) -> list[Expr]:
    """The same numbers in rising order, by the least number of steps in a row: Batcher's exchanges.

    Source: Knuth, The Art of Computer Programming, volume 3, algorithm 5.2.2M.
    """
    found = list(formulas)
    for i, j in exchanges(len(found)):
        found[i], found[j] = words.minimum(found[i], found[j]), words.maximum(found[i], found[j])
    return found


def exchanges(count: int) -> Iterator[tuple[int, int]]:
    """The places whose numbers are to be put in order, one pair after another, until all are."""
    top = step = 1 << (count - 1).bit_length() - 1
    while step:
        reach, rest, apart = top, 0, step
        while True:
            yield from ((i, i + apart) for i in range(count - apart) if i & step == rest)
            if reach == step:
                break
            apart, reach, rest = reach - step, reach >> 1, step
        step >>= 1


def undone(activations: Sequence[Activation], predictions: Sequence[Expr]) -> list[Expr]:
    """The formulas of the raw outputs from which these predictions come."""
    stands = [expression(a.inverse(p)) for a, p in zip(activations, predictions, strict=True) if a.inverse is not None]
    apart = zip(activations, [stands[0], *stands], stands, strict=False)
    return [here if a.between is None else expression(a.between(before, here)) for a, before, here in apart]


@cache
def activations() -> dict[str, Activation]:
    """Every activation by its name."""
    return {a.name: a for a in globals().values() if isinstance(a, Activation)}


@cache
def softplus_over(unit: float) -> Activation:
    """The sum of effects where it is above a few units, bent over so many towards zero: unit * softplus(z / unit)."""
    return replace(
        softplus,
        name=f"softplus({unit:.17g})",
        forward=lambda z: unit * words.softplus(z / unit),
        inverse=lambda mu: unit * _before_softplus(mu / unit),
    )


def shares_of(amount: Expr, low: float, high: float) -> tuple[Expr, Expr]:
    """The formulas of how far an amount is on the way from one bound to the other, and of what is left: of the bounds exactly
    nothing."""
    if (low, high) == (0, 1):
        return amount, 1 - amount
    width = span(low, high)
    return (amount if low == 0 else amount - low) / width, (high - amount) / width


@cache
def sigmoid_between(low: float, high: float) -> Activation:
    """The sigmoid of the way from a lower bound to an upper one: low + (high - low) * sigmoid(z), never outside of them."""
    if (low, high) == (0, 1):
        return sigmoid
    width, before = span(low, high), sigmoid.inverse
    assert before is not None
    return Activation(
        f"sigmoid({written(low)},{written(high)})",
        lambda z: width * words.sigmoid(z) if low == 0 else low + width * words.sigmoid(z),
        lambda mu: before(shares_of(mu, low, high)[0]),
        bounded((low, high)),
    )


def between(bounds: Sequence[float]) -> Activation:
    """The activation that reaches what lies between two bounds, and nothing else."""
    return sigmoid_between(*bounds)


def _bounds_of(name: str) -> tuple[float, float] | None:
    """The bounds in the name of a sigmoid that has some."""
    found = re.fullmatch(rf"sigmoid\(({_NUMBER}), ?({_NUMBER})\)", name)
    low, high = (0.0, 0.0) if found is None else (float(found[1]), float(found[2]))
    return (low, high) if low < high and math.isfinite(high - low) else None


def _unit_of(name: str) -> float | None:
    """The unit in the name of a softplus that has one."""
    found = re.fullmatch(rf"softplus\(({_NUMBER})\)", name)
    unit = 0.0 if found is None else float(found[1])
    return unit if 0 < unit < math.inf else None


def is_activation(name: str) -> bool:
    """Whether an activation has this name."""
    return name in activations() or _unit_of(name) is not None or _bounds_of(name) is not None


def activation(given: Activation | Word | str) -> Activation:
    """The activation of this name, or whose function is this word."""
    name = given if isinstance(given, str) else getattr(given, "name", repr(given))
    if (unit := _unit_of(name)) is not None:
        return softplus_over(unit)
    if (bounds := _bounds_of(name)) is not None:
        return between(bounds)
    if name not in activations():
        raise UsageError(
            f"there is no activation {name}", seen=f"there are {', '.join(activations())}", fix="activation='exp'"
        )
    return activations()[name]


def natural(target: Domain) -> Activation:
    """The activation whose range fits a target when nothing else is said."""
    if isinstance(target, OutcomeDomain):
        return softmax if target.classes else sigmoid
    if math.isfinite(target.high - target.low) and not isinstance(target, OrderDomain):
        return sigmoid_between(target.low, target.high)
    return exp if target.low == 0 else linear
