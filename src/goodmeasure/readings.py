"""What else a loss says: predictions free of its own distortion, the best constant, what is zero when it is satisfied.

Everything here is derived from the halves, the signal and the curvature of a loss; nothing is declared.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from goodmeasure import outcomes, words
from goodmeasure.activations import linear
from goodmeasure.arrays import examples, raw_outputs
from goodmeasure.errors import NoSuchReading, TargetOutsideDomain, UsageError
from goodmeasure.evaluation import Array, namespace, on_arrays
from goodmeasure.formula import Expr, add, derivative, div, expression, log, mul, neg, power, simplify, symbol, symbols

if TYPE_CHECKING:
    from goodmeasure.loss import Loss

# --- predictions in place of raw outputs ---


@cache
def on_predictions(loss: Loss) -> Loss:
    """The loss as a formula of predictions, as a book prints it."""
    if loss.is_classwise:
        return replace(loss, spelling=f"{loss} of probabilities")
    if not outcomes.speaks_of_outcomes(loss.predictions):
        return replace(loss, activation=(linear,) * len(loss.activation))
    mu = symbol("mu")
    book = outcomes.yes_no(loss.settled, mu, simplify(1 - mu), loss.weights_of_yes_and_no)
    return replace(loss, book=book, predictions=("mu",), activation=(linear,))


def check_predictions(loss: Loss, prediction: Any) -> Array:
    """Predictions in the range of the loss's activations, as what `on_predictions` takes; the error names the first outside."""
    p, _ = raw_outputs(prediction)
    xp = namespace(p)
    if loss.is_classwise:
        bad = xp.any(~((p >= 0) & (p <= 1)), axis=-1) | (xp.abs(xp.sum(p, axis=-1) - 1) > 1e-5)
        allowed = "rows of probabilities that add up to 1"
    else:
        parts = [p] if len(loss.activation) == 1 else [p[..., i] for i in range(p.shape[-1])]
        bad = xp.zeros(parts[0].shape, dtype=xp.bool)
        for part, a in zip(parts, loss.activation, strict=False):
            bad = bad | ~((part >= a.reaches.low) & (part <= a.reaches.high))
        allowed = ", ".join(a.reaches.name for a in loss.activation)
    if bool(xp.any(bad)):
        at = int(np.argmax(np.asarray(bad).ravel()))
        raise TargetOutsideDomain(
            f"prediction {at} is outside what {loss} predicts: {allowed}",
            seen=f"{np.asarray(p).reshape(np.asarray(bad).size, -1)[at].tolist()}",
            fix="pass raw outputs as loss(y, z), or apply the activation first",
        )
    if not loss.is_classwise:
        return p
    with np.errstate(divide="ignore"):
        return xp.log(p)


# --- implied probabilities ---


def log_of(term: Expr) -> Expr:
    """The logarithm of a positive expression, without leaving the range of numbers where the expression itself would."""
    if term.word is mul:
        return log_of(term.args[0]) + log_of(term.args[1])
    if term.word is div:
        return log_of(term.args[0]) - log_of(term.args[1])
    if term.word is power:
        return expression(term.args[1] * log_of(term.args[0]))
    if term.word is add:
        a, b = (log_of(arg) for arg in term.args)
        return words.maximum(a, b) + words.log1p(words.exp(-words.abs(a - b)))
    return log(term)


def _negated(term: Expr) -> Expr:
    """The expression with its sign turned, the sign taken into sums."""
    if term.word is neg:
        return expression(term.args[0])
    if term.word is not None and term.word.name == "sub":
        left, right = term.args
        return expression(_negated(left) + right if left.word is neg else right - left)
    return simplify(-term)


@cache
def log_odds_formula(loss: Loss) -> tuple[Expr, Expr, Expr]:
    """The log-odds that the loss's best raw output z stands for, and the pulls away from no and toward yes behind it."""
    away = derivative(loss.half(0), "z")
    toward = simplify(_negated(derivative(loss.half(1), "z")))
    return simplify(log_of(away) - log_of(toward)), away, toward


def _log_odds(loss: Loss, z: Array) -> Array:
    """Log-odds of yes at raw outputs; infinite where the loss only pulls one way."""
    xp = namespace(z)
    most = float(xp.finfo(z.dtype).max)
    odds, away, toward = on_arrays(list(log_odds_formula(loss)), {**loss.values, "z": xp.clip(z, -most, most)}, z)
    with np.errstate(all="ignore"):
        plain = xp.log(xp.maximum(away, xp.zeros_like(away))) - xp.log(xp.maximum(toward, xp.zeros_like(toward)))
    odds = xp.where(xp.isnan(odds) | (away < 0) | (toward < 0), plain, odds)
    return xp.where(xp.isnan(z), z, odds)


