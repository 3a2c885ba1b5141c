"""Axes and positions: what is normalised over, which scores form a row, which target a row meets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.batch import Batch
    from goodmeasure.auditing.evidence.crosstalk import Crosstalk
    from goodmeasure.auditing.evidence.layout import Layout
    from goodmeasure.auditing.evidence.tokens import Tokens


@rule(
    "GM108",
    "error",
    "softmax runs along the wrong axis",
    why=(
        "Normalised over the batch, a prediction depends on which other examples happen to be there, and the "
        "probabilities of one example "
        "do not sum to one."
    ),
    fix="softmax over the class axis: dim=-1 for (N, K), dim=1 for (N, K, ...)",
)
def wrong_axis(layout: Layout) -> Iterator[Seen]:
    """A softmax of the last mile normalises over the examples, or over another axis than targets and loss use.

    Example: ``nn.LogSoftmax(dim=0)`` at the end of a classifier. Evidence: one example of the input is replaced, and
    the axis on
    which the scores change is the axis that is normalised. Ignore it for attention over a bag of instances.
    """
    for node, seen in layout.across_the_batch():
        yield Seen(seen, where=layout.contracts.place(node))


@rule(
    "GM109",
    "error",
    "scores are paired with the wrong targets",
    why=(
        "A reshape that does not move the class axis first mixes positions and classes: each target is compared "
        "with scores of other places, "
        "and nothing fails because the numbers of elements agree."
    ),
    fix="move the class axis last before flattening: scores.movedim(1, -1).reshape(-1, K)",
)
def scrambled(layout: Layout) -> Iterator[Seen]:
    """The scores of one row come from different positions of the last layer, or rows and targets are in different
    orders.

    Example: ``(N, K, L)`` scores with ``.reshape(-1, K)``; ``(N, L, K)`` scores handed to a loss that takes ``(N, K,
    L)`` when L equals
    K. Evidence: the reshapes are replayed on indices. Ignore it for scores over positions (heat maps, pointers).
    """
    for mixed in layout.mixed():
        yield Seen(
            mixed.seen,
            where=mixed.call.where,
            title="the class axis is not where the loss looks for it" if mixed.across else "",
        )
    for call, seen in layout.mispaired():
        yield Seen(seen, where=call.where)


@rule(
    "GM119",
    "error",
    "labels are shifted by the wrong number of tokens",
    why=(
        "A causal language model must be scored on the next token: shifted twice it learns to skip one, not "
        "shifted at all it learns to "
        "copy its input."
    ),
    fix="shift once, either in the data (inputs[:, :-1], labels[:, 1:]) or in the loss (logits[:, :-1], labels[:, 1:])",
)
def label_shift(tokens: Tokens) -> Iterator[Seen]:
    """The labels are the input tokens, and position t of the scores meets another token than t + 1.

    Example: ``forward`` shifts logits and labels and hands them to a helper that shifts again. Evidence: the shift in
    the data (labels
    against inputs, by value) plus the shift in the wiring (by replaying the slices). Not judged where labels are not
    the input
    tokens, and an unshifted loss only for language models.
    Ignore it where skipping a token is the task.
    """
    for call, ahead, total in tokens.total_shifts():
        yield Seen(
            f"the scores at position t are compared with token t + {total} (shifted by {ahead} in the loss)",
            where=call.where,
        )


@rule(
    "GM140",
    "error",
    "a recurrent or attention layer runs along the batch",
    why=(
        "The layer takes examples for time steps: each prediction depends on the examples before it, and nothing "
        "flows along the real sequence."
    ),
    fix="nn.LSTM(..., batch_first=True), or transpose the input to (time, batch, features)",
)
def along_the_batch(batch: Batch) -> Iterator[Seen]:
    """The axis over which an RNN or an attention layer runs is the axis on which the examples lie.

    Example: ``nn.LSTM(8, 16)`` on inputs of shape (batch, time, 8). Evidence: one example is replaced, and the axis
    that changes is compared
    with the layer's own. Ignore it where examples are steps of one sequence.
    """
    for seen, node in batch.recurrent_along():
        yield Seen(seen, where=batch.place(node))


@rule(
    "GM141",
    "error",
    "outputs belong to other examples than their inputs",
    why="Targets are then compared with predictions for another example: the model can learn no more than the average.",
    fix="use transpose or permute, not view or reshape, to exchange axes",
    follows=("GM140",),
)
def other_rows(batch: Batch) -> Iterator[Seen]:
    """Replacing one example of the input changes other rows of the output and leaves its own as it was.

    Example: ``x.view(time, batch, -1)`` where ``x.transpose(0, 1)`` is meant. Ignore it never.
    """
    for row, others in batch.moved_rows():
        yield Seen(f"replacing input {row} changes the outputs {others} and not output {row}", where="model(inputs)")
    for seen, node in batch.mixed_steps():
        yield Seen(seen, where=batch.place(node), title="a reshape mixes the steps of different examples")


@rule(
    "GM142",
    "error",
    "the prediction for one example depends on the others in its batch",
    why=(
        "An average, a norm or a softmax over the batch axis mixes examples that have nothing to do with each other: what "
        "is predicted changes with the company, and one example alone gets another answer."
    ),
    fix="reduce or normalise along the features or the time steps: dim=1 or dim=-1, not dim=0",
    follows=("GM108",),
)
def across_examples(crosstalk: Crosstalk) -> Iterator[Seen]:
    """In eval mode, replacing one example moves the outputs of others, and an operation runs along the batch axis.

    Example: ``F.normalize(features, dim=0)``, ``x.mean(0)`` for a mean over time. Batch normalisation in training, graphs
    (adjacency or edge lists among the inputs), tables of examples against examples and contrastive tasks are left
    alone.
    Ignore it where the rows of the batch are one set.
    """
    for node, row, others in crosstalk.among_examples():
        yield Seen(
            f"replacing input {row} moves the outputs {others} in eval mode; {node.op} runs along the batch axis of "
            f"{node.inputs[0].shape}",
            where=crosstalk.place(node),
        )


@rule(
    "GM143",
    "error",
    "the model sees the element it is to predict",
    why=(
        "Where the target is the next input and later inputs reach earlier outputs, the model copies the answer: the "
        "training loss goes to zero, and what is generated is noise."
    ),
    fix="mask what lies ahead: scaled_dot_product_attention(..., is_causal=True), bidirectional=False of an RNN, left padding",
)
def sees_ahead(crosstalk: Crosstalk) -> Iterator[Seen]:
    """The targets are the inputs shifted by one, and changing the last inputs changes earlier outputs.

    Example: self-attention without a causal mask, a bidirectional LSTM, a centred convolution in a next-token model.
    Masked language models, whose targets stand at the same positions, are left alone. Ignore it never.
    """
    for moved, positions, size in crosstalk.back_in_time():
        yield Seen(
            f"changing the last two inputs moves the outputs at {moved} of the {positions} positions before them (by up to "
            f"{size:.3g})",
            where="model(inputs)",
        )
