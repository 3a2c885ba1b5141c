"""Maps that put probabilities right, fitted on rows that the model did not see: temperature, Platt, beta,
isotonic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from goodmeasure.calibrating.decomposition import cells
from goodmeasure.calibrating.isotonic import pool
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import NoSuchReading, UsageError
from goodmeasure.statistics import row_arguments
from goodmeasure.statistics.arrays import one_a_row
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.weights import WeightsMean, unit_of
from goodmeasure.strict.calls import strict_class, strict_keywords

Method = Literal["platt", "temperature", "beta", "isotonic"]
# The probabilities next to 0 and to 1.
_UNCERTAIN = float(np.finfo(np.float64).tiny), 1 - float(np.finfo(np.float64).epsneg)
Knots = tuple[tuple[float, ...], ...]
# What `_features` multiplies, in its order.
_COEFFICIENTS = {
    "temperature": ("log score",),
    "platt": ("log-odds", "one"),
    "beta": ("log p", "-log(1 - p)", "one"),
}


@strict_class
@dataclass(frozen=True)
class Recalibration(Displayed):
    """A map from scores to probabilities that was fitted on held-out rows; call it on new scores.

    Attributes:
        method: "platt", "temperature", "beta" or "isotonic".
        parameters: coefficients (or, for isotonic, the places and heights of the steps), one tuple a class if there are
            more than two.
        raw: whether scores are raw outputs rather than probabilities.
        shrink: the number of rows n of the map (n p + 1/2) / (n + 1) that comes first where scores of exactly 0 or 1
            had to be given finite log-odds; else 0.

    Example:
        >>> import goodmeasure as gm
        >>> better = gm.recalibrate([0, 1] * 40, [0.2, 0.8] * 30 + [0.6, 0.4] * 10, "isotonic")
        >>> better([0.2, 0.5, 0.8])
        array([0. , 0.5, 1. ])
    """

    method: Method
    parameters: tuple[Knots, ...]
    raw: bool = False
    shrink: int = 0

    def __call__(self, scores: ArrayLike) -> Floats:
        """Recalibrate new scores.

        Args:
            scores: probabilities, or raw outputs if ``raw``, (n,) or (n, K), as those that were fitted.

        Returns:
            Probabilities of the same shape.

        Raises:
            GM009: the scores have another number of axes than those that were fitted.
            GM701: a probability lies outside [0, 1].
            GM702: a probability is NaN.
        """
        given = row_arguments.raw_outputs(scores, "p").astype(np.float64, copy=False)
        if not self.raw:
            row_arguments.inside_unit_interval(given, "p")
        if self.method == "temperature" and given.ndim == 2:
            return _softmax(_log_scores(given, self.raw, self.shrink) * self.parameters[0][0][0])
        if (given.ndim == 2) != (len(self.parameters) > 1):
            raise UsageError(
                "these scores have another shape than those that were fitted",
                seen=f"shape {given.shape}",
                fix="give scores as those that were fitted: one a row, or one a class",
            )
        if given.ndim == 1:
            return self._one(given, self.parameters[0])
        table = np.column_stack([self._one(given[:, k], knots) for k, knots in enumerate(self.parameters)])
        total = table.sum(axis=1, keepdims=True)
        even = np.full_like(table, 1 / table.shape[1])
        return np.asarray(np.divide(table, total, out=even, where=total > 0), dtype=np.float64)

    predict = __call__

    def _one(self, scores: Floats, knots: Knots) -> Floats:
        if self.method == "isotonic":
            return np.interp(scores, knots[0], knots[1]).astype(np.float64)
        return _sigmoid(_features(scores, self.method, self.raw, self.shrink) @ np.array(knots[0]))

    def _display(self) -> Display:
        title = f"Recalibration ({self.method}) of {'raw outputs' if self.raw else 'probabilities'}"
        rows = [(k, *pair) for k, knots in enumerate(self.parameters) for pair in self._pairs(knots)]
        names = ("class", "score", "probability") if self.method == "isotonic" else ("class", "coefficient", "value")
        columns = columns_of(names, rows)
        if len(self.parameters) == 1:
            del columns["class"]
        return Display(title, columns, is_curve=self.method == "isotonic")

    def _pairs(self, knots: Knots) -> list[tuple[str | float, float]]:
        """The steps of the map, or its coefficients by name."""
        if self.method == "isotonic":
            return list(zip(*knots, strict=True))
        return list(zip(_COEFFICIENTS[self.method], knots[0], strict=True))

    def to_dict(self) -> dict[str, Any]:
        """The fitted map as plain values, ready for JSON."""
        parameters = [[list(knots) for knots in one] for one in self.parameters]
        return {"method": self.method, "parameters": parameters, "raw": self.raw, "shrink": self.shrink}

    @staticmethod
    def from_dict(state: dict[str, Any]) -> Recalibration:
        """Read a map back from what `to_dict` gave.

        Args:
            state: the plain values.

        Returns:
            The same map.

        Raises:
            GM009: the method is unknown.
        """
        if state.get("method") not in get_args(Method):
            raise UsageError(
                f"{state.get('method')!r} is no recalibration", fix=f"one of {', '.join(get_args(Method))}"
            )
        parameters = tuple(tuple(tuple(float(x) for x in knots) for knots in one) for one in state["parameters"])
        return Recalibration(state["method"], parameters, bool(state["raw"]), int(state["shrink"]))


@strict_keywords
def recalibrate(
    y: ArrayLike,
    scores: ArrayLike,
    method: Method = "platt",
    *,
    sample_weight: ArrayLike | None = None,
    raw: bool = False,
    weights_mean: WeightsMean = "importance",
) -> Recalibration:
    """Fit a map that puts probabilities right, on rows that the model was not trained on.

    Classes are put right one against the rest and normalised, but for temperature, which has one number for all.

    Args:
        y: held-out targets, (n,): 0 or 1, or class indices.
        scores: what the model said of them, (n,) for yes/no or (n, K) for classes: probabilities, or raw outputs.
        method: "platt" (slope and intercept of the log-odds), "temperature" (slope alone), "beta" (three numbers, of
            probabilities) or "isotonic" (any increasing map, which needs many rows).
        sample_weight: how much each row counts, (n,); all alike unless given.
        raw: whether the scores are raw outputs.
        weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows. The
            map is the same, but that copies are whole numbers; weights that are all whole stand for copies.

    Returns:
        The map: call it on new scores.

    Raises:
        GM003: the columns differ in length.
        GM005: there are no rows, or all weights are zero.
        GM006: a weight is negative or not finite, or counts copies and is no whole number.
        GM007: beta recalibration was asked of raw outputs.
        GM009: the method is unknown.
        GM701: a probability lies outside [0, 1].
        GM702: a score is not a finite number.
        GM703: a target is none of the labels.
        GM704: all targets are the same, or the scores separate them perfectly, so no finite map fits best.

    Source:
        Platt 1999, Probabilistic outputs for support vector machines; Guo et al. 2017, On calibration of modern neural
        networks; Kull, Silva Filho and Flach 2017, Beta calibration; Zadrozny and Elkan 2002, Transforming classifier
        scores into accurate multiclass probability estimates.

    Example:
        >>> import goodmeasure as gm
        >>> better = gm.recalibrate([0, 1] * 40, [0.2, 0.8] * 30 + [0.6, 0.4] * 10)
        >>> better([0.2, 0.5, 0.8]).round(3)
        array([0.086, 0.5  , 0.914])
    """
    if method not in get_args(Method):
        raise UsageError(f"{method!r} is no recalibration", fix=f"one of {', '.join(get_args(Method))}")
    if raw and method == "beta":
        raise NoSuchReading(
            "beta recalibration is of probabilities", fix="pass p, or take method='platt' for raw outputs"
        )
    rows = row_arguments.present(sample_weight, weights_mean, y=y, scores=scores)
    given = _scores(rows, raw)
    sure = not raw and method != "isotonic" and bool(((given == 0) | (given == 1)).any())
    shrink = round(rows.worth) if sure else 0
    # Platt's smoothing counts rows: the weights add up to as many as they stand for.
    w = rows.weight * (rows.worth / rows.weight.sum())
    if given.ndim == 1:
        target = rows.read(row_arguments.outcomes, "y", both=True)
        return Recalibration(method, (_fit(target, given, w, method, raw, shrink),), raw, shrink)
    label = rows.read(row_arguments.classes, "y", k=given.shape[1])
    if method == "temperature":
        slope = _temperature(label, _log_scores(given, raw, shrink), w)
        return Recalibration(method, (((slope,),),), raw, shrink)
    each = [_fit((label == k) * 1.0, given[:, k], w, method, raw, shrink) for k in range(given.shape[1])]
    return Recalibration(method, tuple(each), raw, shrink)


def _scores(rows: PresentRows, raw: bool) -> Floats:
    """Finite scores, one a row or one a class: raw outputs, or probabilities."""
    found: Floats = rows.read(row_arguments.raw_outputs, "scores").astype(np.float64)
    if found.ndim != 2 or found.shape[1] == 1:
        one_a_row(found, "scores")
    if raw:
        return row_arguments.in_range(found, "scores", at=rows.at)
    row_arguments.inside_unit_interval(found, "scores", at=rows.at)
    return found


def _fit(y: Floats, scores: Floats, w: Floats, method: Method, raw: bool, shrink: int) -> Knots:
    if method == "isotonic":
        return _steps(y, scores, w)
    target = _smoothed_targets(y, w) if method == "platt" else y
    features = _features(scores, method, raw, shrink)
    coefficients = logistic(features, target, w)
    if method == "beta" and (coefficients[:2] < 0).any():
        # A beta map must rise: the coefficient that would bend it back is left out (Kull et al. 2017).
        keep = np.array([coefficients[0] >= 0, coefficients[1] >= 0, True])
        coefficients = np.zeros(3)
        coefficients[keep] = logistic(features[:, keep], target, w)
    return (tuple(coefficients.tolist()),)


def _steps(y: Floats, scores: Floats, w: Floats) -> Knots:
    """The ends of the steps of the increasing fit; between steps the map is linear."""
    held = cells(y, scores, w)
    fit = pool(held.events, held.weight).fit(len(held.p))
    ends = np.flatnonzero(np.append(True, np.diff(fit) != 0) | np.append(np.diff(fit) != 0, True))
    return tuple(held.p[ends].tolist()), tuple(fit[ends].tolist())


def _smoothed_targets(y: Floats, w: Floats) -> Floats:
    """Platt's targets: what one more row of each kind would have shown."""
    yes, no = float(w @ y), float(w @ (1 - y))
    return np.where(y == 1, (yes + 1) / (yes + 2), 1 / (no + 2))


