"""The risk of a fitted model: the mean loss on rows it has not seen, with an interval that holds, and who carries
it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.deriving.record import Record
from goodmeasure.drawing import pictures
from goodmeasure.drawing.display import Display
from goodmeasure.drawing.picture import Picture
from goodmeasure.errors import ShapeMismatch, UsageError
from goodmeasure.formulas.domains import Level, Positive
from goodmeasure.risks.concentration import share_of, worst_share
from goodmeasure.risks.least import least_losses
from goodmeasure.risks.outputs import Outputs, clipped_outputs, outputs, row_losses
from goodmeasure.risks.rare import Costing, E, RareOutcomes
from goodmeasure.risks.tails import heaviest, heavy
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import numbers_of, same_order
from goodmeasure.statistics.estimate import Difference, Estimate, display_of, within
from goodmeasure.statistics.intervals import all_equal, cost_infinity, empirical_bernstein, of_equal
from goodmeasure.statistics.multinomial import hit_share
from goodmeasure.statistics.rounded_sums import rounded_sum
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import WeightsMean, counted, unit_of
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.traits.sizes import extent, is_hit_or_miss

LEVEL = 0.95
# How much further up than down an interval reaches before it is worth a sentence.
LEANING = 1.25
# The skill of predictions that are each the best for their row.
MOST_SKILL = 1.0
Method = Literal["auto", "normal", "exact", "bootstrap", "bernstein"]


@dataclass(frozen=True)
class Risk(Estimate):
    """The mean loss with its interval, what a constant would have cost, and where the loss comes from.

    Attributes:
        loss: the loss, as it is spelled.
        skill: 1 for predictions as good as this loss allows and 0 for the best constant; None where the loss has no
            finite floor.
        constant: the raw output of the constant that was compared with, one number or one for each output.
        constant_risk: the mean loss of that constant.
        versus_constant: the loss minus that of the constant, row by row.
        worst_share: the part of the loss, above its floor, that the worst 1 % of rows carry.
        infinite: how many rows cost infinity.
        finite: the estimate without those rows; None where there are none.
        tail_index: how fast large losses get rare; the variance need not exist if it is surely below 2, and a caution says
            so, except where the loss itself or its probabilities rule that out. NaN with too few rows to tell.
        clipped: how many rows ``clip`` moved.
        clipped_share: the part of the loss that they carry.

    Example:
        >>> import goodmeasure as gm
        >>> y, z = [0, 0, 1, 0, 1, 1] * 5, [-2.0, -1.0, 1.5, 0.5, -0.5, 2.0] * 5
        >>> found = gm.risk(gm.losses.binary_cross_entropy(), y, z)
        >>> print(found)
        0.4528 [0.3108, 0.6091] · n=30
        >>> found.versus_constant.verdict
        'better'
    """

    loss: str = ""
    skill: Estimate | None = None
    constant: float | tuple[float, ...] | None = None
    constant_risk: Estimate | None = None
    versus_constant: Difference | None = None
    worst_share: float = math.nan
    infinite: int = 0
    finite: Estimate | None = None
    tail_index: float = math.nan
    clipped: int = 0
    clipped_share: float = 0.0

    def _display(self) -> Display:
        rows = {
            "mean loss": self,
            "of the rows of finite loss": self.finite,
            "best constant": self.constant_risk,
            "minus the best constant": self.versus_constant,
            "skill": self.skill,
        }
        return display_of(f"Risk by {self.loss}" if self.loss else "Risk", rows, *self._remarks())

    def _picture(self) -> Picture:
        constant = () if self.constant_risk is None else (("best constant", self.constant_risk.interval),)
        return pictures.risks([("mean loss", self.interval), *constant])

    def _remarks(self) -> list[str]:
        """What is worth saying beside the intervals."""
        found = [] if self.versus_constant is None else [f"against the best constant: {self.versus_constant.verdict}"]
        if not math.isnan(self.worst_share):
            found.append(self.leaning or self._carried)
        if self.infinite:
            found.append(cost_infinity(self.infinite))
        if self.clipped:
            found.append(f"{self.clipped:,} clipped rows carry {100 * self.clipped_share:.3g} % of the loss")
        return found

    @property
    def _carried(self) -> str:
        return f"the worst 1 % of the rows carry {100 * self.worst_share:.3g} % of the loss"

    @property
    def leaning(self) -> str:
        """What to know of an interval that reaches further up than down; empty where it hardly does."""
        up, down = self.high - self.value, self.value - self.low
        if not up > LEANING * down or "skewness" not in self.method:
            return ""
        return f"{self._carried}: the interval reaches further up for it, and may still be a little short there"

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        plain = super().to_dict() | {"leaning": self.leaning}
        if self.versus_constant is not None:
            plain["versus_constant"] = self.versus_constant.to_dict()
        return plain


def in_range(loss: Any, found: Risk) -> Risk:
    """The risk, whose intervals end where no mean of this loss lies."""
    limits = extent(loss)
    against, finite = (None if one is None else within(one, *limits) for one in (found.constant_risk, found.finite))
    skill = None if found.skill is None else within(found.skill, -math.inf, MOST_SKILL)
    return replace(within(found, *limits), constant_risk=against, finite=finite, skill=skill)


@strict_keywords
def risk(
    loss: Record,
    y: ArrayLike,
    z: ArrayLike | None = None,
    *,
    prediction: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    method: Method = "auto",
    weights_mean: WeightsMean = "importance",
    constant: Any = None,
    span: Positive | None = None,
    clip: float | None = None,
    cautions: list[str] | tuple[str, ...] = (),
) -> Risk:
    """Estimate what a model costs on new rows: the mean loss with an interval, beside the best constant.

    Args:
        loss: the loss to measure, such as ``gm.losses.huber(delta=2.0)``.
        y: held-out targets, (n,), in the domain of the loss.
        z: raw outputs of a model that never saw these rows, (n,), or (n, K) of K classes or several outputs.
        prediction: predictions in place of raw outputs, of the same shape.
        sample_weight: how much each row counts, (n,), of which those of zero are not there; all alike unless given.
        cluster: keys of rows that go together, (n,), such as patients; rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        method: "auto" (exact for a loss that is 0 or 1 by its formula, else Student's corrected for skewness), "normal"
            (Student's), "exact", "bootstrap" of counts, or "bernstein", which assumes no distribution and needs ``span``.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.
        constant: the raw output to compare with, best that of the training rows; that of these rows unless given.
        span: how far two losses can lie apart at most, for "bernstein".
        clip: moves probabilities into [clip, 1 - clip] and counts them; nothing is moved unless given.
        cautions: sentences to print with the number, such as those of a split that leaks.

    Returns:
        The mean loss, in the unit of the loss, and who carries it.

    Raises:
        GM003: the shapes of y and z differ, or a column has another length.
        GM004: a target lies outside the domain of the loss.
        GM005: all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM007: ``clip`` was asked of a loss that implies no probability, or labels weigh each for itself in this loss.
        GM009: ``cluster`` and ``time`` are both given, or a method or ``clip`` does not fit.
        GM702: a raw output is missing, or a loss is no number.
        GM705: all rows are in one cluster, or have the same time.
        GM706: amounts are so large or so small that their losses are not numbers.

    Source:
        Clopper and Pearson 1934, The use of confidence or fiducial limits; Maurer and Pontil 2009, Empirical Bernstein
        bounds and sample-variance penalization; Hall 1992, On the removal of skewness by transformation; Hill 1975, A
        simple general approach to inference about the tail of a distribution.

    Example:
        >>> import goodmeasure as gm
        >>> y, z = [0, 0, 1, 0, 1, 1] * 5, [-2.0, -1.0, 1.5, 0.5, -0.5, 2.0] * 5
        >>> found = gm.risk(gm.losses.binary_cross_entropy(), y, z)
        >>> print(found)
        0.4528 [0.3108, 0.6091] · n=30
        >>> print(found.skill)
        0.3468 [0.1213, 0.5516] · n=30
    """
    same_order(y=y, z=z, prediction=prediction, sample_weight=sample_weight, cluster=cluster, time=time)
    given = outputs(loss, z, prediction, sample_weight)
    rows = row_arguments.present(sample_weight, weights_mean, y=y, z=given.numbers, cluster=cluster, time=time)
    clipped = np.zeros(len(given.numbers), dtype=bool)
    if clip is not None:
        given, clipped = clipped_outputs(given, clip)
    values = given.losses(y, rows)
    sample = Sample.of(rows, level)
    estimate = _interval(loss, values, sample, method, span)
    said = (*_mistaken(loss, given, rows), *cautions, *estimate.cautions)
    rare = _rare(loss, given, rows, sample) if method == "auto" else None
    found = _told(loss, [given], rows, values, constant, replace(estimate, cautions=said), rare)
    moved = clipped[rows.at]
    return replace(found, clipped=_how_many(moved, rows), clipped_share=share_of(values, rows.weight, moved))


def averaged(
    loss: Any,
    y: ArrayLike,
    each: Sequence[ArrayLike],
    *,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    constant: Any = None,
) -> Risk:
    """The risk of what several models say of the same rows, whose losses are averaged row by row.

    ``each`` holds the raw outputs of one model, as `risk` takes them; the other arguments are those of `risk`.
    """
    given = [outputs(loss, z, None, sample_weight) for z in each]
    rows = row_arguments.present(sample_weight, "importance", y=y, z=given[0].numbers, cluster=cluster, time=time)
    values = np.mean([one.losses(y, rows) for one in given], axis=0)
    sample = Sample.of(rows, LEVEL)
    rare = _rare(loss, given[0], rows, sample)
    return _told(loss, given, rows, values, constant, _interval(loss, values, sample, "auto", None), rare)


def _rare(loss: Any, given: Outputs, rows: PresentRows, sample: Sample) -> RareOutcomes | None:
    """The outcomes that few rows tell; of a loss that is 0 or 1 by its formula shares are counted, whatever they are of."""
    return None if is_hit_or_miss(loss) else RareOutcomes.of(loss, rows["y"], given.classes, sample)


def _mistaken(loss: Any, given: Outputs, rows: PresentRows) -> tuple[str, ...]:
    """A sentence where what was given as raw outputs is probabilities, as it seems."""
    if given.on_predictions or not (loss.is_binary or loss.is_classwise):
        return ()
    return row_arguments.like_probabilities(np.asarray(rows["z"]), "the raw outputs", "prediction= takes probabilities")


def _told(
    loss: Any,
    models: Sequence[Outputs],
    rows: PresentRows,
    values: Floats,
    constant: Any,
    estimate: Estimate,
    rare: RareOutcomes | None,
) -> Risk:
    """An estimate of the mean loss with everything that stands beside it."""
    given, sample, limits = models[0], Sample.of(rows, estimate.level), extent(loss)

    def costs(y: Any) -> Floats:
        return np.asarray(np.mean([one.losses_at(y, rows) for one in models], axis=0))

    def costs_of_constant(y: Any) -> Floats:
        return row_losses(loss, y, np.broadcast_to(np.asarray(best, dtype=np.float64), given.numbers[rows.at].shape))

    def extra(y: Any) -> Floats:
        return _less(costs(y), costs_of_constant(y))

    best, against = _constant(loss, rows["y"], rows.weight, given, constant)
    tail, limit = heaviest(rows["y"], rows, values, estimate.level)
    untrusted = _tail_caution(limit) if heavy(loss, given, rows, values, limit) else ()
    estimate = _widened(estimate, rare, costs)
    return Risk(
        **_shared(within(replace(estimate, cautions=(*estimate.cautions, *untrusted)), *limits)),
        loss=repr(loss),
        skill=_skill(values, against, least_losses(loss, rows["y"], given.classes), sample),
        constant=_plain(best),
        constant_risk=within(_widened(sample.mean(against), rare, costs_of_constant), *limits),
        versus_constant=_widened(sample.difference(_less(values, against)), rare, extra),
        worst_share=worst_share(values, rows.weight),
        infinite=_how_many(np.isinf(values), rows),
        finite=_finite_part(values, sample, limits),
        tail_index=tail,
    )


def _widened(found: E, rare: RareOutcomes | None, costs: Costing) -> E:
    return found if rare is None else rare.widened(found, costs)


def _shared(estimate: Estimate) -> dict[str, Any]:
    return {f.name: getattr(estimate, f.name) for f in fields(Estimate)}


def _constant(loss: Any, y: Any, w: Floats, given: Outputs, constant: Any) -> tuple[Any, Floats]:
    """The raw output that all rows could share, and what each row costs at it."""
    best = loss.best_constant(y, w, classes=given.classes) if constant is None else numbers_of(constant, "constant")
    shape = (len(y), *given.numbers.shape[1:])
    if np.shape(best) not in ((), shape[1:]):
        raise ShapeMismatch(
            f"the constant has shape {np.shape(best)}, and the outputs of a row {shape[1:]}", fix="one number an output"
        )
    return best, row_losses(loss, y, np.broadcast_to(np.asarray(best, dtype=np.float64), shape))


def _plain(constant: Any) -> float | tuple[float, ...]:
    values = np.asarray(constant, dtype=np.float64)
    return float(values) if values.ndim == 0 else tuple(values.tolist())


def _less(a: Floats, b: Floats) -> Floats:
    """The difference of two losses; of two infinite ones it has no value."""
    with np.errstate(invalid="ignore", over="ignore"):
        return a - b


def _interval(loss: Any, values: Floats, sample: Sample, method: Method, span: float | None) -> Estimate:
    plain = sample.is_counted
    # A loss of amounts may be 0 or 1 by chance, and is then no share of rows.
    hard = is_hit_or_miss(loss) and bool(np.isin(values, (0.0, 1.0)).all())
    if method == "exact" and not (plain and hard):
        raise UsageError(
            "method='exact' is for independent, equally weighted rows of a loss that is 0 or 1 by its formula",
            fix="losses.zero_one(), or leave method out",
        )
    if method == "bernstein" and (span is None or not plain):
        raise UsageError(
            "empirical Bernstein needs span= (how far losses lie apart at most) and independent rows",
            fix="span=1.0 for losses in [0, 1], without cluster, time or weights; or leave method out",
        )
    if hard and method in ("auto", "exact"):
        return hit_share(sample, values)
    estimate = sample.mean(values, corrected=method == "auto")
    if method != "bernstein" and all_equal(values):
        return of_equal(estimate, sample.independent(values), extent(loss))
    if method == "bootstrap":
        low, high, error = sample.bootstrap(_mean_of(values))
        return replace(estimate, low=low, high=high, standard_error=error, method=f"bootstrap of counts, {sample.name}")
    if method == "bernstein" and span is not None:
        variance = (estimate.standard_error**2) * estimate.n**2 / (estimate.n - 1) if estimate.n > 1 else math.nan
        low, high = empirical_bernstein(estimate.value, variance, estimate.n, span, sample.level)
        return replace(estimate, low=low, high=high, method="empirical Bernstein")
    return estimate


def _mean_of(values: Floats) -> Callable[[Floats], float]:
    def mean(drawn: Floats) -> float:
        total = drawn.sum()
        return float(drawn @ values / total) if total > 0 else math.nan

    return mean


def _skill(values: Floats, against: Floats, floor: Floats | None, sample: Sample) -> Estimate | None:
    """How much of what a constant leaves to gain was gained, with an interval by linearisation."""
    if floor is None or not (np.isfinite(values).all() and np.isfinite(against).all()):
        return None
    unit = max(unit_of(values), unit_of(against), unit_of(floor))
    values, against, floor = values / unit, against / unit, floor / unit
    w, total = sample.weight, rounded_sum(sample.weight)
    ours, theirs = (rounded_sum(w * (column - floor)) / total for column in (values, against))
    if theirs <= 0:
        return None
    skill = 1 - ours / theirs
    influence = ((1 - skill) * (against - floor) - (values - floor)) / theirs
    around = sample.mean(influence, "linearised, ")
    found = replace(around, value=skill, low=skill + around.low, high=skill + around.high)
    return within(found, -math.inf, MOST_SKILL)


def _finite_part(values: Floats, sample: Sample, limits: tuple[float, float]) -> Estimate | None:
    finite = np.isfinite(values)
    if finite.all() or not finite.any():
        return None
    return within(sample.part(finite).mean(values[finite]), *limits)


def _how_many(chosen: NDArray[np.bool_], rows: PresentRows) -> int:
    """How many rows these are, copies counted where weights count them."""
    return counted(rows.copies[chosen])


def _tail_caution(limit: float) -> tuple[str, ...]:
    return (
        f"tails so heavy (index surely below {limit:.2g}) that the variance, and with it the interval, cannot be trusted",
    )


@strict_keywords
def compare(
    loss: Record,
    y: ArrayLike,
    z_a: ArrayLike | None = None,
    z_b: ArrayLike | None = None,
    *,
    prediction: tuple[ArrayLike, ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    time: ArrayLike | None = None,
    level: Level = 0.95,
    weights_mean: WeightsMean = "importance",
) -> Difference:
    """Tell which of two models costs less on the same rows, the first minus the second.

    Both meet the same rows, so what is hard for both does not count, and often far fewer rows suffice than for two
    risks apart.

    Args:
        loss: the loss to measure.
        y: held-out targets, (n,), in the domain of the loss.
        z_a: raw outputs of the first model, (n,) or (n, K).
        z_b: raw outputs of the second model, (n,) or (n, K).
        prediction: predictions of both models in place of raw outputs, a pair of (n,) or (n, K).
        sample_weight: how much each row counts, (n,); all alike unless given.
        cluster: keys of rows that go together, (n,); rows are independent unless given.
        time: when each row was, (n,), for rows that depend on their neighbours in time; in place of ``cluster``.
        level: how often the interval covers.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

    Returns:
        The difference of the mean losses; below zero the first model is better.

    Raises:
        GM003: the shapes of y and raw outputs differ, or a column has another length.
        GM004: a target lies outside the domain of the loss.
        GM005: all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM007: labels weigh each for itself in this loss.
        GM009: ``cluster`` and ``time`` are both given.
        GM702: a raw output is missing, or a loss is no number.
        GM705: all rows are in one cluster, or have the same time.
        GM706: amounts are so large or so small that their losses are not numbers.

    Example:
        >>> import goodmeasure as gm
        >>> y = [1.0, 2.0, 3.0, 4.0]
        >>> found = gm.compare(gm.losses.squared_error(), y, [1.1, 2.1, 2.9, 4.2], [2.0, 1.0, 2.0, 5.0])
        >>> print(found)
        -0.9825 [-1.006, -0.906] · n=4
        >>> found.verdict
        'better'
    """
    if prediction is not None and len(prediction) != 2:
        raise UsageError("compare takes the predictions of two models", fix="compare(loss, y, prediction=(p_a, p_b))")
    scores = {"z_a": z_a, "z_b": z_b} | {f"prediction[{k}]": p for k, p in enumerate(prediction or ())}
    same_order(y=y, **scores, sample_weight=sample_weight, cluster=cluster, time=time)
    each, models = [], []
    for z, p in zip((z_a, z_b), prediction or (None, None), strict=True):
        given = outputs(loss, z, p, sample_weight)
        rows = row_arguments.present(sample_weight, weights_mean, y=y, z=given.numbers, cluster=cluster, time=time)
        each.append(given.losses(y, rows))
        models.append(given)
    sample = Sample.of(rows, level)

    def extra(y: Any) -> Floats:
        return _less(*(one.losses_at(y, rows) for one in models))

    return _widened(sample.difference(_less(*each)), _rare(loss, models[0], rows, sample), extra)


@strict_keywords
def gap(train: Estimate, held_out: Estimate) -> Difference:
    """Tell what held-out rows cost more than training rows: the part of the fit that does not generalise.

    The two estimates rest on different rows, so their errors add. For the training rows the interval is about these
    rows of this fitted model: the gap is not the expected optimism.

    Args:
        train: the risk on the rows that were fitted.
        held_out: the risk on rows that the model never saw.

    Returns:
        Held out minus training, in the unit of the loss.

    Source:
        Zou and Donner 2008, Construction of confidence limits about effect measures: a general approach.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.squared_error()
        >>> train = gm.risk(loss, [1.0, 2.0, 3.0], [1.1, 2.0, 2.8])
        >>> held_out = gm.risk(loss, [4.0, 5.0, 6.0], [4.5, 5.0, 5.2])
        >>> print(gm.gap(train, held_out))
        0.28 [-0.07766, 1.379] · n=6
    """
    value = held_out.value - train.value
    error = math.hypot(held_out.standard_error, train.standard_error)
    below = math.hypot(held_out.value - held_out.low, train.high - train.value)
    above = math.hypot(held_out.high - held_out.value, train.value - train.low)
    n = train.n + held_out.n
    cautions = tuple(dict.fromkeys((*train.cautions, *held_out.cautions)))
    method = "unpaired, from both intervals (Zou and Donner)"
    return Difference(value, value - below, value + above, n, n, method, held_out.level, error, cautions=cautions)
