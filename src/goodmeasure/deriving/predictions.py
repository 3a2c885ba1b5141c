"""What else a loss says: its formula of predictions, and what is zero on average when it is satisfied.

Everything here is derived from the formula and the signal of a loss; nothing is declared.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.arguments import check_labels, examples, presence, raw_outputs, shape_of, weights
from goodmeasure.deriving.implied_probability import class_log_probabilities as class_log_probabilities
from goodmeasure.deriving.implied_probability import class_raw, needs_probability, probability, raw_of_probability
from goodmeasure.deriving.implied_probability import implies_probability as implies_probability
from goodmeasure.deriving.record import R, Record
from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import NoSuchReading, ShapeMismatch, TargetOutsideDomain
from goodmeasure.formulas.activations import linear, predicted, rising, undone
from goodmeasure.formulas.evaluation import Array, namespace, on_arrays
from goodmeasure.formulas.expression import Expr, derivative, expression, less_equal, log, simplify, symbol, symbols
from goodmeasure.formulas.words import exp, where
from goodmeasure.statistics.rounded_rows import divided_by_sums
from goodmeasure.statistics.row_arguments import SUMS, MissingScore

# --- predictions in place of raw outputs ---


@cache
def on_predictions(loss: R) -> R:
    """The loss as a formula of predictions, as a book prints it. Errors name the loss as the user wrote it."""
    if loss.is_classwise:
        return replace(loss, spelling=Spelling(f"{loss} of probabilities", loss.activation))
    plain = (linear,) * len(loss.activation)
    named = Spelling(str(loss), plain)
    if not class_statistics.speaks_of_outcomes(loss.predictions):
        return replace(loss, activation=plain, spelling=named)
    mu = symbol("mu")
    book = class_statistics.yes_no(loss.settled, mu, simplify(1 - mu), loss.weights_of_yes_and_no)
    return replace(loss, book=book, predictions=("mu",), activation=plain, spelling=named)


def check_predictions(loss: Record, prediction: Any, sample_weight: Any = None, mask: Any = None) -> Array:
    """Predictions in the range of the loss's activations, as what `on_predictions` takes; the error names the first outside.

    What absent examples hold does not matter.
    """
    p, _ = raw_outputs(prediction, "prediction")
    xp, shape = namespace(p), shape_of(loss, p)
    p, off = divided_by_sums(p, xp) if loss.is_classwise and p.ndim else (p, None)
    missing, outside, allowed = _unfit(loss, p, off)
    present = presence(mask, weights(sample_weight, shape, xp, p), shape, xp)
    for bad, kind, what in (
        (missing, MissingScore, "is not a number"),
        (outside, TargetOutsideDomain, f"is outside what {loss} predicts: {allowed}"),
    ):
        there = bad if present is None else bad & present
        if bool(xp.any(there)):
            at = int(np.argmax(np.asarray(there).ravel()))
            raise kind(
                f"a prediction {what}",
                where=f"prediction[{at}]",
                seen=f"{np.asarray(p).reshape(np.asarray(bad).size, -1)[at].tolist()}",
                fix=_how_to_mend(loss, p, at),
            )
    if not loss.is_classwise:
        return p
    with np.errstate(divide="ignore", invalid="ignore"):
        return xp.log(p)


def _how_to_mend(loss: Record, p: Array, at: int) -> str:
    """What makes a prediction of this one: the sum of a row of probabilities, or the activation."""
    row = np.asarray(p).reshape(-1, p.shape[-1])[at] if loss.is_classwise else None
    if row is not None and ((row >= 0) & (row <= 1)).all() and row.any():
        return f"the row adds up to {row.sum():g}: {SUMS}"
    return "pass raw outputs as loss(y, z), or apply the activation first"


def _unfit(loss: Record, p: Array, off: Array | None) -> tuple[Array, Array, str]:
    """Which examples lack a prediction, which have one outside the range of the activations, and what that range is."""
    xp = namespace(p)
    if loss.is_classwise:
        outside = xp.any(~((p >= 0) & (p <= 1)), axis=-1) | off
        return xp.any(xp.isnan(p), axis=-1), outside, "rows of probabilities that add up to 1"
    parts = [p] if len(loss.activation) == 1 else [p[..., i] for i in range(p.shape[-1])]
    missing = outside = xp.zeros(parts[0].shape, dtype=xp.bool)
    for part, a in zip(parts, loss.activation, strict=False):
        missing = missing | xp.isnan(part)
        outside = outside | ~((part >= a.reaches.low) & (part <= a.reaches.high))
    return missing, outside, ", ".join(a.reaches.name for a in loss.activation)


# --- raw outputs as predictions, and back ---

# A quantile so near to a bound, in widths of what can be predicted, is there: fits put what has no finite raw output at 30.
_AT_A_BOUND = 1e-12
_QUANTILES = ("median", "quantile", "quantiles")


def turn(loss: Record) -> float | None:
    """What a full turn measures where predictions are angles; None where they are not."""
    period = loss.values.get("period") if loss.facts.asks_for == "mean direction" else None
    return None if period is None else float(period)


def within_turn(prediction: Array, period: float) -> Array:
    """Angles as those from 0 to less than a full turn that point the same way."""
    found = np.mod(prediction, period)
    return np.where(found >= period, 0.0, found)


def shorter_way(misses: Array, period: float | None) -> Array:
    """How far predictions lie from targets: of angles the shorter way round, from minus half a turn to half a turn."""
    return misses if period is None else np.mod(misses + period / 2, period) - period / 2


def within_bounds(loss: Record, amounts: Array) -> Array:
    """Amounts that were moved from where they were predicted, between the bounds that the loss's predictions keep to."""
    reaches = loss.activation[0].reaches
    return np.clip(amounts, reaches.low, reaches.high) if np.isfinite(reaches.high) else amounts


