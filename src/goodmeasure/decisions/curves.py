"""Curves over all thresholds of a yes/no score, from what each cell of equal scores holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.drawing.cells import intervals
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import prices
from goodmeasure.errors import UsageError
from goodmeasure.formulas.domains import Level
from goodmeasure.risks import areas
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import numbers_of
from goodmeasure.statistics.estimate import Estimate
from goodmeasure.statistics.intervals import clopper_pearson, wilson
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.multinomial import METHOD, put_together
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import WeightsMean, squares
from goodmeasure.strict.calls import strict_class, strict_keywords

ShareInterval = Callable[[Floats, Floats, float], tuple[Floats, Floats]]
Ordinate = Literal["cost", "murphy", "net_benefit", "treat_all", "recall", "false_alarms", "precision"]


class Outcomes(NamedTuple):
    """One number for each thing that can happen to a row: an event acted on or missed, another called or left."""

    hit: Any
    missed: Any
    alarm: Any
    left: Any


_HIT, _MISSED, _ALARM = Outcomes(1, 0, 0, 0), Outcomes(0, 1, 0, 0), Outcomes(0, 0, 1, 0)
_ACTED, _EVENT, _OTHER, _ROW = Outcomes(1, 0, 1, 0), Outcomes(1, 1, 0, 0), Outcomes(0, 0, 1, 1), Outcomes(1, 1, 1, 1)

# A mean over rows is the sum of two shares of all rows, each times a factor that depends on the threshold.
_MEANS: dict[str, tuple[tuple[Callable[[Floats], Floats], Outcomes], ...]] = {
    "cost": ((lambda c: 1 - c, _MISSED), (lambda c: c, _ALARM)),
    "murphy": ((lambda c: 2 * (1 - c), _MISSED), (lambda c: 2 * c, _ALARM)),
    "net_benefit": ((np.ones_like, _HIT), (lambda t: -t / (1 - t), _ALARM)),
    "treat_all": ((np.ones_like, _EVENT), (lambda t: -t / (1 - t), _OTHER)),
}
_SHARES = {"recall": (_HIT, _EVENT), "false_alarms": (_ALARM, _OTHER), "precision": (_HIT, _ACTED)}


@dataclass(frozen=True)
class Band(Displayed):
    """A curve with an interval at each point: each covers at its level by itself, all of them together less often.

    Attributes:
        at: the thresholds or cost ratios, (m,).
        value: the curve there, (m,).
        low: where the intervals begin, (m,).
        high: where they end, (m,).
        n: how many rows it rests on, taken as independent.
        method: how the intervals were made.
        level: how often each of them covers.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_cross_entropy()
        >>> curves = gm.tally(loss, [0, 1] * 40, [-1.0, 1.0] * 30 + [0.5, -0.5] * 10).curves()
        >>> band = curves.band("recall", [0.5])
        >>> band.value, band.low.round(2), band.high.round(2)
        (array([0.75]), array([0.6]), array([0.86]))
    """

    at: Floats
    value: Floats
    low: Floats
    high: Floats
    n: int
    method: str
    level: float

    def _display(self) -> Display:
        title = f"Curve of {self.n:,} rows with {100 * self.level:g} % intervals ({self.method})"
        return Display(title, {"at": self.at, "value": intervals(self.value, self.low, self.high)}, is_curve=True)

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in vars(self).items()}


@strict_class
@dataclass(frozen=True)
class Curves(Displayed):
    """Shares of events and others above each threshold, and the curves that follow from them.

    Acting means a score at or above the threshold; the last threshold is never reached. Shares are of all rows.

    Attributes:
        threshold: ascending thresholds, (m,).
        true_positive: the share of rows that are events at or above each threshold, (m,).
        false_positive: the share of rows that are others at or above each threshold, (m,).
        prevalence: the share of events.
        n: how many rows were counted.
        squares: sums of squared weights of events and of others above each threshold, over the squared weight of all,
            two of (m,).
        on_grid: whether the scores were counted on a grid.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_cross_entropy()
        >>> curves = gm.tally(loss, [0, 1] * 40, [-1.0, 1.0] * 30 + [0.5, -0.5] * 10).curves()
        >>> round(curves.roc_area, 4), curves.net_benefit([0.5])
        (0.9375, array([0.25]))
    """

    threshold: Floats
    true_positive: Floats
    false_positive: Floats
    prevalence: float
    n: int = field(repr=False)
    squares: tuple[Floats, Floats] = field(repr=False)
    on_grid: bool = field(default=False, repr=False)

    @property
    def roc_area(self) -> float:
        """The area under the ROC curve: the chance that an event scores above another row (ties count half)."""
        hits, alarms = self.true_positive / self.prevalence, self.false_positive / (1 - self.prevalence)
        return float(-np.trapezoid(hits, alarms))

    @property
    def precision(self) -> Floats:
        """The share of events among rows at or above each threshold (1 where there are none)."""
        acted = self.true_positive + self.false_positive
        return np.divide(self.true_positive, acted, out=np.ones_like(acted), where=acted > 0)

    @property
    def recall(self) -> Floats:
        """The share of all events that lie at or above each threshold."""
        return np.asarray(self.true_positive / self.prevalence, dtype=np.float64)

    @property
    def average_precision(self) -> float:
        """The mean precision over the events in falling order of score."""
        return float(np.sum(-np.diff(self.recall) * self.precision[:-1]))

    def _picture(self) -> Picture:
        return priced(self)

    def _display(self) -> Display:
        columns = {
            "threshold": self.threshold,
            "recall": self.recall,
            "false_alarms": self.false_positive / (1 - self.prevalence),
            "precision": self.precision,
        }
        title = f"Curves of {self.n:,} rows, {100 * self.prevalence:.3g} % of them events"
        return Display(title, columns, (f"area under the ROC curve {self.area()}",), is_curve=True)

    def at(self, thresholds: ArrayLike) -> tuple[Floats, Floats]:
        """How much lies at or above these thresholds.

        Args:
            thresholds: probabilities, (m,).

        Returns:
            The shares of all rows that are events, and that are others, each (m,).
        """
        place = np.searchsorted(self.threshold, _places(thresholds, "thresholds"), side="left")
        return self.true_positive[place], self.false_positive[place]

    def cost(self, ratios: ArrayLike) -> Floats:
        """The cost curve: what acting from p = c on costs, where a false alarm costs c and a miss 1 - c.

        Args:
            ratios: cost ratios c in [0, 1], (m,).

        Returns:
            Mean costs a row, (m,).

        Raises:
            GM009: a ratio lies outside [0, 1].
        """
        return self._mean("cost", ratios)

    def murphy(self, ratios: ArrayLike) -> Floats:
        """The Murphy curve: twice the cost curve, so that its integral over (0, 1) is the Brier score.

        Args:
            ratios: cost ratios in [0, 1], (m,).

        Returns:
            Mean elementary scores, (m,).

        Raises:
            GM009: a ratio lies outside [0, 1].

        Source:
            Ehm, Gneiting, Jordan and Krüger 2016, Of quantiles and expectiles.
        """
        return self._mean("murphy", ratios)

    def net_benefit(self, thresholds: ArrayLike) -> Floats:
        """The decision curve: hits less false alarms, an alarm weighed by the odds of the threshold.

        Args:
            thresholds: probabilities in [0, 1), (m,).

        Returns:
            Net benefits as shares of all rows, (m,).

        Raises:
            GM009: a threshold lies outside [0, 1).

        Source:
            Vickers and Elkin 2006, Decision curve analysis: a novel method for evaluating prediction models.
        """
        return self._mean("net_benefit", thresholds)

    def treat_all(self, thresholds: ArrayLike) -> Floats:
        """The net benefit of acting on every row.

        Args:
            thresholds: probabilities in [0, 1), (m,).

        Returns:
            Net benefits as shares of all rows, (m,).

        Raises:
            GM009: a threshold lies outside [0, 1).
        """
        return self._mean("treat_all", thresholds)

    def band(self, curve: Ordinate, at: ArrayLike, *, level: Level = 0.95) -> Band:
        """Read a curve with an interval at each point.

        A share gets Wilson's interval. A cost or benefit is the sum of two shares times their costs; its interval is
        put together from their exact ones, so that it holds where hardly a row is missed or called.

        Args:
            curve: "cost", "murphy", "net_benefit", "treat_all", "precision", or "recall" and "false_alarms", which
                make the ROC curve.
            at: thresholds (or cost ratios) in [0, 1], (m,).
            level: how often each interval covers; all of them together cover less often.

        Returns:
            The curve with its intervals, (m,) each.

        Raises:
            GM009: there is no such curve, or a threshold lies outside [0, 1].

        Source:
            Wilson 1927, Probable inference, the law of succession, and statistical inference; Zou and Donner 2008,
            Construction of confidence limits about effect measures: a general approach.
        """
        t = _thresholds(curve, at)
        if curve in _MEANS:
            value, low, high = self._mean_interval(curve, t, level)
            return Band(t, value, low, high, self.n, f"{METHOD}, pointwise", level)
        value, low, high = self._share_interval(*_SHARES[curve], t, level, wilson)
        return Band(t, value, low, high, self.n, "Wilson, pointwise", level)

    def area(self, *, level: Level = 0.95) -> Estimate:
        """The area under the ROC curve with its interval: the chance that an event scores above another row.

        Rows are taken as independent. On a grid, pairs in one cell count as ties, which moves the area by at most
        ``grid_error``. The interval holds near 1 too, where the area's own spread says little, and is never of width 0.

        Args:
            level: how often the interval covers.

        Returns:
            The area, between 0 and 1; ties count half. With fewer than ten events, or other rows, it says so.

        Source:
            Newcombe 2006, Confidence intervals for an effect size measure based on the Mann-Whitney statistic, part 2
            (method 5), widened where the variance of DeLong, DeLong and Clarke-Pearson 1988 is larger; here in the form
            that takes ties and weights.
        """
        weight = -np.diff(self.true_positive), -np.diff(self.false_positive)
        events, others = weight
        first, second = (-np.diff(square) for square in self.squares)
        tied = float(events @ others / (events.sum() * others.sum())) / 2 if self.on_grid else 0.0
        effective = float(1 / (self.squares[0][0] + self.squares[1][0]))
        return areas.of_cells(weight, (first, second)).estimate(self.n, effective, level, "Newcombe, DeLong", tied)

    def _happened(self, thresholds: Floats, parts: tuple[Floats, Floats]) -> Outcomes:
        """What lies above and below each threshold, of the events and of the others."""
        place = np.searchsorted(self.threshold, thresholds, side="left")
        events, others = parts
        return Outcomes(events[place], events[0] - events[place], others[place], others[0] - others[place])

    def _weights(self, thresholds: Floats) -> Outcomes:
        return self._happened(thresholds, (self.true_positive, self.false_positive))

    def _mean(self, curve: str, at: ArrayLike) -> Floats:
        t = _thresholds(curve, at)
        (a, first), (b, second) = _MEANS[curve]
        weight = self._weights(t)
        return np.asarray(a(t) * _dot(first, weight) + b(t) * _dot(second, weight), dtype=np.float64)

    def _mean_interval(self, curve: str, t: Floats, level: float) -> tuple[Floats, Floats, Floats]:
        """Two shares of all rows times their factors: the value, and how far it reaches to either side."""
        factors = [factor(t) for factor, _ in _MEANS[curve]]
        shares = [self._share_interval(counted, _ROW, t, level, clopper_pearson) for _, counted in _MEANS[curve]]
        share, low, high = (np.array(column) for column in zip(*shares, strict=True))
        # Where a share is 0 or 1 its correlation with the other is not known, and little.
        both = self._correlation(curve, t)

        def correlated(side: Floats) -> Floats:
            return np.asarray(side[0] ** 2 + 2 * both * side[0] * side[1] + side[1] ** 2)

        below, above = put_together(factors, share, (low, high), correlated)
        value = self._mean(curve, t)
        return value, value - below, value + above

    def _correlation(self, curve: str, t: Floats) -> Floats:
        """The correlation of the two shares that a mean is made of."""
        weight, square = self._weights(t), self._happened(t, self.squares)
        misses = [[each - _dot(counted, weight) for each in counted] for _, counted in _MEANS[curve]]
        both = [[_dot(Outcomes(*(a * b for a, b in zip(x, y, strict=True))), square) for x in misses] for y in misses]
        spread = np.sqrt(both[0][0] * both[1][1])
        return np.divide(both[0][1], spread, out=np.zeros_like(spread), where=spread > 0)

    def _share_interval(
        self, counted: Outcomes, among: Outcomes, t: Floats, level: float, interval: ShareInterval
    ) -> tuple[Floats, Floats, Floats]:
        """A share with its interval at the number of rows that its variance is worth; a share of nothing is 1."""
        weight, square = self._weights(t), self._happened(t, self.squares)
        of = _dot(among, weight)
        held = of > 0
        share = np.divide(_dot(counted, weight), of, out=np.ones_like(of), where=held)
        misses = Outcomes(*((k - a * share) ** 2 for k, a in zip(counted, among, strict=True)))
        spread = _dot(misses, square)
        inside = held & (spread > 0)
        size = np.divide(of**2, _dot(among, square), out=np.ones_like(of), where=held)
        size = np.divide(share * (1 - share) * of**2, spread, out=size, where=inside)
        low, high = interval(share * size, size, level)
        return share, np.where(held, low, 0.0), np.where(held, high, 1.0)

    @property
    def brier(self) -> float:
        """The Brier score, exactly, as twice the integral of the cost curve, which is linear between scores."""
        low, high = np.append(0.0, self.threshold[:-1]), np.minimum(self.threshold, 1.0)
        missed, alarms = self.prevalence - self.true_positive, self.false_positive
        return float(2 * np.sum(missed * ((high - low) - (high**2 - low**2) / 2) + alarms * (high**2 - low**2) / 2))

    @property
    def log_loss(self) -> float:
        """Cross-entropy as the integral of the cost curve over c (1 - c); infinite if a certain score was wrong."""
        low, high = np.append(0.0, self.threshold[:-1]), np.minimum(self.threshold, 1.0)
        missed, alarms = self.prevalence - self.true_positive, self.false_positive
        with np.errstate(divide="ignore", invalid="ignore"):
            misses = np.where(missed > 0, missed * (np.log(high) - np.log(low)), 0.0)
            calls = np.where(alarms > 0, alarms * (np.log1p(-low) - np.log1p(-high)), 0.0)
        return float(np.sum(np.where(high > low, misses + calls, 0.0)))

    def to_dict(self) -> dict[str, Any]:
        """The curves' points as plain values; the threshold that is never reached is null."""
        return {
            "threshold": [t if math.isfinite(t) else None for t in self.threshold.tolist()],
            "true_positive": self.true_positive.tolist(),
            "false_positive": self.false_positive.tolist(),
            "prevalence": self.prevalence,
        }


