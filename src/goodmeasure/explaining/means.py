"""What the mean loss of a batch is by each of the denominators that libraries divide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isclose
from typing import Any

import numpy as np

from goodmeasure.deriving.arguments import Examples, examples
from goodmeasure.drawing.cells import number
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NothingToAverage, UsageError, shorter
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import array_of
from goodmeasure.strict.calls import strict_class, strict_keywords

Floats = Any

# A log shows so many digits, and single precision has no more.
_LOGGED = 1e-4


@strict_class
@dataclass(frozen=True)
class NamedMean:
    """One meaning of "the mean loss of a batch".

    Attributes:
        divides_by: what the sum of the losses is divided by, in words.
        used_by: where a mean is this one.
        denominator: that number; None where every part is divided by its own.
        value: the mean.

    Example:
        >>> import goodmeasure as gm
        >>> gm.explain_mean(gm.losses.squared_error(), [1.0, 2.0], [1.5, 4.0]).meanings[0].denominator
        2.0
    """

    divides_by: str
    used_by: str
    denominator: float | None
    value: float


@strict_class
@dataclass(frozen=True)
class Means(Displayed):
    """A batch under every meaning of "mean"; `explain_mean` makes it.

    Attributes:
        loss: the loss, as it is spelled.
        sum: the sum of the losses times their weights.
        parts: how many examples are in each micro-batch.
        meanings: each meaning, with its denominator and value.
        logged: the number that a log shows; None if none was given.

    Example:
        >>> import goodmeasure as gm
        >>> means = gm.explain_mean(gm.losses.squared_error(), [1.0, 2.0], [1.5, 4.0], [3.0, 1.0])
        >>> [round(each.value, 3) for each in means.meanings[:3]]
        [2.375, 2.375, 1.188]
    """

    loss: str
    sum: float
    parts: tuple[int, ...]
    meanings: tuple[NamedMean, ...]
    logged: float | None = None

    @property
    def logged_by(self) -> tuple[str, ...]:
        """The denominators, in words, with which the mean is the number that was logged."""
        if self.logged is None:
            return ()
        return tuple(m.divides_by for m in self.meanings if isclose(m.value, self.logged, rel_tol=_LOGGED))

    def _display(self) -> Display:
        names = ("divides by", "used by", "denominator", "mean")
        rows = [(m.divides_by, m.used_by, m.denominator, m.value) for m in self.meanings]
        n, sizes = sum(self.parts), " + ".join(map(str, self.parts))
        title = f"The mean of {self.loss} on {n:,} rows: losses that add up to {number(self.sum)}"
        return Display(
            title, columns_of(names, rows), (f"the parts have {sizes} rows", *self._log()), {"used by": "divides by"}
        )

    def _log(self) -> tuple[str, ...]:
        if self.logged is None:
            return ()
        said = "; ".join(self.logged_by)
        return (f"{number(self.logged)} was logged: {f'it divides by {said}' if said else 'it is none of these'}",)


@strict_keywords
def explain_mean(
    loss: Loss,
    y: Any,
    z: Any,
    sample_weight: Any = None,
    *,
    mask: Any = None,
    parts: Sequence[int] | None = None,
    step_count: float | None = None,
    logged: float | None = None,
) -> Means:
    """Show what the mean loss of a batch is by each of nine denominators that libraries divide by.

    Each library calls its own "the mean". They agree where all rows count, weigh alike, and come in equal parts.

    Args:
        loss: the loss, with its class weights.
        y: targets, (n,), in the domain of the loss; or (n, K) shares of classes.
        z: raw outputs, of y's shape, or (n, K) with a column a class or a parameter.
        sample_weight: how much each example counts, (n,); all alike unless given.
        mask: True where an example counts, (n,); others are padding, or have a target that is ignored.
        parts: how many rows each micro-batch, or rank, has; two halves unless given.
        step_count: how many examples count in the whole step; those of this batch unless given.
        logged: the number that a log shows: the result says which mean it is.

    Returns:
        Nine meanings, each with its denominator and value.

    Raises:
        GM003: the shapes of y, z, the weights or the mask do not match.
        GM004: a target lies outside the domain of the loss.
        GM005: there are no rows, or none counts.
        GM006: a weight is negative or not finite, or the mask does not hold True and False.
        GM009: the parts do not add up to the rows, or the count of the step is not positive.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.cross_entropy(class_weight=(1.0, 6.0))
        >>> means = gm.explain_mean(loss, [0, 1, 1], [[1.0, 0], [0, 1.0], [2.0, 0]], parts=(1, 2), logged=1.1504)
        >>> means.logged_by
        ('the weights of examples and classes',)
    """
    batch = _Batch.of(loss, examples(loss, array_of(y, "y"), z, sample_weight, mask))
    sizes = _parts(parts, len(batch.losses))
    count = batch.count if step_count is None else step_count
    if not 0 < count < float("inf"):
        raise UsageError(f"step_count={shorter(step_count)}: counts are positive", fix="step_count=None")
    return Means(str(loss), float(batch.losses.sum()), sizes, tuple(_meanings(batch, sizes, count)), logged)


@dataclass(frozen=True)
class _Batch:
    """Of each example the loss times its weights, whether it counts, its own weight, and that of its class."""

    losses: Floats
    counts: Floats
    weight: Floats
    of_class: Floats
    outputs: int

    @staticmethod
    def of(loss: Loss, given: Examples) -> _Batch:
        y, z = np.asarray(given.y), np.asarray(given.z)
        counts = np.ones(given.shape) if given.present is None else np.asarray(given.present, dtype=np.float64)
        if not counts.any():
            raise NothingToAverage("there are no rows that count", fix="check the mask and the weights")
        weight = np.ones(given.shape) if given.weight is None else np.asarray(given.weight, dtype=np.float64)
        values = np.where(counts > 0, np.asarray(loss.value(y, z), dtype=np.float64) * weight, 0.0)
        return _Batch(values, counts, weight * counts, _class_weights(loss, y, z) * counts, z.size)

    @property
    def count(self) -> float:
        return float(self.counts.sum())


def _class_weights(loss: Loss, y: Any, z: Any) -> Floats:
    """How much the class counts that happened; of shares, on average."""
    if not loss.class_weight:
        return np.ones(z.shape[:-1] if loss.is_classwise else y.shape)
    weights = np.asarray(loss.class_weight)
    return y @ weights if y.ndim == z.ndim else weights[y]


def _parts(given: Sequence[int] | None, n: int) -> tuple[int, ...]:
    if given is None:
        return (n - n // 2, n // 2) if n > 1 else (n,)
    sizes = array_of(given, "parts")
    if sizes.ndim != 1 or sizes.dtype.kind not in "iu" or sizes.sum() != n or (sizes <= 0).any():
        raise UsageError(f"parts={shorter(given)}: numbers of rows that add up to {n}", fix=f"parts=({n},)")
    return tuple(sizes.tolist())


def _meanings(batch: _Batch, parts: tuple[int, ...], step_count: float) -> list[NamedMean]:
    n, total, weights = float(batch.losses.size), batch.losses.sum(), batch.weight.sum()
    by_number: dict[tuple[str, str], float] = {
        ("the examples that count", "goodmeasure; torch with ignore_index; Keras with a mask"): batch.count,
        ("all examples", "torch BCEWithLogitsLoss(weight=); CrossEntropyLoss(weight=) of shares; Keras with sample_weight"): n,
        ("the weights of examples", "scikit-learn; torch mse_loss(weight=); Keras mean_with_sample_weight"): weights,
        ("the weights of examples and classes", "torch CrossEntropyLoss(weight=) of class indices"): float(
            batch.weight.ravel() @ batch.of_class.ravel()
        ),
        ("the raw outputs", "torch KLDivLoss"): float(batch.outputs),
        ("the examples that count times their weights", "LossFunctions.jl"): batch.count * weights,
        ("the examples that count in the step", "Hugging Face Trainer (num_items_in_batch)"): step_count,
    }  # fmt: skip
    found = [NamedMean(what, who, float(d), _ratio(total, float(d))) for (what, who), d in by_number.items()]
    means, lengths = _means_of_parts(batch, parts), np.asarray(parts, dtype=np.float64)
    return [
        *found,
        NamedMean(
            "each part's own count, then the parts", "gradient accumulation, DDP and FSDP", None, float(means.mean())
        ),
        NamedMean(
            "each part's own count, then the parts by their rows",
            "Lightning log(on_epoch=True)",
            None,
            float(means @ lengths / lengths.sum()),
        ),
    ]


def _means_of_parts(batch: _Batch, parts: tuple[int, ...]) -> Floats:
    """The mean of each part over its examples that count; 0 where none does."""
    ends = np.cumsum(parts)[:-1]
    pairs = zip(np.split(batch.losses, ends), np.split(batch.counts, ends), strict=True)
    return np.array([losses.sum() / max(counts.sum(), 1.0) for losses, counts in pairs])


def _ratio(total: Any, denominator: float) -> float:
    return float(total / denominator) if denominator else float("nan")
