"""Does a fit reach the least there is, say how sure that is, and do what scikit-learn expects of an estimator?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import check_estimator
from threadpoolctl import threadpool_info, threadpool_limits

from goodmeasure import losses
from goodmeasure.errors import NothingToLearn, Problem, ShapeMismatch, TargetOutsideDomain, UsageError, WeightError
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.fitting.linear import PATIENCE, NoFiniteFit
from goodmeasure.fitting.narrow import Narrow
from goodmeasure.fitting.newton import direction
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.openmp import SMALL, threads_for
from goodmeasure.making.loss import Loss
from goodmeasure.traits.curvature_class import curvature_class

RNG = np.random.default_rng(0)
ROWS = 300
X = RNG.normal(size=(ROWS, 4)) * [1, 20, 0.05, 1] + [0, 100, 0, 3]
ETA = (X - X.mean(axis=0)) @ [0.5, 0.02, -8, 0.3]


def targets(loss: Loss) -> Any:
    """Targets of a loss that its linear model can partly explain."""
    rng = np.random.default_rng(1)
    if loss.is_classwise:
        return np.argmax(np.column_stack([ETA, -ETA, 0 * ETA]) + rng.gumbel(size=(ROWS, 3)), axis=1)
    if loss.is_binary:
        return (rng.random(ROWS) < 1 / (1 + np.exp(-ETA))).astype(float)
    d = loss.target
    if d.whole:
        return rng.poisson(np.exp(ETA / 2)).astype(float)
    if d.low == 0 and d.high == 1:
        return rng.beta(2, 2, ROWS)
    if d.low == 0:
        return rng.gamma(2, np.exp(ETA / 2) / 2)
    return ETA + rng.standard_t(4, ROWS)


# Every loss of the catalogue that speaks of one raw output or of classes, at its defaults.
CATALOGUE = {
    name: d() for name, d in losses.catalogue().items() if len(d.activation) == 1 and not isinstance(d().target, str)
}


def fitted(loss: Loss, **settings_: Any) -> Any:
    kind = LossClassifier if loss.is_classwise or loss.is_binary else LossRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return kind(loss, **settings_).fit(X, targets(loss))


def objective(loss: Loss, model: Any, alpha: float, moved: Any = 0.0) -> float:
    y = targets(loss)
    coefficients = np.atleast_2d(model.coef_) + moved
    z = X @ coefficients.T + model.intercept_
    return loss(y, z if loss.is_classwise else z[:, 0]) + alpha / 2 * float(np.sum(coefficients**2))


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_loss_of_the_catalogue_can_be_fitted(name: str) -> None:
    loss = CATALOGUE[name]
    model = fitted(loss, alpha=1e-3, max_iter=60)
    assert np.isfinite(model.coef_).all()
    assert np.isfinite(model.intercept_).all()
    assert model.loss_curve_[-1] <= model.loss_curve_[0] + 1e-12
    assert model.certificate_.objective == pytest.approx(objective(loss, model, 1e-3), rel=1e-9, abs=1e-9)
    assert str(model.certificate_)
    assert model.certificate_.to_dict()["status"] == model.certificate_.status.value


@pytest.mark.parametrize("name", CATALOGUE)
def test_no_small_move_lowers_what_is_called_optimal(name: str) -> None:
    loss = CATALOGUE[name]
    model = fitted(loss, alpha=1e-3, max_iter=60)
    if model.certificate_.status is not Status.OPTIMAL:
        assert model.certificate_.gap is None or model.certificate_.status is Status.UNFINISHED
        return
    least = objective(loss, model, 1e-3)
    rng = np.random.default_rng(2)
    for size in (1e-6, 1e-4, 1e-2):
        move = size * rng.normal(size=np.atleast_2d(model.coef_).shape) / X.std(axis=0)
        # The intercept follows, so that a move of a column far from zero stays a small one.
        model.intercept_ = model.intercept_ - move @ X.mean(axis=0)
        assert objective(loss, model, 1e-3, move) >= least - model.certificate_.gap - 1e-13 * abs(least)
        model.intercept_ = model.intercept_ + move @ X.mean(axis=0)


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fit_starts_at_the_best_constant(name: str) -> None:
    loss = CATALOGUE[name]
    y = targets(loss)
    model = fitted(loss, max_iter=3)
    constant = np.nan_to_num(np.asarray(loss.best_constant(y)), posinf=30, neginf=-30)
    z = np.broadcast_to(constant, (ROWS, *np.shape(constant))).copy()
    assert model.loss_curve_[0] <= loss(y, z) + 1e-6 * abs(loss(y, z)) + 1e-9


def test_the_zero_one_loss_never_moves() -> None:
    model = fitted(losses.zero_one())
    assert not model.coef_.any()
    assert model.certificate_.status is Status.FLAT
    assert "cannot move" in str(model.certificate_)
    assert len(model.loss_curve_) == 1


@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0])
@pytest.mark.parametrize("loss", [losses.absolute_error(), losses.pinball(level=0.8), losses.hinge()], ids=str)
def test_straight_lines_are_solved_exactly_with_a_proven_gap(loss: Loss, alpha: float) -> None:
    model = fitted(loss, alpha=alpha)
    assert model.certificate_.status is Status.OPTIMAL
    assert model.certificate_.proven
    assert model.certificate_.gap <= 1e-8 * model.certificate_.objective
    # Descent by subgradients comes near, and never below what was proven.
    other = fitted(loss, alpha=alpha, solver="lbfgs", max_iter=2000)
    assert objective(loss, other, alpha) >= objective(loss, model, alpha) - model.certificate_.gap
    assert other.certificate_.status in (Status.UNCERTAIN, Status.UNFINISHED)


def test_a_quantile_fit_has_its_share_of_rows_below() -> None:
    loss = losses.pinball(level=0.8)
    model = LossRegressor(loss).fit(X, targets(loss))
    below = np.mean(targets(loss) < model.predict(X))
    assert abs(below - 0.8) <= 5 / ROWS


@pytest.mark.parametrize("activation", ["exp", "softplus"])
def test_lines_behind_an_activation_reach_a_stationary_point(activation: str) -> None:
    rng = np.random.default_rng(3)
    y = np.exp(ETA / 2) * rng.lognormal(0, 0.5, ROWS)
    loss = losses.pinball(level=0.8).with_activation(activation)
    model = LossRegressor(loss).fit(X, y)
    assert model.certificate_.status is Status.STATIONARY
    assert (model.predict(X) > 0).all()
    assert abs(np.mean(y < model.predict(X)) - 0.8) <= 6 / ROWS
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def test_convexity_is_seen_and_so_is_its_absence() -> None:
    y = np.linspace(-3, 3, 50)
    assert curvature_class(losses.huber(), y, 1).convex
    assert not curvature_class(losses.huber().with_activation("exp"), y, 1).convex
    assert not curvature_class(losses.binary_brier(), np.array([0.0, 1.0]), 1).convex
    assert curvature_class(losses.cross_entropy(), np.arange(3), 3).convex
    assert not curvature_class(losses.brier(), np.arange(3), 3).convex
    assert curvature_class(losses.absolute_error(), y, 1).piecewise_linear
    assert curvature_class(losses.zero_one(), np.array([0.0, 1.0]), 1).flat


# --- what solvers are told ---


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize(("alpha", "weighted"), [(0.0, True), (0.3, False)])
@pytest.mark.parametrize(
    ("loss", "outputs"),
    [(losses.binary_cross_entropy(), 1), (losses.poisson(), 1), (losses.cross_entropy(), 3)],
    ids=str,
)
def test_slopes_and_curvature_are_differences_of_the_objective(
    loss: Loss, outputs: int, alpha: float, weighted: bool, intercept: bool
) -> None:
    rng = np.random.default_rng(6)
    n = 5000  # more rows than are taken at a time
    features = rng.normal(size=(n, 3)) * [1, 50, 0.01] + [0, 400, 0]
    y = rng.integers(0, 3 if outputs == 3 else 2, n)
    weight = rng.uniform(0.5, 2, n) if weighted else None
    task = Objective(loss, features, y, weight, alpha=alpha, intercept=intercept, outputs=outputs)
    theta = 0.3 * rng.normal(size=(task.count, outputs))
    steps = 1e-5 * np.eye(theta.size).reshape(-1, *theta.shape)
    slope, bend = task.value_and_gradient(theta)[1].ravel(), task.curvature(theta)
    for k, step in enumerate(steps):
        rise = task.value(theta + step) - task.value(theta - step)
        turn = task.value_and_gradient(theta + step)[1] - task.value_and_gradient(theta - step)[1]
        assert slope[k] == pytest.approx(rise / 2e-5, rel=1e-5, abs=1e-8)
        assert bend[k] == pytest.approx(turn.ravel() / 2e-5, rel=1e-5, abs=1e-8)
    assert task.diagonal(theta).ravel() == pytest.approx(np.diag(bend), rel=1e-12)


@pytest.mark.parametrize(
    ("sizes", "centre", "scaled", "centred"),
    [
        ([1.0, 20.0], [2.0, -40.0], False, False),
        ([1.0, 40.0], [0.0, 0.0], True, False),
        ([0.5, 15.0], [0.0, 0.0], False, False),
        ([1e3, 1e3], [0.0, 0.0], True, False),
        ([1e-3, 1e-3], [0.0, 0.0], True, False),
        ([1.0, 20.0], [4.0, 0.0], True, True),
    ],
)
def test_columns_are_moved_where_they_are_uneven_or_off_centre(
    sizes: list[float], centre: list[float], scaled: bool, centred: bool
) -> None:
    rng = np.random.default_rng(7)
    unit = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1.0]] * 125)  # of mean 0 and spread 1, to the last digit
    features = unit * sizes + centre
    task = Objective(losses.squared_error(), features, rng.normal(size=500))
    assert task.features.std(axis=0) == pytest.approx([1, 1] if scaled else sizes)
    assert np.abs(task.features.mean(axis=0)) == pytest.approx(np.abs([0, 0] if centred else centre), abs=1e-9)
    theta = rng.normal(size=(3, 1))
    slopes, intercept = task.coefficients(theta)
    assert task.raw(theta) == pytest.approx((features @ slopes + intercept)[:, 0], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("matrix", "step"),
    [
        ([[2.0, 0.0], [0.0, 1e-3]], [-1, -2000]),
        ([[1.0, 1.0], [1.0, 1.0]], [-1, -1]),
        ([[1.0, 1.0], [1.0, 1.0 + 1e-15]], [-1, -1]),
        ([[2.0, 0.0], [0.0, -4.0]], [-1, -0.5]),
        ([[0.0, 0.0], [0.0, 0.0]], [0, 0]),
    ],
    ids=["definite", "singular", "singular but for rounding", "bends down", "flat"],
)
def test_a_newton_step_is_the_shortest_that_settles_each_direction(matrix: Any, step: list[float]) -> None:
    """Where it bends down, the way is as long as its size says, and never uphill."""
    assert direction(np.array(matrix), np.array([2.0, 2.0])) == pytest.approx(step, rel=1e-6)


def cut_short(**settings_: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LossRegressor(losses.squared_error(), solver="lbfgs", max_iter=1, **settings_).fit(X, ETA**2)


@pytest.mark.parametrize("alpha", [0.1, 10.0, 1000.0])
def test_strong_convexity_bounds_the_gap_from_both_sides(alpha: float) -> None:
    settings_ = {"alpha": alpha, "fit_intercept": False}
    short, least = cut_short(**settings_), LossRegressor(losses.squared_error(), **settings_).fit(X, ETA**2)
    lacks = short.certificate_.objective - least.certificate_.objective
    steepest = np.linalg.eigvalsh(2 * X.T @ X / ROWS).max() + alpha
    assert lacks > 0
    assert lacks <= short.certificate_.gap <= lacks * steepest / alpha
    assert short.certificate_.proven


def test_a_certificate_tells_the_largest_derivative() -> None:
    even = (X - X.mean(axis=0)) / X.std(axis=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LossRegressor(losses.squared_error(), solver="lbfgs", max_iter=1, fit_intercept=False).fit(even, ETA**2)
    slope = 2 * even.T @ (even @ model.coef_ - ETA**2) / ROWS
    assert model.certificate_.gradient == pytest.approx(np.abs(slope).max(), rel=1e-9)
    assert model.certificate_.gradient > 1e-6


# --- weights, exposure, validation ---


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=40, max_size=40), st.integers(0, 4))
def test_a_weight_is_a_number_of_copies(counts: list[int], which: int) -> None:
    loss = [losses.squared_error(), losses.huber(), losses.poisson(), losses.pinball(level=0.5), losses.gamma()][which]
    w = np.asarray(counts)
    w[:20] = np.maximum(w[:20], 1)
    x, y = X[:40], targets(loss)[:40]
    weighted = LossRegressor(loss, alpha=0.1).fit(x, y, sample_weight=w)
    copied = LossRegressor(loss, alpha=0.1).fit(np.repeat(x, w, axis=0), np.repeat(y, w))
    np.testing.assert_allclose(weighted.certificate_.objective, copied.certificate_.objective, rtol=1e-8)
    np.testing.assert_allclose(weighted.predict(x), copied.predict(x), rtol=1e-3, atol=1e-3)


def test_counts_grow_with_their_exposure() -> None:
    rng = np.random.default_rng(4)
    time = rng.uniform(0.1, 10, ROWS)
    y = rng.poisson(time * np.exp(ETA / 3)).astype(float)
    loss = losses.poisson()
    model = LossRegressor(loss).fit(X, y, exposure=time)
    # The same model of rates, weighted by exposure: the likelihoods differ by a constant.
    rates = LossRegressor(loss).fit(X, y / time, sample_weight=time)
    np.testing.assert_allclose(model.coef_, rates.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.predict(X, exposure=time), time * model.predict(X), rtol=1e-12)
    assert model.predict(X, exposure=time).sum() == pytest.approx(y.sum(), rel=1e-6)
    with pytest.raises(UsageError, match="exponential"):
        LossRegressor().fit(X, y, exposure=time)
    with pytest.raises(WeightError):
        LossRegressor(loss).fit(X, y, exposure=-time)
    with pytest.raises(ShapeMismatch):
        LossRegressor(loss).fit(X, y, exposure=time[:5])


def test_validation_rows_make_a_curve_and_may_stop_a_fit() -> None:
    rng = np.random.default_rng(5)
    wide = rng.normal(size=(60, 40))
    y = (rng.random(60) < 0.5).astype(int)
    held = rng.normal(size=(200, 40)), (rng.random(200) < 0.5).astype(int)
    seen: list[int] = []
    free = LossClassifier(solver="lbfgs", alpha=1e-6).fit(
        wide, y, X_val=held[0], y_val=held[1], monitor=lambda step, value: seen.append(step)
    )
    assert len(free.validation_curve_) == len(free.loss_curve_) == len(seen)
    alone = LossClassifier(solver="lbfgs", alpha=1e-6).fit(wide, y)
    assert np.array_equal(free.coef_, alone.coef_)  # rows that are only watched change nothing
    stopped = LossClassifier(solver="lbfgs", alpha=1e-6, early_stopping=True).fit(wide, y, X_val=held[0], y_val=held[1])
    assert stopped.certificate_.status is Status.STOPPED_EARLY
    assert len(stopped.loss_curve_) < len(free.loss_curve_)
    best = int(np.argmin(stopped.validation_curve_))
    assert len(stopped.validation_curve_) == best + 1 + PATIENCE
    kept = losses.binary_cross_entropy()(held[1].astype(float), stopped.raw(held[0]))
    assert kept == pytest.approx(stopped.validation_curve_[best])
    inner = LossClassifier(early_stopping=True, random_state=0).fit(X, targets(losses.binary_cross_entropy()))
    assert inner.validation_curve_


# --- what scikit-learn expects ---


@pytest.mark.parametrize("estimator", [LossRegressor(), LossClassifier()], ids=repr)
def test_scikit_learn_accepts_the_estimators(estimator: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = check_estimator(estimator, on_fail=None, on_skip=None)
    assert [c["check_name"] for c in found if c["status"] not in ("passed", "skipped")] == []
    assert sum(c["status"] == "passed" for c in found) > 50


def test_a_loss_survives_clone_and_shows_in_the_repr() -> None:
    model = LossRegressor(losses.huber(delta=2.0))
    assert clone(model).loss == losses.huber(delta=2.0)
    assert "huber(delta=2.0)" in repr(model)


def test_probabilities_are_free_of_what_weights_do() -> None:
    y = targets(losses.binary_cross_entropy())
    weighted = LossClassifier(losses.binary_cross_entropy(positive_weight=9.0)).fit(X, y)
    plain = LossClassifier().fit(X, y)
    assert weighted.raw(X).mean() > plain.raw(X).mean() + 1
    assert weighted.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.05)
    assert ((weighted.decision_function(X) > 0) == (weighted.predict(X) == 1)).all()
    assert ((weighted.predict_proba(X)[:, 1] > 0.5) == (weighted.predict(X) == 1)).all()


def test_a_margin_loss_gives_classes_and_no_probabilities() -> None:
    model = fitted(losses.hinge())
    assert not hasattr(model, "predict_proba")
    assert set(model.predict(X)) <= {0.0, 1.0}
    many = fitted(losses.multiclass_hinge())
    assert not hasattr(many, "predict_proba")
    assert (many.decision_function(X).argmax(axis=1) == many.predict(X)).all()


def test_two_classes_may_have_one_raw_output_or_two() -> None:
    y = np.where(targets(losses.binary_cross_entropy()) == 1, "yes", "no")
    one, two = LossClassifier().fit(X, y), LossClassifier(losses.cross_entropy()).fit(X, y)
    assert one.coef_.shape == (1, 4)
    assert two.coef_.shape == (2, 4)
    np.testing.assert_allclose(one.predict_proba(X), two.predict_proba(X), atol=1e-6)
    assert (one.predict(X) == two.predict(X)).all()


def test_a_loss_of_a_distribution_is_fitted_too() -> None:
    several = [d for d in losses.catalogue().values() if len(d.activation) > 1]
    for definition in several[:1]:
        loss = definition()
        model = LossRegressor(loss, alpha=1e-3, max_iter=300).fit(X, targets(losses.squared_error()))
        assert model.predict(X).shape == (ROWS, len(loss.activation))
        assert model.loss_curve_[-1] < model.loss_curve_[0]


@pytest.mark.parametrize(
    ("model", "y", "error", "words"),
    [
        (LossRegressor(losses.gamma()), -np.ones(ROWS), TargetOutsideDomain, "positive"),
        (LossRegressor(losses.cross_entropy()), np.ones(ROWS), UsageError, "LossClassifier"),
        (LossRegressor(loss="mse"), np.ones(ROWS), UsageError, "no loss"),
        (LossRegressor(alpha=-1), np.ones(ROWS), UsageError, "alpha=-1"),
        (LossRegressor(solver="magic"), np.ones(ROWS), UsageError, "newton"),
        (LossRegressor(solver="interior"), np.arange(ROWS), UsageError, "straight lines"),
        (LossRegressor(max_iter=0), np.ones(ROWS), UsageError, "max_iter"),
        (LossClassifier(), np.zeros(ROWS), NothingToLearn, "only one class"),
        (LossClassifier(losses.binary_cross_entropy()), np.arange(ROWS) % 3, UsageError, "cross_entropy()"),
        (LossClassifier(losses.squared_error()), np.arange(ROWS) % 2, UsageError, "not a loss for classes"),
    ],
)  # fmt: skip
def test_what_cannot_be_fitted_is_refused_with_what_can(model: Any, y: Any, error: type[Problem], words: str) -> None:
    with pytest.raises(error) as caught:
        model.fit(X, y)
    assert words in str(caught.value)


def test_a_target_outside_of_the_domain_is_told_by_its_row() -> None:
    y = np.ones(ROWS)
    y[[7, 11]] = -1
    with pytest.raises(TargetOutsideDomain) as caught:
        LossRegressor(losses.gamma()).fit(X, y)
    assert caught.value.where == "target[7]"
    assert f"2 of {ROWS} targets" in str(caught.value)


@pytest.mark.parametrize("more", [-1, 1])
def test_columns_of_unequal_length_are_refused_where_some_rows_weigh_nothing(more: int) -> None:
    w = np.ones(ROWS)
    w[:5] = 0
    y = np.zeros(ROWS + more)
    with pytest.raises(ValueError, match=str(ROWS + more)):
        LossRegressor().fit(X, y, sample_weight=w)


def test_weights_that_are_no_weights_are_refused() -> None:
    with pytest.raises(WeightError):
        LossRegressor().fit(X, ETA, sample_weight=-np.ones(ROWS))
    with pytest.raises(WeightError):
        LossRegressor().fit(X, ETA, sample_weight=np.zeros(ROWS))


def test_a_fit_that_is_cut_short_says_so() -> None:
    with pytest.warns(ConvergenceWarning, match="not converged"):
        model = LossClassifier(max_iter=1).fit(X, targets(losses.binary_cross_entropy()))
    assert model.certificate_.status is Status.UNFINISHED


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-6, 1e6), st.floats(-1e6, 1e6))
def test_a_fit_follows_the_units_of_its_columns(factor: float, shift: float) -> None:
    loss = losses.huber()
    y = targets(loss)
    one = LossRegressor(loss).fit(X, y)
    other = LossRegressor(loss).fit(factor * (X + shift), y)
    assert other.certificate_.objective == pytest.approx(one.certificate_.objective, rel=1e-6)


def test_columns_in_other_units_take_no_more_steps() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 6))
    y = features @ [0.3, 0.1, -0.2, 0, 0.2, 0.1] + rng.normal(size=300)
    for units in (1, [1, 20, 1, 20, 1, 20]):
        assert LossRegressor(losses.huber(), solver="lbfgs").fit(features * units, y).n_iter_ <= 12


def test_repeated_and_constant_columns_do_no_harm() -> None:
    y = targets(losses.squared_error())
    more = np.column_stack([X, X[:, 0], np.full(ROWS, 7.0), np.zeros(ROWS)])
    for loss in (losses.squared_error(), losses.log_cosh(), losses.absolute_error()):
        plain, wide = LossRegressor(loss).fit(X, y), LossRegressor(loss).fit(more, y)
        assert wide.certificate_.objective == pytest.approx(plain.certificate_.objective, rel=1e-7)
        assert np.abs(wide.coef_).max() < 1e3


@pytest.mark.parametrize("power", [-200, -8, 8, 140])
@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "huber"])
def test_targets_of_any_size_are_fitted_without_a_warning(name: str, power: int) -> None:
    y = targets(losses.squared_error()) * 10.0**power
    loss = losses.huber(delta=10.0**power) if name == "huber" else CATALOGUE[name]
    model = LossRegressor(loss).fit(X, y)
    assert np.isfinite(model.coef_).all()
    assert model.loss_curve_[-1] <= model.loss_curve_[0]


def test_a_target_that_cannot_be_squared_is_refused() -> None:
    with pytest.raises(NoFiniteFit, match="GM606"):
        LossRegressor().fit(X, ETA * 1e200)


def test_classes_that_a_line_separates_come_to_an_end() -> None:
    y = (X[:, 0] > 0).astype(int)
    with pytest.warns(ConvergenceWarning, match="there is no best fit: .*: give alpha"):
        model = LossClassifier().fit(X[:, :1], y)
    assert model.score(X[:, :1], y) == 1
    assert model.certificate_.status is Status.ENDLESS


def test_trees_on_a_small_table_keep_to_one_thread() -> None:
    def openmp() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"}

    with threadpool_limits(2, user_api="openmp"):
        with threads_for(SMALL):
            assert openmp() == {1}
        with threads_for(SMALL + 1):
            assert openmp() == {2}
        assert openmp() == {2}


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("name", ["squared_error", "huber", "absolute_error", "binary_cross_entropy", "poisson"])
def test_more_columns_than_rows_have_the_same_least(
    name: str, intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(30, 45)) + 3, rng.random(30)
    x[:, 1] += 100
    y = {"binary_cross_entropy": x[:, 0] > 3, "poisson": rng.poisson(2, 30)}.get(name, x[:, 0] - x[:, 2])
    estimator = LossClassifier if name == "binary_cross_entropy" else LossRegressor

    def fitted() -> Any:
        return estimator(getattr(losses, name)(), alpha=0.1, fit_intercept=intercept).fit(x, y, w)

    narrow = fitted()
    monkeypatch.setattr("goodmeasure.fitting.fit.narrowed", lambda X, **how: Narrow(X))
    plain = fitted()
    assert narrow.certificate_.objective == pytest.approx(plain.certificate_.objective, rel=1e-8)
    np.testing.assert_allclose(narrow.coef_, plain.coef_, atol=1e-5)
    np.testing.assert_allclose(narrow.intercept_, plain.intercept_, atol=1e-3)
    np.testing.assert_allclose(narrow.predict(x), plain.predict(x), atol=1e-4)
