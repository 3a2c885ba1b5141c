"""What a loss of outcomes says about probabilities: proper with which link, and calibrated for classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from goodmeasure.deriving import numbers
from goodmeasure.deriving.implied_probability import (
    class_log_probabilities,
    implies_probability,
    log_odds,
    log_odds_formula,
)
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.formulas.expression import symbol
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED, Trait

_WIDE = np.concatenate([-np.geomspace(60, 1e-4, 600), [0.0], np.geomspace(1e-4, 60, 600)])


def proper(loss: Record) -> Trait | None:
    """Strictly proper: with the sigmoid or softmax, or with a link of its own that `Loss.predict` applies."""
    if not isinstance(loss.target, OutcomeDomain):
        return None
    squash = "softmax" if loss.is_classwise else "sigmoid"
    if not implies_probability(loss):
        return Trait("proper", False, SHOWN, "its best raw output is the same for many probabilities")
    if loss.is_classwise:
        return _proper_classes(loss)
    if log_odds_formula(loss)[0] is symbol("z"):
        return Trait(f"proper with the {squash}", True, PROVED, "the two pulls balance at the raw output's own odds")
    grid = np.linspace(-8, 8, 401)
    implied = log_odds(loss, grid)
    if np.allclose(implied, grid, rtol=1e-9, atol=1e-9):
        return Trait(f"proper with the {squash}", True, TRIED, "the implied odds are the raw output's own", tried=401)
    at = int(np.argmax(np.where(np.isfinite(implied), np.abs(implied - grid), -1)))
    own, told = (float(np.exp(-np.logaddexp(0, -x))) for x in (grid[at], implied[at]))
    seen = f"a best raw output of {grid[at]:.3g} stands for {told:.3g}, and its {squash} is {own:.3g}: use predict"
    return Trait("proper with a link of its own", True, TRIED, seen, tried=401)


def _proper_classes(loss: Record) -> Trait:
    rows = np.random.default_rng(3).normal(size=(200, len(loss.class_weight) or 4))
    plain = rows - np.log(np.exp(rows).sum(axis=1, keepdims=True))
    implied = class_log_probabilities(loss, rows)
    if np.allclose(implied, plain, atol=1e-9):
        return Trait("proper with the softmax", True, TRIED, "the implied probabilities are the softmax", tried=200)
    at = int(np.argmax(np.nan_to_num(np.abs(np.exp(implied) - np.exp(plain))).max(axis=1)))
    seen = (
        f"best raw outputs {np.round(rows[at], 2).tolist()} stand for {np.round(np.exp(implied[at]), 3).tolist()}, "
        f"and their softmax is {np.round(np.exp(plain[at]), 3).tolist()}: use predict"
    )
    return Trait("proper with a link of its own", True, TRIED, seen, tried=200)


def calibrated(loss: Record) -> Trait | None:
    """Classification-calibrated: whatever the probabilities, the best raw outputs give the most likely class."""
    if not isinstance(loss.target, OutcomeDomain):
        return None
    return _calibrated_classes(loss) if loss.is_classwise else _calibrated_yes_no(loss)


def expected(loss: Record, eta: float, z: Any) -> Any:
    """The expected loss of raw outputs when yes has probability eta."""
    yes, no = numbers.value(loss, np.ones_like(z), z), numbers.value(loss, np.zeros_like(z), z)
    return eta * yes + (1 - eta) * no


def _calibrated_yes_no(loss: Record) -> Trait:
    tried = [e for e in np.linspace(0.02, 0.98, 49) if abs(e - 0.5) > 1e-9]
    for eta in sorted(tried, key=lambda e: abs(e - 0.5) < 0.15):
        found = expected(loss, float(eta), _WIDE)
        wrong = found[(_WIDE <= 0) if eta > 0.5 else (_WIDE >= 0)].min()
        if not wrong > found.min() + 1e-12 * (1 + abs(found.min())):
            at = float(_WIDE[int(np.argmin(found))])
            seen = f"when yes has probability {eta:.2g}, z = {at:.3g} is best (or a tie), which is not the more likely answer"
            return Trait("classification-calibrated", False, SHOWN, seen)
    seen = "the best raw output is on the side of the more likely answer"
    return Trait("classification-calibrated", True, TRIED, seen, tried=len(tried))


def _calibrated_classes(loss: Record) -> Trait:
    from scipy.optimize import minimize

    k = len(loss.class_weight) or 3
    random = np.random.default_rng(11)
    shares = [np.asarray([0.4, *[0.6 / (k - 1)] * (k - 1)]), *random.dirichlet(np.ones(k), 12)]
    for q in shares:

        def risk(z: Any, q: Any = q) -> float:
            return float(np.sum(numbers.value(loss, np.arange(k), np.tile(z, (k, 1))) * q))

        starts = [np.log(q + 1e-3), np.zeros(k), 2.0 * (np.arange(k) == np.argmax(q))]
        best = min((minimize(risk, s, method="Powell") for s in starts), key=lambda found: float(found.fun))
        top = np.sort(best.x)[::-1]
        if int(np.argmax(best.x)) != int(np.argmax(q)) or top[0] - top[1] < 1e-3:
            seen = f"for class probabilities {np.round(q, 3).tolist()} the raw outputs {np.round(best.x, 3).tolist()} are best"
            return Trait("classification-calibrated", False, SHOWN, seen)
    seen = "the best raw outputs have the most likely class on top"
    return Trait("classification-calibrated", True, TRIED, seen, tried=len(shares))
