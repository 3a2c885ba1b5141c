"""The probabilities that raw outputs of a loss stand for, free of the loss's own distortion, and the way back.

For yes/no: at the best raw output the pull toward yes and the pull away from no balance, so their ratio is the odds; it is
computed as log-odds, exact in the tails. For classes: the class probabilities under which the expected signal is zero.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics, numbers
from goodmeasure.deriving.best_constant import best_constant
from goodmeasure.deriving.record import Record
from goodmeasure.errors import NoSuchReading
from goodmeasure.formulas import words
from goodmeasure.formulas.evaluation import Array, namespace, on_arrays
from goodmeasure.formulas.expression import (
    Expr,
    add,
    derivative,
    div,
    expression,
    log,
    mul,
    neg,
    power,
    simplify,
    sub,
    symbol,
)

# --- yes or no ---


def _sign(term: Expr) -> int:
    """The sign that an expression shows, where its symbols and words are positive."""
    if term.word is neg:
        return -_sign(term.args[0])
    if term.word in (mul, div):
        return _sign(term.args[0]) * _sign(term.args[1])
    return -1 if term.number is not None and term.number < 0 else 1


def log_of(term: Expr) -> Expr:
    """The logarithm of an expression's size, without leaving the range of numbers where the expression itself would."""
    if term.number is not None:
        return log(expression(abs(term.number)))
    if term.word is neg:
        return log_of(term.args[0])
    if term.word is mul:
        return log_of(term.args[0]) + log_of(term.args[1])
    if term.word is div:
        return log_of(term.args[0]) - log_of(term.args[1])
    if term.word is power:
        return expression(term.args[1] * log_of(term.args[0]))
    if term.word in (add, sub) and _sign(term.args[0]) * _sign(term.args[1]) == (1 if term.word is add else -1):
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
def log_odds_formula(loss: Record) -> tuple[Expr, Expr, Expr]:
    """The log-odds that the loss's best raw output z stands for, and the pulls away from no and toward yes behind it."""
    away = derivative(loss.half(0), "z")
    toward = simplify(_negated(derivative(loss.half(1), "z")))
    return simplify(log_of(away) - log_of(toward)), away, toward


def log_odds(loss: Record, z: Array) -> Array:
    """Log-odds of yes at raw outputs; infinite where the loss only pulls one way."""
    xp = namespace(z)
    info = xp.finfo(z.dtype)
    odds = _log_odds_at(loss, xp.clip(z, -float(info.max), float(info.max)))
    # Where a pull is too small for a number the ratio is that of somewhat nearer raw outputs.
    bound = -0.45 * math.log(float(info.smallest_normal))
    nearer = xp.where(xp.isfinite(odds), xp.zeros_like(z), xp.clip(z, -bound, bound))
    odds = xp.where(xp.isfinite(odds), odds, _log_odds_at(loss, nearer))
    return xp.where(xp.isnan(z), z, odds)


def _log_odds_at(loss: Record, z: Array) -> Array:
    xp = namespace(z)
    odds, away, toward = on_arrays(list(log_odds_formula(loss)), {**loss.values, "z": z}, z)
    with np.errstate(all="ignore"):
        plain = xp.log(xp.maximum(away, xp.zeros_like(away))) - xp.log(xp.maximum(toward, xp.zeros_like(toward)))
    return xp.where(xp.isnan(odds) | (away < 0) | (toward < 0), plain, odds)


@cache
def implies_probability(loss: Record) -> bool:
    """Whether a best raw output tells the probability: what is implied rises with it wherever it is finite."""
    if loss.is_classwise:
        return _own_probabilities(loss) or _rises(loss)
    if not loss.is_binary:
        return False
    if loss.labels:
        return all(implies_probability(loss.of_label(k)) for k in range(loss.labels))
    grid = np.linspace(-6, 6, 241) + 1e-3
    odds = log_odds(loss, grid)
    inside = odds[np.isfinite(odds)]
    return inside.size > 2 and bool(np.all(np.diff(inside) > 0)) and not np.isnan(odds).any()