def at_bounds(loss: Record, prediction: Array) -> Array:
    """Predictions with quantiles that lie within rounding of a bound as that bound: then many targets are the bound itself.

    No finite raw output reaches it, and the amounts at the bound would lie beyond all that is said of them.
    """
    bounds = _bounds_reached(loss)
    if bounds is None:
        return prediction
    (low, high), near = bounds, _AT_A_BOUND * (bounds[1] - bounds[0])
    found = np.where(prediction <= low + near, low, prediction)
    return np.where(found >= high - near, high, found)


def at_bounds_formula(loss: Record, prediction: Expr) -> Expr:
    """The same of one prediction, as a formula."""
    bounds = _bounds_reached(loss)
    if bounds is None:
        return prediction
    (low, high), near = bounds, _AT_A_BOUND * (bounds[1] - bounds[0])
    below = where(less_equal(prediction, low + near), low, prediction)
    return where(less_equal(high - near, prediction), high, below)


def _bounds_reached(loss: Record) -> tuple[float, float] | None:
    """The bounds that quantiles of amounts between two can be; None of all else."""
    reaches = loss.activation[0].reaches
    is_between = bool(np.isfinite([reaches.low, reaches.high]).all())
    return (reaches.low, reaches.high) if loss.facts.asks_for in _QUANTILES and is_between else None


def predict(loss: Record, z: Any) -> Array:
    """Raw outputs as predictions, probabilities without the loss's own distortion."""
    z, dtype = raw_outputs(z)
    check_labels(loss, z)
    xp = namespace(z)
    if loss.is_classwise:
        found = xp.exp(class_log_probabilities(loss, z))
    elif loss.is_binary:
        found = probability(loss, z)
    else:
        found = _each(loss, prediction_formulas(loss), z)
    return xp.astype(found, dtype)


@cache
def prediction_formulas(loss: Record) -> list[Expr]:
    """The formulas of an example's predictions in terms of its raw outputs.

    Quantiles are put in rising order, so that they never cross: together they lie no further from the target, by the sum of
    their pinball losses, than they did (Chernozhukov, Fernandez-Val and Galichon 2010).
    """
    found = [simplify(each) for each in predicted(loss.activation, list(map(symbol, loss.raw_names)))]
    return rising(found) if loss.levels else found


def _each(loss: Record, formulas: list[Expr], table: Array) -> Array:
    """A formula for each raw output, of the numbers on the last axis of a table."""
    if len(formulas) == 1:
        return on_arrays(formulas, {"z": table}, table)[0]
    return namespace(table).stack(on_arrays(formulas, _parts(loss, table), table[..., 0]), axis=-1)


def _parts(loss: Record, table: Array) -> dict[str, Array]:
    """The numbers on the last axis of a table, by the name of the raw output that each is of. Error: GM003."""
    count = len(loss.activation)
    if tuple(table.shape[-1:]) != (count,):
        raise ShapeMismatch(
            f"{loss} has {count} raw outputs and as many predictions an example, on the last axis",
            seen=f"an array of shape {tuple(table.shape)}",
            fix=f"give an array of shape (rows, {count})",
        )
    return {name: table[..., i] for i, name in enumerate(loss.raw_names)}


def middle(loss: Record, prediction: Array) -> Array:
    """One amount a row: the prediction, or of several quantiles the one whose level is nearest to one half, or between two."""
    if not loss.levels:
        return prediction
    off = np.abs(np.array(loss.levels) - 0.5)
    return np.asarray(prediction[..., np.isclose(off, off.min())].mean(axis=-1))


