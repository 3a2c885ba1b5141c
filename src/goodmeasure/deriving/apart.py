"""A loss whose raw outputs have nothing to do with each other, such as the ends of an interval, as a loss of each alone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from goodmeasure.deriving.record import R
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.formulas.activations import predicted
from goodmeasure.formulas.expression import expression, simplify, symbols


@cache
def apart(loss: R) -> tuple[R, ...]:
    """The loss of each raw output, the others being zero: up to a constant it is all that this output moves.

    Nothing where the loss has one raw output, or the signal of one depends on another.
    """
    names = loss.raw_names
    own = zip(names, loss.signal, strict=False)
    if loss.is_classwise or len(names) == 1 or any(symbols(signal) & set(names) - {name} for name, signal in own):
        return ()
    return tuple(_alone(loss, k) for k in range(len(names)))


def _alone(loss: R, k: int) -> R:
    zeros = predicted(loss.activation, [expression(0)] * len(loss.activation))
    others = {name: zero for j, (name, zero) in enumerate(zip(loss.predictions, zeros, strict=True)) if j != k}
    name, activation = loss.predictions[k], (loss.activation[k],)
    return replace(
        loss,
        spelling=Spelling(f"{loss} of {name} alone", activation),
        book=simplify(loss.book, others),
        predictions=(name,),
        activation=activation,
    )