@cache
def implies_probability(loss: Loss) -> bool:
    """Whether a best raw output tells the probability: the implied log-odds rise with it wherever they are finite."""
    if not loss.is_binary:
        return False
    grid = np.linspace(-6, 6, 241) + 1e-3
    odds = _log_odds(loss, grid)
    inside = odds[np.isfinite(odds)]
    return inside.size > 2 and bool(np.all(np.diff(inside) > 0)) and not np.isnan(odds).any()


def _needs_probability(loss: Loss) -> None:
    if not implies_probability(loss):
        raise NoSuchReading(
            f"{loss} implies no probability: its best raw output is the same for many probabilities",
            seen="the ratio of its two pulls does not rise with the raw output",
            fix="recalibrate the raw outputs on other rows, or train with binary_cross_entropy()",
        )


def _expit(odds: Array) -> Array:
    return on_arrays([words.sigmoid(symbol("z"))], {"z": odds}, odds)[0]


def predict(loss: Loss, z: Any) -> Array:
    """Raw outputs as predictions, probabilities without the loss's own distortion."""
    z, dtype = raw_outputs(z)
    xp = namespace(z)
    if loss.is_classwise:
        found = xp.exp(class_log_probabilities(loss, z))
    elif loss.is_binary:
        _needs_probability(loss)
        found = _expit(_log_odds(loss, z))
    elif len(loss.activation) == 1:
        (found,) = on_arrays([loss.activation[0](symbol("z"))], {"z": z}, z)
    else:
        parts = [on_arrays([a(symbol("z"))], {"z": z[..., i]}, z[..., i])[0] for i, a in enumerate(loss.activation)]
        found = xp.stack(parts, axis=-1)
    return xp.astype(found, dtype)


def class_log_probabilities(loss: Loss, z: Array) -> Array:
    """Logarithms of the class probabilities that raw outputs stand for, free of the loss's own distortion."""
    xp = namespace(z)
    slopes = outcomes.by_statistic(loss.composed)
    if set(slopes) != {"log_p"}:
        return _null_log_probabilities(loss, z)
    no_class = xp.zeros(z.shape, dtype=xp.bool)
    return _ratio_log_probabilities(loss, outcomes.Row(z, no_class), slopes["log_p"])


def _ratio_log_probabilities(loss: Loss, row: outcomes.Row, slope: Expr) -> Array:
    """For a formula of log p alone: the probability of j is in proportion to p_j over the pull at j."""
    xp = row.xp
    weight = xp.asarray(loss.class_weight or [1.0] * row.z.shape[-1], dtype=row.z.dtype) + 0 * row.z
    known = {**loss.values, "log_p": row.log_p, "rest": row.rest, "weight": weight}
    pull = simplify(log_of(simplify(_negated(slope))))
    (log_pull,) = on_arrays([pull], known, row.z)
    odds = row.log_p - log_pull
    largest = xp.max(odds, axis=-1, keepdims=True)
    return odds - largest - xp.log(xp.sum(xp.exp(odds - largest), axis=-1, keepdims=True))


def _null_log_probabilities(loss: Loss, z: Array) -> Array:
    """In general: the class probabilities under which the expected signal at z is zero."""
    k = z.shape[-1]
    rows = np.asarray(z, dtype=np.float64).reshape(-1, k)
    signals = np.stack([loss.gradient(np.full(len(rows), j), rows) for j in range(k)], axis=1)
    system = np.concatenate([np.swapaxes(signals, 1, 2), np.ones((len(rows), 1, k))], axis=1)
    wanted = np.concatenate([np.zeros(k), [1.0]])
    found = np.stack([np.linalg.lstsq(a, wanted, rcond=None)[0] for a in system])
    if not np.isfinite(found).all() or np.abs(system @ found[..., None] - wanted[:, None]).max() > 1e-6:
        raise NoSuchReading(
            f"{loss} implies no class probabilities: no probabilities make its expected signal zero at these raw outputs",
            fix="recalibrate on other rows, or train with cross_entropy()",
        )
    with np.errstate(divide="ignore"):
        logs = np.log(np.clip(found, 0, 1)).reshape(z.shape)
    return namespace(z).asarray(logs, dtype=z.dtype)


# --- raw outputs from predictions ---


def raw(loss: Loss, prediction: Any) -> Array:
    """The raw outputs whose `predict` is this; infinite where only an infinite one is."""
    p, dtype = raw_outputs(prediction)
    xp = namespace(p)
    if loss.is_classwise:
        return xp.astype(_class_raw(loss, p), dtype)
    if loss.is_binary:
        _needs_probability(loss)
        with np.errstate(divide="ignore"):
            odds = xp.log(p) - xp.log1p(-p)
        return xp.astype(_rising_root(lambda z: _log_odds(loss, z) - odds, odds), dtype)
    inverses = [simplify(expression(a.inverse(symbol("mu")))) for a in loss.activation if a.inverse is not None]
    if len(inverses) == 1:
        return xp.astype(on_arrays(inverses, {"mu": p}, p)[0], dtype)
    parts = [on_arrays([f], {"mu": p[..., i]}, p[..., i])[0] for i, f in enumerate(inverses)]
    return xp.astype(xp.stack(parts, axis=-1), dtype)


