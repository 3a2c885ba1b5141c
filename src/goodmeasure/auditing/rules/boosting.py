"""Custom boosting objectives: signs, curvature."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.boosting_objective import BoostingObjective
    from goodmeasure.auditing.evidence.fitted import Fitted


@rule(
    "GM501",
    "error",
    "the gradient of the objective points the wrong way",
    why=(
        "Boosting subtracts gradient / hessian: with the sign reversed every round moves the predictions away from "
        "the targets, and the error grows without bound."
    ),
    fix=(
        "return the derivative with respect to the prediction: prediction - target for squared error, p - y for "
        "log-loss"
    ),
)
def gradient_sign(objective: BoostingObjective) -> Iterator[Seen]:
    """The objective's gradient disagrees in sign with finite differences of its loss, or pulls predictions away from
    the targets.

    Example: ``grad = target - prediction``; for CatBoost, which wants derivatives of minus the loss, the other way round.
    Ignore it never.
    """
    compared = objective.against_loss()
    if compared is not None and compared[0] < 0.5:
        yield Seen(
            f"the signs of gradient and finite differences agree at {compared[0]:.0%} of the probes", where="objective"
        )
    elif compared is None and objective.towards() < -0.5:
        yield Seen("far above the target the gradient is negative, far below it is positive", where="objective")


@rule(
    "GM502",
    "error",
    "the hessian of the objective is negative or zero",
    why=(
        "Boosters divide by the sum of the hessians: rows with a negative one are dropped or clipped, and with "
        "zeros every leaf is 0 and nothing is learned."
    ),
    fix="return np.ones_like(prediction), the expected curvature, or np.maximum(hessian, 1e-6)",
)
def hessian_sign(objective: BoostingObjective) -> Iterator[Seen]:
    """Second derivatives are negative at some raw scores, or zero almost everywhere.

    Example: ``hess = -1`` in a Huber objective, ``hess = 0`` for absolute error. Ignore it where the library replaces
    them.
    """
    negative, zero = objective.curvature()
    if negative > 0.01:
        yield Seen(f"{negative:.0%} of the second derivatives are negative", where="objective")
    elif zero > 0.9:
        yield Seen(f"{zero:.0%} of the second derivatives are zero", where="objective")


@rule(
    "GM503",
    "warning",
    "the gradient of the objective is not the derivative of its loss",
    why="What is minimised is then another loss than the one reported.",
    fix="derive the gradient from the formula, or let goodmeasure do so: gm.to_xgboost(loss)",
)
def gradient_shape(objective: BoostingObjective) -> Iterator[Seen]:
    """Gradients agree with finite differences of the loss at some raw scores and not at others.

    Example: the derivative with respect to the probability where that with respect to the raw score is due. A
    constant factor passes.
    Ignore it where a surrogate is meant.
    """
    compared = objective.against_loss()
    if compared is not None and 0.5 <= compared[0] < 0.9:
        yield Seen(
            f"the signs of gradient and finite differences agree at only {compared[0]:.0%} of the probes",
            where="objective",
        )


@rule(
    "GM504",
    "error",
    "an evaluation metric says that the wrong direction is better",
    why="Early stopping keeps the round that this metric likes best: the worst one, which is nearly always the first.",
    fix="return name, value, is_higher_better: False for an error or a loss, True for a score",
)
def metric_direction(fitted: Fitted) -> Iterator[Seen]:
    """A metric that tells its direction is better, by its own word, at mirrored predictions than at nearly perfect ones.

    Example: ``lambda y, p: ("mae", np.mean(np.abs(y - p)), True)``. Ignore it never.
    """
    said = fitted.direction()
    if said is not None:
        right, mirrored, higher = said
        yield Seen(
            f"nearly perfect predictions give {right:.4g}, mirrored ones {mirrored:.4g}, and "
            f"{'higher' if higher else 'lower'} is said to be better",
            where="metric",
        )
