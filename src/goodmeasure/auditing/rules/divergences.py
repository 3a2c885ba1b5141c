"""Divergences, distillation and hand-written terms: argument order, reductions, temperatures, denominators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.contracts import Contracts
    from goodmeasure.auditing.evidence.scales import Scales


@rule(
    "GM120",
    "warning",
    "a KL divergence is averaged over its classes",
    why=(
        "reduction='mean' divides by examples times classes: the value is K times too small, and so is its weight "
        "against other terms."
    ),
    fix="nn.KLDivLoss(reduction='batchmean')",
)
def kl_reduction(contracts: Contracts) -> Iterator[Seen]:
    """``kl_div`` keeps its default reduction, or its unreduced result is averaged over every entry.

    Example: ``nn.KLDivLoss()`` on rows of ten classes gives a tenth of the divergence. Ignore it where the constant
    is absorbed
    in a weight that you tuned.
    """
    for call in contracts.of("kl_div"):
        classes = call.input.shape[-1] if call.input.shape else 1
        reduction = call.options.get("reduction")
        users = contracts.users(call.node) if reduction == "none" else []
        flat = any(user.op == "mean" and len(user.shape) == 0 and user.inputs[0] is call.node for user in users)
        if len(call.input.shape) > 1 and classes > 1 and (reduction == "mean" or flat):
            yield Seen(
                f"the divergence of rows of {classes} classes is divided by {call.input.tensor.numel()} entries",
                where=call.where,
            )


@rule(
    "GM121",
    "warning",
    "the arguments of kl_div are swapped",
    why=(
        "kl_div(input, target) is KL(target || exp(input)). Swapped, it is the reverse divergence: it seeks one "
        "mode of the target "
        "instead of covering it, and what is given as input gets no gradient."
    ),
    fix="F.kl_div(log_prediction, target, reduction='batchmean')",
)
def kl_order(contracts: Contracts) -> Iterator[Seen]:
    """The gradient flows into the ``target`` argument of ``kl_div`` and not into its ``input``.

    Example: ``F.kl_div(target.log(), model(x))``. Ignore it where the reverse divergence is meant.
    """
    for call in contracts.of("kl_div"):
        if call.target is not None and call.target.live and not call.input.live:
            yield Seen("only the second argument (the target) follows from the model", where=call.where)


@rule(
    "GM122",
    "error",
    "the target of kl_div is on the wrong scale",
    why=(
        "With log_target=False the target must hold probabilities: logarithms of probabilities, or raw scores, "
        "give a number that is no "
        "divergence and can be negative."
    ),
    fix="pass probabilities, or log-probabilities together with log_target=True",
)
def kl_target(contracts: Contracts) -> Iterator[Seen]:
    """A KL target has negative values without ``log_target``, or probabilities with it.

    Example: ``F.kl_div(log_q, teacher_logits.log_softmax(-1))``. Ignore it never.
    """
    for call in contracts.of("kl_div"):
        target = call.target_values()
        if not target.numel():
            continue
        logs = bool(call.options.get("log_target"))
        if not logs and float(target.min()) < -1e-6:
            yield Seen(f"the target is as low as {float(target.min()):.3g} and log_target is False", where=call.where)
        elif logs and call.target is not None and contracts.simplex(call.target, target.dim() - 1):
            yield Seen("the target holds probabilities and log_target is True", where=call.where)


@rule(
    "GM123",
    "warning",
    "the softened term is not multiplied by its temperature squared",
    why=(
        "Dividing scores by T shrinks the gradient of the soft term by T squared: at T = 8 it is 64 times too "
        "small against the "
        "hard-label term, so the teacher hardly counts."
    ),
    fix="multiply the softened term by T * T",
)
def distillation_scale(scales: Scales) -> Iterator[Seen]:
    """A softened log-softmax stands beside an unsoftened loss on the same scores, and its weight lacks the factor T**2.

    Example: ``0.7 * kl(log_softmax(z / T), softmax(t / T)) + 0.3 * cross_entropy(z, y)``. The weights with which both
    reach the
    total are read from the gradient. Ignore it where the weight was tuned without the factor.
    """
    for soft in scales.softened():
        share, hard, squared = soft.weight, soft.hard_weight, soft.temperature**2
        plain, scaled = abs(share + hard - 1), abs(share / squared + hard - 1)
        if (
            hard > 0
            and share > 0
            and squared >= 2.25
            and plain < scaled
            and (plain < 0.05 or (share <= 1.0 and squared >= 9))
        ):
            yield Seen(
                f"T = {soft.temperature:g}: the soft term counts {share:.3g} and the hard one {hard:.3g}; with T**2 "
                f"it would count {share * squared:.3g}",
                where=soft.where,
            )


@rule(
    "GM124",
    "warning",
    "scores and soft targets use inverse temperatures",
    why=(
        "One side is divided by T and the other multiplied by it: the targets are then nearly uniform while the "
        "scores are sharp, and no "
        "scores can match both."
    ),
    fix="divide both sides by the same temperature",
)
def inverse_temperatures(scales: Scales) -> Iterator[Seen]:
    """Cross-entropy between scores scaled by 1/T and a softmax of scores scaled by T.

    Example: ``logits = sim / T`` with ``softmax(sim * T)`` as the target. Ignore it never: write two names if two
    temperatures are meant.
    """
    for where, scores, targets in scales.opposed():
        if max(scores, targets) >= 2 and min(scores, targets) <= 0.5 and 0.2 <= scores * targets <= 5:
            yield Seen(f"scores are multiplied by {scores:.3g}, the soft targets by {targets:.3g}", where=where)


@rule(
    "GM125",
    "warning",
    "the focal factor is not computed from the class probability",
    why=(
        "exp(-loss) is the probability of the true class only for the plain, unweighted loss of one example. From "
        "a weighted loss it is "
        "p**weight, from a batch mean one number for all examples, and the focus then falls on the wrong ones."
    ),
    fix="pt = torch.exp(-F.cross_entropy(z, y, reduction='none')); multiply the class weight afterwards",
)
def focal_probability(contracts: Contracts) -> Iterator[Seen]:
    """``exp(-cross_entropy(...))`` where the cross-entropy was weighted, smoothed or already averaged.

    Example: ``pt = torch.exp(-F.cross_entropy(z, y, weight=alpha, reduction='none'))``. Ignore it never.
    """
    for node in contracts.wiring.nodes:
        if node.op != "exp" or node.inputs[0].op != "neg":
            continue
        before = contracts.source(node.inputs[0].inputs[0])
        for call in contracts.of(
            "cross_entropy", "nll_loss", "binary_cross_entropy_with_logits", "binary_cross_entropy"
        ):
            if before is not call.node:
                continue
            examples = call.target.tensor.numel() if call.target is not None else 1
            if (call.weight is not None and uneven(call.weight.value)) or call.options.get("pos_weight") is not None:
                yield Seen("the cross-entropy inside exp(-loss) carries class weights", where=contracts.place(node))
            elif node.tensor.numel() == 1 and examples > 1 and contracts.weighs_its_loss(node, call.node):
                yield Seen(
                    f"exp(-loss) of a batch mean: one factor for {examples} examples", where=contracts.place(node)
                )
            elif call.options.get("label_smoothing"):
                yield Seen("the cross-entropy inside exp(-loss) is label-smoothed", where=contracts.place(node))


def uneven(weight: Any) -> bool:
    """Whether weights differ from each other or from one."""
    return bool(((weight - 1).abs() > 1e-6).any())


@rule(
    "GM126",
    "warning",
    "a loss divides by a number that can be zero or change its sign",
    why=(
        "A ratio such as Dice assumes that its denominator counts something. On raw scores the sum crosses zero: "
        "the value explodes, "
        "changes sign, and drowns every other term."
    ),
    fix="apply sigmoid (or softmax) before the ratio",
    follows=("GM105",),
)
def free_denominator(contracts: Contracts) -> Iterator[Seen]:
    """The denominator of a division in the loss follows from unbounded scores without anything that keeps its sign.

    Example: soft Dice on logits, ``2 * (z * t).sum() / (z.sum() + t.sum())``. The sign is followed by interval
    arithmetic from the
    last learned layer. Ignore it where the denominator is known to be positive for another reason.
    """
    for node in contracts.tail:
        if node.op not in ("div", "rdiv") or not node.live or node.stage != "loss":
            continue
        below = node.args[0] if node.op == "rdiv" else node.args[1] if len(node.args) > 1 else None
        if below is None or not hasattr(below, "live") or not below.live or contracts.learned_alone(below):
            continue
        lo, hi = contracts.range(below)
        if lo < 0 < hi and contracts.sums_raw_scores(below):
            yield Seen(
                f"the denominator follows from raw scores and can take any sign (now {float(below.value.min()):.3g} "
                f"to {float(below.value.max()):.3g})",
                where=contracts.place(node),
            )


@rule(
    "GM127",
    "warning",
    "the logarithm of a rounded probability",
    why=(
        "In float32, 1 - sigmoid(z) is exactly 0 from z = 17 on: its logarithm is -inf and the gradient NaN, on "
        "the one example that is "
        "badly wrong."
    ),
    fix="work on raw scores: F.logsigmoid(-z), F.log_softmax(z), or nn.BCEWithLogitsLoss",
)
def log_of_zero(contracts: Contracts) -> Iterator[Seen]:
    """``log`` is taken of one minus a sigmoid or softmax, or of these themselves, with nothing that keeps the
    argument above zero.

    Example: ``t * log(p) + (1 - t) * log(1 - p)`` by hand. A clamp or an added epsilon passes. ``log(sigmoid(z))``
    alone
    fails only from z = -104 on and is a note.
    Ignore it where the scores are bounded.
    """
    for node in contracts.tail:
        if node.op not in ("log", "log2", "log10") or not node.live:
            continue
        before = contracts.source(node.inputs[0])
        lo, hi = contracts.range(before)
        if lo > 0 or hi > 1 or lo < -1e-6 or contracts.unbounded(before):
            continue
        rounded = before.op in ("rsub", "sub", "add")
        made = contracts.source(before.inputs[0]) if rounded and before.inputs else before
        if made.op in ("sigmoid", "softmax", "exp", "hardsigmoid"):
            what = f"1 - {made.op}" if rounded else made.op
            yield Seen(
                f"log({what}(z)) is -inf {'from z = 17 on' if rounded else 'once it rounds to 0'}",
                where=contracts.place(node),
                severity="warning" if rounded else "note",
            )