def _class_raw(loss: Loss, p: Array) -> Array:
    xp = namespace(p)
    with np.errstate(divide="ignore"):
        logs = xp.log(p)
    if loss.class_weight:
        logs = logs + xp.log(xp.asarray(loss.class_weight, dtype=p.dtype))
    centred = logs - xp.mean(xp.where(xp.isfinite(logs), logs, xp.zeros_like(logs)), axis=-1, keepdims=True)
    again = xp.exp(class_log_probabilities(loss, xp.where(xp.isfinite(centred), centred, xp.zeros_like(centred))))
    finite = xp.all(xp.isfinite(centred), axis=-1)
    if bool(xp.any(xp.where(finite[..., None], xp.abs(again - p), xp.zeros_like(p)) > 1e-4)):
        raise NoSuchReading(
            f"raw outputs of {loss} are not known in closed form", fix="use cross_entropy(class_weight=...)"
        )
    return centred


def _rising_root(f: Any, like: Array) -> Array:
    """Where a rising function of each entry crosses zero, by halving an interval that holds every useful logit."""
    xp = namespace(like)
    low, high = xp.full_like(like, -1e4), xp.full_like(like, 1e4)
    outside_low, outside_high = f(low) >= 0, f(high) <= 0
    for _ in range(80):
        middle = (low + high) / 2
        below = f(middle) < 0
        low, high = xp.where(below, middle, low), xp.where(below, high, middle)
    root = xp.where(outside_high, xp.full_like(like, xp.inf), (low + high) / 2)
    return xp.where(outside_low, xp.full_like(like, -xp.inf), xp.where(xp.isnan(like), like, root))


# --- identification ---


@cache
def identification_formula(loss: Loss) -> Expr:
    """The signal with its weight that depends on the raw output alone divided out."""
    (signal,) = loss.signal if not loss.is_binary else (None,)
    if signal is None:
        raise AssertionError("yes/no losses go through their log-odds")
    by_target = derivative(signal, "y")
    if "y" in symbols(by_target) or by_target.number == 0:
        return signal
    free = simplify(signal, {"y": 0})
    return simplify(free / simplify(-by_target) - symbol("y"))


def identification(loss: Loss, y: Any, z: Any) -> Array:
    """What is zero on average in every group of predictions when they are what the loss asks for."""
    given = examples(loss, y, z)
    if loss.is_binary:
        return predict(loss, given.z) - given.y
    if loss.is_classwise:
        p = predict(loss, given.z)
        one_hot = given.y if given.y.ndim == given.z.ndim else given.xp.arange(p.shape[-1]) == given.y[..., None]
        return p - given.xp.astype(one_hot, p.dtype)
    if len(loss.activation) > 1:
        raise NoSuchReading(
            f"{loss} asks for a whole distribution, not for one functional", fix="use loss.gradient(y, z)"
        )
    return on_arrays([identification_formula(loss)], {**loss.values, "y": given.y, "z": given.z}, given.z)[0]


# --- algebra ---


def scaled(loss: Loss, factor: float) -> Loss:
    """The loss times a positive number."""
    if not isinstance(factor, int | float) or not factor > 0 or not np.isfinite(factor):
        raise UsageError(f"a loss can be multiplied by a positive number, not by {factor!r}", fix=f"2 * {loss}")
    inner = f"({loss})" if " + " in loss.spelling else loss.spelling
    return replace(loss, book=simplify(factor * loss.book), spelling=f"{factor:g} * {inner}")


def summed(loss: Loss, other: Loss) -> Loss:
    """The sum of two losses of the same target on the same raw outputs."""
    same = (loss.target, loss.activation, loss.class_weight) == (other.target, other.activation, other.class_weight)
    if not same or not _one_scale(loss, other):
        raise UsageError(
            f"{loss} and {other} do not add up to a loss",
            seen=f"targets {loss.target} and {other.target}, activations {loss.activation} and {other.activation}",
            fix="add losses of the same target, activation and class weights",
        )
    taken = dict(loss.hyperparameters)
    renamed = {name: name if taken.get(name, value) == value else f"{name}_2" for name, value in other.hyperparameters}
    book = simplify(other.book, {name: symbol(new) for name, new in renamed.items()})
    more = tuple((renamed[name], value) for name, value in other.hyperparameters if renamed[name] not in taken)
    names = tuple(dict.fromkeys((*loss.predictions, *other.predictions)))
    return replace(
        loss,
        book=loss.book + book,
        predictions=names,
        hyperparameters=(*loss.hyperparameters, *more),
        spelling=f"{loss} + {other}",
    )


def _one_scale(loss: Loss, other: Loss) -> bool:
    outcome = [outcomes.speaks_of_outcomes(each.predictions) for each in (loss, other)]
    return all(outcome) or (not any(outcome) and loss.predictions == other.predictions)
