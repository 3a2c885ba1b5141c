"""The targets against the loss: shapes, domains, codes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.answers import Answers
    from goodmeasure.auditing.evidence.contracts import Contracts, LossCall
    from goodmeasure.auditing.evidence.partners import Partners


@rule(
    "GM101",
    "error",
    "output and target broadcast to a table of mixed pairs",
    why=(
        "(N, 1) against (N,) becomes (N, N): every prediction is compared with every target, and the best that can "
        "be learned is one "
        "constant for all examples. torch warns at most; NumPy and hand-written losses say nothing."
    ),
    fix="make the shapes equal: output.squeeze(-1), or target.unsqueeze(-1)",
)
def broadcast(contracts: Contracts) -> Iterator[Seen]:
    """An output and a target of different rank meet elementwise and both are stretched.

    Example: ``nn.MSELoss()(model(x), y)`` with shapes (48, 1) and (48,). A table on purpose, written with ``[:,
    None]`` on both
    sides or between two outputs, is left alone. Ignore it where all pairs are meant.
    """
    for node, live, target in contracts.pairs():
        shape, one, two = contracts.joined_shape(live, target), live.shape, target.shape
        if shape is None:
            continue
        many = shape_size(shape)
        both = many > max(shape_size(one), shape_size(two))
        if (
            both
            and len(one) != len(two)
            and not (contracts.stretched_on_purpose(live) or contracts.stretched_on_purpose(target))
        ):
            yield Seen(
                f"output {one} and target {two} meet as {shape}: {many} mixed pairs", where=contracts.place(node)
            )
        elif not both and many > shape_size(one) and one and one[0] == two[0] and node.op in contracts.distances:
            yield Seen(
                f"one output {one} is compared with several targets {two}: only their mean can be learned",
                where=contracts.place(node),
                severity="warning",
                title="one output is stretched over several targets",
            )


@rule(
    "GM132",
    "error",
    "example weights broadcast to a table",
    why=(
        "Losses of shape (N, 1) times weights of shape (N,) is an (N, N) table: every loss gets every weight, and "
        "the mean weighs nothing."
    ),
    fix="make the shapes equal: weights.unsqueeze(-1), or losses.squeeze(-1)",
)
def stretched_weights(contracts: Contracts) -> Iterator[Seen]:
    """Weights and losses of the same number of examples meet in different rank, and both are stretched.

    Example: ``(F.mse_loss(o, t, reduction="none") * w).mean()`` with shapes (N, 1) and (N,). Ignore it never.
    """
    for node, live, weights in contracts.weights_that_stretch():
        shape, one, two = contracts.joined_shape(live, weights), live.shape, weights.shape
        if shape is None or len(one) == len(two) or not one or not two or one[0] != two[0] or one[0] < 2:
            continue
        purpose = contracts.stretched_on_purpose(live) or contracts.stretched_on_purpose(weights)
        if shape_size(shape) > max(shape_size(one), shape_size(two)) and not purpose:
            yield Seen(f"losses {one} and weights {two} meet as {shape}", where=contracts.place(node))


@rule(
    "GM133",
    "warning",
    "all targets are the same",
    why=(
        "A batch of one class teaches one constant answer: usually the labels were read, encoded or arg-maxed "
        "along the wrong axis."
    ),
    fix="look at targets.unique(return_counts=True) before training",
)
def constant_targets(contracts: Contracts) -> Iterator[Seen]:
    """Sixteen or more class labels of a classification are all equal.

    Example: ``onehot.argmax(0)``, or fractions cut to 0 by ``.long()``. Not judged for regression, adversarial or
    one-class tasks.
    Ignore it where one class is all there is.
    """
    if contracts.task not in ("binary", "multiclass", "multilabel"):
        return
    for call in contracts.of(*contracts.labelled):
        labels = call.counted().double()
        if labels.numel() >= 16 and bool((labels == labels[0]).all()):
            yield Seen(f"all {labels.numel()} targets are {float(labels[0]):g}", where=call.where)


@rule(
    "GM139",
    "error",
    "every row of a table of pairs is told the same partner",
    why="Of as many columns as rows each is the partner of one: all rows but one are pulled towards a stranger.",
    fix="labels = torch.arange(len(scores)): the partner of each row stands on the diagonal",
)
def one_partner_for_all(partners: Partners) -> Iterator[Seen]:
    """A cross-entropy of a square table, the products of two kinds of examples, whose labels are all one column.

    Example: ``cross_entropy(a @ b.T, torch.zeros(n, dtype=torch.long))``. Columns that were put beside each other, the partner
    first and strangers behind it, are left alone. Ignore it never.
    """
    if partners.where:
        yield Seen(f"all {partners.rows} rows are told column {partners.column}", where=partners.where)


@rule(
    "GM134",
    "warning",
    "class numbers are regressed",
    why=(
        "Squared error on class numbers says that class 3 is nearer to class 2 than to class 0: an order and "
        "distances that the classes do not have."
    ),
    fix="give the head one output per class and use nn.CrossEntropyLoss()",
)
def regressed_classes(contracts: Contracts) -> Iterator[Seen]:
    """A task of several classes is trained by a distance between one output and the class number.

    Example: ``nn.Linear(8, 1)`` with ``nn.MSELoss()`` on labels 0, 1, 2. Ignore it for ordered grades.
    """
    if contracts.task != "multiclass":
        return
    for call in contracts.of(*contracts.distances):
        target = call.target_values()
        values = target.unique() if target.numel() else target
        whole = values.numel() >= 3 and integral(values) and float(values.min()) >= 0 and values.numel() <= 100
        if whole and call.input.tensor.numel() == target.numel() == max(target.shape):
            yield Seen(f"one output per example against {values.numel()} class numbers", where=call.where)


@rule(
    "GM135",
    "warning",
    "a real class is ignored",
    why="ignore_index removes every example of that class from loss and gradient: the model never learns it.",
    fix="drop ignore_index, or give padding an index of its own (-100)",
)
def ignored_class(contracts: Contracts) -> Iterator[Seen]:
    """``ignore_index`` is a class of a plain classification and occurs among its labels; or smoothing is negative or
    extreme.

    Example: ``nn.CrossEntropyLoss(ignore_index=0)`` on labels 0, 1, 2 without padding. Sequences and images, where 0
    may be padding or
    background, are left alone.
    Ignore it where that class is filler.
    """
    for call in contracts.of("cross_entropy", "nll_loss"):
        ignored, labels = call.options.get("ignore_index", -100), call.target_values()
        plain = (
            call.indices
            and len(call.input.shape) == 2
            and contracts.task in ("binary", "multiclass")
            and contracts.whole_target(call)
        )
        if plain and ignored >= 0 and bool((labels == ignored).any()):
            yield Seen(
                f"{int((labels == ignored).sum())} of {labels.numel()} examples are of class {ignored}",
                where=call.where,
            )
        smoothing = float(call.options.get("label_smoothing") or 0.0)
        if smoothing < 0 or smoothing >= 0.5:
            yield Seen(
                f"label_smoothing is {smoothing:g}; the true class keeps {1 - smoothing:g}",
                where=call.where,
                title="label smoothing is out of range",
            )


def shape_size(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of this shape holds."""
    size = 1
    for length in shape:
        size *= length
    return size


