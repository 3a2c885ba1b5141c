"""Padding and missing labels: positions that should not count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.masks import Masks


@rule(
    "GM313",
    "error",
    "padding is part of the loss",
    why=(
        "The model is rewarded for predicting padding, which is easy and frequent: the loss looks low, and short "
        "sequences teach mostly that."
    ),
    fix="nn.CrossEntropyLoss(ignore_index=PAD), or select the positions that count before the mean",
)
def padding_counts(masks: Masks) -> Iterator[Seen]:
    """Gradient arrives at positions that the mask, or the padding of inputs and targets, excludes.

    Example: token cross-entropy without ``ignore_index`` on padded batches. Padding is recognised from the data: rows
    of different
    length that end in one value which stands nowhere else, in inputs and targets alike. Ignore it where the filler is
    a symbol to be learned.
    """
    for hits, masked, why in masks.counted_although_masked():
        yield Seen(
            f"{hits} of {masked} positions that should not count carry gradient ({why})", where="loss(output, targets)"
        )


@rule(
    "GM314",
    "warning",
    "masked positions are part of the denominator",
    why=(
        "Zeros from masked positions still count in the mean: the loss and its gradient shrink with the share of "
        "padding, and a batch of short "
        "sequences counts less."
    ),
    fix="(loss * mask).sum() / mask.sum()",
)
def diluted_mean(masks: Masks) -> Iterator[Seen]:
    """Positions without gradient are masked, and the weights of the others sum to the share that is valid instead of
    to one.

    Example: ``(token_loss * mask).mean()``. Evidence: the gradient at the unreduced losses. Ignore it where the
    divisor is constant on
    purpose.
    """
    for node, valid, total in masks.diluted():
        yield Seen(
            f"{valid} of {total} positions count, and the sum is divided by {total}", where=masks.contracts.place(node)
        )