def _shrunk(p: Floats, rows_before: int) -> Floats:
    """Probabilities short of certainty; a map that met none when it was fitted takes it for the nearest that is not."""
    return (rows_before * p + 0.5) / (rows_before + 1) if rows_before else np.clip(p, *_UNCERTAIN)


def _log_odds(scores: Floats, raw: bool, shrink: int) -> Floats:
    if raw:
        return scores
    p = _shrunk(scores, shrink)
    return np.log(p) - np.log1p(-p)


def _log_scores(scores: Floats, raw: bool, shrink: int) -> Floats:
    return scores if raw else np.log(_shrunk(scores, shrink))


def _features(scores: Floats, method: Method, raw: bool, shrink: int) -> Floats:
    if method == "beta":
        p = _shrunk(scores, shrink)
        return np.column_stack([np.log(p), -np.log1p(-p), np.ones_like(p)])
    z = _log_odds(scores, raw, shrink)
    return z[:, None] if method == "temperature" else np.column_stack([z, np.ones_like(z)])


def _sigmoid(z: Floats) -> Floats:
    grown = np.exp(-np.abs(z))
    return np.asarray(np.where(z >= 0, 1, grown) / (1 + grown), dtype=np.float64)


def _softmax(z: Floats) -> Floats:
    grown = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float64)


