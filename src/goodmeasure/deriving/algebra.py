"""The algebra of losses: a positive multiple, a sum and a weighting of losses are losses too."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from numbers import Real
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.record import R, Record
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import HyperparameterError, UsageError, shorter
from goodmeasure.formulas import words
from goodmeasure.formulas.expression import is_positive, nodes, simplify, substitute, symbol
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.strict.calls import strict_keywords


@strict_keywords
def weighted(loss: R, *, positive: float | Sequence[float] | None = None, classes: Sequence[float] = ()) -> R:
    """Let some outcomes count more than others: a yes more than a no, or one class more than another.

    The weight multiplies the loss and never a denominator; `Loss.predict` undoes what it does to probabilities.

    Args:
        loss: a loss of yes/no, or of one of several classes.
        positive: how many times as much as a no a yes counts; several numbers are one a label, for targets (n, labels).
        classes: how much each class counts, (K,).

    Returns:
        The weighted loss; a weight that was there already is multiplied.

    Raises:
        GM002: a weight is not positive and finite.
        GM009: the loss has no yes or no classes to weight, or both kinds of weight were given, or neither.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.weighted(gm.losses.squared_hinge(), positive=19.0)
        >>> loss.value([1, 0], [0.0, 0.0])
        array([19.,  1.])
    """
    by_class = numbers_of(classes, "classes", HyperparameterError)
    if (positive is None) == (not by_class.size):
        raise UsageError("a loss is weighted by positive= or by classes=", fix=weighing(loss))
    if (positive is not None and not loss.is_binary) or (by_class.size and not loss.is_classwise):
        raise UsageError(
            f"{loss} has no {'classes' if by_class.size else 'yes'} to weight",
            seen=f"its target is {loss.target}",
            fix=weighing(loss),
        )
    if positive is None:
        if by_class.ndim != 1:
            raise HyperparameterError(
                f"classes={shorter(classes)}: one weight a class", fix=f"weighted({loss}, classes=[1, 3])"
            )
        return _class_weighted(loss, tuple(_positive_number(w, loss, "classes=[1.0, 3.0]") for w in by_class.tolist()))
    return _positive_weighted(loss, positive_weight(positive, loss))


def positive_weight(given: Any, loss: object) -> float | tuple[float, ...]:
    """The weight of a yes: one number, or one a label where labels weigh each for itself."""
    weights = numbers_of(given, "positive", HyperparameterError)
    if weights.ndim == 0:
        return _positive_number(given, loss, "positive=3.0")
    if weights.ndim > 1 or not len(weights):
        raise HyperparameterError(
            f"positive={shorter(given)}: one weight, or one a label", fix=f"weighted({loss}, positive=3.0)"
        )
    return tuple(_positive_number(w, loss, "positive=[3.0, 1.0]") for w in weights.tolist())


def weighing(loss: Record) -> str:
    """How outcomes of a loss weigh, or rows where it has none."""
    if not loss.is_binary and not loss.is_classwise:
        return f"{loss}(y, z, sample_weight=w)  # rows weigh"
    return f"weighted({loss}, {'positive=3.0' if loss.is_binary else 'classes=[1.0, 3.0]'})"


def _positive_number(given: Any, loss: object, argument: str) -> float:
    is_one = isinstance(given, Real) or getattr(given, "shape", None) == ()
    weight = float(given) if is_one and not isinstance(given, bool) else math.nan
    if not 0 < weight < float("inf"):
        raise HyperparameterError(
            f"weight {shorter(given)} of {loss}: weights are positive, finite numbers",
            fix=f"weighted({loss}, {argument})",
        )
    return weight


def _positive_weighted(loss: R, weight: float | tuple[float, ...]) -> R:
    so_far = dict(loss.hyperparameters)
    total = np.multiply(so_far.get("positive_weight", 1.0), weight)
    named = {**so_far, "positive_weight": tuple(total.tolist()) if total.ndim else float(total)}
    factor = symbol("positive_weight", positive=True)
    if "positive_weight" in so_far:
        book = loss.book
    elif class_statistics.speaks_of_outcomes(loss.predictions):
        book = class_statistics.weighed(loss.book)
    else:
        book = words.either(symbol("y"), factor, 1) * loss.book
    return replace(loss, book=book, hyperparameters=tuple(named.items()), spelling=_spelled(loss, f"positive={weight}"))


def _class_weighted(loss: R, given: tuple[float, ...]) -> R:
    if loss.class_weight and len(loss.class_weight) != len(given):
        raise UsageError(f"{loss} has {len(loss.class_weight)} class weights already", fix="give one a class")
    total = tuple(a * b for a, b in zip(loss.class_weight or (1.0,) * len(given), given, strict=True))
    book = loss.book if loss.class_weight else class_statistics.weighed(loss.book)
    return replace(loss, book=book, class_weight=total, spelling=_spelled(loss, f"classes={given}"))


def _spelled(loss: Record, how: str) -> Spelling:
    """Weights are of what the activation makes of the target (yes/no or classes), which thus stands inside."""
    return Spelling(f"weighted({loss}, {how})", loss.activation)


def scaled(loss: R, factor: float) -> R:
    """The loss times a positive number."""
    if not isinstance(factor, int | float) or not factor > 0 or not np.isfinite(factor):
        raise UsageError(f"a loss can be multiplied by a positive number, not by {factor!r}", fix=f"2 * {loss}")
    # NumPy's numbers are written otherwise than Python's.
    by = factor if isinstance(factor, int) else float(factor)
    return replace(loss, book=simplify(by * loss.book), spelling=loss.spelling.times(by))


def summed(loss: R, other: R) -> R:
    """The sum of two losses of the same target on the same raw outputs."""
    same = (loss.target, loss.activation, loss.class_weight) == (other.target, other.activation, other.class_weight)
    if not same or not _one_scale(loss, other):
        raise UsageError(
            f"{loss} and {other} do not add up to a loss",
            seen=f"targets {loss.target} and {other.target}, activations {loss.activation} and {other.activation}",
            fix="add losses of the same target, activation and class weights",
        )
    taken = dict(loss.hyperparameters)
    named = dict(other.hyperparameters)
    weight = "positive_weight"
    if weight in taken and weight in named and taken[weight] != named[weight]:
        raise UsageError(
            f"{loss} and {other} weight a yes differently", fix="weighted(loss + other, positive=...) weights the sum"
        )
    renamed = {name: f"{name}_2" for name, value in named.items() if taken.get(name, value) != value}
    known = {node.args[0]: node for node in nodes(other.book) if node.is_symbol}
    fresh = {n: symbol(new, positive=is_positive(known[n])) for n, new in renamed.items() if n in known}
    book = substitute(other.book, fresh)
    more = tuple(
        (renamed.get(name, name), value) for name, value in named.items() if renamed.get(name, name) not in taken
    )
    names = tuple(dict.fromkeys((*loss.predictions, *other.predictions)))
    return replace(
        loss,
        book=loss.book + book,
        predictions=names,
        hyperparameters=(*loss.hyperparameters, *more),
        spelling=_spelled_sum(loss, other),
    )


def _spelled_sum(loss: Record, other: Record) -> Spelling:
    """A sum of losses that share another activation than the one as written has it said once, of the sum."""
    both = (loss.spelling, other.spelling)
    if both[0].activation != both[1].activation:
        both = (both[0].on(loss.activation), both[1].on(other.activation))
    return both[0].plus(both[1])


def _one_scale(loss: Record, other: Record) -> bool:
    outcome = [class_statistics.speaks_of_outcomes(each.predictions) for each in (loss, other)]
    return all(outcome) or (not any(outcome) and loss.predictions == other.predictions)
