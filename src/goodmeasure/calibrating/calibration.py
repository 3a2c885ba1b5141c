"""Whether predictions mean what they say: the split of a loss, debiased and smooth errors, and the curve."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.calibrating.amounts import Target, amount_curve, amount_split
from goodmeasure.calibrating.decomposition import Cells, Decomposition, PointLoss, cells, point_loss, splits
from goodmeasure.calibrating.miscalibration import (
    Smoothing,
    debiased_squared_error,
    root,
    smooth_errors_of,
    smooth_estimate,
)
from goodmeasure.calibrating.recalibration import Recalibration as Recalibration
from goodmeasure.calibrating.recalibration import recalibrate as recalibrate
from goodmeasure.calibrating.significance import (
    DRAWS,
    MOST_DRAWN,
    MOST_RESAMPLED,
    chance_of_misses,
    chance_of_parts,
    drawn_chance,
    drawn_events,
    draws_for,
    is_impossible,
    ranked,
)
from goodmeasure.deriving.record import Record
from goodmeasure.drawing.cells import intervals
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.picture import Picture
from goodmeasure.drawing.pictures import calibration_curves
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.drawn_counts import multinomials
from goodmeasure.statistics.estimate import Estimate, display_of, not_known
from goodmeasure.statistics.intervals import CLUSTERED
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats, PresentRows, TooFewRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.several import holm
from goodmeasure.statistics.weights import WeightsMean, unit_of
from goodmeasure.strict.calls import strict_keywords

# Draws that intervals and bands rest on: the tails of a .95 interval hold five on each side.
REPLICATES = 200
SMOOTH_REPLICATES = 100


@dataclass(frozen=True)
class Curve(Displayed):
    """What was seen (isotonic) at each prediction, with the band in which it would lie were the model calibrated.

    For amounts the band is of confidence about the curve instead, because nothing says how amounts spread around a
    right prediction.

    Attributes:
        prediction: ascending predictions, (m,).
        seen: the share of events, or the amount, that was seen at each of them, (m,).
        low: where the band begins, (m,).
        high: where it ends, (m,).
        weight: the weight of the rows at each point, (m,).
        band: "consistency" or "confidence".
    """

    prediction: Floats
    seen: Floats
    low: Floats
    high: Floats
    weight: Floats
    band: str

    def _picture(self) -> Picture:
        return calibration_curves(
            [(self, "what was seen")], bool(self.prediction.min() >= 0 and self.prediction.max() <= 1)
        )

    def _display(self) -> Display:
        rows = zip(self.prediction, intervals(self.seen, self.low, self.high), self.weight, strict=True)
        columns = columns_of(("prediction", "seen", "weight"), rows)
        return Display(f"Calibration curve with a {self.band} band", columns, is_curve=True)


@dataclass(frozen=True)
class Calibration(Displayed):
    """How far predictions are from what they claim, and what they know.

    ``loss = miscalibration - discrimination + uncertainty``, exactly. For classes this split is the Brier score's,
    which adds up over classes, and errors and curve are of the most likely class.

    Attributes:
        loss: the mean loss of the predictions.
        miscalibration: what is lost because they do not mean what they say, in the unit of the loss.
        discrimination: what is won because they tell rows apart, in the unit of the loss.
        uncertainty: the mean loss of the best constant.
        error: the calibration error on the scale of the predictions: the root of ``squared_error``.
        squared_error: the mean squared calibration error without the bias of squaring noise.
        smooth_error: the same question without bins; None for amounts.
        curve: what was seen at each prediction, with a band.
        p_value: how often calibrated predictions would look as far off as these, by one test with a stated size: the word
            "miscalibrated" is said where it is at most one less the level. It is no smaller than one in a thousand, but for
            what was given no chance at all, and NaN where a tally does not know which rows go together. For classes it is
            of the most likely class and each single one.
        classes: the calibration of each class against the rest; their p-values allow for their number. With 5,000
            draws at most, none of more than 250 classes can be named at the level .95, nor can one of more than
            125 make the whole miscalibrated.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.calibration([0, 1, 1, 0] * 20, [0.1, 0.9, 0.8, 0.9] * 20)
        >>> found.verdict
        'miscalibrated'
        >>> print(found.error)
        0.2988 [0.1572, 0.3923] · n=80
    """

    loss: Estimate
    miscalibration: Estimate
    discrimination: Estimate
    uncertainty: Estimate
    error: Estimate
    squared_error: Estimate
    smooth_error: Estimate | None
    curve: Curve
    p_value: float
    classes: tuple[Calibration, ...] = ()

    @property
    def verdict(self) -> str:
        """Whether these rows show that the predictions are off: said falsely no more often than the level allows."""
        if unknown := not_known(error=self.squared_error):
            return unknown
        if math.isnan(self.p_value):
            return TALLIED_TOGETHER
        if is_off(self.p_value, self.squared_error.level):
            return "miscalibrated"
        return f"cannot tell from calibrated at this n (error in [{self.error.low:.4g}, {self.error.high:.4g}])"

    def _estimates(self) -> dict[str, Estimate | None]:
        names = ("loss", "miscalibration", "discrimination", "uncertainty", "error", "squared_error", "smooth_error")
        return {name: getattr(self, name) for name in names}

    def _display(self) -> Display:
        errors = {f"error of class {k}": one.error for k, one in enumerate(self.classes)}
        return display_of("Calibration", {**self._estimates(), **errors}, self.verdict, *self._chance)

    @property
    def _chance(self) -> list[str]:
        """What the word rests on, which is no interval."""
        if math.isnan(self.p_value):
            return []
        return [IMPOSSIBLE if self.p_value == 0 else f"chance of as much if calibrated: {self.p_value:.3g}"]

    def _picture(self) -> Picture:
        return replace(self.curve._picture(), said=f"calibration error {self.error.value:.3g}: {self.verdict}")

    @property
    def _why(self) -> str:
        return f": {IMPOSSIBLE}" if self.p_value == 0 else ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        return {
            **{name: value.to_dict() for name, value in self._estimates().items() if value is not None},
            "p_value": self.p_value,
            "verdict": self.verdict,
            "curve": {name: np.asarray(value).tolist() for name, value in vars(self.curve).items()},
            "classes": [one.to_dict() for one in self.classes],
        }

    def __str__(self) -> str:
        return "\n".join(
            [
                f"loss            {self.loss}",
                f"miscalibration  {self.miscalibration}",
                f"discrimination  {self.discrimination}",
                f"uncertainty     {self.uncertainty}",
                f"error           {self.error}   {self.verdict}{self._why}",
            ]
        )


# What the chance of zero says: no interval around the error is needed where calibrated predictions never come to this.
IMPOSSIBLE = "what was given the probability 0 happened"
BY_EFFECT = f"{CLUSTERED} by a design effect"
# A chance that takes rows that go together as independent is too small, and says "miscalibrated" too often.
TALLIED_TOGETHER = "not known: rows that go together were tallied; give the table"


def is_off(p_value: float, level: float) -> bool:
    """Whether a p-value says that predictions are off at this level."""
    return p_value <= 1 - level + 1e-12


@dataclass(frozen=True)
class Basis:
    """What an estimate says beside its value: level, seed, and how many rows (and their worth) it rests on.

    ``unit`` is what weights were divided by, ``looks`` at how many p-values one looks, ``inflation`` how much larger variances
    are because rows go together, as is known of ``clustered`` ones.
    """

    level: float
    seed: int
    n: int
    effective_n: float
    unit: float = 1.0
    looks: int = 1
    inflation: float = 1.0
    clustered: bool = False

    @property
    def draws(self) -> int:
        """How many draws of calibrated predictions tell at this level."""
        return draws_for(self.level, self.looks)

    @property
    def most_cells(self) -> int:
        """Each draw is an isotonic fit, so draws are of so many cells of neighbouring predictions, not of rows.

        Where rows are worth less than one each, a cell holds some.
        """
        most = MOST_DRAWN // self.draws
        return most if self.inflation == 1 else max(1, min(most, int(self.effective_n / 4)))

    def inflated(self, inflation: float) -> Basis:
        """The same where rows go together, and are worth less."""
        return replace(self, effective_n=self.effective_n / inflation, inflation=inflation)

    def estimate(self, value: float, low: float, high: float, method: str, error: float = math.nan) -> Estimate:
        """An estimate with these."""
        return self.named(Estimate(value, low, high, self.n, self.effective_n, method, self.level, error))

    def named(self, found: Estimate) -> Estimate:
        """The estimate, whose method says where variances know of clusters."""
        return replace(found, method=f"{found.method}, {BY_EFFECT}") if self.clustered else found

    def tails(self, values: Any) -> Any:
        """The two quantiles of draws that an interval of this level lies between."""
        return np.quantile(values, [(1 - self.level) / 2, (1 + self.level) / 2], axis=0)


@strict_keywords
def calibration(
    y: ArrayLike,
    p: ArrayLike,
    loss: Record | None = None,
    sample_weight: ArrayLike | None = None,
    *,
    cluster: ArrayLike | None = None,
    level: Level = 0.95,
    seed: Seed = 0,
    weights_mean: WeightsMean = "importance",
) -> Calibration:
    """Tell whether predictions mean what they say, and split their mean loss into what they lose and what they know.

    Args:
        y: held-out targets, (n,): 0 or 1, class indices, or amounts.
        p: predictions, (n,) or (n, K): probabilities of yes or of each class (0 and 1 included), or amounts.
        loss: the loss to split, which also says what an amount is meant to be (mean, quantile, ...); the Brier score or
            squared error unless given.
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: which rows go together (a patient, a shop), (n,); each on its own unless given.
        level: how often the intervals cover, and how often "miscalibrated" is not said of calibrated predictions.
        seed: for what is drawn: the test, the resampled intervals and the band.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows. Errors
            are smaller the fewer rows there are for noise to be taken off, so they differ between the two.

    Returns:
        The split, the errors and the curve, each with intervals, and the p-value of the test behind the verdict.

    Raises:
        GM003: the columns differ in length, or class probabilities have fewer than two columns.
        GM004: an amount lies outside the domain of the loss.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM007: the loss implies no probability, so none can be judged by it.
        GM701: a probability lies outside [0, 1], or a row of class probabilities does not sum to one.
        GM702: a prediction is NaN.
        GM703: a target is none of the labels.
        GM705: there are fewer than two rows, or two clusters.
        GM706: amounts are so large or so small that their squares are not numbers.

    Source:
        Dimitriadis, Gneiting and Jordan 2021, Stable reliability diagrams for probabilistic classifiers (the split);
        Cox 1958, Two further applications of a model for binary regression (the test, with the split's increasing curve);
        Kumar, Liang and Ma 2019, Verified uncertainty calibration (the debiased error); Błasiok and Nakkiran 2023,
        Smooth ECE: principled reliability diagrams via kernel smoothing.

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.calibration([0, 1] * 40, [0.2, 0.8] * 30 + [0.6, 0.4] * 10)
        >>> print(found.loss)
        0.12 [0.08886, 0.149] · n=80
        >>> found.verdict
        'miscalibrated'
    """
    rows = row_arguments.present(sample_weight, weights_mean, y=y, p=p, cluster=cluster)
    if rows.n < 2:
        raise TooFewRows("calibration needs at least two rows", seen=f"{rows.n} row", fix="give more rows")
    sample = Sample.of(rows, level)
    clustered = sample.together is not None
    settings = Basis(level, seed, rows.n, rows.effective_n, rows.unit, clustered=clustered)
    return _cautioned(_judged(rows, sample, loss, settings), sample.few(sample.together))


def _judged(rows: PresentRows, sample: Sample, loss: Record | None, settings: Basis) -> Calibration:
    target = Target.of(loss, rows["p"], rows["y"])
    if target is Target.CLASSES:
        return _classes(rows, sample, point_loss(loss), settings)
    if target is Target.AMOUNT:
        return _amounts(rows, sample, loss, settings)
    outcome, scores = rows.read(row_arguments.outcomes, "y"), rows.read(row_arguments.probabilities, "p")
    return _outcomes(outcome, scores, sample, point_loss(loss), settings)


def _cautioned(found: Calibration, few: tuple[str, ...]) -> Calibration:
    """The same, in which each number says so where few clusters tell it."""
    if not few:
        return found
    told: dict[str, Any] = {
        name: replace(each, cautions=(*each.cautions, *few)) for name, each in found._estimates().items() if each
    }
    return replace(found, **told, classes=tuple(_cautioned(one, few) for one in found.classes))


def _outcomes(y: Floats, p: Floats, sample: Sample, loss: PointLoss, settings: Basis) -> Calibration:
    spread = p * (1 - p)
    inflation = _inflation(y - p, p, sample)
    squared_error = debiased_squared_error(
        y - p,
        p,
        sample.weight,
        level=settings.level,
        copies=sample.copies,
        spread=spread,
        together=sample.together,
    )
    exact = cells(y, p, sample.weight, inflation * sample.square)
    return of_cells(exact, loss, settings.inflated(inflation), squared_error)


def _inflation(misses: Floats, p: Floats, sample: Sample) -> float:
    """How much larger variances are because rows go together (Kish's design effect), at least 1.

    It is the larger one of the level and of the slope of the misses: predictions that differ between clusters alone let a
    cluster pull at both.
    """
    if sample.together is None:
        return 1.0
    misses = misses / unit_of(misses)
    misses = misses - sample.weight @ misses / sample.weight.sum()
    found = max(_design_effect(misses, sample), _design_effect(misses * ranked(p, sample.weight), sample))
    # Estimates by bin need a few rows' worth.
    return max(1.0, min(found, sample.effective_n / 4))


def _design_effect(pull: Floats, sample: Sample) -> float:
    """The variance of a sum over clusters, as a multiple of that over independent rows."""
    assert sample.together is not None
    of_rows = float(sample.square @ pull**2)
    sums, count = summed(sample.together, sample.weight * pull), len(np.unique(sample.together))
    return float(sums @ sums) / of_rows * count / (count - 1) if of_rows > 0 else 1.0


def of_cells(exact: Cells, loss: PointLoss, settings: Basis, squared_error: Estimate) -> Calibration:
    """The calibration of yes/no rows put together by score."""
    scale = float(exact.weight.sum() / settings.effective_n)
    rough = exact.coarse(settings.most_cells)
    null = drawn_events(rough, min(DRAWS, settings.draws), settings.seed + 1)
    # Rounding must not decide whether a whole cell happened.
    share = np.clip((null[:REPLICATES] / rough.weight).round(12), 0, 1)
    possible = share * rough.weight
    split = exact.split(loss)
    curve, lost = _under_calibration(exact, rough, possible, loss, settings)
    drawn = _resampled_splits(rough, loss, scale, settings)
    # Coarse cells are compared with coarse cells: fewer cells leave less room for chance to look like miscalibration.
    coarse = rough.split(loss)
    smooth = smooth_estimate(
        Smoothing.of(exact.p, exact.events, exact.weight - exact.events),
        settings.n,
        settings.effective_n,
        smooth_errors_of(rough.p, rough.weight, possible[:SMOOTH_REPLICATES]),
        (settings.level, settings.seed),
    )
    smooth = settings.named(smooth)
    parts = _split_estimates(split, coarse, drawn, float(lost.mean()), settings)
    chance = 0.0 if is_impossible(exact) else drawn_chance(rough, null, settings.draws, settings.seed + 1)
    return judged(Calibration(*parts, root(squared_error), squared_error, smooth, curve, chance), chance)


def judged(found: Calibration, p_value: float) -> Calibration:
    """The same with this p-value; where it does not tell predictions from calibrated ones, no interval does."""
    found = replace(found, p_value=p_value)
    if is_off(p_value, found.squared_error.level):
        return found
    names = ("miscalibration", "error", "squared_error", "smooth_error")
    held = {name: getattr(found, name) for name in names if getattr(found, name) is not None}
    return replace(found, **{name: replace(each, low=min(each.low, 0.0)) for name, each in held.items()})


Parts = tuple[Estimate, Estimate, Estimate, Estimate]


def _split_estimates(split: Decomposition, coarse: Decomposition, drawn: Floats, bias: float, settings: Basis) -> Parts:
    """Each part with a basic bootstrap interval, less the bias that fitting the curve has for calibrated
    predictions."""
    method = f"CORP, basic bootstrap of counts ({len(drawn)}), bias taken off"

    def part(value: float, centre: float, column: Floats, biased: float) -> Estimate:
        if not (math.isfinite(value) and np.isfinite(column).all()):
            found = settings.estimate(value, -math.inf, math.inf, method)
            return replace(found, cautions=("some rows or resamples of them cost infinity",))
        # Around their own mean: a curve that is fitted to drawn rows is biased once more, and draws lie too high by it.
        low, high = centre - biased + column.mean() - settings.tails(column)[::-1]
        # Miscalibration and discrimination are never negative; a loss may be.
        floor = 0.0 if biased else -math.inf
        error = float((column / unit_of(column)).std()) * unit_of(column)
        return settings.estimate(value, max(floor, min(float(low), value)), max(float(high), value), method, error)

    loss, lost, known, spread = drawn.T
    return (
        part(split.loss, coarse.loss, loss, 0.0),
        part(split.miscalibration, coarse.miscalibration, lost, bias),
        part(split.discrimination, coarse.discrimination, known, bias),
        part(split.uncertainty, coarse.uncertainty, spread, 0.0),
    )


def _resampled_splits(rough: Cells, loss: PointLoss, scale: float, settings: Basis) -> Floats:
    """The split of resampled counts of the cells."""
    rng = np.random.default_rng(settings.seed)
    both = np.concatenate([rough.events, rough.weight - rough.events])
    size = round(both.sum() / scale)
    # Rounded, so that a cell without events has none in whatever unit the weights are.
    chance = (np.maximum(both, 0) / np.maximum(both, 0).sum()).round(12)
    chance = chance / chance.sum()
    events, others = np.split(multinomials(rng, size, chance, REPLICATES) * scale, 2, axis=1)
    return splits(rough.p, events, events + others, loss)[1]


def _under_calibration(
    exact: Cells, rough: Cells, events: Floats, loss: PointLoss, settings: Basis
) -> tuple[Curve, Floats]:
    """The curve with its consistency band, and how miscalibrated calibrated predictions look by chance."""
    curves, drawn = splits(rough.p, events, np.broadcast_to(rough.weight, events.shape), loss)
    low, high = settings.tails(curves)
    seen = np.interp(rough.p, exact.p, exact.recalibrated)
    weight = rough.weight * settings.unit
    return Curve(rough.p, seen, low, high, weight, "consistency"), np.nan_to_num(drawn[:, 1], posinf=0.0)


def _classes(rows: PresentRows, sample: Sample, loss: PointLoss, settings: Basis) -> Calibration:
    p = rows.read(row_arguments.class_probabilities, "p")
    target = rows.read(row_arguments.classes, "y", k=p.shape[1])
    settings = replace(settings, looks=2 * p.shape[1])
    each = [_outcomes((target == k) * 1.0, p[:, k], sample, loss, settings) for k in range(p.shape[1])]
    chosen = p.argmax(axis=1)
    top = _outcomes((target == chosen) * 1.0, p[np.arange(len(p)), chosen], sample, loss, settings)
    chances = holm([one.p_value for one in each]).tolist()
    whole = replace(
        top,
        loss=_added([one.loss for one in each]),
        miscalibration=_added([one.miscalibration for one in each]),
        discrimination=_added([one.discrimination for one in each]),
        uncertainty=_added([one.uncertainty for one in each]),
        classes=tuple(judged(*pair) for pair in zip(each, chances, strict=True)),
    )
    # Two looks: at the most likely class, and at the single ones together.
    return judged(whole, min(1.0, 2 * min(top.p_value, *chances)))


def _added(parts: list[Estimate]) -> Estimate:
    """A sum of dependent estimates: the interval adds the half-widths, which is safe whatever the dependence."""
    value, low, high = (math.fsum(getattr(part, name) for part in parts) for name in ("value", "low", "high"))
    return replace(
        parts[0], value=value, low=low, high=high, standard_error=math.nan, method=f"sum of {parts[0].method}"
    )


def _amounts(rows: PresentRows, sample: Sample, loss: Any, settings: Basis) -> Calibration:
    target, amount = rows.read(row_arguments.target_amounts, "y"), rows.read(row_arguments.amounts, "p")
    w, point = rows.weight, point_loss(loss)
    split = amount_split(target, amount, w, loss, point)
    drawn, curves = amount_curve(target, amount, sample, loss, point, (settings.most_cells // 2, settings.seed))
    inflation = _inflation(split.misses, amount, sample)
    squared_error = debiased_squared_error(
        split.misses, amount, w, level=settings.level, copies=rows.copies, together=sample.together
    )
    low, high = settings.tails(curves.drawn)
    curve = Curve(curves.prediction, curves.seen, low, high, curves.weight * settings.unit, "confidence")
    # The bootstrap repeats the bias of fitting: its mean shows how much there is.
    bias = max(0.0, float(drawn[:, 1].mean()) - split.parts.miscalibration)
    parts = _split_estimates(split.parts, split.parts, drawn, bias, settings.inflated(inflation))
    chance = _chance_of_amounts(split.misses, amount, sample, settings.seed)
    return judged(Calibration(*parts, root(squared_error), squared_error, None, curve, chance), chance)


def _chance_of_amounts(misses: Floats, amount: Floats, sample: Sample, seed: int) -> float:
    misses, ranks = misses / unit_of(misses), ranked(amount, sample.weight)
    if sample.together is not None:
        return chance_of_parts(sample.weight * misses, ranks, sample.together, seed)
    if sample.n <= MOST_RESAMPLED and (sample.copies == np.rint(sample.copies)).all():
        rows = np.repeat(np.arange(len(misses)), sample.copies.astype(np.intp))
        each = (sample.weight / sample.copies * misses)[rows]
        return chance_of_parts(each, ranks[rows], np.arange(len(rows)), seed)
    parts = (float(sample.n), sample.effective_n)
    return chance_of_misses(sample.weight * misses, sample.square * misses**2, ranks, parts)
