"""Do fits reach the objectives that scikit-learn and a linear programme reach where they minimise the same ones?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn import datasets, linear_model

from goodmeasure import losses
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.making.loss import Loss

RNG = np.random.default_rng(0)
N, P = 1000, 8
X = RNG.normal(size=(N, P)) * np.geomspace(0.1, 10, P) + RNG.normal(size=P)
ETA = (X - X.mean(axis=0)) @ (RNG.normal(size=P) / np.geomspace(0.1, 10, P)) / 3
YES = (RNG.random(N) < 1 / (1 + np.exp(-2 * ETA))).astype(float)
REAL = ETA + RNG.standard_t(3, N)
COUNT = RNG.poisson(np.exp(ETA)).astype(float)
AMOUNT = RNG.gamma(2.0, np.exp(ETA) / 2)
WEIGHT = RNG.uniform(0.2, 3, N)


def least(loss: Loss, y: Any, model: Any, alpha: float, weight: Any = None) -> float:
    w, b = np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])
    return loss(y, X @ w + b, weight) + alpha / 2 * float(w @ w)


CASES = [
    (losses.binary_cross_entropy(), YES,
     lambda a: linear_model.LogisticRegression(C=1 / (a * N), tol=1e-12, max_iter=5000, solver="newton-cholesky")),
    (losses.squared_error(), REAL, lambda a: linear_model.Ridge(alpha=a * N / 2, solver="cholesky")),
    (losses.poisson(), COUNT, lambda a: linear_model.PoissonRegressor(alpha=a, tol=1e-10, max_iter=5000)),
    (losses.gamma(), AMOUNT, lambda a: linear_model.GammaRegressor(alpha=a, tol=1e-10, max_iter=5000)),
]  # fmt: skip


@pytest.mark.parametrize("solver", ["auto", "lbfgs"])
@pytest.mark.parametrize("alpha", [1e-3, 1.0])
@pytest.mark.parametrize(("loss", "y", "theirs"), CASES, ids=lambda v: str(v) if isinstance(v, Loss) else "")
def test_the_same_objective_as_scikit_learn(loss: Loss, y: Any, theirs: Any, alpha: float, solver: str) -> None:
    kind = LossClassifier if loss.is_binary else LossRegressor
    ours = kind(loss, alpha=alpha, solver=solver, max_iter=2000).fit(X, y)
    other = theirs(alpha).fit(X, y)
    assert least(loss, y, ours, alpha) == pytest.approx(least(loss, y, other, alpha), rel=1e-6)
    if solver == "auto":
        assert least(loss, y, ours, alpha) <= least(loss, y, other, alpha) + 1e-10


def test_the_same_with_weights() -> None:
    alpha = 1e-2
    ours = LossRegressor(losses.poisson(), alpha=alpha).fit(X, COUNT, sample_weight=WEIGHT)
    other = linear_model.PoissonRegressor(alpha=alpha, tol=1e-10, max_iter=5000).fit(X, COUNT, sample_weight=WEIGHT)
    np.testing.assert_allclose(ours.coef_, other.coef_, rtol=1e-4, atol=1e-7)


def test_huber_at_the_scale_that_scikit_learn_finds() -> None:
    other = linear_model.HuberRegressor(epsilon=1.35, alpha=1e-2, tol=1e-9, max_iter=5000).fit(X, REAL)
    loss, alpha = losses.huber(delta=1.35 * other.scale_), 1e-2 * other.scale_ / N
    ours = LossRegressor(loss, alpha=alpha).fit(X, REAL)
    assert least(loss, REAL, ours, alpha) == pytest.approx(least(loss, REAL, other, alpha), rel=1e-6)
    assert least(loss, REAL, ours, alpha) <= least(loss, REAL, other, alpha) + 1e-12


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_the_quantile_fit_is_the_solution_of_the_linear_programme(level: float) -> None:
    design = np.column_stack([X, np.ones(N)])
    cost = np.r_[np.zeros(P + 1), np.full(N, level / N), np.full(N, (1 - level) / N)]
    equal = np.hstack([design, np.eye(N), -np.eye(N)])
    bounds = [(None, None)] * (P + 1) + [(0, None)] * (2 * N)
    programme = linprog(cost, A_eq=equal, b_eq=REAL, bounds=bounds, method="highs")
    loss = losses.pinball(level=level)
    ours = LossRegressor(loss).fit(X, REAL)
    assert least(loss, REAL, ours, 0.0) == pytest.approx(programme.fun, rel=1e-8)
    assert ours.certificate_.gap <= 1e-8 * programme.fun


def test_classes_as_in_scikit_learn() -> None:
    x, y = datasets.load_wine(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    alpha = 0.01
    other = linear_model.LogisticRegression(C=1 / (alpha * len(y)), tol=1e-10, max_iter=5000).fit(x, y)
    for solver in ("auto", "lbfgs"):
        ours = LossClassifier(alpha=alpha, solver=solver, tol=1e-12).fit(x, y)
        np.testing.assert_allclose(ours.predict_proba(x), other.predict_proba(x), atol=2e-4)
        np.testing.assert_allclose(ours.coef_, other.coef_, atol=2e-3)
