"""The probabilities that raw outputs of a loss stand for, free of the loss's own distortion, and the way back.

For yes/no: at the best raw output the pull toward yes and the pull away from no balance, so their ratio is the odds; it is
computed as log-odds, exact in the tails. For classes: the class probabilities under which the expected signal is zero.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache, reduce
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics, numbers
from goodmeasure.deriving.best_constant import best_constant
from goodmeasure.deriving.record import Record
from goodmeasure.deriving.sizes import domains, log_size
from goodmeasure.errors import NoSuchReading
from goodmeasure.formulas import words
from goodmeasure.formulas.evaluation import Array, namespace, on_arrays
from goodmeasure.formulas.expression import Expr, derivative, expression, neg, replaced, simplify, symbol, symbols

# Raw outputs between which a yes/no loss is looked at, and odds that are as good as certain.
_FAR, _CERTAIN = 40.0, 18.0
# So many points show whether odds rise, but for so much rounding; a probability that leaps by more is a jump.
_ENOUGH, _NEAR, _LEAP = 40, 1e-9, 1e-6
# How many classes stand for many.
_FEW = 4
# How often a root is stepped nearer at most, and how near to zero it is told from it.
_MOST_STEPS, _TINY, _SETTLED = 90, 1e-18, 4e-16

# --- yes or no ---


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
    where = domains(symbols(away, toward), loss.values)
    return simplify(log_size(away, where) - log_size(toward, where)), away, toward


def log_odds(loss: Record, z: Array) -> Array:
    """Log-odds of yes at raw outputs; infinite where the loss only pulls one way."""
    xp = namespace(z)
    low, high = _reach(loss, str(z.dtype).rsplit(".", 1)[-1])
    return xp.where(xp.isnan(z), z, _log_odds_at(loss, xp.clip(z, low, high)))


@cache
def _reach(loss: Record, dtype: str) -> tuple[float, float]:
    """How far out there are odds: where a pull is too small for a number they are those of somewhat nearer raw outputs."""
    info = np.finfo(dtype)
    bounds = float(info.max), 0.98 * math.log(float(info.max)), -0.45 * math.log(float(info.smallest_normal))

    def first(side: int) -> float:
        found = [np.isfinite(_log_odds_at(loss, np.full(loss.labels or 1, side * b, dtype))).all() for b in bounds]
        return side * bounds[found.index(True) if True in found else 0]

    return first(-1), first(1)


def _log_odds_at(loss: Record, z: Array) -> Array:
    xp = namespace(z)
    odds, away, toward = on_arrays(list(log_odds_formula(loss)), {**loss.values, "z": z}, z)
    with np.errstate(all="ignore"):
        plain = xp.log(xp.maximum(away, xp.zeros_like(away))) - xp.log(xp.maximum(toward, xp.zeros_like(toward)))
    return xp.where(xp.isnan(odds) | (away < 0) | (toward < 0), plain, odds)


@cache
def implies_probability(loss: Record) -> bool:
    """Whether a best raw output tells the probability: there is one for each, and what is implied rises with it."""
    if loss.is_classwise:
        few = _of_few_classes(loss)
        return _own_probabilities(few) or (_pulls_rise(few) if _is_of_log_p(few) else _comes_back(few))
    if not loss.is_binary:
        return False
    if loss.labels:
        return all(implies_probability(loss.of_label(k)) for k in range(loss.labels))
    return _odds_rise(loss) and not _odds_jump(loss)


def _odds_rise(loss: Record) -> bool:
    """Whether the odds rise wherever they are neither nothing nor infinite, which is found by narrowing down to it."""
    low, high = -_FAR, _FAR
    for _ in range(60):
        grid = np.linspace(low, high, 481)
        odds = log_odds(loss, grid)
        inside = odds[np.isfinite(odds) & (np.abs(odds) < _CERTAIN)]
        if inside.size > _ENOUGH:
            return _rises(inside)
        # Few points or none have odds: they are between the last that is surely no and the first that is surely yes.
        no, yes = np.flatnonzero(odds <= -_CERTAIN), np.flatnonzero(odds >= _CERTAIN)
        if np.isnan(odds).any() or not (no.size and yes.size) or no[-1] > yes[0]:
            return False
        low, high = grid[no[-1]], grid[yes[0]]
    return False


def _rises(odds: Any) -> bool:
    """Whether these rise everywhere, except for rounding where they come near what they never exceed."""
    between = odds[(odds > odds.min() + _NEAR) & (odds < odds.max() - _NEAR)]
    return between.size > _ENOUGH // 2 and bool(np.all(np.diff(between) > 0) and np.all(np.diff(odds) > -_NEAR))


def _odds_jump(loss: Record) -> bool:
    """Whether the probability leaps at a raw output, which then is best for all probabilities in between."""
    grid = np.linspace(-_FAR, _FAR, 241) + 1e-3
    ends: Any = np.stack([grid[:-1], grid[1:]])
    told = np.stack([_expit(log_odds(loss, z)) for z in ends])
    while True:
        # A steep rise is shared between the halves of an interval; a leap stays in one of them.
        leaps = told[1] - told[0] > _LEAP
        ends, told = ends[:, leaps], told[:, leaps]
        middle = ends[0] / 2 + ends[1] / 2
        if not middle.size or ((middle == ends[0]) | (middle == ends[1])).any():
            return bool(middle.size)
        there = _expit(log_odds(loss, middle))
        first = there - told[0] > told[1] - there
        ends = np.where(first, [ends[0], middle], [middle, ends[1]])
        told = np.where(first, [told[0], there], [there, told[1]])


def log_odds_reach(loss: Record) -> tuple[float, float]:
    """The raw outputs between which log-odds are those of the formula, in double precision."""
    return _reach(loss, "float64")


def _expit(odds: Any) -> Any:
    return on_arrays([words.sigmoid(symbol("z"))], {"z": odds}, odds)[0]


def needs_probability(loss: Record) -> None:
    """An error for a loss that implies no probability."""
    if not implies_probability(loss):
        raise NoSuchReading(
            f"{loss} implies no probability: a raw output is the best one for many probabilities",
            seen="probabilities between which its best raw output does not move, or none at which its signals balance",
            fix=f"recalibrate on other rows, or train with {'' if loss.is_classwise else 'binary_'}cross_entropy()",
        )


def probability(loss: Record, z: Array) -> Array:
    """The probability of yes that a raw output stands for."""
    needs_probability(loss)
    return _told(loss, z, _expit(log_odds(loss, z)))


def _told(loss: Record, z: Array, found: Array) -> Array:
    """What was found, if it is there wherever the raw outputs are."""
    xp = namespace(z)
    untold = xp.isnan(found) & ~(xp.any(xp.isnan(z), axis=-1)[..., None] if loss.is_classwise else xp.isnan(z))
    if bool(xp.any(untold)):
        raise _no_answer(loss, z, untold)
    return found


def _no_answer(loss: Record, z: Array, untold: Array) -> NoSuchReading:
    rows = np.asarray(untold).any(axis=-1) if loss.is_classwise else np.asarray(untold)
    at = int(np.argmax(rows.ravel()))
    return NoSuchReading(
        f"{loss} implies no probability at raw output {at}: its signals there are lost, or balance for more than one",
        seen=f"{np.asarray(z).reshape(rows.size, -1)[at].tolist()}; {int(rows.sum())} of {rows.size} are like it",
        fix=f"recalibrate on other rows, or train with {'' if loss.is_classwise else 'binary_'}cross_entropy()",
    )


@cache
def probability_formula(loss: Record) -> Expr | None:
    """The probability of yes as one formula of the raw output z, if there is one that agrees wherever it is asked."""
    if not implies_probability(loss):
        return None
    odds, away, toward = (simplify(part, loss.values) for part in log_odds_formula(loss))
    low, high = _reach(loss, "float64")
    z = words.minimum(words.maximum(symbol("z"), low), high)
    pull, back = (words.maximum(part, 0) for part in (away, toward))
    for formula in (
        words.sigmoid(odds),
        words.sigmoid(simplify(odds, {"z": z})),
        simplify(pull / (pull + back), {"z": z}),
    ):
        if _agrees(expression(formula), loss):
            return expression(formula)
    return None


def _agrees(formula: Expr, loss: Record) -> bool:
    """Whether a formula of z gives the probabilities of a loss, near and far."""
    far = np.logspace(-6, 307, 400)
    z = np.concatenate([-far[::-1], np.linspace(-50, 50, 4001), far])
    with np.errstate(all="ignore"):
        found = on_arrays([formula], {"z": z}, z)[0]
        return bool(np.all(np.abs(found - probability(loss, z)) < 1e-13))


# --- one of several classes ---


def class_log_probabilities(loss: Record, z: Array) -> Array:
    """Logarithms of the class probabilities that raw outputs stand for, free of the loss's own distortion."""
    needs_probability(loss)
    xp = namespace(z)
    if _own_probabilities(_of_few_classes(loss)):
        found = _normalised(_row(z).log_p - _log_weight(loss, z), xp)
    elif _is_of_log_p(loss):
        found = _undone(loss, _row(z))
    else:
        flat = np.asarray(z, dtype=np.float64).reshape(-1, z.shape[-1])
        found = xp.asarray(_null_probabilities(loss, flat).reshape(z.shape), dtype=z.dtype)
    return _told(loss, z, found)