def needs_probability(loss: Record) -> None:
    """An error for a loss that implies no probability."""
    if not implies_probability(loss):
        raise NoSuchReading(
            f"{loss} implies no probability: its best raw output is the same for many probabilities",
            seen="the probabilities at which its expected signal is zero do not move with the raw output",
            fix=f"recalibrate on other rows, or train with {'' if loss.is_classwise else 'binary_'}cross_entropy()",
        )


def probability(loss: Record, z: Array) -> Array:
    """The probability of yes that a raw output stands for."""
    needs_probability(loss)
    odds = log_odds(loss, z)
    return on_arrays([words.sigmoid(symbol("z"))], {"z": odds}, odds)[0]


# --- one of several classes ---


def class_log_probabilities(loss: Record, z: Array) -> Array:
    """Logarithms of the class probabilities that raw outputs stand for, free of the loss's own distortion."""
    needs_probability(loss)
    xp = namespace(z)
    slopes = class_statistics.by_statistic(loss.composed)
    if _own_probabilities(loss):
        return _normalised(class_statistics.Row(z, xp.zeros(z.shape, dtype=xp.bool)).log_p - _log_weight(loss, z), xp)
    if set(slopes) == {"log_p"}:
        no_class = xp.zeros(z.shape, dtype=xp.bool)
        return _ratio_log_probabilities(loss, class_statistics.Row(z, no_class), slopes["log_p"])
    found = _null_probabilities(loss, np.asarray(z, dtype=np.float64).reshape(-1, z.shape[-1]))
    if found is None:
        raise NoSuchReading(
            f"{loss} implies no class probabilities at some of these raw outputs: its signals there are lost or not unique",
            fix="recalibrate on other rows, or train with cross_entropy()",
        )
    return xp.asarray(found.reshape(z.shape), dtype=z.dtype)


def _log_weight(loss: Record, z: Array) -> Array:
    xp = namespace(z)
    return xp.log(xp.asarray(loss.class_weight or [1.0] * z.shape[-1], dtype=z.dtype))


def _normalised(logs: Array, xp: Any) -> Array:
    largest = xp.max(logs, axis=-1, keepdims=True)
    return logs - largest - xp.log(xp.sum(xp.exp(logs - largest), axis=-1, keepdims=True))


def _trial_rows(loss: Record) -> Any:
    return np.random.default_rng(0).normal(size=(20, len(loss.class_weight) or 4))


@cache
def _own_probabilities(loss: Record) -> bool:
    """Whether the softmax, divided by class weights, already is what makes the expected signal zero."""
    rows = _trial_rows(loss)
    found = _null_probabilities(loss, rows)
    own = _normalised(rows - _log_weight(loss, rows), np)
    return found is not None and bool(np.abs(found - own).max() < 1e-9)


def _rises(loss: Record) -> bool:
    """Whether each class's implied probability is unique and rises with its own raw output."""
    rows = _trial_rows(loss)
    before = _null_probabilities(loss, rows)
    for j in range(rows.shape[1]):
        after = _null_probabilities(loss, rows + 0.5 * (np.arange(rows.shape[1]) == j))
        if before is None or after is None or not _above(after[:, j], before[:, j]):
            return False
    return True


def _above(after: Any, before: Any) -> bool:
    known = np.isfinite(before)
    return bool(known.any() and (after[known] > before[known] + 1e-9).all())


def _log_pull(loss: Record, slope: Expr, log_p: Array, rest: Array) -> Array:
    known = {**loss.values, "log_p": log_p, "rest": rest, class_statistics.WEIGHT: 1.0}
    return on_arrays([_log_pull_formula(slope)], known, log_p)[0] + _log_weight(loss, log_p)


@cache
def _log_pull_formula(slope: Expr) -> Expr:
    return simplify(log_of(simplify(_negated(slope))))


def _ratio_log_probabilities(loss: Record, row: class_statistics.Row, slope: Expr) -> Array:
    """For a formula of log p alone: the probability of j is in proportion to p_j over the pull at j."""
    return _normalised(row.log_p - _log_pull(loss, slope, row.log_p, row.rest), row.xp)


