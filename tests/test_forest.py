"""Do plain trees say what the booster that grew them says, and are its limits right to the last bit?"""

from __future__ import annotations

import importlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from boosters import rows
from goodmeasure.fitting.forest import Forest, at_most, below
from goodmeasure.fitting.growing import PATIENCE, BoosterRows, Growing
from goodmeasure.frameworks import lightgbm_trees, sklearn_trees, xgboost_trees
from turns import by_turns

L = gm.losses
LOSSES = [L.pinball(level=0.8), L.binary_focal(gamma=2.0), L.cross_entropy(), L.gaussian_nll(), L.gamma()]


def asked(loss: Any, rounds: int = 8) -> Growing:
    """BoosterRows with missing numbers and two columns of categories, of which the target knows."""
    random = np.random.default_rng(0)
    x, y = rows(loss, 400)
    codes = random.integers(0, (12, 3), (400, 2)).astype(float)
    x = np.column_stack([x, codes])
    x[random.random(x.shape) < 0.05] = np.nan
    if loss.target.low != 0:
        y = y + (x[:, 4] % 3 == 1)
    return Growing(x, y, random.integers(1, 4, 400).astype(float), loss, [False] * 4 + [True] * 2, rounds, 0.3, 0)


def kept(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> list[Any]:
    """What a function gives from now on."""
    found: list[Any] = []
    own = getattr(place, name)
    monkeypatch.setattr(place, name, lambda *a, **k: found.append(own(*a, **k)) or found[-1])
    return found


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_xgboost(monkeypatch: pytest.MonkeyPatch, loss: Any) -> None:
    import xgboost

    given, made = asked(loss), kept(monkeypatch, xgboost, "train")
    forest = xgboost_trees.grow(given)
    kinds = ["c" if coded else "q" for coded in given.categorical]
    start = np.tile(forest.start, (len(given.y), 1))
    table = xgboost.DMatrix(given.x, feature_types=kinds, enable_categorical=True, base_margin=start)
    # XGBoost adds up in single precision.
    np.testing.assert_allclose(forest(given.x), made[0].predict(table, output_margin=True), rtol=1e-5, atol=2e-6)
    assert_learned(forest, given)


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_lightgbm(monkeypatch: pytest.MonkeyPatch, loss: Any) -> None:
    import lightgbm

    given, made = asked(loss), kept(monkeypatch, lightgbm, "train")
    forest = lightgbm_trees.grow(given)
    start = forest.start if forest.outputs > 1 else forest.start[0]
    np.testing.assert_allclose(forest(given.x), made[0].predict(given.x, raw_score=True) + start, atol=1e-12)
    assert_learned(forest, given)


@pytest.mark.parametrize("loss", [each for each in LOSSES if each != L.gaussian_nll()], ids=repr)
def test_sklearn(monkeypatch: pytest.MonkeyPatch, loss: Any) -> None:
    given, made = asked(loss), kept(monkeypatch, sklearn_trees, "_estimator")
    forest = sklearn_trees.grow(given)
    theirs = made[0]._raw_predict(given.x)
    np.testing.assert_array_equal(forest(given.x), theirs[:, 0] if theirs.shape[1] == 1 else theirs)
    assert_learned(forest, given)


@pytest.mark.parametrize(
    "loss", [each for each in LOSSES if not each.is_classwise and each != L.gaussian_nll()], ids=repr
)
def test_catboost(monkeypatch: pytest.MonkeyPatch, loss: Any) -> None:
    catboost = pytest.importorskip("catboost", reason="pip install 'goodmeasure[catboost]'")
    grow = importlib.import_module("goodmeasure.frameworks.catboost_trees").grow
    given, made = asked(loss), kept(monkeypatch, catboost.CatBoostRegressor, "fit")
    forest = grow(given)
    theirs = made[0].predict(given.x, prediction_type="RawFormulaVal")
    np.testing.assert_allclose(forest(given.x), theirs, atol=1e-12)
    assert_learned(forest, given, sets=False)


HOSTS = [sklearn_trees, lightgbm_trees, xgboost_trees]


@pytest.mark.parametrize(
    ("loss", "host"), by_turns(LOSSES, HOSTS), ids=lambda each: getattr(each, "__name__", repr(each)).rpartition(".")[2]
)
def test_rows_held_out_end_the_growing_and_change_no_tree(host: Any, loss: Any) -> None:
    rounds = 120
    given = replace(asked(loss, rounds), rate=0.5)
    there = np.arange(len(given.y)) % 2 == 0
    parts = [BoosterRows(given.x[rows], given.y[rows], given.weight[rows]) for rows in (there, ~there)]
    alone = replace(given, x=parts[0].x, y=parts[0].y, weight=parts[0].weight)
    whole, stopped = host.grow(alone), host.grow(replace(alone, held=parts[1]))
    costs = [loss(parts[1].y, raw, parts[1].weight) for raw in whole.staged(parts[1].x)]
    best = int(np.argmin(costs[: stopped.rounds + 1]))
    assert best < PATIENCE < stopped.rounds < rounds, "these rows are few enough to be learned by heart"
    assert stopped.rounds <= best + PATIENCE + 1
    np.testing.assert_array_equal(stopped(given.x), whole.first(stopped.rounds)(given.x))


def assert_learned(forest: Forest, given: Growing, *, sets: bool = True) -> None:
    """The trees cost less than their start, ask for categories where they can, and are the same when cut or written down."""
    assert (forest.set_of.max() >= 0) == sets
    assert given.loss(given.y, forest(given.x), given.weight) < given.loss(
        given.y, forest.first(0)(given.x), given.weight
    )
    stages = [raw.copy() for raw in forest.staged(given.x)]
    np.testing.assert_array_equal(stages[3], forest.first(3)(given.x))
    np.testing.assert_array_equal(stages[-1], forest(given.x))
    again = Forest.from_dict(json.loads(json.dumps(forest.to_dict(), allow_nan=False)))
    np.testing.assert_array_equal(again(given.x), forest(given.x))


@pytest.mark.parametrize("bound", [0.1, 1.0, -1.0, 3e-45, 0.0, -0.0, 16777216.0, 1e30, 3.4028234663852886e38])
def test_limits_in_double_send_every_number_where_single_precision_does(bound: float) -> None:
    single = np.float32(bound)
    with np.errstate(over="ignore"):
        near = np.concatenate([np.nextafter(single, np.float32(s * np.inf))[None] for s in (-1, 1)]).astype(float)
    middles = (near[np.isfinite(near)] + float(single)) / 2
    numbers = np.concatenate([near[np.isfinite(near)], [float(single)], middles])
    numbers = np.concatenate([numbers, np.nextafter(numbers, np.inf), np.nextafter(numbers, -np.inf)])
    numbers = numbers[np.abs(numbers) <= np.finfo(np.float32).max]
    np.testing.assert_array_equal(numbers <= below(bound), numbers.astype(np.float32) < single)
    np.testing.assert_array_equal(numbers <= at_most(bound), numbers.astype(np.float32) <= single)


def test_a_start_of_very_many_targets_is_nearly_the_best_constant() -> None:
    random = np.random.default_rng(0)
    y, weight = random.gamma(2.0, size=100_000), random.integers(0, 3, 100_000).astype(float)
    for loss in (L.gamma(), L.huber(), L.pinball(level=0.9), L.squared_error()):
        start = gm.to_lightgbm(loss).start(y, weight)
        assert start == pytest.approx(loss.best_constant(y, weight), rel=1e-3)
    with pytest.raises(ValueError, match="outside the domain"):
        gm.to_lightgbm(L.gamma()).start(np.where(np.arange(100_000) == 7, -1e-9, y))