def _row(z: Array) -> class_statistics.Row:
    xp = namespace(z)
    return class_statistics.Row(z, xp.zeros(z.shape, dtype=xp.bool))


def _undone(loss: Record, row: class_statistics.Row) -> Array:
    """Logarithms of what is in proportion to each probability over the pull there; of a class at minus infinity, the limit."""
    xp = row.xp
    absent = row.log_p == -xp.inf
    log_p = xp.where(absent, xp.full_like(row.log_p, xp.finfo(row.log_p.dtype).min / 8), row.log_p)
    found = _normalised(log_p - _log_pull(loss, log_p, _log_rest(row)), xp)
    return xp.where(absent & (xp.exp(found) == 0), xp.full_like(found, -xp.inf), found)


def _log_rest(row: class_statistics.Row) -> Array:
    """The logarithm of one minus each probability, also where that is too small for a number."""
    xp = row.xp
    below = xp.where(row.top, xp.full_like(row.z, -xp.inf), row.fall)
    second = xp.max(below, axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        log_excess = second + xp.log(xp.sum(xp.exp(below - second), axis=-1, keepdims=True))
    log_excess = xp.where(second == -xp.inf, second, log_excess)  # no other class is there
    return xp.where(row.top, log_excess, xp.log1p(row.excess - row.grown)) - xp.log1p(row.excess)


def _is_of_log_p(loss: Record) -> bool:
    """Whether the loss depends on nothing but the probability of what happened."""
    return set(class_statistics.by_statistic(loss.composed)) == {"log_p"}


@cache
def _of_few_classes(loss: Record) -> Record:
    """The loss of a few classes that stand for all: classes differ by their weights alone."""
    kinds = tuple(dict.fromkeys(loss.class_weight))
    middle = kinds[1:-1][: _FEW - 2]
    few = (*kinds[:1], *middle, *kinds[-1:]) if len(kinds) > 1 else kinds
    return replace(loss, class_weight=(*few, *few[-1:] * (_FEW - len(few)))) if kinds else loss


def _log_weight(loss: Record, z: Array) -> Array:
    xp = namespace(z)
    with np.errstate(divide="ignore"):
        return xp.log(xp.asarray(loss.class_weight or [1.0] * z.shape[-1], dtype=z.dtype))


def _normalised(logs: Array, xp: Any) -> Array:
    with np.errstate(invalid="ignore"):
        largest = xp.max(logs, axis=-1, keepdims=True)
        fall = logs - largest
        if xp.any(largest == xp.inf):  # one that is infinitely above all others is the only one
            only = (logs == xp.inf) & (xp.sum(xp.astype(logs == xp.inf, logs.dtype), axis=-1, keepdims=True) == 1)
            fall = xp.where(only, xp.zeros_like(fall), fall)
        return fall - xp.log(xp.sum(xp.exp(fall), axis=-1, keepdims=True))


@cache
def _own_probabilities(loss: Record) -> bool:
    """Whether the softmax, divided by class weights, already is what makes the expected signal zero."""
    rows = np.random.default_rng(0).normal(size=(20, len(loss.class_weight) or _FEW))
    own = _normalised(rows - _log_weight(loss, rows), np)
    return bool((np.abs(_null_probabilities(loss, rows) - own) < 1e-9).all())


def _pulls_rise(loss: Record) -> bool:
    """For a formula of log p alone: whether each probability, over the pull there, rises with the logit of p."""
    logit = np.linspace(-30, 12, 601)  # further up log p itself stands still
    log_p, log_rest = -np.logaddexp(0, -logit), -np.logaddexp(0, logit)
    ratio = log_p - _log_pull(replace(loss, class_weight=()), log_p, log_rest)
    return bool(np.isfinite(ratio).all() and (np.diff(ratio) > 0).all()) and 0.0 not in loss.class_weight


def _comes_back(loss: Record) -> bool:
    """Whether the raw outputs that are best for some class probabilities stand for these and no others."""
    true = np.random.default_rng(0).dirichlet(np.full(len(loss.class_weight) or _FEW, 3.0), 3)
    best = np.stack([best_constant(loss, row[None, :]) for row in true])
    return bool(np.isfinite(best).all() and (np.abs(np.exp(_null_probabilities(loss, best)) - true) < 1e-5).all())


def _log_pull(loss: Record, log_p: Array, log_rest: Array) -> Array:
    """The logarithm of how hard a class that happened is pulled up; NaN where it is pushed down."""
    known = {**loss.values, "log_p": log_p, "log_rest": log_rest, class_statistics.WEIGHT: 1.0}
    size, pull = on_arrays(list(_log_pull_formula(loss)), known, log_p)
    xp = namespace(log_p)
    with np.errstate(all="ignore"):
        plain = xp.log(pull)
    return xp.where(xp.isnan(size) | (pull < 0), plain, size) + _log_weight(loss, log_p)


@cache
def _log_pull_formula(loss: Record) -> tuple[Expr, Expr]:
    rest = words.exp(symbol("log_rest"))
    slope = simplify(class_statistics.by_statistic(loss.composed)["log_p"], {"rest": rest})
    pull = simplify(_negated(replaced(slope, words.expm1(class_statistics.LOG_P), -rest)))
    return simplify(log_size(pull, domains(symbols(pull), loss.values))), pull


def _null_probabilities(loss: Record, rows: Any) -> Any:
    """In general: logarithms of the class probabilities under which the expected signal is zero; NaN where not unique."""
    k = rows.shape[-1]
    signals = np.stack([numbers.gradient(loss, np.full(len(rows), j), rows) for j in range(k)], axis=2)
    size = np.abs(signals).max(axis=1)
    with np.errstate(all="ignore"):
        even = signals / size[:, None, :]
        known = np.isfinite(even).all(axis=(1, 2))
        even = np.where(known[:, None, None], even, 0.0)
        flows: Any = (even * (1 - np.eye(k)) >= 0).all(axis=(1, 2))
        found = np.where(flows[:, None], _stationary(even), _null_vector(even, size))
        # Beyond what any probabilities ask for (as past the reach of label smoothing) a class has none.
        return _normalised(np.log(np.maximum(found, 0)) - np.log(size), np)


def _stationary(signals: Any) -> Any:
    """The null vector where each class that happens pushes all others down, without a subtraction.

    Such signals are rates of a flow between classes, and the probabilities are where it comes to rest (Grassmann, Taksar and
    Heyman 1985).
    """
    flow = np.swapaxes(signals, 1, 2).copy()
    k = flow.shape[-1]
    for m in range(k - 1, 0, -1):
        flow[:, :m, m] /= flow[:, m, :m].sum(axis=1, keepdims=True)
        flow[:, :m, :m] += flow[:, :m, m, None] * flow[:, m, None, :m]
    rest = np.ones(flow.shape[:2])
    for m in range(1, k):
        rest[:, m] = (rest[:, :m] * flow[:, :m, m]).sum(axis=1)
    return rest


def _null_vector(signals: Any, size: Any) -> Any:
    """The null vector by singular values, whose parts over ``size`` have a positive sum; NaN where it is not the only one."""
    _, spread, basis = np.linalg.svd(signals)
    null = basis[:, -1, :] * np.sign((basis[:, -1, :] / size).sum(axis=-1))[:, None]
    unique = (spread[:, -1] < 1e-9 * spread[:, 0]) & (spread[:, -2] > 1e-6 * spread[:, 0])
    return np.where(unique[:, None], null, np.nan)


def class_formulas(loss: Record, z: list[Expr]) -> list[Expr] | None:
    """Logarithms of the class probabilities as formulas of the raw outputs, up to what all have in common; None without any."""
    if not implies_probability(loss):
        return None
    weights = loss.class_weight or (1.0,) * len(z)
    if _own_probabilities(_of_few_classes(loss)):
        return [expression(each - math.log(weight)) for each, weight in zip(z, weights, strict=True)]
    if not _is_of_log_p(loss):
        return None
    size, _ = _log_pull_formula(loss)
    found = []
    for k, weight in enumerate(weights):
        others = reduce(words.logaddexp, (each for j, each in enumerate(z) if j != k))
        log_p, log_rest = (-words.softplus(way) for way in (others - z[k], z[k] - others))
        known = {**loss.values, "log_p": log_p, "log_rest": log_rest, class_statistics.WEIGHT: 1.0}
        found.append(expression(log_p - simplify(size, known) - math.log(weight)))
    return found


# --- the way back ---


def raw_of_probability(loss: Record, p: Array) -> Array:
    """The raw output of a yes/no loss that stands for a probability; infinite where only an infinite one does."""
    xp = namespace(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = xp.log(p) - xp.log1p(-p)

        def beyond(z: Array) -> Array:
            # Raw outputs that all stand for certainty: the nearest of them is the one.
            there = log_odds(loss, z)
            return xp.where(xp.isinf(odds) & (there == odds), xp.sign(odds), there - odds)

        return _rising_root(beyond, odds)


def class_raw(loss: Record, p: Array) -> Array:
    """Centred raw outputs that stand for rows of class probabilities."""
    needs_probability(loss)
    xp = namespace(p)
    with np.errstate(divide="ignore"):
        logs = xp.log(p)
    if _own_probabilities(_of_few_classes(loss)):
        return _centred(logs + _log_weight(loss, p), xp)
    if _is_of_log_p(loss):
        return _centred(_balanced(loss, logs), xp)
    smoothed = _smoothed(loss, p)
    if smoothed is not None:
        return _centred(smoothed, xp)
    rows = np.asarray(p, dtype=np.float64).reshape(-1, p.shape[-1])
    best = np.stack([best_constant(loss, row[None, :] / row.sum()) for row in rows])
    return xp.asarray(best.reshape(p.shape), dtype=p.dtype)


def _smoothed(loss: Record, p: Array) -> Array | None:
    """Logarithms of the best predictions where a loss weighs log p and its mean over classes, as smoothing does; else None."""
    slopes = class_statistics.by_statistic(loss.composed)
    if loss.class_weight or set(slopes) != {"log_p", "mean_log_p"} or symbols(*slopes.values()) - set(loss.values):
        return None
    own, shared = on_arrays([slopes["log_p"], slopes["mean_log_p"]], loss.values, p)
    with np.errstate(divide="ignore"):
        return namespace(p).log(-own * p - shared / p.shape[-1])


def _centred(logs: Array, xp: Any) -> Array:
    return logs - xp.mean(xp.where(xp.isfinite(logs), logs, xp.zeros_like(logs)), axis=-1, keepdims=True)


@np.errstate(all="ignore")
def _balanced(loss: Record, logs: Array) -> Array:
    """Logarithms of the p that add up to 1 and whose p_j over the pull at j is in proportion to the probabilities given.

    Each p_j is sought as its logit u_j. That of the leading class tells the others by proportion, and what it leaves them tells
    whether it is too small: first in a table of the logarithm of p over its pull, then by Newton's steps on all of a row.
    """
    known = np.sinh(np.linspace(-9.9, 9.9, 4001))
    ratio = _log_ratio(loss, known)
    known, ratio = known[np.isfinite(ratio)], ratio[np.isfinite(ratio)]
    slope = np.gradient(ratio, known)
    aim = np.asarray(logs, dtype=np.float64) + _log_weight(loss, np.asarray(logs, dtype=np.float64))
    leads = np.arange(aim.shape[-1]) == aim.argmax(axis=-1)[..., None]
    aim = aim - aim.max(axis=-1, keepdims=True)
    others = np.isfinite(aim) & ~leads
    u = _from_table(aim, leads, known, ratio)
    moves = np.ones((*aim.shape[:-1], 1), dtype=bool)  # a row that has settled stays
    for _ in range(_MOST_STEPS):
        over, share = _too_much(u, leads)
        there, steep = _log_ratio(loss, u), np.interp(u, known, slope)
        miss, follow = aim + _of(leads, there) - there, _of(leads, steep) / steep
        moved = np.where(others, share * miss / steep, 0.0)
        lead = -(over + _summed(moved)) / _summed(np.where(leads, share, np.where(others, share * follow, 0.0)))
        step = np.where(leads, lead, np.where(others, miss / steep + follow * lead, 0.0))
        step = np.where(moves & np.isfinite(step), step, 0.0)
        u = u + step
        moves &= (np.abs(step) > _SETTLED * (1 + np.abs(u))).any(axis=-1, keepdims=True)
        if not moves.any():
            break
    return namespace(logs).asarray(_log_sigmoid(u), dtype=logs.dtype)


def _log_sigmoid(u: Any) -> Any:
    return -on_arrays([words.softplus(symbol("u"))], {"u": -u}, u)[0]


def _log_ratio(loss: Record, u: Any) -> Any:
    """The logarithm of p over the pull at p, of the logit of p, without class weights."""
    return _log_sigmoid(u) - _log_pull(replace(loss, class_weight=()), _log_sigmoid(u), _log_sigmoid(-u))


def _summed(rows: Any) -> Any:
    return rows.sum(axis=-1, keepdims=True)


def _of(leads: Any, rows: Any) -> Any:
    """The entry of the leading class of each row."""
    return _summed(np.where(leads, rows, 0.0))


def _too_much(u: Any, leads: Any) -> tuple[Any, Any]:
    """By how much, as a logarithm, the others outweigh what the leading class leaves them, and the slopes by each logit."""
    log_p = _log_sigmoid(u)
    others = np.where(leads, -np.inf, log_p)
    most = others.max(axis=-1, keepdims=True)
    among = np.where(np.isfinite(most), np.exp(others - most), 0.0)
    over = most + np.log(_summed(among)) - _of(leads, _log_sigmoid(-u))
    return over, np.where(leads, np.exp(log_p), among / _summed(among) * np.exp(_log_sigmoid(-u)))


def _from_table(aim: Any, leads: Any, known: Any, ratio: Any) -> Any:
    """About where the logits of each row are; a class without probability is at minus infinity."""

    def at(lead: Any) -> Any:
        return np.where(
            leads,
            lead,
            np.where(np.isfinite(aim), np.interp(aim + np.interp(lead, known, ratio), ratio, known), -np.inf),
        )

    low, high = (np.full((*aim.shape[:-1], 1), known[end]) for end in (0, -1))
    for _ in range(60):
        lead = (low + high) / 2
        over, _ = _too_much(at(lead), leads)
        low, high = np.where(over < 0, lead, low), np.where(over < 0, high, lead)
    alone = _summed(np.isfinite(aim)) == 1
    return np.where(alone & leads, np.inf, at(lead))


@np.errstate(all="ignore")
def _rising_root(f: Any, like: Array) -> Array:
    """Where a rising function of each entry crosses zero, in an interval that holds every useful logit.

    Inverse quadratic steps where they are safe and halving where they are not (Chandrupatla 1997): a dozen evaluations
    where halving alone takes seventy.
    """
    xp = namespace(like)
    a, b = xp.full_like(like, -1e4), xp.full_like(like, 1e4)
    fa, fb = f(a), f(b)
    outside_low, outside_high = fa >= 0, fb <= 0
    step, close = xp.full_like(like, 0.5), 2 * float(xp.finfo(like.dtype).eps)
    # An entry that has settled stays: its answer is its own, whatever stands beside it.
    settled, root = outside_low | outside_high | xp.isnan(like), a
    for _ in range(_MOST_STEPS):
        x = a + step * (b - a)
        fx = f(x)
        same = (fx < 0) == (fa < 0)
        c, fc = xp.where(same, a, b), xp.where(same, fa, fb)
        a, fa, b, fb = x, fx, xp.where(same, b, a), xp.where(same, fb, fa)
        root = xp.where(settled, root, xp.where(xp.abs(fb) < xp.abs(fa), b, a))
        part = (close * xp.abs(root) + _TINY) / xp.abs(b - a)
        settled = settled | (part > 0.5) | (fa == 0)
        if bool(xp.all(settled)):
            break
        part = xp.minimum(part, xp.full_like(part, 0.5))
        step = xp.maximum(part, xp.minimum(_quadratic_step(a, fa, b, fb, c, fc), 1 - part))
    root = xp.where(outside_high, xp.full_like(like, xp.inf), root)
    return xp.where(outside_low, xp.full_like(like, -xp.inf), xp.where(xp.isnan(like), like, root))


def _quadratic_step(a: Array, fa: Array, b: Array, fb: Array, c: Array, fc: Array) -> Array:
    """Which part of the way from a to b to go: by the inverse parabola through three points, or half where it may mislead."""
    xp = namespace(a)
    xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
    safe = (phi**2 < xi) & ((1 - phi) ** 2 < 1 - xi)
    by_parabola = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
    return xp.where(safe & ~xp.isnan(by_parabola), by_parabola, xp.full_like(a, 0.5))