def priced(found: Curves, mine: float | None = None, *, level: float = 0.95) -> Picture:
    """What acting by the scores, and doing without them, cost at every ratio of costs; ``mine`` is one's own ratio."""
    ratio = np.linspace(0.0, 1.0, 101)
    costs = found.band("cost", ratio, level=level)
    band = intervals(costs.value, costs.low, costs.high)
    return prices(ratio, band, ratio * (1 - found.prevalence), (1 - ratio) * found.prevalence, mine)


@strict_keywords
def curves(
    y: ArrayLike,
    p: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    weights_mean: WeightsMean = "importance",
) -> Curves:
    """All curves of a yes/no score, exact on rows.

    Rows of weight zero are not there; ``weights_mean="frequency"`` says that weights count copies, which makes intervals as
    narrow as those of so many rows. Errors: GM004, GM006, GM701 to GM704.
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p)
    target, scores = rows.read(row_arguments.outcomes, "y", both=True), rows.read(row_arguments.probabilities, "p")
    distinct, cell = np.unique(scores, return_inverse=True)
    at = 2 * cell + target.astype(np.intp)

    def sums(values: Floats) -> Floats:
        return summed(at, values, 2 * len(distinct)).reshape(-1, 2)

    return of_sums(distinct, sums(rows.weight), sums(squares(rows.weight, rows.copies)), rows.n)


def of_sums(thresholds: Floats, weight: Floats, square: Floats, n: int, *, on_grid: bool = False) -> Curves:
    """All curves from weights and squared weights by ascending threshold (rows) and by label (columns: 0 and 1)."""
    total = rounded_sum(weight.ravel())

    def above(sums: Floats) -> Floats:
        return np.append(np.cumsum(sums[::-1])[::-1], 0.0)

    squares = above(square[:, 1]) / total**2, above(square[:, 0]) / total**2
    events, others = above(weight[:, 1]) / total, above(weight[:, 0]) / total
    share = rounded_sum(weight[:, 1]) / total
    return Curves(np.append(thresholds, math.inf), events, others, share, n, squares, on_grid)


def _thresholds(curve: str, at: ArrayLike) -> Floats:
    """Thresholds or cost ratios in [0, 1]; below 1 where their odds weigh an alarm. Error: GM009."""
    t = _places(at, "thresholds")
    odds = curve in ("net_benefit", "treat_all")
    bad = t[~((t >= 0) & (t < 1 if odds else t <= 1))]
    if bad.size:
        raise UsageError(
            f"thresholds of {curve} lie in [0, 1{')' if odds else ']'}",
            seen=f"{bad[0]:g}",
            fix="numpy.linspace(0, 0.99, 100)",
        )
    return t


def _places(at: ArrayLike, name: str) -> Floats:
    """Where a curve is read: numbers, of which none is missing. Error: GM009."""
    t = numbers_of(at, name, UsageError).astype(np.float64, copy=False)
    if np.isnan(t).any():
        raise UsageError(
            f"{name} hold nan, a number is needed", where=name, fix=f"leave those out: {name}[~numpy.isnan({name})]"
        )
    return t


def _dot(left: Outcomes, right: Outcomes) -> Floats:
    return np.asarray(sum(a * b for a, b in zip(left, right, strict=True)), dtype=np.float64)
