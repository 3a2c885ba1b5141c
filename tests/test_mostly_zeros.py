"""Targets that are mostly zero, or mostly one value: does every loss give the right answer, or the true reason why not?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.calibrating.amounts import asked
from goodmeasure.choosing.choose import choose
from goodmeasure.errors import NothingToLearn, Problem, TargetOutsideDomain
from goodmeasure.fitting.linear import NoFiniteFit
from goodmeasure.statistics.row_arguments import OutOfRange
from goodmeasure.study.training import _coded

ROWS = 200
SHARES = (0.6, 0.945, 0.995)


def _tied(share: float, others: Any, at: float = 0.0) -> Any:
    rng = np.random.default_rng(1)
    y = np.full(ROWS, at)
    where = rng.permutation(ROWS)[: max(1, round((1 - share) * ROWS))]
    y[where] = others(rng, len(where))
    return y


TARGETS = {
    **{f"costs, {s:.1%} zero": _tied(s, lambda rng, n: rng.gamma(1.5, 100, n)) for s in SHARES},
    **{f"counts, {s:.1%} zero": _tied(s, lambda rng, n: 1.0 + rng.poisson(1, n)) for s in SHARES},
    **{f"either sign, {s:.1%} zero": _tied(s, lambda rng, n: rng.normal(0, 3, n)) for s in SHARES},
    **{f"amounts, {s:.1%} at 7.5": _tied(s, lambda rng, n: 7.5 + rng.gamma(2, 3, n), 7.5) for s in SHARES},
    "one level": np.full(ROWS, 7.5),
    "all zero": np.zeros(ROWS),
}
AMOUNTS = {
    name: definition()
    for name, definition in losses.catalogue().items()
    if not (definition().is_classwise or definition().is_binary)
}
SINGLE = {name: loss for name, loss in AMOUNTS.items() if len(loss.activation) == 1}
X = np.random.default_rng(0).normal(size=(ROWS, 1))


def tried(name: str) -> dict[str, Any]:
    """Two shares of what is equal, of two kinds of targets, others for the next loss; and targets that are all the same."""
    place, kinds = list(AMOUNTS).index(name), len(TARGETS) - 2
    return {what: y for k, (what, y) in enumerate(TARGETS.items()) if k >= kinds or (k + place) % 6 == 0}


@pytest.mark.parametrize("name", SINGLE)
def test_a_loss_judges_the_calibration_of_any_targets_in_its_domain(name: str) -> None:
    loss = SINGLE[name]
    p = np.asarray(loss.predict(0.1 * X[:, 0]))
    for what, y in tried(name).items():
        if loss.target.outside(y).any():
            with pytest.raises(TargetOutsideDomain):
                gm.calibration(y, p, loss)
            continue
        if name == "linex" and np.ptp(y) > 700:  # exp of it is no number
            with pytest.raises(OutOfRange):
                gm.calibration(y, p, loss)
            continue
        found = gm.calibration(y, p, loss)
        if not np.isfinite(found.miscalibration.value):
            # The density of an exponential law has no upper end where only zeros are seen.
            assert name == "exponential_nll"
            assert "infinity" in found.miscalibration.cautions[0]
            continue
        assert found.discrimination.value == pytest.approx(0, abs=1e-9) or np.ptp(y) > 0, what


def _fitted(loss: Any, y: Any) -> Any:
    """The mean loss of a model that was fitted to these targets, or the problem that it met."""
    model = gm.LossRegressor(loss, alpha=1e-3, max_iter=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            return loss(y, model.fit(X, y).raw(X))
        except Problem as problem:
            return problem


@pytest.mark.parametrize("name", AMOUNTS)
def test_a_loss_is_fitted_to_any_targets_or_says_the_true_reason(name: str) -> None:
    loss = AMOUNTS[name]
    for what, y in tried(name).items():
        found = _fitted(loss, y)
        if loss.target.outside(y).any():
            assert isinstance(found, TargetOutsideDomain), what
        elif isinstance(found, NoFiniteFit):
            most = np.unique(y, return_counts=True)[1].max()
            assert len(loss.activation) > 1, what
            assert f"{most:,} of {ROWS:,} targets" in str(found)
        else:
            assert np.isfinite(found), what


def test_what_a_loss_asks_for_does_not_depend_on_targets() -> None:
    for name, loss in SINGLE.items():
        asks = loss.facts.asks_for
        found = asked(loss)
        assert found.is_mean == (asks == "mean"), name
        assert (found.level is not None) == (asks in ("median", "quantile")), name
    assert asked(losses.pinball(level=0.9).with_activation("exp")).level == pytest.approx(0.9)
    assert not asked(losses.huber(delta=1e9)).is_mean
    assert not asked(losses.epsilon_insensitive(epsilon=1e6)).level


def test_where_a_mean_is_asked_for_identification_is_prediction_minus_target() -> None:
    z = np.linspace(-2, 2, 9)
    for name, loss in SINGLE.items():
        if loss.facts.asks_for == "mean":
            np.testing.assert_allclose(
                loss.identification(np.ones(9), z), loss.predict(z) - 1, rtol=1e-12, err_msg=name
            )


@pytest.mark.parametrize("what", TARGETS)
@pytest.mark.parametrize("ask", [None, "median", "quantile=0.75"])
def test_a_plan_is_made_for_any_targets_that_vary(what: str, ask: str | None) -> None:
    y = TARGETS[what]
    if np.ptp(y) == 0:
        with pytest.raises(Problem, match="GM602"):
            choose(y, ask=ask)
        return
    if what == "counts, 99.5% zero" and len(np.unique(y)) == 2:
        y = y + (np.arange(ROWS) == 0) * 3
    plan = choose(y, ask=ask)
    assert np.isfinite(plan.loss(y, np.zeros(ROWS)))


def test_the_constant_of_zeros_is_minus_infinity_where_amounts_are_positive() -> None:
    for loss in SINGLE.values():
        if loss.activation[0].name == "exp" and not loss.target.outside(np.zeros(1)).any():
            assert loss.best_constant(np.zeros(4)) == -np.inf, loss


@pytest.mark.parametrize(
    "said", [{}, {"ask": "median"}, {"costs": gm.UnderOverCosts(under=30, over=1)}, {"outliers": "errors"}]
)
def test_a_run_on_the_costs_of_rare_claims_comes_to_an_end(said: dict[str, Any]) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=500)
    cost = np.where(rng.random(500) < 0.945, 0.0, rng.gamma(1.5, 900, 500) * np.exp(0.5 * x))
    study = gm.run({"x": x, "cost": cost}, "cost", **said)
    assert np.isfinite(study.judged.report.value)
    assert np.isfinite(study.judged.calibration.miscalibration.value)


def test_amounts_that_are_all_alike_are_fitted_and_labels_are_not() -> None:
    zeros = np.zeros(5)
    for loss in (gm.losses.poisson(), gm.losses.squared_error()):
        assert np.array_equal(_coded(loss, zeros), zeros)
    for loss in (gm.losses.binary_cross_entropy(), gm.losses.cross_entropy()):
        with pytest.raises(NothingToLearn, match="one class"):
            _coded(loss, zeros)
    shares = np.full(5, 0.3)
    assert np.array_equal(_coded(gm.losses.binary_cross_entropy(), shares), shares)
