"""The loss as a black box: which way it pulls, whom it ignores, where its smallest value lies."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.behaviour import Behaviour
    from goodmeasure.auditing.evidence.constant_shift import ConstantShift


@rule(
    "GM306",
    "error",
    "the loss pushes away from the targets",
    why=(
        "Gradient descent lowers the loss and raises the error: training looks healthy on the loss curve and the "
        "predictions get worse."
    ),
    fix="check the sign of the loss (minimise the negative of a score) and the pairing of outputs with targets",
    follows=("GM119",),
)
def misdirected(behaviour: Behaviour) -> Iterator[Seen]:
    """A small step along the negative gradient moves most outputs away from their own targets.

    Example: ``-F.mse_loss(o, t)``, or a log-likelihood without its minus. Judged only where output and target are
    paired one to
    one, or where targets are class indices, and not for adversarial, ranking or policy tasks. Ignore it where that is
    meant.
    """
    for share, counted, what in behaviour.away():
        yield Seen(f"{share:.0%} of {counted} {what} are pushed away from the target", where="loss(output, targets)")


@rule(
    "GM307",
    "error",
    "some examples never teach",
    why=(
        "Their loss is a constant: whatever the model says about them, no gradient comes back, and one class is "
        "learned from the other alone."
    ),
    fix="check the label coding (hinge and soft-margin losses take -1 and +1) and the masks",
    follows=("GM105", "GM112", "GM115"),
)
def silent_examples(behaviour: Behaviour) -> Iterator[Seen]:
    """The gradient of an example is zero at every output that was tried, and yet it costs something.

    Example: ``torch.clamp(1 - y * s, min=0)`` with labels 0 and 1. Masked examples, which cost nothing, are left alone.
    Ignore it never.
    """
    for silent, rows, cost, values in behaviour.silent():
        labels = f"; their targets are all {values[0]:g}" if len(values) == 1 else ""
        yield Seen(
            f"{silent} of {rows} examples have zero gradient at every output tried and cost {cost:.3g}{labels}",
            where="loss(output, targets)",
        )


@rule(
    "GM308",
    "warning",
    "a few examples outweigh all others",
    why=(
        "At the same error their gradient is thousands of times larger: the fit follows them alone (a percentage "
        "of a target that is "
        "almost zero, for one)."
    ),
    fix="divide by one number of all targets, targets.std() or targets.abs().mean(), instead of by each target",
)
def dominated(behaviour: Behaviour) -> Iterator[Seen]:
    """The same error costs some examples more than ten thousand times what it costs others.

    Example: a mean absolute percentage error with targets at zero. Evidence: the gradient at outputs that all miss by
    the same
    amount. Ignore it where such weights are meant.
    """
    for ratio, value in behaviour.uneven_pull():
        yield Seen(
            f"at the same error the largest gradient is {ratio:.1g} times the smallest (at a target of {value:.3g})",
            where="loss(output, targets)",
        )


@rule(
    "GM310",
    "warning",
    "the loss is not smallest at the target",
    why="The best that training can do is then a wrong answer, whatever the model and the data.",
    fix="check class weights, smoothing, the costs of each class, and the order of arguments and classes",
    follows=("GM108", "GM131", "GM306"),
)
def not_minimal_at_target(behaviour: Behaviour) -> Iterator[Seen]:
    """Confident outputs for another class cost less than confident outputs for the class of the target.

    Example: a weighted sum over classes that rewards the heavy class on every example. Probed on at most eight
    examples, and judged
    only where a whole class is affected. Ignore it for losses that trade classes on purpose.
    """
    for label, better, share in behaviour.wrong_minimum():
        yield Seen(
            f"for targets of {label:g} an output that says {better:g} costs less ({share:.0%} of the examples tried)",
            where="loss(output, targets)",
        )


@rule(
    "GM311",
    "error",
    "the loss has no lower bound",
    why="There is always a more extreme output that costs less: training runs away instead of approaching the targets.",
    fix="square or take the absolute value of the error; apply log_softmax or a sigmoid before a likelihood",
    follows=("GM110", "GM306"),
)
def bottomless(behaviour: Behaviour) -> Iterator[Seen]:
    """Pushing all outputs to one side lowers the loss without end.

    Example: ``(output - target).mean()``. Judged where outputs and targets are paired one to one, not for critics and
    policies.
    Ignore it never.
    """
    for size, value in behaviour.bottomless():
        yield Seen(f"at outputs of {size:g} the loss is {value:.3g}", where="loss(output, targets)")


@rule(
    "GM315",
    "error",
    "the loss does not look at its targets",
    why=(
        "Shuffling the targets among the examples changes nothing: what is learned has nothing to do with which "
        "example is which."
    ),
    fix="check the arguments of the loss, and that output and target have the same shape",
    follows=("GM101",),
)
def blind(behaviour: Behaviour) -> Iterator[Seen]:
    """The loss stays the same to the last digits when targets are shuffled and outputs are not.

    Example: ``F.mse_loss(output, output.detach())``, or (N, 1) against (N,). Not judged for tasks that compare whole
    distributions.
    Ignore it where targets are a set.
    """
    for value, rows in behaviour.blind():
        yield Seen(f"{value:.6g} for four arrangements of the {rows} targets", where="loss(output, targets)")


@rule(
    "GM317",
    "error",
    "a constant in one output makes the loss as small as one likes",
    why=(
        "The bias of the last layer can add that constant: training runs along this direction for ever, and what the "
        "targets say no longer matters."
    ),
    fix="check the sign and the completeness of each term: normalise weights in log space, keep both halves of a likelihood",
    follows=("GM106", "GM110", "GM306", "GM311", "GM316"),
)
def escape(constant_shift: ConstantShift) -> Iterator[Seen]:
    """Shifting one output by a constant lowers the loss without end, or to nothing for any targets.

    Example: a Kullback-Leibler term or a log-determinant with the wrong sign, a likelihood without its log-variance,
    mixture weights that
    are not normalised, a cross-entropy without its second half. Judged for outputs that come straight from a layer of
    their own with a bias,
    and not for critics, policies and rankings. Ignore it where the output is bounded by other means.
    """
    for path, shift, value in constant_shift.endless():
        yield Seen(f"output{path} {shift:+g}: the loss goes to {value:.4g}", where="loss(output, targets)")
        return
    for path, shift, value in constant_shift.free():
        yield Seen(
            f"output{path} {shift:+g}: the loss is {value:.2g}, whatever the targets are", where="loss(output, targets)"
        )
        return