@rule(
    "GM107",
    "error",
    "class labels lie outside 0 .. K - 1",
    why=(
        "Class indices count from 0. Labels 1..K stop the program on a CPU, give a device-side assert on a GPU, "
        "and in some "
        "libraries read past the row without a word."
    ),
    fix="shift the labels: targets - 1 (or map them with numpy.unique(..., return_inverse=True))",
)
def label_range(contracts: Contracts) -> Iterator[Seen]:
    """A class index is negative or not smaller than the number of outputs.

    Example: labels 1, 2, 3 with a head of three outputs. Indices equal to ``ignore_index`` do not count. Ignore it
    never.
    """
    for call in contracts.of("cross_entropy", "nll_loss", "probability_cross_entropy", "multi_margin_loss"):
        labels = call.counted()
        if not labels.numel() or len(call.input.shape) <= call.class_axis or not integral(labels):
            continue
        classes = call.input.shape[call.class_axis]
        if call.target is not None and call.target.shape == call.input.shape and classes > 1:
            continue  # rows of probabilities
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            yield Seen(
                f"labels run from {low} to {high}, the output has {classes} classes (0 to {classes - 1})",
                where=call.where,
            )


def integral(values: Any) -> bool:
    """Whether a tensor holds whole numbers."""
    return bool((values == values.round()).all()) if values.is_floating_point() else True


@rule(
    "GM110",
    "error",
    "binary targets lie outside [0, 1]",
    why="Binary cross-entropy of a target of 2 or -1 has no minimum: the loss falls for ever as the score grows.",
    fix="(targets > 0).float() for yes and no, targets / targets.max() for shares, nn.CrossEntropyLoss() for class indices",
)
def binary_targets(contracts: Contracts) -> Iterator[Seen]:
    """A target of a binary cross-entropy is below 0 or above 1.

    Example: class indices 0, 1, 2 or labels -1/+1 with ``nn.BCEWithLogitsLoss()``. Ignore it never.
    """
    for call in contracts.of("binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"):
        target = call.target_values()
        if target.numel() and (float(target.min()) < -1e-6 or float(target.max()) > 1 + 1e-6):
            yield Seen(f"targets run from {float(target.min()):g} to {float(target.max()):g}", where=call.where)


