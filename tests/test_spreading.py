"""What a loss of amounts or counts supposes of errors gives way to what those of a first fit say."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.overruling import with_loss
from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.spreading import GROWS, Dispersion, Spread, spread
from goodmeasure.choosing.supposing import growth, supposing

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from simulations.spreads import (
    CLUSTERED,
    COUNTS,
    EVEN,
    GAMMA,
    GROWING,
    POISSON,
    POSITIVE,
    TWEEDIE,
    clustered,
    errors,
)

from turns import by_turns

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


L = gm.losses


def said(draw: Draw, supposed: float, n: int, runs: int) -> float:
    return float(np.mean([spread(*errors(draw, n, seed)).is_even(supposed) for seed in range(runs)]))


def faster(draw: Draw, n: int, runs: int) -> float:
    return float(np.mean([spread(*errors(draw, n, seed)).low > GROWS for seed in range(runs)]))


SUPPOSED = {
    **{name: (draw, TWEEDIE) for name, draw in GROWING.items()},
    **{name: (draw, GAMMA) for name, draw in POSITIVE.items()},
    **{f"{name}, as Poisson supposes": (draw, POISSON) for name, draw in (COUNTS | CLUSTERED).items()},
}


@pytest.mark.parametrize(("name", "n"), by_turns(SUPPOSED, (100, 300)))
def test_errors_that_grow_are_seldom_said_not_to(name: str, n: int) -> None:
    assert said(*SUPPOSED[name], n, 100) <= 0.08


@pytest.mark.parametrize(("n", "least"), [(100, 0.5), (300, 0.8), (1000, 1.0)])
def test_errors_that_do_not_grow_are_found(n: int, least: float) -> None:
    for draw in EVEN.values():
        assert said(draw, TWEEDIE, n, 40) == said(draw, GAMMA, n, 40) >= least
        assert said(draw, POISSON, n, 40) >= least - 0.4


def test_counts_that_cluster_are_found_and_others_seldom_said_to() -> None:
    for draw in COUNTS.values():
        assert faster(draw, 300, 100) <= 0.1
    for draw in CLUSTERED.values():
        assert faster(draw, 1000, 40) >= 0.7


@pytest.mark.parametrize("dispersion", [0.0, 0.1, 0.5, 2.0])
def test_the_dispersion_of_counts_is_found(dispersion: float) -> None:
    found = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        mean = 4 * np.exp(0.8 * rng.normal(size=1000))
        y = clustered(dispersion)(rng, mean) if dispersion else rng.poisson(mean)
        found.append(spread(y - mean, mean).dispersion)
    assert np.mean([each.value for each in found]) == pytest.approx(dispersion, rel=0.06, abs=0.01)
    assert np.mean([each.low <= dispersion <= each.high for each in found]) >= 0.85


def test_the_dispersion_is_near_the_likeliest_one_of_another_library() -> None:
    from statsmodels.discrete.discrete_model import NegativeBinomial

    rng = np.random.default_rng(3)
    x = rng.normal(size=(4000, 2))
    y = clustered(0.5)(rng, 4 * np.exp(0.8 * x[:, 0]))
    peer = NegativeBinomial(y, np.column_stack([np.ones(len(x)), x])).fit(disp=0)
    mean = gm.LossRegressor(L.poisson(), alpha=0.0).fit(x, y).predict(x)
    found = spread(y - mean, mean).dispersion
    assert found.low < peer.params[-1] < found.high
    ours = gm.LossRegressor(L.negative_binomial(dispersion=peer.params[-1]), alpha=0.0).fit(x, y)
    np.testing.assert_allclose([ours.intercept_, *ours.coef_], peer.params[:-1], atol=2e-4)


def test_what_a_loss_supposes_is_read_off_its_formula() -> None:
    for power in (0.0, 1.0, 1.2, 1.5, 1.9, 2.0, 3.0):
        assert growth(L.tweedie(power=power)) == pytest.approx(power, abs=1e-12)
    for loss, power in ((L.poisson(), 1), (L.gamma(), 2), (L.exponential_nll(), 2), (L.inverse_gaussian(), 3)):
        for name in ("exp", "softplus", "softplus(8)"):
            assert growth(loss.with_activation(name)) == pytest.approx(power)
    assert growth(L.squared_error()) == 0
    assert 1 < growth(L.negative_binomial()) < 2


def test_predictions_that_are_alike_tell_nothing() -> None:
    y = np.random.default_rng(0).normal(5, 1, 100)
    assert spread(y - 5, np.full(100, 5.0)) is None
    assert spread(np.zeros(100), y) is None
    plan = choose(np.append(y, 0.0))
    assert supposing(plan, None, is_open=True) == plan


def test_units_and_weights_do_not_matter() -> None:
    residuals, predictions = errors(EVEN["normal"], 300, 1)
    found = spread(residuals, predictions)
    scaled = spread(1e6 * residuals, 1e6 * predictions, np.full(300, 7.0))
    assert (scaled.power, scaled.high, scaled.slope) == pytest.approx((found.power, found.high, found.slope))
    weighed = spread(np.repeat(residuals, 2), np.repeat(predictions, 2), np.tile([1.0, 0.0], 300))
    assert weighed == found


def amounts(draw: Draw, n: int = 400, seed: int = 0, least: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = draw(rng, 7 * np.exp(0.35 * x[:, 0]))
    y[np.argmin(x[:, 0])] = least
    return {"a": x[:, 0], "b": x[:, 1], "y": y}


def _sums(rng: np.random.Generator, mean: np.ndarray) -> np.ndarray:
    """Amounts above zero to which effects add, with even errors."""
    return np.maximum(12 + 4 * np.log(mean / 7) / 0.35 + rng.normal(size=mean.shape), 0.01)


def planned(draw: Draw, n: int = 400, least: float = 0.0, **asked: Any) -> Plan:
    return gm.run(amounts(draw, n, least=least), "y", protocol="holdout", **asked).plan


@pytest.mark.parametrize(
    ("model", "n", "loss", "least"),
    [("linear", 400, "tweedie", 0.0), ("linear", 400, "gamma", 0.01), ("boosting", 600, "gamma", 0.01)],
)
def test_a_run_says_why_it_changed_the_loss(model: str, n: int, loss: str, least: float) -> None:
    even = planned(_sums, n, least, model=model)
    assert (str(even.loss), even.activation.name) == ("squared_error()", "linear")
    assert "do not grow" in even.steps[2].reason
    assert loss in even.steps[2].rejected[0].alternative


@pytest.mark.parametrize(("loss", "least"), [("tweedie", 0.0), ("gamma", 0.01)])
def test_errors_that_grow_leave_the_loss(loss: str, least: float) -> None:
    law = GROWING["Tweedie, half zeros"] if loss == "tweedie" else POSITIVE["gamma, exponential"]
    assert planned(law, least=least).loss.spelling.factory == loss


def test_even_errors_of_effects_that_multiply_leave_the_loss_and_the_plan_says_so() -> None:
    plan = planned(EVEN["normal"], 2000, 0.01)
    assert plan.loss.spelling.factory == "gamma"
    assert plan.steps[2].rejected[0].alternative == "squared_error()"
    assert "further off" in plan.steps[2].rejected[0].why


def test_counts_that_cluster_are_learned_by_their_dispersion() -> None:
    study = gm.run(amounts(CLUSTERED["negative binomial, 0.5"], 3000), "y")
    plan, loss = study.plan, study.plan.loss
    assert loss.spelling.factory == "negative_binomial"
    assert loss.values["dispersion"] == pytest.approx(0.5, abs=0.2)
    assert f"{loss.values['dispersion']:g} (" in plan.steps[2].reason
    assert plan.steps[2].rejected[0].alternative.startswith("poisson()")
    assert study.model.loss == loss
    assert planned(COUNTS["Poisson"], 3000).loss.spelling.factory == "poisson"


@pytest.mark.parametrize(
    ("name", "key", "expected"), [("negative_binomial", "dispersion", 0.5), ("tweedie", "power", 1.75)]
)
def test_a_hyperparameter_that_nobody_said_is_learned(name: str, key: str, expected: float) -> None:
    law = CLUSTERED["negative binomial, 0.5"]
    learned = planned(law, 1000, loss=name)
    assert learned.loss.values[key] == pytest.approx(expected, abs=0.35)
    assert "on 200 rows left out" in learned.steps[2].reason
    said = getattr(L, name)(**{key: 1.2})
    assert planned(law, 1000, loss=said).loss == said


def _found(low: float, power: float, high: float, dispersion: float = 0.5) -> Spread:
    return Spread(1000, power, low, high, power, Dispersion(dispersion, dispersion / 2, dispersion * 2))


def test_a_loss_changes_only_where_errors_surely_say_so() -> None:
    zeros, counts = choose([0, 1.5, 0, 3.25, 7, 0.5] * 20), choose([0, 1, 0, 3, 7, 2, 0, 1, 14] * 20, name="n_visits")
    for plan, found, expected in (
        (zeros, _found(0.9, 1.3, 1.7), "tweedie()"),
        (zeros, _found(1.1, 1.2, 1.3), "tweedie(power=1.2)"),
        (zeros, _found(1.8, 2.4, 3.0), "tweedie(power=1.95)"),
        (zeros, _found(-0.1, 0.1, 0.3), "squared_error()"),
        (counts, _found(0.9, 1.1, 1.3), "poisson()"),
        (counts, _found(0.1, 0.4, 0.6), "poisson()"),
        (counts, _found(1.1, 1.3, 1.5), "negative_binomial(dispersion=0.5)"),
        (counts, _found(-0.1, 0.1, 0.3), "squared_error()"),
    ):
        assert str(supposing(plan, found, is_open=True).loss) == expected
        assert supposing(plan, found, is_open=False).loss.spelling.factory == plan.loss.spelling.factory
    named = with_loss(counts, L.negative_binomial())
    alone = supposing(named, _found(0.8, 1.0, 1.2, 0.0), is_open=False)
    assert alone.loss == L.negative_binomial(dispersion=0.001)
    assert "as good as none" in alone.steps[2].reason


def test_what_was_said_stays() -> None:
    assert planned(_sums, loss=L.tweedie(power=1.5)).loss == L.tweedie(power=1.5)
    assert planned(_sums, activation="exp").loss.spelling.factory == "tweedie"
    assert planned(_sums, least=0.01, loss="gamma").loss == L.gamma()


def test_zeros_and_amounts_apart_are_rejected_with_a_reason() -> None:
    for y in ([0, 1, 0, 3, 0, 0, 2, 5], [0, 1.5, 0, 3.25, 0, 0, 2, 5]):
        (why,) = [each.why for each in choose(y).steps[2].rejected if "hurdle" in each.alternative]
        assert "yes/no target of its own" in why
