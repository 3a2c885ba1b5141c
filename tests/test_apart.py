"""Is a loss whose raw outputs have nothing to do with each other fitted as well as each of them alone, and proven so?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from catalogue_losses import everything
from goodmeasure.deriving.apart import apart
from goodmeasure.fitting.certificate import Status
from goodmeasure.words import abs, where

SCALES = [1e-6, 1.0, 1e4]


def drawn(n: int, scale: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, 3))
    return x, scale * (x @ [1, -0.5, 0] + (0.6 + 0.3 * np.abs(x[:, 0])) * random.standard_t(4, size=n) + 3)


@gm.loss(target=gm.Real, activation=("linear", "linear", "linear"))
def deciles(y: Any, *quantile: Any) -> Any:
    """The pinball losses of three quantiles, added up."""
    levels = (0.1, 0.5, 0.9)
    parts = [where(q < y, a * (y - q), (1 - a) * (q - y)) for a, q in zip(levels, quantile, strict=True)]
    return parts[0] + parts[1] + parts[2]


@gm.loss(target=gm.Real, activation=("linear", "exp"))
def smooth(y: Any, centre: Any, size: Any) -> Any:
    """A squared miss, and how far the logarithm of another number is from that of the size of the target."""
    return (y - centre) ** 2 + (size - abs(y)) ** 2


APART = [each for each in [*everything(), deciles(), smooth()] if apart(each)]
apart_ones = pytest.mark.parametrize("loss", APART, ids=repr)


def test_ends_of_an_interval_stand_apart_and_a_mean_and_its_scale_do_not() -> None:
    assert {each.spelling.factory for each in APART} == {"arrow_error", "interval", "quantiles", "deciles", "smooth"}
    for loss in (gm.losses.gaussian_nll(), gm.losses.proportional_odds(), gm.losses.cross_entropy()):
        assert apart(loss) == ()


@apart_ones
def test_what_one_raw_output_moves_is_the_loss_of_it_alone(loss: gm.Loss) -> None:
    random = np.random.default_rng(1)
    y, z = random.normal(size=50), random.normal(size=(50, len(loss.activation)))
    signal = loss.gradient(y, z)
    for k, alone in enumerate(apart(loss)):
        assert np.allclose(alone.gradient(y, z[:, k]), signal[:, k], rtol=1e-12)


@apart_ones
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_best_constant_is_that_of_each_alone(loss: gm.Loss, scale: float, weighted: bool) -> None:
    _, y = drawn(101, scale)
    w = np.random.default_rng(2).integers(1, 4, 101).astype(float) if weighted else None
    best = loss.best_constant(y, w)
    there = loss(y, np.tile(best, (101, 1)), w)
    assert there <= loss(y, np.tile(best * (1 + 1e-3), (101, 1)), w)
    for k, alone in enumerate(apart(loss)):
        assert best[k] == alone.best_constant(y, w)


@pytest.mark.parametrize("scale", SCALES)
def test_ends_of_an_interval_are_the_quantiles_of_others(scale: float) -> None:
    """Levels so that each end is one target, and not anything between two."""
    quantile = pytest.importorskip("statsmodels.api").QuantReg
    x, y = drawn(203, scale)
    columns = np.column_stack([np.ones(203), x])
    loss = gm.losses.interval(level=0.8)
    ours = gm.LossRegressor(loss).fit(x, y)
    assert ours.certificate_.status is Status.OPTIMAL
    assert ours.certificate_.proven
    theirs = [quantile(y / scale, columns).fit(q=q, max_iter=5000, p_tol=1e-10).params * scale for q in (0.1, 0.9)]
    assert loss(y, ours.raw(x)) <= loss(y, columns @ np.transpose(theirs)) * (1 + 1e-9)
    assert np.allclose(np.column_stack([ours.intercept_, ours.coef_]), theirs, atol=1e-3 * scale)


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_a_fit_is_that_of_each_quantile_by_scikit_learn(alpha: float) -> None:
    regressor = pytest.importorskip("sklearn.linear_model").QuantileRegressor
    x, y = drawn(203, 1.0)
    ours = gm.LossRegressor(deciles(), alpha=alpha).fit(x, y)
    alone = [gm.LossRegressor(gm.losses.pinball(level=q), alpha=alpha).fit(x, y) for q in (0.1, 0.5, 0.9)]
    assert np.allclose(ours.coef_, [each.coef_ for each in alone], atol=1e-6)
    if not alpha:
        theirs = [regressor(quantile=q, alpha=0.0).fit(x, y) for q in (0.1, 0.5, 0.9)]
        assert np.allclose(ours.coef_, [each.coef_ for each in theirs], atol=1e-6)


@apart_ones
@pytest.mark.parametrize("intercept", [True, False])
def test_nothing_near_a_fit_costs_less(loss: gm.Loss, intercept: bool) -> None:
    x, y = drawn(150, 1.0, seed=3)
    x = x * [1.0, 100.0, 1e-3] + [0.0, 5e3, 0.0] if intercept else x
    model = gm.LossRegressor(loss, alpha=0.01, fit_intercept=intercept).fit(x, y)
    least, random = model.certificate_.objective, np.random.default_rng(4)
    for _ in range(40):
        coefficients = model.coef_ + 1e-3 * random.normal(size=model.coef_.shape) / x.std(axis=0)
        constants = np.ravel(model.intercept_) + (1e-3 * random.normal(size=len(loss.activation)) if intercept else 0.0)
        shift = x.mean(axis=0) @ (model.coef_ - coefficients).T if intercept else 0.0
        cost = loss(y, x @ coefficients.T + constants + shift) + 0.01 / 2 * np.sum(coefficients**2)
        assert cost >= least * (1 - 1e-9)


def test_a_monitor_sees_the_whole_fall() -> None:
    x, y = drawn(150, 1.0)
    loss = gm.losses.interval()
    model = gm.LossRegressor(loss).fit(x, y)
    assert model.loss_curve_[0] == pytest.approx(loss(y, np.tile(loss.best_constant(y), (150, 1))))
    assert model.loss_curve_[-1] == pytest.approx(model.certificate_.objective, rel=1e-6)
    stopping = gm.LossRegressor(loss, early_stopping=True, random_state=0).fit(x, y)
    assert np.isfinite(stopping.raw(x)).all()