@rule(
    "GM112",
    "error",
    "a margin loss is given labels 0 and 1",
    why=(
        "These losses multiply the label with the score: with a label of 0 the product is 0 whatever the score is, "
        "so those "
        "examples cost a constant and teach nothing."
    ),
    fix="map the labels to -1 and +1: 2 * targets - 1",
)
def signed_labels(contracts: Contracts) -> Iterator[Seen]:
    """A loss that is defined for labels -1 and +1 meets zeros.

    Example: ``nn.SoftMarginLoss()`` or ``nn.CosineEmbeddingLoss()`` with targets in {0, 1}. Ignore it never.
    """
    for call in contracts.of(
        "soft_margin_loss", "hinge_embedding_loss", "cosine_embedding_loss", "margin_ranking_loss"
    ):
        target = call.target_values()
        if target.numel() and bool((target == 0).any()):
            yield Seen(
                f"{int((target == 0).sum())} of {target.numel()} labels are 0; the loss takes -1 and +1",
                where=call.where,
            )


@rule(
    "GM113",
    "warning",
    "soft targets do not sum to one",
    why=(
        "Cross-entropy with rows that hold more than one unit of mass weighs examples by that mass, and several "
        "labels a row cannot all "
        "be predicted by one softmax."
    ),
    fix="label smoothing: y * (1 - eps) + eps / K; several labels: nn.BCEWithLogitsLoss",
)
def target_mass(contracts: Contracts) -> Iterator[Seen]:
    """Rows of target probabilities that meet a (log-)softmax sum to something else than one.

    Example: ``y * (1 - eps / K) + eps / K``, or multi-hot rows into ``nn.CrossEntropyLoss()``. Rows with a single
    non-zero entry
    (class weights folded into one-hot targets) and empty rows are left alone. Ignore it where the mass is a weight.
    """
    for where, target, axis in contracts.soft_targets():
        sums, entries = target.sum(axis), (target != 0).sum(axis)
        counted = (sums > 0) & (entries > 1)
        off = counted & ((sums - 1).abs() > 1e-2)
        if not bool(off.any()):
            continue
        hard = bool(((target == 0) | (target == 1)).all())
        even = float(sums[counted].max() - sums[counted].min()) < 1e-3
        if hard or even:
            kind = "multi-hot rows" if hard else "rows of probabilities"
            yield Seen(f"{kind} sum to {float(sums.min()):.3g} .. {float(sums.max()):.3g}", where=where)


@rule(
    "GM116",
    "error",
    "the rate is exponentiated twice, or not at all",
    why=(
        "With log_input=True the loss exponentiates its input. A model that already ends in exp then has "
        "exp(exp(z)), and its 'rate' is "
        "the logarithm of what the loss fits."
    ),
    fix="nn.PoissonNLLLoss(log_input=False) for a model that returns the rate; otherwise return the log-rate",
)
def poisson_link(contracts: Contracts) -> Iterator[Seen]:
    """The input of a Poisson loss is on the other scale than the loss says.

    Example: ``torch.exp(self.f(x))`` into ``nn.PoissonNLLLoss()``, or a linear layer with ``log_input=False``. Ignore
    it where a
    positive log-rate is meant.
    """
    for call in contracts.of("poisson_nll_loss", "keras_poisson"):
        lo, _ = contracts.range(call.input)
        made = contracts.source(call.input)
        logs = call.kind == "poisson_nll_loss" and bool(call.options["log_input"])
        if logs and lo >= 0 and made.op in POSITIVE:
            yield Seen(
                f"{made.op} makes the output a positive rate, and the loss exponentiates it again", where=call.where
            )
        elif not logs and contracts.unbounded(call.input):
            yield Seen(f"{made.op} is unbounded, and the loss takes its logarithm as a rate", where=call.where)
        target = call.target_values()
        if target.numel() and float(target.min()) < 0:
            yield Seen(f"counts as low as {float(target.min()):g}", where=call.where, title="counts are negative")
    for node in contracts.tail:
        before = contracts.source(node.inputs[0]) if node.op == "exp" and node.inputs else None
        if (
            before is not None
            and node.stage == "loss"
            and before.op in POSITIVE
            and before.stage == "forward"
            and before.live
            and not contracts.simplex(before, -1 % max(1, len(before.shape)))
        ):
            yield Seen(
                f"the output of {before.op} is exponentiated in the loss",
                where=contracts.place(node),
                severity="warning",
            )


POSITIVE = ("exp", "softplus", "relu", "square", "abs", "sigmoid", "elu")


