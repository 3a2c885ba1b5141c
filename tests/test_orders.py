"""Do columns whose type says that their categories stand in an order keep it: as features, as targets, saved and exported?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest

import goodmeasure as gm
from goodmeasure.reading.frames import table
from goodmeasure.study.coding import MOST_CATEGORIES, coding

SIZES = ("small", "medium", "large", "huge")
N = 800
RNG = np.random.default_rng(1)
PLACE = RNG.integers(0, 4, N)
CELLS = [SIZES[k] for k in PLACE]
Y = 2.0 * PLACE + RNG.normal(size=N)
X = RNG.normal(size=N)

ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "pandas": lambda cells, order: pd.Series(pd.Categorical(cells, categories=order, ordered=True)),
    "polars": lambda cells, order: pl.Series(cells, dtype=pl.Enum(order)),
}


def frame(way: str, **columns: Any) -> Any:
    made = {name: ORDERED[way](*v) if isinstance(v, tuple) else v for name, v in columns.items()}
    return pd.DataFrame(made) if way == "pandas" else pl.DataFrame(made)


@pytest.mark.parametrize("way", ORDERED)
def test_a_choice_asks_whether_the_order_is_meant(way: str) -> None:
    series = ORDERED[way](CELLS, SIZES)
    plan = gm.choose(series)
    assert plan.labels == SIZES
    assert "small < medium < large < huge" in str(plan.questions[0])
    study = gm.run(frame(way, x=X, size=(CELLS, SIZES)), "size", protocol="holdout")
    assert study.plan.labels == SIZES
    assert [q.about for q in study.plan.questions] == ["order"]


@pytest.mark.parametrize("way", ORDERED)
def test_two_categories_keep_the_higher_one_as_yes(way: str) -> None:
    assert gm.choose(ORDERED[way](["warm", "cold"] * 20, ["warm", "cold"])).labels == ("warm", "cold")
    assert gm.choose(ORDERED[way](["warm", "cold"] * 20, ["cold", "warm"])).labels == ("cold", "warm")


@pytest.mark.parametrize("way", ORDERED)
@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_a_feature_keeps_its_order_in_the_model_its_file_and_its_programs(way: str, model: str, tmp_path: Path) -> None:
    cells = [None if k % 50 == 0 else cell for k, cell in enumerate(CELLS)]
    data = frame(way, x=X, size=(cells, SIZES), y=Y)
    study = gm.run(data, "y", model=model, protocol="holdout")
    assert study.judged.report.value < 2.5
    new = {"x": [0.0] * 6, "size": [*SIZES, None, "other"]}
    said = study.model.predict(new)
    assert (np.diff(said[:4]) > 1).all()
    if model == "linear":
        assert "size >= medium" in study.model.encoding.names
        assert said[0] < said[5] < said[3]
    study.model.save(tmp_path / "m.json")
    assert np.array_equal(gm.load(tmp_path / "m.json").predict(new), said)
    study.model.export(tmp_path / "m.sql")
    connection = duckdb.connect()
    connection.execute("CREATE TABLE rows (x DOUBLE, size VARCHAR)")
    connection.executemany("INSERT INTO rows VALUES (?, ?)", list(zip(*new.values(), strict=True)))
    exported = connection.execute((tmp_path / "m.sql").read_text()).fetchnumpy()
    assert np.allclose(next(reversed(exported.values())), said, rtol=1e-9)


def test_linear_columns_are_steps_and_trees_split_between_codes() -> None:
    values = np.array([*CELLS, None], dtype=object)
    linear = coding(values, SIZES, scaled=True)
    assert linear.titles == [">= medium", ">= large", ">= huge", "= (missing)"]
    rows = np.array(["small", "large", None, "other"], dtype=object)
    assert linear.columns(linear.codes(rows))[[0, 1, 2]].tolist() == [[0, 0, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1]]
    trees = coding(values, SIZES, scaled=False)
    assert trees.codes(rows).tolist()[:3] == [0, 2, -1]


def test_a_category_that_no_fitted_row_holds_stands_between_its_neighbours() -> None:
    kept = [cell != "large" for cell in CELLS]
    data = pd.DataFrame({"size": pd.Categorical(CELLS, SIZES, ordered=True), "y": Y})[kept]
    low, new, high = gm.run(data, "y", protocol="holdout").model.predict({"size": ["medium", "large", "huge"]})
    assert low < new < high


def test_many_categories_in_an_order_share_columns_with_their_neighbours() -> None:
    order = tuple(f"c{k:03d}" for k in range(3 * MOST_CATEGORIES))
    found = coding(np.array(order, dtype=object), order, scaled=True)
    assert found.steps == MOST_CATEGORIES
    assert list(found.code) == sorted(found.code)


@pytest.mark.parametrize("way", ORDERED)
def test_categories_that_look_like_numbers_stay_categories(way: str) -> None:
    order = ["10", "9", "8"] if way == "polars" else [10, 9, 8]
    cells = [order[k % 3] for k in range(N)]
    data = frame(way, x=X, grade=(cells, order), y=(cells, order))
    assert table(data).orders["grade"] == ("10", "9", "8")
    study = gm.run(data, "y", protocol="holdout")
    assert study.plan.labels == ("10", "9", "8")
    assert study.model.decide({"x": [0.0, 0.0], "grade": ["9", "10"]}).tolist() == ["9", "10"]
    assert study.model.decide({"x": [0.0, 0.0], "grade": [9, 10]}).tolist() == ["9", "10"]
