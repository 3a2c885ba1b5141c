"""Are columns encoded to the same bits as scikit-learn's transformers encode them?"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from goodmeasure.reading.frames import table
from goodmeasure.study import coding
from goodmeasure.study.alone import MOST_STEPS, explained_alone
from goodmeasure.study.encoding import encoding
from goodmeasure.study.scaling import scaling

RNG = np.random.default_rng(0)


def block(seed: int) -> np.ndarray:
    """Numbers of many sizes with gaps, constant columns and empty ones."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(1, 300)), int(rng.integers(1, 8))
    x = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-5, 6, columns) + rng.choice([0, 1, 1e6], columns)
    x[rng.random(x.shape) < rng.choice([0, 0.1, 0.9])] = np.nan
    if seed % 3 == 0:
        x[:, 0] = rng.choice([3.3, np.nan])
    return x


@pytest.mark.parametrize("seed", range(40))
def test_numbers_are_filled_flagged_and_scaled_as_by_scikit_learn(seed: int) -> None:
    x = block(seed)
    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    peer, ours = make_pipeline(imputer, StandardScaler()).fit(x.copy()), scaling(x)
    later = np.where(RNG.random(x.shape) < 0.2, np.nan, x)
    for rows in (x, later):
        assert np.array_equal(ours(rows), peer.transform(rows.copy()))


