"""Are fits that pay for the sizes of their coefficients the best there are, with zeros where these belong?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array, issparse
from sklearn import linear_model as sk

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.errors import UsageError
from goodmeasure.fitting import coordinates, linear, proximal
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.duality import Penalties
from goodmeasure.fitting.objective import Objective
from goodmeasure.making.loss import Loss
from goodmeasure.traits.curvature_class import curvature_class

ROWS, WIDTH = 300, 12
RNG = np.random.default_rng(3)
X = RNG.normal(size=(ROWS, WIDTH)) @ (np.eye(WIDTH) + 0.3 * np.eye(WIDTH, k=1))
ETA = X[:, :4] @ [0.8, -0.6, 0.5, 0.3]


def targets(loss: Loss) -> Any:
    rng = np.random.default_rng(1)
    if loss.is_classwise:
        return np.argmax(np.column_stack([ETA, -ETA, X[:, 5]]) + rng.gumbel(size=(ROWS, 3)), axis=1)
    if loss.is_binary:
        return (rng.random(ROWS) < 1 / (1 + np.exp(-ETA))).astype(float)
    if loss.target.whole:
        return (
            rng.poisson(np.exp(ETA / 2)).astype(float)
            if loss.target.high > 9
            else rng.integers(0, 3, ROWS).astype(float)
        )
    if loss.target.low == 0:
        found = rng.gamma(2, np.exp(ETA / 2) / 2)
        return found / (1 + found) if loss.target.high == 1 else found
    return ETA + rng.standard_t(4, ROWS)


def _smooth(loss: Loss) -> bool:
    found = curvature_class(loss, targets(loss), 3 if loss.is_classwise else len(loss.activation))
    return found.convex and not (found.jumps or found.piecewise_linear or found.flat)


CATALOGUE = {name: made() for name, made in losses.catalogue().items()}
SMOOTH = {name: loss for name, loss in CATALOGUE.items() if _smooth(loss)}


def fitted(loss: Loss, alpha: float, ratio: float, **settings: Any) -> Any:
    kind = gm.LossClassifier if loss.is_classwise or loss.is_binary else gm.LossRegressor
    return kind(loss, alpha=alpha, l1_ratio=ratio, **settings).fit(X, targets(loss))


def strength(loss: Loss) -> float:
    """A penalty under which some coefficients are zero and some are not."""
    y, classes = targets(loss), 3 if loss.is_classwise else None
    constant = np.broadcast_to(
        np.atleast_1d(loss.best_constant(y, classes=classes)), (ROWS, classes or len(loss.activation))
    )
    z = constant[:, 0] if constant.shape[1] == 1 else constant
    return 0.2 * float(np.abs(X.T @ loss.value_and_gradient(y, z.copy())[1].reshape(ROWS, -1)).max())


def slopes(loss: Loss, model: Any, alpha: float, ratio: float) -> Any:
    """The derivative of all but the sizes, written anew, and the coefficients."""
    w = np.atleast_2d(model.coef_)
    z = X @ w.T + model.intercept_
    _, signal = loss.value_and_gradient(targets(loss), z[:, 0] if z.shape[1] == 1 else z)
    return signal.reshape(ROWS, -1).T @ X + alpha * (1 - ratio) * w, w, signal


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_and_costs_of_sizes_balance(name: str) -> None:
    loss, ratio = SMOOTH[name], 1.0 if len(name) % 2 else 0.5
    alpha = strength(loss)
    model = fitted(loss, alpha, ratio, tol=1e-12)
    assert model.certificate_.status is Status.OPTIMAL, str(model.certificate_)
    slope, w, signal = slopes(loss, model, alpha, ratio)
    moving = np.repeat(np.array(loss.follows)[:, None], WIDTH, 1) if not all(loss.follows) else np.full(w.shape, True)
    assert (w == 0).any()
    assert (w != 0).any()
    cost = alpha * ratio
    assert np.abs(slope + cost * np.sign(w))[w != 0] == pytest.approx(0, abs=1e-5 * cost)
    assert (np.abs(slope)[(w == 0) & moving] <= cost * (1 + 1e-5)).all()
    assert np.abs(signal.reshape(ROWS, -1).sum(axis=0)).max() <= 1e-5 * np.abs(signal).sum()


def test_it_is_the_elastic_net_of_scikit_learn() -> None:
    y = targets(losses.squared_error())
    for ratio in (1.0, 0.3):
        theirs = sk.ElasticNet(alpha=0.1, l1_ratio=ratio, tol=1e-13, max_iter=100_000).fit(X, y)
        ours = fitted(losses.squared_error(), 0.2, ratio, tol=1e-13)
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
        assert ours.intercept_ == pytest.approx(theirs.intercept_, abs=1e-7)
        assert np.array_equal(ours.coef_ == 0, theirs.coef_ == 0)


def test_it_is_the_sparse_logistic_regression_of_scikit_learn() -> None:
    y = targets(losses.binary_cross_entropy())
    theirs = sk.LogisticRegression(C=1 / (0.02 * ROWS), l1_ratio=1.0, solver="saga", tol=1e-10, max_iter=100_000)
    theirs.fit(X, y)
    ours = fitted(losses.binary_cross_entropy(), 0.02, 1.0, tol=1e-13)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert np.array_equal(ours.coef_ == 0, theirs.coef_ == 0)


def test_a_cost_that_nothing_is_worth_leaves_the_constant() -> None:
    model = fitted(losses.squared_error(), 100.0, 1.0)
    assert not model.coef_.any()
    assert model.intercept_ == pytest.approx(targets(losses.squared_error()).mean())


def test_more_columns_than_rows_and_columns_in_other_units() -> None:
    rng = np.random.default_rng(0)
    wide = rng.normal(size=(60, 300)) * np.where(np.arange(300) % 2, 1.0, 100.0) + 5
    y = wide[:, 1] - 0.02 * wide[:, 2] + 0.1 * rng.normal(size=60)
    ours = gm.LossRegressor(alpha=0.2, l1_ratio=1.0, tol=1e-13).fit(wide, y)
    theirs = sk.Lasso(alpha=0.1, tol=1e-14, max_iter=200_000).fit(wide, y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert (ours.coef_ == 0).sum() > 200


def test_a_part_of_zero_is_the_penalty_on_squares() -> None:
    ours, plain = fitted(losses.huber(), 0.1, 1e-12, tol=1e-13), fitted(losses.huber(), 0.1, 0.0, tol=1e-13)
    np.testing.assert_allclose(ours.coef_, plain.coef_, atol=1e-6)


ROUGH = {n: each for n, each in CATALOGUE.items() if n not in SMOOTH and n in ("absolute_error", "hinge", "cauchy")}


@pytest.mark.parametrize("name", ROUGH)
def test_a_loss_that_is_not_smooth_and_convex_is_refused_with_what_works(name: str) -> None:
    with pytest.raises(UsageError) as refused:
        fitted(ROUGH[name], 0.1, 0.5)
    assert refused.value.fix == "l1_ratio=0.0"
    fitted(ROUGH[name], 0.1, **{"ratio": float(refused.value.fix.split("=")[1])})


@pytest.mark.parametrize("name", ["binary_cross_entropy", "huber", "cross_entropy"])
def test_a_path_of_strengths_goes_on_where_the_last_fit_ended(name: str) -> None:
    loss = SMOOTH[name]
    whole = Objective(loss, X, targets(loss), outputs=3 if loss.is_classwise else 1, l1_ratio=0.8)
    path, alone = [strength(loss) / 4**k for k in range(4)], 0
    steps = [linear.fit(whole.penalised(alpha), linear.SolverSettings()) for alpha in path]
    for alpha, (theta, certificate, _) in zip(path, steps, strict=True):
        cold = Objective(loss, X, targets(loss), alpha=alpha, outputs=whole.outputs, l1_ratio=0.8)
        best, _, count = linear.fit(cold, linear.SolverSettings(tol=1e-14))
        alone += count
        assert certificate.status is Status.OPTIMAL
        assert proximal.value_of(cold, theta) <= proximal.value_of(cold, best) * (1 + 1e-9)
    assert sum(count for _, _, count in steps) < alone


def test_a_gap_is_what_is_left_where_classes_hardly_differ_and_units_do() -> None:
    """Their coefficients move together without much change, and most cost next to nothing: steps were taken for settled."""
    units = X * np.geomspace(1e-4, 1e4, WIDTH)
    loss = SMOOTH["cross_entropy"]
    found = []
    for tol in (1e-9, 1e-15):
        model = gm.LossClassifier(loss, alpha=0.01, l1_ratio=1.0, tol=tol).fit(units, targets(loss))
        z = units @ model.coef_.T + model.intercept_
        found.append((model.certificate_, loss(targets(loss), z) + 0.01 * np.abs(model.coef_).sum()))
    (certificate, value), (_, least) = found
    assert certificate.status is Status.OPTIMAL
    assert value - least <= certificate.gap + 1e-12


@pytest.mark.parametrize("together", [1, 3])
def test_a_step_minimises_its_model(together: int) -> None:
    """What is left to gain after it is next to nothing, and is much at a point beside."""
    rng = np.random.default_rng(0)
    root = rng.normal(size=(9, 9))
    matrix, gradient, theta = root @ root.T, rng.normal(size=9), rng.normal(size=9)
    costs = Penalties(np.full(9, 0.5), np.zeros(9), 1.0)
    move = coordinates.step(matrix, gradient, theta, costs, 1e-14, together)
    assert costs.gap(gradient + matrix @ move, theta + move) <= 1e-14
    assert costs.gap(gradient + matrix @ (move + 0.1), theta + move + 0.1) > 1e-4


def test_a_step_goes_to_where_one_of_two_columns_that_are_nearly_the_same_is_zero() -> None:
    """Alone neither of them gains from a move, and together they gain what their difference does."""
    x = np.column_stack([X[:, 0], X[:, 0] + 1e-7 * RNG.normal(size=ROWS)])
    matrix, gradient = x.T @ x / ROWS, -x.T @ ETA / ROWS
    costs = Penalties(np.full(2, 0.01), np.zeros(2), 1.0)
    there = np.array([0.3, 0.3])
    move = coordinates.step(matrix, gradient + matrix @ there, there, costs, 1e-15)
    assert ((there + move) == 0).sum() == 1
    assert costs.gap(gradient + matrix @ (there + move), there + move) <= 1e-13


TABLES = {
    "as they are": X,
    "units a million apart": X * np.geomspace(1e-6, 1, WIDTH),
    "doubled": np.column_stack([X, X[:, 0], -1e3 * X[:, 1]]),
    "nearly doubled": np.column_stack([X, X[:, 0] + 1e-7 * RNG.normal(size=ROWS)]),
    "a constant": np.column_stack([X, np.full(ROWS, 7.0)]),
    "far from zero": X + np.array([1e4] + [0] * (WIDTH - 1)),
    "more columns than rows": np.column_stack([X, RNG.normal(size=(ROWS, 300))]),
    "mostly zeros": csr_array(np.where(np.abs(X) > 0.7, X, 0)),
    "single precision": X.astype(np.float32),
}
# Each loss meets some of the tables, parts and strengths; all losses together meet each with each.
MET = [(name, i + 4 * j) for i, name in enumerate(SMOOTH) for j in range(2)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "turn"), MET)
def test_no_fit_is_farther_from_the_least_than_it_says(name: str, turn: int) -> None:
    """Also one that stopped after a step; the least is a fit's that was asked for a thousand million times as near."""
    loss, table = SMOOTH[name], list(TABLES.values())[turn % len(TABLES)]
    ratio, share = (1.0, 0.5, 0.1)[turn % 3 if turn % 9 != 6 else 1], (0.9, 0.1, 1e-3)[(turn + turn // 9) % 3]
    weight = np.random.default_rng(2).uniform(0.1, 3, ROWS) if turn % 2 else None
    dense = table.toarray() if issparse(table) else table.astype(float)
    alpha = share / ratio * 5 * strength(loss) * np.abs(dense).max() / np.abs(X).max()
    kind = gm.LossClassifier if loss.is_classwise or loss.is_binary else gm.LossRegressor

    def reached(**settings: Any) -> tuple[Any, float]:
        model = kind(loss, alpha=alpha, l1_ratio=ratio, **settings).fit(table, targets(loss), sample_weight=weight)
        w = np.atleast_2d(model.coef_)
        z = dense @ w.T + model.intercept_
        cost = alpha * (ratio * np.abs(w).sum() + (1 - ratio) / 2 * (w**2).sum())
        return model.certificate_, loss(targets(loss), z[:, 0] if z.shape[1] == 1 else z, weight) + cost

    best, least = reached(tol=1e-13)
    assert best.status is Status.OPTIMAL, str(best)
    rounding = 1e-13 * max(abs(least), 1)
    assert best.gap <= 1e-11 * max(abs(least), 1)
    for settings in ({"tol": 1e-3}, {"tol": 1e-9}, {"max_iter": 1}):
        certificate, value = reached(**settings)
        assert value - least <= certificate.gap + rounding, (settings, str(certificate))
        assert certificate.gap <= settings.get("tol", np.inf) * abs(value) + rounding, (settings, str(certificate))


def test_a_ratio_is_a_part() -> None:
    for wrong in (-0.1, 1.5, "l1", True):
        with pytest.raises(UsageError):
            gm.LossRegressor(alpha=0.1, l1_ratio=wrong).fit(X, ETA)
