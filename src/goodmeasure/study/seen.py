"""What a model was made for, in shares: how its columns and its predictions were distributed, and what these cost.

A model keeps this so that later rows can be held against it. No row is kept, and no label that fewer than a few rows hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.tables import ColumnKind, Table, Values, missing
from goodmeasure.risks.outputs import row_losses
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.texts import by_value
from goodmeasure.statistics.weights import effective

# Where numbers are cut, as shares of the rows; and labels of fewer rows, or beyond so many, are told together.
PLACES = tuple(k / 10 for k in range(1, 10))
LEAST_OF_A_LABEL, MOST_LABELS = 5, 20
# Bins of predictions, each of so many rows at least, in which what rows cost is told.
LEAST_OF_A_BIN, MOST_BINS = 30, 10


@dataclass(frozen=True)
class Distribution:
    """How a column was distributed: the share of cells that are missing, and of those up to each cut, or with each label.

    Of labels the last share is of all others. ``rows`` is how many rows of equal weight tell it.
    """

    missing: float
    shares: tuple[float, ...]
    rows: float
    cuts: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    @staticmethod
    def of(values: Values, weight: Floats) -> Distribution:
        """The distribution of a column, (n,)."""
        known, rows = ~missing(values), effective(weight, np.ones(len(weight)))
        if ColumnKind.of(values) is ColumnKind.NUMBER:
            cuts = _cuts(values[known], PLACES)
            made = Distribution(0.0, (0.0,) * len(cuts), rows, cuts=cuts)
        else:
            counts = Counter(values[known].tolist())
            labels = tuple(label for label, count in counts.most_common(MOST_LABELS) if count >= LEAST_OF_A_LABEL)
            made = Distribution(0.0, (0.0,) * (len(labels) + 1), rows, labels=labels)
        found = made.marks(values).T @ weight / weight.sum()
        return Distribution(float(found[0]), tuple(found[1:].tolist()), made.rows, made.cuts, made.labels)

    def marks(self, values: Values) -> Floats:
        """Which of the marks each cell has, (n, m): missing, and up to each cut or one of the labels, or of the others."""
        lost = missing(values)
        if not self.of_labels:
            with np.errstate(invalid="ignore"):
                under = values[:, None] <= np.array(self.cuts)
            return np.column_stack([lost, under]).astype(np.float64)
        place = {label: k for k, label in enumerate(self.labels)}
        code = by_value(lambda value: place.get(value, len(place)), values, np.intp)
        held = (code[:, None] == np.arange(len(place) + 1)) & ~lost[:, None]
        return np.column_stack([lost, held]).astype(np.float64)

    @property
    def of_labels(self) -> bool:
        """Whether the column holds labels, not numbers."""
        return len(self.shares) > len(self.cuts)

    @property
    def names(self) -> tuple[str, ...]:
        """What each mark says of a cell."""
        if self.of_labels:
            return ("missing", *(f"is {label}" for label in self.labels), "is another")
        return ("missing", *(f"at most {cut:.6g}" for cut in self.cuts))

    @property
    def all_shares(self) -> Floats:
        """The share of each mark."""
        return np.array([self.missing, *self.shares])


def _cuts(values: Floats, places: tuple[float, ...]) -> tuple[float, ...]:
    """Quantiles of a column, each once, without its largest value, up to which all cells are."""
    if not len(values):
        return ()
    found = np.unique(np.quantile(values, places, method="inverted_cdf"))
    return tuple(found[found < values.max()].tolist())


@dataclass(frozen=True)
class Costing:
    """What rows cost by their prediction: in each bin the mean loss beyond the one that the probabilities expect.

    ``cuts`` are between the bins; ``excess`` and ``variance`` are of the loss minus the expected one, which is zero where the
    predictions are no probabilities; ``rows`` are how many rows of equal weight tell it.
    """

    cuts: tuple[float, ...]
    excess: tuple[float, ...]
    variance: tuple[float, ...]
    rows: tuple[float, ...]

    def bins(self, place: Floats) -> NDArray[np.intp]:
        """The bin of each prediction."""
        return np.searchsorted(np.array(self.cuts), place, side="left").astype(np.intp)


@dataclass(frozen=True)
class SeenRows:
    """What a model was made for: its columns as they were fitted, and its predictions of the rows that judged it.

    ``loss``, ``low`` and ``high`` are the mean loss of those rows with its interval at ``level``.
    """

    columns: dict[str, Distribution]
    predictions: Distribution
    costing: Costing
    loss: float
    low: float
    high: float
    level: float

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(state: dict[str, Any]) -> SeenRows:
        """What `to_dict` described."""
        return SeenRows(
            {name: _distribution(one) for name, one in state["columns"].items()},
            _distribution(state["predictions"]),
            Costing(**{name: tuple(map(float, values)) for name, values in state["costing"].items()}),
            *(float(state[name]) for name in ("loss", "low", "high", "level")),
        )


def _distribution(state: dict[str, Any]) -> Distribution:
    cuts, shares = (tuple(map(float, state[name])) for name in ("cuts", "shares"))
    return Distribution(float(state["missing"]), shares, float(state["rows"]), cuts, tuple(state["labels"]))


def seen(table: Table, weight: Floats, features: tuple[str, ...]) -> dict[str, Distribution]:
    """How the columns of fitted rows are distributed; dates are left out, for later rows are later."""
    kinds = table.kinds
    return {name: Distribution.of(table[name], weight) for name in features if kinds[name] is not ColumnKind.DATE}


def expected_losses(loss: Any, raw: Floats, shares: Floats) -> Floats:
    """What each row is to cost by its own probabilities: the loss of each label, by how likely it is."""
    code = np.intp if loss.is_classwise else np.float64
    shares = shares if shares.ndim == 2 else np.column_stack([1 - shares, shares])
    each = [row_losses(loss, np.full(len(raw), k, dtype=code), raw) for k in range(shares.shape[1])]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(shares > 0, shares * np.column_stack(each), 0.0).sum(axis=1))


def place_of(prediction: Floats) -> Floats:
    """Where a prediction stands: the probability of yes, or of the likeliest class, the amount, or the highest quantile."""
    return prediction if prediction.ndim == 1 else np.asarray(prediction.max(axis=1))


def costing(losses: Floats, expected: Floats, place: Floats, weight: Floats) -> Costing:
    """What rows cost beyond what was expected, in bins of about equally many rows."""
    count = int(np.clip(len(place) // LEAST_OF_A_BIN, 1, MOST_BINS))
    cuts = _cuts(place, tuple(k / count for k in range(1, count)))
    beyond, bins = losses - expected, np.searchsorted(np.array(cuts), place, side="left")
    found = list(_of_bins(beyond, bins, weight, len(cuts) + 1))
    excess, variance, rows = (tuple(column) for column in zip(*found, strict=True))
    return Costing(cuts, excess, variance, rows)


def _of_bins(beyond: Floats, bins: NDArray[Any], weight: Floats, count: int) -> Iterator[tuple[float, float, float]]:
    for k in range(count):
        held, w = beyond[bins == k], weight[bins == k]
        mean = float(np.average(held, weights=w))
        rows = effective(w, np.ones(len(w)))
        spread = float(np.average((held - mean) ** 2, weights=w))
        yield mean, spread * rows / max(rows - 1, 1.0), rows