def texts(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Categories of uneven frequency, and later ones of which some are new."""
    rng = np.random.default_rng(seed)
    count = int(rng.choice([1, 2, 3, 10, 50, 400]))
    cells = np.array([f"c{k}" for k in rng.choice(count, rng.integers(1, 600), p=rng.dirichlet(np.full(count, 0.3)))])
    return cells.astype(object), np.array([f"c{k}" for k in rng.choice(count + 3, 200)], dtype=object)


def transformed(peer: Any, cells: np.ndarray) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown categories are what is asked about
        return np.asarray(peer.transform(cells[:, None]))


@pytest.mark.parametrize("seed", range(40))
def test_texts_are_coded_as_by_scikit_learn(seed: int) -> None:
    cells, later = texts(seed)
    settings = {"handle_unknown": "infrequent_if_exist", "min_frequency": 5, "max_categories": 40}
    columns = OneHotEncoder(drop="if_binary", sparse_output=False, **settings).fit(cells[:, None])
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=250)
    codes.fit(cells[:, None])
    hot, plain = coding.one_hot(cells), coding.codes(cells)
    for rows in (cells, later):
        assert np.array_equal(hot.columns(hot.codes(rows)), transformed(columns, rows))
        ours = np.where(plain.codes(rows) < 0, np.nan, plain.codes(rows))
        assert np.array_equal(ours, transformed(codes, rows)[:, 0], equal_nan=True)
    named = [name.removeprefix("a_") for name in columns.get_feature_names_out(["a"])]
    assert hot.titles == [f"= {'(rare)' if name == 'infrequent_sklearn' else name}" for name in named]


def test_gaps_and_new_categories_of_texts_are_counted_apart() -> None:
    fitted = table({"place": ["north", "south", None, "north"] * 10})
    made = encoding(fitted, ["place"])
    assert made.names == ["place = (missing)", "place = north", "place = south"]
    later = table({"place": ["west", None, "north", "west"]})
    assert made.strange(later) == {"place": 2}
    assert made(later).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_a_column_of_numbers_where_texts_were_is_of_unknown_categories_but_for_its_gaps() -> None:
    made = encoding(table({"place": ["north", "south", None] * 10}), ["place"])
    assert made.strange(table({"place": [1.0, float("nan")]})) == {"place": 1}
    assert made(table({"place": [1.0, float("nan")]})).tolist() == [[0, 0, 0], [1, 0, 0]]


# --- what one column explains alone ---


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("classes", [True, False])
def test_steps_explain_what_a_tree_of_as_many_leaves_does(seed: int, classes: bool) -> None:
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=1500), int(rng.choice([1, 2, 9])))
    noisy = x + rng.choice([0, 0.02, 0.1, 0.5]) * rng.normal(size=1500)
    y = np.searchsorted(np.sort(rng.normal(size=3)), noisy) if classes else -np.exp(noisy)
    y = np.unique(y, return_inverse=True)[1] if classes else y
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    tree = kind(max_leaf_nodes=MOST_STEPS, random_state=0).fit(x[:750, None], y[:750])
    guess, truth = tree.predict(x[750:, None]), y[750:]
    if classes:
        skill = 1 - np.mean(guess != truth) / np.mean(truth != np.bincount(y[:750]).argmax())
    else:
        skill = 1 - np.mean((guess - truth) ** 2) / np.mean((truth - y[:750].mean()) ** 2)
    found = explained_alone(table({"x": x}), y, classes)["x"]
    # Between values a tree cuts in the middle and steps at the upper one, which noise makes matter.
    near = 0.03 if skill > 0.9 else 0.1
    assert found == pytest.approx(skill, abs=near) or (not classes and found > skill)  # the order alone may tell more


def test_a_column_that_is_missing_where_the_target_is_yes_explains_it() -> None:
    y = (RNG.random(400) < 0.1).astype(int)
    gone = table({"paid": np.where(y == 1, np.nan, RNG.normal(size=400)), "noise": RNG.normal(size=400)})
    found = explained_alone(gone, y, classes=True)
    assert found["paid"] == 1
    assert found["noise"] < 0.1


@pytest.mark.parametrize("rows", [40, 90, 200])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_a_column_that_the_classes_were_cut_from_explains_them_however_few_rows_there_are(
    rows: int, classes: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, noise = np.round(rng.normal(3000, 700, rows)), rng.normal(size=rows)
    y = rng.permutation(classes)[np.searchsorted(np.quantile(x, np.linspace(0, 1, classes + 1)[1:-1]), x)]
    day = np.datetime64("2024-01-01") + x.astype("timedelta64[D]")
    found = explained_alone(table({"x": x, "down": -x, "day": day, "noise": noise}), y, classes=True)
    assert found["x"] == found["down"] == found["day"] == 1
    assert found["noise"] < 0.8
    x[::9] = rng.permutation(x)[::9]
    assert explained_alone(table({"x": x}), y, classes=True)["x"] < 1


def test_half_a_column_tells_an_order_and_less_does_not() -> None:
    rng = np.random.default_rng(0)
    x = rng.random(400)
    y = np.where(np.arange(400) % 2, np.exp(300 * x), rng.permutation(400))
    half, less = np.where(np.arange(400) % 2, x, np.nan), np.where(np.arange(400) % 2, x, np.nan)
    less[1] = np.nan
    assert explained_alone(table({"x": half}), y, classes=False)["x"] == pytest.approx(1)
    assert explained_alone(table({"x": less}), y, classes=False)["x"] < 0.99


@pytest.mark.parametrize("vast", range(7))
@pytest.mark.parametrize("rest", ["amounts", "zeros"])
@pytest.mark.parametrize("where", ["first", "second", "anywhere"])
def test_a_few_vast_targets_make_no_leak_of_a_column_that_happens_to_tell_them(
    vast: int, rest: str, where: str
) -> None:
    rng = np.random.default_rng(vast)
    y, noise = np.exp(rng.normal(size=400)) if rest == "amounts" else np.zeros(400), rng.normal(size=400)
    among = {"first": np.arange(200), "second": np.arange(200, 400), "anywhere": np.arange(400)}[where]
    rows = rng.choice(among, min(vast, 3 if rest == "zeros" else 6), replace=False)
    y[rows] = 1e6 * (1 + rng.random(len(rows)))
    noise[rows] = 4 + rng.random(len(rows))
    found = explained_alone(table({"noise": noise, "copy": 2 * y}), y, classes=False)
    assert found["noise"] < 0.5
    assert found["copy"] == pytest.approx(1 if rest == "amounts" else 0)


def test_amounts_of_any_size_are_explained() -> None:
    x = RNG.normal(size=400)
    for size in (1e-200, 1.0, 1e200):
        assert explained_alone(table({"x": x}), x * size, classes=False)["x"] > 0.98
    assert explained_alone(table({"x": x}), np.zeros(400), classes=False)["x"] == 0


@pytest.mark.parametrize("cell", ["1.5", "(1.5)", "\u22121.5", "1.5-", " 1.5 ", "1e3", "-.5"])
def test_categories_that_are_numbers_are_read_as_texts_are(cell: str) -> None:
    """Texts of a categorical column are left as they are, until a model asks for numbers there."""
    learned = encoding(table({"x": RNG.normal(size=50)}), ["x"])
    texts, categories = table({"x": [cell, None]}), table(pd.DataFrame({"x": pd.Categorical([cell, None])}))
    assert np.array_equal(learned(texts), learned(categories))
    assert learned(texts)[0, 0] != learned(texts)[1, 0]


@pytest.mark.parametrize("power", [-700, -500, -3, 0, 3, 400])
def test_a_column_is_scaled_alike_in_whatever_unit(power: int) -> None:
    rng = np.random.default_rng(0)
    block = np.stack([rng.normal(size=50), rng.exponential(size=50), np.full(50, 3.0)], axis=1)
    found, plain = scaling(np.ldexp(block, power)), scaling(block)
    np.testing.assert_array_equal(found(np.ldexp(block, power))[:, :2], plain(block)[:, :2])
    assert found.spread[2] == 1.0  # what is always the same has no spread