@rule(
    "GM117",
    "error",
    "a variance can be negative",
    why=(
        "A Gaussian likelihood divides by the variance and takes its logarithm: a linear output can be zero or "
        "negative, and torch "
        "stops, or clamps it and gives a gradient of 1e11."
    ),
    fix="variance = F.softplus(raw) + 1e-6, or raw.exp() where the head is a log-variance",
)
def free_variance(contracts: Contracts) -> Iterator[Seen]:
    """The variance of a Gaussian loss comes straight from a linear layer.

    Example: ``nn.GaussianNLLLoss()(mean, y, self.head(x)[:, 1])``, also where a log-variance is handed over as it is.
    Ignore it never.
    """
    for call in contracts.of("gaussian_nll_loss"):
        var = call.options.get("var")
        if var is None or isinstance(var, float):
            continue
        if contracts.unbounded(var) or float(var.value.min()) < 0:
            yield Seen(
                f"the variance comes from {contracts.source(var).op} and is as low as {float(var.value.min()):.3g}",
                where=call.where,
            )


@rule(
    "GM118",
    "error",
    "the blank symbol stands inside CTC targets",
    why=(
        "CTC uses the blank as 'no symbol': an alignment cannot emit it as a label, so these targets are never "
        "learned as written."
    ),
    fix="shift the labels by one (blank=0), or set blank= to an index that no target uses",
)
def ctc_targets(contracts: Contracts) -> Iterator[Seen]:
    """Labels within the target lengths equal the blank, or targets are longer than their inputs.

    Example: labels 0..K-1 with ``nn.CTCLoss(blank=0)``. Padding beyond the target length may hold anything.
    Ignore it never.
    """
    for call in contracts.of("ctc_loss"):
        labels, blank = ctc_labels(call), call.options.get("blank", 0)
        hits = sum(row.count(blank) for row in labels)
        if hits:
            yield Seen(
                f"{hits} of {sum(len(row) for row in labels)} target labels equal the blank ({blank})", where=call.where
            )
        lengths = lengths_of(call, "input_lengths")
        short = [i for i, (row, length) in enumerate(zip(labels, lengths, strict=False)) if len(row) > length]
        if short:
            yield Seen(
                f"{len(short)} targets are longer than their inputs (example {short[0]}: {len(labels[short[0]])} "
                f"labels in {lengths[short[0]]} frames)",
                where=call.where,
                title="CTC targets are longer than their inputs",
            )


def lengths_of(call: LossCall, name: str) -> list[int]:
    """A length argument of CTC as a list, whether it was a tensor or a tuple."""
    given = call.options.get(name)
    if given is None:
        return []
    return [int(n) for n in (given if isinstance(given, tuple) else given.value.reshape(-1).tolist())]


def ctc_labels(call: LossCall) -> list[list[int]]:
    """The target labels of every example, cut to their length."""
    lengths, values = lengths_of(call, "target_lengths"), call.target_values()
    if values.dim() == 2:
        return [row[:length].tolist() for row, length in zip(values, lengths, strict=False)]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    return [values[start : start + length].tolist() for start, length in zip(starts, lengths, strict=True)]


@rule(
    "GM136",
    "warning",
    "a logarithmic error meets negative targets",
    why=(
        "The logarithm of 1 + target is taken after negative targets are clipped to zero, or is not a number: whatever is "
        "below zero is learned as zero."
    ),
    fix="use nn.MSELoss() or MeanSquaredError(); a logarithmic error is for targets that are positive by nature",
)
def logarithm_of_negatives(contracts: Contracts) -> Iterator[Seen]:
    """Mean squared logarithmic error, and targets of which some are below zero.

    Example: ``loss="mean_squared_logarithmic_error"`` on standardised targets. Ignore it where zero stands for all of them.
    """
    for call in contracts.of("msle_loss"):
        values = call.target_values().double()
        share = float((values < 0).double().mean()) if values.numel() else 0.0
        if share > 0.01:
            yield Seen(
                f"{share:.0%} of the targets are below zero (down to {float(values.min()):.3g})", where=call.where
            )


@rule(
    "GM138",
    "error",
    "a column of the inputs is the target",
    why="The model reads the answer off: its score is perfect, and where it is used the column is not known yet.",
    fix='inputs = frame.drop(columns="target"), before tensors are made of it',
)
def answer_among_the_inputs(answers: Answers) -> Iterator[Seen]:
    """Among several columns of the inputs one has a value of its own for each class of the target.

    Example: a table that is standardised whole, with the labels in it. Judged on 24 examples or more. Ignore it where the column
    is known when the model is used.
    """
    for column, rows in answers.columns[:1]:
        yield Seen(f"column {column} names the class of each of {rows} examples", where="model(inputs)")