def logistic(features: Floats, target: Floats, w: Floats) -> Floats:
    """The coefficients of least weighted cross-entropy on a handful of features, by damped Newton steps."""
    units = np.array([unit_of(column) for column in features.T])
    return np.asarray(_logistic(features / units, target, w) / units)


def _logistic(features: Floats, target: Floats, w: Floats) -> Floats:
    def at(b: Floats) -> tuple[float, Floats, Floats]:
        z = features @ b
        p = _sigmoid(z)
        loss = float(w @ (np.logaddexp(0, z) - target * z)) / w.sum()
        bend = (features * (w * p * (1 - p))[:, None]).T @ features / w.sum()
        return loss, features.T @ (w * (p - target)) / w.sum(), bend

    return _newton(at, np.zeros(features.shape[1]))


def _temperature(y: Any, z: Floats, w: Floats) -> float:
    """One over the temperature of least cross-entropy."""
    unit = unit_of(z)
    return _inverse_temperature(y, z / unit, w) / unit


def _inverse_temperature(y: Any, z: Floats, w: Floats) -> float:
    def at(b: Floats) -> tuple[float, Floats, Floats]:
        p = _softmax(z * b[0])
        moved = (p * z).sum(axis=1)
        own = z[np.arange(len(z)), y]
        top = (z * b[0]).max(axis=1)
        loss = top + np.log(np.exp(z * b[0] - top[:, None]).sum(axis=1)) - b[0] * own
        bend = (p * z * z).sum(axis=1) - moved**2
        total = w.sum()
        return float(w @ loss / total), np.array([w @ (moved - own) / total]), np.array([[w @ bend / total]])

    return float(_newton(at, np.array([1.0]))[0])


def _newton(
    at: Callable[[Floats], tuple[float, Floats, Floats]], start: Floats, tolerance: float = 1e-10, most: int = 60
) -> Floats:
    """The minimum of a smooth convex function of a few variables."""
    b = start
    loss, slope, bend = at(b)
    for _ in range(most):
        # The ridge is too small to be seen, and keeps flat directions solvable.
        step = np.linalg.solve(bend + 1e-12 * np.eye(len(b)), slope)
        fall, size = float(slope @ step), 1.0
        # Where scores separate the targets, slope and loss both go to zero without end: that is no minimum.
        if fall < tolerance**1.5 and loss > 1e-7:
            return b
        while size > 1e-10 and at(b - size * step)[0] > loss - size * fall / 4:
            size /= 2
        b = b - size * step
        loss, slope, bend = at(b)
    if float(np.abs(slope).max()) < 1e-6 and loss > 1e-7:
        return b
    raise row_arguments.OneClassOnly(
        "the scores separate the targets perfectly, so no finite map fits best",
        seen=f"coefficients reached {np.abs(b).max():.3g} and still grow",
        fix="use method='isotonic', or more rows",
    )