def is_arrow(loss: Record) -> bool:
    """Whether the two predictions of a row are an arrow, which points in a direction."""
    return turn(loss) is not None and len(loss.activation) == 2


def directions(loss: Record, arrows: Array) -> Array:
    """Where arrows point, in the unit of the target: from 0 to less than a full turn."""
    period = turn(loss)
    assert period is not None
    return within_turn(np.arctan2(arrows[..., 1], arrows[..., 0]) * (period / math.tau), period)


def arrows(loss: Record, pointing: Array) -> Array:
    """The arrows of length one that point in these directions."""
    period = turn(loss)
    assert period is not None
    angle = pointing * (math.tau / period)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def foreseen(loss: Record, z: Any) -> Array:
    """Raw outputs as probabilities of what may happen, or as predictions of how much, or of where to."""
    found = np.asarray(outcome_probabilities(loss, z) if loss.is_graded else predict(loss, z))
    return directions(loss, found) if is_arrow(loss) else found


@cache
def grade_formulas(loss: Record) -> list[Expr]:
    """The formulas of the probabilities of each grade: none of them is a difference of two that are nearly equal."""
    stairs = [expression(1), *predicted(loss.activation, list(map(symbol, loss.raw_names))), expression(0)]
    return [simplify(exp(simplify(log(above - below)))) for above, below in pairwise(stairs)]


def outcome_probabilities(loss: Record, z: Any) -> Array:
    """The probability of each class or grade, on a last axis, or that of yes. Error: GM007."""
    if loss.is_classwise or loss.is_binary:
        return predict(loss, z)
    if not loss.is_graded:
        raise NoSuchReading(f"{loss} is about amounts, which have no probability each", fix="loss.predict(z)")
    z, dtype = raw_outputs(z)
    found = on_arrays(grade_formulas(loss), _parts(loss, z), z[..., 0])
    return namespace(z).astype(namespace(z).stack(found, axis=-1), dtype)


def raw(loss: Record, prediction: Any) -> Array:
    """The raw outputs whose `predict` is this; infinite where only an infinite one is."""
    p, dtype = raw_outputs(prediction)
    check_labels(loss, p)
    xp = namespace(p)
    if loss.is_classwise:
        return xp.astype(class_raw(loss, p), dtype)
    if loss.is_binary:
        needs_probability(loss)
        return xp.astype(raw_of_probability(loss, p), dtype)
    return xp.astype(_through_inverses(loss, p), dtype)


def raw_before_activation(loss: Record, prediction: Any, sample_weight: Any = None) -> Array:
    """The raw outputs that the activations turn into these predictions: those that `on_predictions` takes for what they are."""
    p = check_predictions(loss, prediction, sample_weight)
    return p if loss.is_classwise else _through_inverses(loss, p)


def _through_inverses(loss: Record, p: Array) -> Array:
    """Predictions taken back through the activation of each raw output."""
    return _each(loss, [simplify(each) for each in undone(loss.activation, list(map(symbol, loss.raw_names)))], p)


# --- identification ---


@cache
def identification_formula(loss: Record) -> Expr:
    """The signal with its weight that depends on the raw output alone divided out."""
    (signal,) = loss.signal if not loss.is_binary else (None,)
    if signal is None:
        raise AssertionError("yes/no losses go through their log-odds")
    by_target = derivative(signal, "y")
    if "y" in symbols(by_target) or by_target.number == 0:
        return signal
    free = simplify(signal, {"y": 0})
    return simplify(free / simplify(-by_target) - symbol("y"))


def identification(loss: Record, y: Any, z: Any) -> Array:
    """What is zero on average in every group of predictions when they are what the loss asks for."""
    given = examples(loss, y, z)
    if loss.is_binary:
        return predict(loss, given.z) - given.y
    if loss.is_classwise:
        p = predict(loss, given.z)
        one_hot = given.y if given.y.ndim == given.z.ndim else given.xp.arange(p.shape[-1]) == given.y[..., None]
        return p - given.xp.astype(one_hot, p.dtype)
    if loss.is_graded:
        grades = given.xp.arange(1, given.z.shape[-1] + 1)
        return predict(loss, given.z) - given.xp.astype(given.y[..., None] >= grades, given.z.dtype)
    if len(loss.activation) > 1:
        raise NoSuchReading(
            f"{loss} asks for a whole distribution, not for one functional", fix="use loss.gradient(y, z)"
        )
    return on_arrays([identification_formula(loss)], {**loss.values, "y": given.y, "z": given.z}, given.z)[0]
