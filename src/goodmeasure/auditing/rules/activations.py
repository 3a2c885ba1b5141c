"""The activation against the loss: what was applied twice, not at all, or squashed too far."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.contracts import Contracts

NARROW = 2.5  # a span of logits below which no prediction can be confident


@rule(
    "GM102",
    "error",
    "softmax is applied twice",
    why=(
        "A softmax of probabilities is nearly uniform: with K classes the loss cannot fall below log(1 + (K - "
        "1)/e), 0.55 for "
        "three classes and 5.9 for a thousand, and the gradient of a confident wrong answer almost vanishes."
    ),
    fix="hand the raw scores to the loss: remove the softmax before it",
)
def double_softmax(contracts: Contracts) -> Iterator[Seen]:
    """The input of a softmax, log-softmax, logsumexp or cross-entropy already sums to one along the same axis.

    Example: ``nn.Sequential(..., nn.Softmax(-1))`` with ``nn.CrossEntropyLoss()``, which has its own softmax. The
    evidence is
    the numbers: every row is non-negative and sums to one, and gradient flows through it. Ignore it where a softmax of
    probabilities is the model you mean (a gate on top of a gate).
    """
    for node, axis, where in contracts.normalisations():
        before = node.inputs[0] if node.inputs else node
        if before.live and contracts.simplex(before, axis):
            classes = before.shape[axis]
            floor = math.log(1 + (classes - 1) / math.e)
            made = contracts.source(before)
            yield Seen(
                f"the {classes} scores of every row are in [0, 1] and sum to 1 before {node.op} (made by {made.op}); "
                f"the loss cannot fall below {floor:.3f}",
                where=where,
            )


@rule(
    "GM103",
    "error",
    "sigmoid is applied twice",
    why=(
        "A sigmoid of a probability lies between 0.5 and 0.73: 'no' can never be predicted, and the loss stays "
        "above 0.69 on negatives."
    ),
    fix="return raw scores from the model, or use the loss without its own sigmoid (nn.BCELoss)",
)
def double_sigmoid(contracts: Contracts) -> Iterator[Seen]:
    """The input of a sigmoid (or of a loss with one inside) can only lie in [0, 1].

    Example: a model that ends in ``torch.sigmoid`` with ``nn.BCEWithLogitsLoss()``. The evidence is the attainable
    range of the
    input, followed from the last learned layer. Ignore it where two sigmoids are a shape that you chose for its own
    sake.
    """
    for node, before in contracts.sigmoids():
        lo, hi = contracts.range(before)
        if before.live and lo >= 0 and hi <= 1:
            made = contracts.source(before)
            yield Seen(f"{made.op} confines the input of {node.op} to [{lo:g}, {hi:g}]", where=contracts.place(node))


@rule(
    "GM104",
    "warning",
    "the scores that reach the loss are squashed",
    why=(
        "Scores in a narrow or one-sided range bound the confidence: sigmoid scores into a three-class "
        "cross-entropy cannot get a loss "
        "below 0.55, a ReLU before a sigmoid cannot predict less than one half."
    ),
    fix="give the loss the output of the last linear layer; scale similarities by a temperature (cosine / 0.07)",
)
def squashed_scores(contracts: Contracts) -> Iterator[Seen]:
    """The attainable range of the logits is so narrow, or so one-sided, that no confident prediction exists.

    Example: ``torch.sigmoid(self.cls(h))`` or ``F.normalize(a) @ F.normalize(b).T`` without a temperature into cross-
    entropy.
    The range is followed by interval arithmetic with the parameters left free. Ignore it where bounded confidence is
    meant.
    """
    for node, axis, where in contracts.normalisations(logs_only=True):
        before = node.inputs[0] if node.inputs else node
        lo, hi = contracts.range(before)
        made = contracts.source(before)
        classes = before.shape[axis] if axis < len(before.shape) else 1
        if not before.live or classes < 2 or contracts.simplex(before, axis):
            continue
        if hi - lo <= NARROW:
            floor = math.log(1 + (classes - 1) * math.exp(lo - hi))
            yield Seen(
                f"{made.op} confines the {classes} scores to [{lo:.3g}, {hi:.3g}]; the loss cannot fall below "
                f"{floor:.3f}",
                where=where,
            )
        elif made.op in ("relu", "relu6"):
            yield Seen(
                f"{made.op} is applied to the {classes} class scores: a class below zero gets no gradient", where=where
            )
    for node, before in contracts.sigmoids(losses_only=True):
        lo, hi = contracts.range(before)
        if not before.live or (lo >= 0 and hi <= 1):
            continue
        if lo >= 0 or hi <= 0 or ((hi - lo) <= 2 * NARROW and max(-lo, hi) <= 2):
            low, high = _sigmoid(lo), _sigmoid(hi)
            made = contracts.source(before)
            yield Seen(
                f"{made.op} confines the score, so the probability can only lie in [{low:.2f}, {high:.2f}]",
                where=contracts.place(node),
            )


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


@rule(
    "GM105",
    "error",
    "raw scores are handed to a loss that takes probabilities",
    why=(
        "The logarithm of a raw score is undefined below zero and negative above one; frameworks either stop or "
        "clip, and a clipped "
        "score has no gradient."
    ),
    fix="use the loss that takes raw scores (nn.BCEWithLogitsLoss, from_logits=True), or apply the activation first",
)
def scores_as_probabilities(contracts: Contracts) -> Iterator[Seen]:
    """A loss that expects probabilities gets numbers outside [0, 1], rows that do not sum to one, or an unbounded
    layer.

    Example: ``nn.Linear(8, 1)`` into ``nn.BCELoss()``, or a Keras ``Dense(3)`` with
    ``"sparse_categorical_crossentropy"`` and no
    ``from_logits=True``. Ignore it never: such a loss has no meaning there.
    """
    for call in contracts.of("binary_cross_entropy", "probability_cross_entropy", "keras_kl"):
        value, made = call.input.value, contracts.source(call.input)
        if not value.numel():
            continue
        lo, hi = float(value.min()), float(value.max())
        if lo < -1e-6 or hi > 1 + 1e-6:
            yield Seen(
                f"{made.op} gives values from {lo:.3g} to {hi:.3g}; probabilities lie in [0, 1]", where=call.where
            )
        elif contracts.unbounded(call.input):
            yield Seen(
                f"{made.op} is unbounded: nothing keeps the output in [0, 1] (now {lo:.3g} to {hi:.3g})",
                where=call.where,
            )
        elif (
            call.kind == "probability_cross_entropy"
            and value.shape[-1] > 1
            and not contracts.simplex(call.input, value.dim() - 1)
        ):
            sums = value.sum(-1)
            yield Seen(
                f"{made.op}: the class scores of a row sum to {float(sums.min()):.3g} .. {float(sums.max()):.3g}, "
                f"not to 1",
                where=call.where,
            )


@rule(
    "GM106",
    "error",
    "a loss on log-probabilities is handed something else",
    why=(
        "The value is then no likelihood: on probabilities it is minus a mean probability (negative, linear), on "
        "raw scores it can be "
        "lowered for ever by adding a constant, and it never says how wrong a prediction is."
    ),
    fix="apply log_softmax over the class axis first: F.log_softmax(scores, dim=...)",
)
def not_log_probabilities(contracts: Contracts) -> Iterator[Seen]:
    """The exponentials of the input of ``nll_loss``, ``ctc_loss`` or ``kl_div`` do not sum to one over the classes.

    Example: ``nn.Softmax(-1)`` (not ``LogSoftmax``) before ``nn.NLLLoss()``. The evidence is the sum of exponentials
    in every
    row. Ignore it where ``nll_loss`` is only used to pick out entries.
    """
    for call in contracts.of("nll_loss", "ctc_loss", "kl_div"):
        axes = contracts.distribution_axes(call)
        if not call.input.tensor.is_floating_point() or any(contracts.log_simplex(call.input, axis) for axis in axes):
            continue
        if call.kind == "kl_div" and not call.input.live:
            continue
        made = contracts.source(call.input)
        what = "probabilities" if any(contracts.simplex(call.input, axis) for axis in axes) else "raw scores"
        if what == "raw scores" and any(
            contracts.log_simplex(call.input, axis) for axis in range(len(call.input.shape))
        ):
            continue  # normalised along another axis: GM107 says so
        mass = call.input.value.float().logsumexp(axes[-1]).exp()
        yield Seen(
            f"{call.kind} gets {what} from {made.op}: the exponentials of a row sum to {float(mass.min()):.3g} .. "
            f"{float(mass.max()):.3g}",
            where=call.where,
        )


@rule(
    "GM111",
    "error",
    "a softmax over one unit is always 1",
    why=(
        "With one unit the normalised output is 1 whatever the weights are: the loss is constant and nothing is "
        "learned."
    ),
    fix="use one unit with a sigmoid and binary cross-entropy, or one unit per class with softmax",
)
def one_unit(contracts: Contracts) -> Iterator[Seen]:
    """A softmax or cross-entropy works along an axis that holds a single number.

    Example: ``Dense(1)`` with ``categorical_crossentropy``. Ignore it never.
    """
    for node, axis, where in contracts.normalisations():
        before = node.inputs[0] if node.inputs else node
        if before.live and axis < len(before.shape) and before.shape[axis] == 1:
            yield Seen(
                f"{node.op} normalises over an axis of length 1 (shape {before.shape}, axis {axis})", where=where
            )
    for call in contracts.of("probability_cross_entropy"):
        if call.input.shape[-1] == 1:
            yield Seen(f"categorical cross-entropy over one unit (output shape {call.input.shape})", where=call.where)


@rule(
    "GM114",
    "error",
    "softmax shares are scored as independent labels",
    why=(
        "A softmax shares one unit of mass among the classes. Binary cross-entropy asks each of them separately: "
        "several labels "
        "can never all be likely, and for one-of-K targets the averaged value looks K/2 times better than it is."
    ),
    fix="several labels: sigmoid (nn.BCEWithLogitsLoss on raw scores); one of K: cross-entropy",
)
def softmax_with_binary_loss(contracts: Contracts) -> Iterator[Seen]:
    """The input of a binary cross-entropy sums to one over the classes.

    Example: ``Dense(10, activation="softmax")`` with ``"binary_crossentropy"``. With two classes and one-hot targets
    both losses agree,
    so that case passes. Ignore it where the sum of binary losses of a softmax is what you mean.
    """
    for call in contracts.of("binary_cross_entropy", "binary_cross_entropy_with_logits"):
        axes = {1, len(call.input.shape) - 1} if len(call.input.shape) > 1 else set()
        for axis in sorted(axes):
            if not call.input.live or not contracts.simplex(call.input, axis):
                continue
            target = call.target_values()
            sums = target.float().sum(axis) if target.dim() > axis else target.float()
            several = bool((sums > 1.5).any()) or bool((sums < 0.5).any())
            if several or call.input.shape[axis] > 2:
                many = f"the targets hold {float(sums.min()):g} to {float(sums.max()):g} labels a row"
                yield Seen(f"the {call.input.shape[axis]} outputs of every row sum to 1 and {many}", where=call.where)
                break


@rule(
    "GM115",
    "warning",
    "a clamp stands in for an activation",
    why=(
        "Outside the clamp the gradient is exactly zero: an example that is badly wrong is the one that teaches "
        "nothing."
    ),
    fix="use sigmoid (or clamp only the result of a sigmoid, by 1e-7)",
)
def clamp_as_activation(contracts: Contracts) -> Iterator[Seen]:
    """An unbounded layer is clamped into [0, 1] and used as a probability.

    Example: ``torch.clamp(self.fc(x), 0, 1)`` into ``nn.BCELoss()``. Ignore it where the clamp can be proved idle.
    """
    for call in contracts.of("binary_cross_entropy", "probability_cross_entropy"):
        made = contracts.source(call.input)
        if (
            made.op in ("clamp", "hardtanh", "clamp_min", "clamp_max")
            and call.input.live
            and contracts.unbounded(made.inputs[0])
        ):
            yield Seen(f"{made.op} turns an unbounded layer into a probability", where=call.where)


@rule(
    "GM128",
    "warning",
    "examples are compared with themselves",
    why=(
        "In a table of similarities of a batch with itself the diagonal is always the largest: as the positive it "
        "makes the task trivial, as a negative it "
        "pushes every example away from itself."
    ),
    fix="similarities.masked_fill(torch.eye(n, dtype=torch.bool), float('-inf')) before the softmax",
)
def self_similarity(contracts: Contracts) -> Iterator[Seen]:
    """A cross-entropy runs over a symmetric table whose diagonal is the largest entry of every row.

    Example: ``z @ z.T / 0.5`` without a mask. Two different encoders give a table that is not symmetric. Ignore it
    where self-similarity is meant.
    """
    for where, scores in contracts.squared_by_self():
        yield Seen(
            f"the {scores.shape[0]} by {scores.shape[0]} scores are symmetric and every row is largest on the diagonal",
            where=where,
        )


@rule(
    "GM129",
    "warning",
    "dropout is applied to the scores",
    why=(
        "Zeroing scores at random tells the loss that a class has score 0: confident answers are punished, and "
        "training and prediction differ."
    ),
    fix="move the dropout before the last linear layer",
)
def dropout_on_scores(contracts: Contracts) -> Iterator[Seen]:
    """The input of a loss is the direct result of dropout.

    Example: ``nn.Sequential(nn.Linear(8, 3), nn.Dropout(0.5))``. Ignore it never.
    """
    for call in contracts.dropped_scores():
        yield Seen(f"dropout is the last operation before {call.kind}", where=call.where)
