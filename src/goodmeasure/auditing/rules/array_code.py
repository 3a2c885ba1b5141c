"""Plain NumPy training code: hand-written gradients and formulas."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.array_code import ArrayCode
    from goodmeasure.auditing.evidence.train_loop import TrainLoop


@rule(
    "GM540",
    "error",
    "the hand-written gradient is not that of the loss",
    why=(
        "Descent follows the gradient, not the loss: with a wrong sign the error grows, with a missing factor of N "
        "the learning rate depends on the batch."
    ),
    fix="check it against (loss(z + h) - loss(z - h)) / (2 * h), entry by entry",
)
def wrong_gradient(array_code: ArrayCode) -> Iterator[Seen]:
    """``grad(outputs, targets)`` differs from finite differences of ``loss(outputs, targets)``.

    Example: ``y - p`` for ``p - y``, a sum's gradient for a mean's, a softmax without its coupling. Ignore it where
    the gradient is
    scaled on purpose.
    """
    written = array_code.written()
    if written is not None and written.shape != array_code.outputs.shape:
        if written.size == array_code.outputs.size or written.ndim >= array_code.outputs.ndim > 0:
            yield Seen(
                f"the gradient has shape {written.shape}, the outputs {array_code.outputs.shape}",
                where="grad(outputs, targets)",
            )
        return
    both = array_code.compared()
    if both is None:
        return
    grad, slope = both
    keep = np.isfinite(slope)
    size = float(np.abs(slope[keep]).max(initial=0.0))
    if not keep.any() or size < 1e-9:
        return
    miss = float(np.abs(grad[keep] - slope[keep]).max()) / size
    if not miss < 1e-3:
        ratio = grad[keep] / np.where(slope[keep] == 0, np.nan, slope[keep])
        factor = (
            f"; the ratio is {np.nanmedian(ratio):.4g}" if np.nanstd(ratio) < 1e-3 * abs(np.nanmedian(ratio)) else ""
        )
        yield Seen(f"they differ by {miss:.1%} of the largest entry{factor}", where="grad(outputs, targets)")


@rule(
    "GM541",
    "error",
    "the loss compares mixed pairs",
    why="(N, 1) against (N,) becomes (N, N): the loss is the mean over pairs that do not belong together.",
    fix="flatten both sides before the difference: output.ravel() - targets.ravel()",
)
def array_broadcast(array_code: ArrayCode) -> Iterator[Seen]:
    """The loss of the same numbers changes when the outputs are given the shape of the targets.

    Example: ``np.mean((p - y) ** 2)`` with shapes (N, 1) and (N,). Ignore it never.
    """
    both = array_code.by_shape()
    if both is not None and math.isfinite(both[1]) and abs(both[0] - both[1]) > 1e-6 * max(1.0, abs(both[1])):
        yield Seen(f"{both[0]:.4g} as called, {both[1]:.4g} in equal shapes", where="loss(outputs, targets)")


@rule(
    "GM542",
    "warning",
    "the loss overflows at ordinary scores",
    why=(
        "exp(800) is infinite and log(0) is minus infinity: one confident example turns the whole mean, and then "
        "every weight, into NaN."
    ),
    fix="np.logaddexp(0, z) for log(1 + exp(z)); subtract the row maximum before exp in a softmax",
)
def overflow(array_code: ArrayCode) -> Iterator[Seen]:
    """The loss is not finite at raw scores of +-50 or +-800, or at the given outputs.

    Example: ``np.log(1 + np.exp(-z))``. Ignore it where scores are bounded elsewhere.
    """
    now = array_code.value(array_code.outputs)
    if now is not None and not math.isfinite(now):
        yield Seen(
            f"the loss at the given outputs is {now}",
            where="loss(outputs, targets)",
            severity="error",
            title="the loss is not finite",
        )
        return
    for size, value in array_code.extremes():
        yield Seen(
            f"at outputs of {size:g} the loss is {value}",
            where="loss(outputs, targets)",
            severity="warning" if abs(size) <= 50 else "note",
        )
        return


@rule(
    "GM543",
    "error",
    "the training loop does not reduce its loss",
    why=(
        "A loop whose loss rises, stays where it is or becomes NaN learns nothing; with the sign of the update "
        "reversed it unlearns."
    ),
    fix="weights -= learning_rate * gradient, with gradients of the mean and a smaller learning rate",
)
def loop_rises(train_loop: TrainLoop) -> Iterator[Seen]:
    """``train()`` returns a loss curve that ends above its start, never changes, or is not finite.

    A list within [0, 1] or below zero that rises may hold accuracies or log-likelihoods, and is a note.
    Ignore it where the loop returns something else than losses.
    """
    curve = train_loop.curve
    if not bool(np.isfinite(curve).all()):
        first = int(np.isfinite(curve).argmin())
        yield Seen(f"the curve becomes {curve[first]} after {first} steps", where="train()")
    elif len(curve) >= 5 and curve[0] > 0 and bool((curve == curve[0]).all()):
        yield Seen(f"the loss is {curve[0]:.6g} in all {len(curve)} rounds: nothing is updated", where="train()")
    elif curve[-1] > curve[0] + 1e-9 * abs(curve[0]):
        yield Seen(
            f"the loss goes from {curve[0]:.4g} to {curve[-1]:.4g}",
            where="train()",
            severity="note" if train_loop.may_be_a_score else None,
        )
