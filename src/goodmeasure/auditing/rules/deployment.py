"""After the loss: thresholds, decisions, scores, what is served."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.raw_targets import RawTargets
    from goodmeasure.auditing.evidence.scored import Scored
    from goodmeasure.auditing.evidence.served import Served
    from goodmeasure.auditing.evidence.traced_decision import TracedDecision


@rule(
    "GM530",
    "error",
    "a threshold is applied on another scale than it was meant for",
    why=(
        "A raw score of 0.5 is a probability of 0.62, and of 0 one half: comparing raw scores with a probability "
        "moves the decision without a word."
    ),
    fix="compare torch.sigmoid(scores) with the probability, or scores with math.log(p / (1 - p))",
)
def threshold_scale(decision: TracedDecision) -> Iterator[Seen]:
    """The decision compares raw scores with a number between 0 and 1, or probabilities with one outside.

    Example: ``(logits > 0.5)``, ``logits.round()``, ``(torch.sigmoid(z) > 0)``. The scale of what is compared is
    followed from the last layer;
    a decision on arrays is scanned. A number of more than two digits was computed, and is left alone.
    Ignore it where the threshold was chosen on raw scores.
    """
    for node, number in decision.thresholds():
        operand = node.inputs[0]
        if decision.meant_for_scores(number):
            continue
        lo, hi = decision.contracts.range(operand)
        if (
            (decision.raw or decision.contracts.unbounded(operand))
            and decision.contracts.unbounded(operand)
            and 0 < number < 1
            and decision.yes_no
        ):
            yield Seen(
                f"raw scores are compared with {number:g}, which is a probability of {1 / (1 + math.exp(-number)):.2f}",
                where=decision.place(node),
            )
        elif decision.yes_no and (number <= lo or number >= hi):
            yield Seen(
                f"values in [{lo:g}, {hi:g}] are compared with {number:g}: the answer is always the same",
                where=decision.place(node),
            )
    if not decision.compared and decision.raw:
        turn = decision.switch()
        declared = decision.threshold
        if (
            turn is not None
            and 0.02 < turn < 1
            and (
                (declared is None and abs(turn - 0.5) < 0.03) or (declared is not None and abs(turn - declared) < 0.03)
            )
        ):
            yield Seen(
                f"the decision turns at a raw score of {turn:.2f}, a probability of {1 / (1 + math.exp(-turn)):.2f}",
                where="decide(output)",
            )


@rule(
    "GM531",
    "error",
    "perfect outputs are decided wrongly",
    why=(
        "Whatever the model learns, the labels that come out are wrong: the axis, the order of classes, the "
        "direction or the coding does not fit."
    ),
    fix="decide over the class axis (argmax(-1)), with the coding of the targets",
    follows=("GM530",),
)
def decides_wrongly(decision: TracedDecision) -> Iterator[Seen]:
    """Outputs that clearly say the target (0.9 against 0.1, or one class far ahead) are turned into other labels.

    Example: ``output.argmax(0)``, ``argmin``, labels that start at 1. Ignore it where a decision overrides the model
    on purpose.
    """
    wrong = decision.wrong_on_perfect()
    if wrong is not None and wrong[0] > 0.2:
        shape = tuple(wrong[1].shape)
        yield Seen(
            f"{wrong[0]:.0%} of the labels are wrong when the output says the target (labels {shape}, targets "
            f"{tuple(decision.targets.shape)})",
            where="decide(output)",
        )


@rule(
    "GM532",
    "error",
    "the score compares mixed pairs",
    why="(N,) against (N, 1) becomes (N, N): the reported error is that of pairs that do not belong together.",
    fix="flatten both sides: score(targets.ravel(), outputs.ravel())",
)
def score_broadcast(scored: Scored) -> Iterator[Seen]:
    """The score of the same numbers changes when the output is given the shape of the targets.

    Example: ``np.mean((y - model.predict(x)) ** 2)`` with shapes (N,) and (N, 1). Ignore it never.
    """
    both = scored.by_shape()
    if both is not None and math.isfinite(both[1]) and abs(both[0] - both[1]) > 1e-6 * max(1.0, abs(both[1])):
        shapes = f"targets {tuple(scored.targets.shape)}, outputs {tuple(scored.outputs.shape)}"
        yield Seen(
            f"{both[0]:.4g} as called, {both[1]:.4g} in equal shapes ({shapes})", where="score(targets, outputs)"
        )


@rule(
    "GM533",
    "error",
    "an activation is applied again when the model is served",
    why=(
        "A sigmoid of a probability lies between 0.5 and 0.73, a softmax of shares is nearly uniform: served "
        "numbers are no probabilities and thresholds "
        "on them never fire, or always."
    ),
    fix="apply the activation once: in the model or in serve, not in both",
)
def served_twice(served: Served) -> Iterator[Seen]:
    """What is served has the range of a doubled activation.

    Example: ``torch.sigmoid(model(x))`` where the model ends in a sigmoid. Ignore it never.
    """
    for seen in served.squashed():
        yield Seen(seen, where="serve(inputs)")


@rule(
    "GM534",
    "warning",
    "what is served changes from call to call",
    why=(
        "Dropout or batch statistics are still active: the same input gets different answers, and all of them are "
        "noisier than they need to be."
    ),
    fix="model.eval() before serving",
)
def served_noisily(served: Served) -> Iterator[Seen]:
    """Two calls of ``serve`` on the same inputs differ.

    Example: a model with dropout that was never put into eval mode. Ignore it where samples are served on purpose.
    """
    if served.first.shape == served.second.shape and not bool((abs(served.first - served.second) < 1e-6).all()):
        yield Seen(
            f"two calls differ by up to {float(abs(served.first - served.second).max()):.3g}", where="serve(inputs)"
        )


@rule(
    "GM535",
    "warning",
    "preprocessing lost part of the targets",
    why="Values that were cut to whole numbers, or wrapped around by a small integer type, cannot be learned back.",
    fix="keep the targets in float32 from the file to the loss",
)
def truncated(raw_targets: RawTargets) -> Iterator[Seen]:
    """The targets are the raw ones without their fraction, or modulo 256.

    Example: ``labels.long()`` on real-valued labels, ``uint8`` for values above 255. Ignore it where rounding is meant.
    """
    raw, kept = raw_targets.raw, raw_targets.kept
    whole = bool((kept == kept.round()).all()) and not bool((raw == raw.round()).all())
    if whole and bool((abs(kept - raw) < 1).all()):
        yield Seen(
            f"{len(set(raw.tolist()))} different raw values became {len(set(kept.tolist()))} whole numbers",
            where="targets",
        )
    elif not bool((kept == raw).all()) and bool((kept == raw % 256).all()):
        yield Seen(f"raw values up to {raw.max():g} wrapped around at 256", where="targets")


@rule(
    "GM536",
    "error",
    "what is served is on the scale of the training targets",
    why="The model was trained on standardised targets, and nobody undoes the standardisation: users get z-scores for prices.",
    fix="return prediction * std + mean (scaler.inverse_transform(prediction))",
)
def served_scale(served: Served) -> Iterator[Seen]:
    """The raw targets are a linear image of the targets, and what is served lies among the latter.

    Example: ``serve = model`` after ``(y - y.mean()) / y.std()``. Ignore it where standardised values are what is wanted.
    """
    for values, small, raw in served.scale_kept():
        yield Seen(
            f"the mean of what is served is {values:.4g}, of the targets {small:.4g}, of the raw targets {raw:.4g}",
            where="serve(inputs)",
        )
