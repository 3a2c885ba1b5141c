"""Amounts that are often zero: the squared error takes the place of Tweedie's loss where errors do not grow with the mean."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.spreading import evened, spread

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from simulations.spreads import EVEN, GROWING, errors

Draw = Callable[[np.random.Generator, np.ndarray], np.ndarray]


def said(draw: Draw, n: int, runs: int) -> float:
    return float(np.mean([spread(*errors(draw, n, seed)).is_even for seed in range(runs)]))


@pytest.mark.parametrize("name", GROWING)
@pytest.mark.parametrize("n", [100, 300])
def test_errors_that_grow_are_seldom_said_not_to(name: str, n: int) -> None:
    assert said(GROWING[name], n, 200) <= 0.08


@pytest.mark.parametrize(("n", "least"), [(100, 0.5), (300, 0.9), (1000, 1.0)])
def test_errors_that_do_not_grow_are_found(n: int, least: float) -> None:
    assert all(said(draw, n, 60) >= least for draw in EVEN.values())


def test_predictions_that_are_alike_tell_nothing() -> None:
    y = np.random.default_rng(0).normal(5, 1, 100)
    assert spread(y - 5, np.full(100, 5.0)) is None
    assert spread(np.zeros(100), y) is None
    plan = choose(np.append(y, 0.0))
    assert evened(plan, None) == plan


def test_units_and_weights_do_not_matter() -> None:
    residuals, predictions = errors(EVEN["normal"], 300, 1)
    found = spread(residuals, predictions)
    scaled = spread(1e6 * residuals, 1e6 * predictions, np.full(300, 7.0))
    assert (scaled.power, scaled.high, scaled.slope) == pytest.approx((found.power, found.high, found.slope))


def amounts(draw: Draw, n: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 2))
    y = draw(rng, 7 * np.exp(0.35 * x[:, 0]))
    y[0] = 0.0
    return {"a": x[:, 0], "b": x[:, 1], "y": y}


@pytest.mark.parametrize(("model", "n"), [("linear", 400), ("boosting", 2000)])
def test_a_run_says_why_it_changed_the_loss(model: str, n: int) -> None:
    even = gm.run(amounts(EVEN["normal"], n), "y", model=model, protocol="holdout").plan
    assert (str(even.loss), even.activation.name) == ("squared_error()", "linear")
    assert "do not grow" in even.steps[2].reason
    assert "tweedie" in even.steps[2].rejected[0].alternative
    grown = gm.run(amounts(GROWING["Tweedie, half zeros"], n), "y", model=model, protocol="holdout").plan
    assert grown.loss.spelling.factory == "tweedie"


def test_what_was_said_stays() -> None:
    table = amounts(EVEN["normal"])
    for asked in ({"loss": "tweedie"}, {"activation": "exp"}):
        assert gm.run(table, "y", protocol="holdout", **asked).plan.loss == gm.losses.tweedie()