def _null_probabilities(loss: Record, rows: Any) -> Any:
    """In general: logarithms of the class probabilities under which the expected signal is zero, None if not unique."""
    k = rows.shape[-1]
    signals = np.stack([numbers.gradient(loss, np.full(len(rows), j), rows) for j in range(k)], axis=2)
    size = np.abs(signals).max(axis=1)
    if not (np.isfinite(signals).all() and (size > 0).all()):
        return None
    _, spread, basis = np.linalg.svd(signals / size[:, None, :])
    null = basis[:, -1, :] * np.sign(basis[:, -1, :].sum(axis=-1))[:, None]
    unique = (spread[:, -1] < 1e-9 * spread[:, 0]).all() and (spread[:, -2] > 1e-6 * spread[:, 0]).all()
    if not unique:
        return None
    with np.errstate(divide="ignore"):
        # Beyond what any probabilities ask for (as past the reach of label smoothing) a class has none.
        return _normalised(np.log(np.maximum(null, 0)) - np.log(size), np)


# --- the way back ---


def raw_of_probability(loss: Record, p: Array) -> Array:
    """The raw output of a yes/no loss that stands for a probability; infinite where only an infinite one does."""
    xp = namespace(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = xp.log(p) - xp.log1p(-p)
        return _rising_root(lambda z: log_odds(loss, z) - odds, odds)


def class_raw(loss: Record, p: Array) -> Array:
    """Centred raw outputs that stand for rows of class probabilities."""
    needs_probability(loss)
    xp = namespace(p)
    with np.errstate(divide="ignore"):
        logs = xp.log(p)
    slopes = class_statistics.by_statistic(loss.composed)
    if _own_probabilities(loss):
        return _centred(logs + _log_weight(loss, p), xp)
    if set(slopes) == {"log_p"}:
        return _centred(_balanced(loss, slopes["log_p"], logs), xp)
    rows = np.asarray(p, dtype=np.float64).reshape(-1, p.shape[-1])
    best = np.stack([best_constant(loss, row[None, :] / row.sum()) for row in rows])
    return xp.asarray(best.reshape(p.shape), dtype=p.dtype)


def _centred(logs: Array, xp: Any) -> Array:
    return logs - xp.mean(xp.where(xp.isfinite(logs), logs, xp.zeros_like(logs)), axis=-1, keepdims=True)


def _balanced(loss: Record, slope: Expr, logs: Array) -> Array:
    """Logarithms of the p that add up to 1 and whose p_j over the pull at j is in proportion to the probabilities given."""
    xp = namespace(logs)

    def log_p(u: Array) -> Array:
        return -on_arrays([words.softplus(symbol("u"))], {"u": -u}, u)[0]

    def at(level: Array) -> Array:
        """The logit of each p_j at which p_j over its pull is this multiple of the probability."""
        aim = logs + level
        return _rising_root(lambda u: log_p(u) - _log_pull(loss, slope, log_p(u), xp.exp(log_p(-u))) - aim, aim)

    def total(level: Array) -> Array:
        return xp.sum(xp.exp(log_p(at(level))), axis=-1, keepdims=True) - 1

    return log_p(at(_rising_root(total, xp.zeros_like(logs[..., :1]))))


def _rising_root(f: Any, like: Array) -> Array:
    """Where a rising function of each entry crosses zero, by halving an interval that holds every useful logit."""
    xp = namespace(like)
    low, high = xp.full_like(like, -1e4), xp.full_like(like, 1e4)
    outside_low, outside_high = f(low) >= 0, f(high) <= 0
    for _ in range(72):
        middle = (low + high) / 2
        below = f(middle) < 0
        low, high = xp.where(below, middle, low), xp.where(below, high, middle)
    between = xp.where(f(high) == 0, high, (low + high) / 2)
    root = xp.where(outside_high, xp.full_like(like, xp.inf), between)
    return xp.where(outside_low, xp.full_like(like, -xp.inf), xp.where(xp.isnan(like), like, root))
