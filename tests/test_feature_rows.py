"""Rows of features that a model cannot take: is each refused in our words, with a line that mends it when it is run?"""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas
import polars
import pytest
import sklearn
import sklearn.compose
import sklearn.impute
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

import goodmeasure as gm
from goodmeasure.errors import Problem, ShapeMismatch, UsageError
from goodmeasure.frameworks.estimators import HOSTS

N = 60
RANDOM = np.random.default_rng(1)
X = RANDOM.normal(size=(N, 3))
AMOUNT = X[:, 0] + RANDOM.normal(size=N)
YES = (AMOUNT > 0).astype(int)
NAMES = ["width", "mean height", "c"]
FRAME = pandas.DataFrame(X, columns=NAMES)
COSTS, UNITS = gm.Costs(false_negative=4, false_positive=1), gm.UnderOverCosts(under=3, over=1)
HUBER = gm.losses.huber()
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Model:
    """A model by how it is fitted to rows, and how it predicts."""

    fit: Callable[..., Any]
    predict: Callable[[Any, Any], Any] = lambda model, X: model.predict(X)


def boosted(package: str, regressor: str, **few: Any) -> Model:
    """A small model of a booster on a loss of amounts."""
    ours = getattr(gm, f"to_{package}")(HUBER)

    def fit(X: Any, **more: Any) -> Any:
        return ours.fit(getattr(importlib.import_module(package), regressor)(**few), X, AMOUNT, **more)

    return Model(fit, ours.predict)


FEW = {
    "xgboost": {"n_estimators": 2, "n_jobs": 1},
    "lightgbm": {"n_estimators": 2, "n_jobs": 1, "verbose": -1},
    "catboost": {"iterations": 2, "verbose": 0, "thread_count": 1, "allow_writing_files": False},
}
MODELS = {
    "LossRegressor": Model(lambda X, **more: gm.LossRegressor(HUBER).fit(X, AMOUNT, **more)),
    "LossClassifier": Model(lambda X, **more: gm.LossClassifier().fit(X, YES, **more)),
    "CostSensitiveClassifier": Model(
        lambda X, **more: gm.CostSensitiveClassifier(LogisticRegression(), COSTS, cv=2).fit(X, YES, **more)
    ),
    "CostSensitiveRegressor": Model(
        lambda X, **more: gm.CostSensitiveRegressor(Ridge(), UNITS, cv=2).fit(X, AMOUNT, **more)
    ),
    **{
        host.name: boosted(host.package, host.regressor, **FEW[host.package])
        for host in HOSTS
        if importlib.util.find_spec(host.package)
    },
}
LABELS = np.where(YES > 0, "well", "ill")
DAYS = pandas.date_range("2024-01-01", periods=N)
HALF = np.where(np.arange(N) == 7, np.nan, X[:, 0])


def with_cells(column: Any) -> Any:
    rows = X.astype(object)
    rows[:, 1] = column
    return rows


# What no model takes as it stands, unless it has its own way with it.
WRONG = {
    "texts": with_cells(LABELS),
    "a frame with texts": FRAME.assign(kind=LABELS),
    "a frame with texts in place of numbers": FRAME.assign(c=LABELS),
    "a frame with numbers as texts": FRAME.assign(c=X[:, 2].astype(str)),
    "numbers as texts": X.astype(str),
    "a frame with dates": FRAME.assign(c=DAYS),
    "a frame with lengths of time": FRAME.assign(c=DAYS - DAYS[0]),
    "a frame with decimals": FRAME.assign(c=[Decimal(str(value)) for value in X[:, 2]]),
    "a frame with objects": FRAME.assign(c=[{"a": 1}] * N),
    "Polars with texts": polars.DataFrame({"width": X[:, 0], "kind": LABELS}),
    "Polars with categories": polars.DataFrame({"width": X[:, 0], "kind": LABELS}).cast({"kind": polars.Categorical}),
    "Polars with dates": polars.DataFrame({"width": X[:, 0], "day": DAYS.to_numpy()}),
    "Polars with decimals": polars.DataFrame({"width": X[:, 0], "c": [Decimal(1)] * N}),
    "Arrow with texts": polars.DataFrame({"width": X[:, 0], "kind": LABELS}).to_arrow(),
    "missing": np.column_stack([HALF, X]),
    "infinite": np.where(np.isnan(HALF), np.inf, HALF)[:, None],
    "one axis": X[:, 0],
    "three axes": X[:, :, None],
    "complex": X + 1j,
    "no columns": X[:, :0],
    "two columns of one name": pandas.DataFrame(X, columns=["a", "a", "b"]),
    "lists of several lengths": [[1.0, 2.0], [3.0]] * (N // 2),
    "a dict": {"width": X[:, 0]},
    "a text": "rows",
    "a generator": (row for row in X),
    "nothing": None,
}
# Where nothing stands that could be mended, the line says what to give.
UNMENDED = {"no columns", "lists of several lengths", "a text", "nothing", "a generator"}


def mended(rows: Any, refused: Problem) -> Any:
    """Rows after the line that fixes them was run."""
    scope = {"numpy": np, "pandas": pandas, "sklearn": sklearn, "X": rows}
    exec(refused.fix, scope)
    return scope["X"]


def refused_by(call: Callable[[Any], Any], rows: Any) -> Problem | None:
    """What a model says of rows that it does not take; only what is ours is caught."""
    try:
        call(rows)
    except Problem as refused:
        return refused
    return None


@pytest.mark.parametrize(("name", "rows"), WRONG.items(), ids=WRONG)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_rows_that_are_none_are_named_and_mended_where_a_model_is_fitted(model: Model, name: str, rows: Any) -> None:
    for _ in range(4):
        refused = refused_by(model.fit, rows)
        if refused is None:
            return
        assert refused.where == "X"
        assert refused.fix
        if name in UNMENDED:
            return
        rows = mended(rows, refused)
    pytest.fail("mended four times, and still refused")


FITTED = {name: model.fit(X) for name, model in MODELS.items()}
OF_FRAMES = {name: model.fit(FRAME) for name, model in MODELS.items()}


@pytest.mark.parametrize(("name", "rows"), WRONG.items(), ids=WRONG)
@pytest.mark.parametrize("of", MODELS)
def test_no_rows_that_are_none_are_predicted_in_a_hosts_own_words(of: str, name: str, rows: Any) -> None:
    """What a model can read it predicts: numbers as texts, names that it does not look at, what boosters take as missing."""
    refused = refused_by(lambda X: MODELS[of].predict(FITTED[of], X), rows)
    if refused is None:
        assert name not in UNMENDED | {"complex", "one axis", "three axes", "texts", "a frame with texts"}
    else:
        assert refused.where == "X"
        assert refused.fix


MORE = [np.column_stack([X, X]), FRAME.assign(more=1.0).to_numpy(), [[*row, 1.0] for row in X.tolist()]]


@pytest.mark.parametrize("rows", MORE, ids=["twice", "one", "lists"])
@pytest.mark.parametrize("of", MODELS)
def test_columns_beyond_those_of_the_fit_are_left_out_by_the_line(of: str, rows: Any) -> None:
    model, fitted = MODELS[of], FITTED[of]
    with pytest.raises(ShapeMismatch, match="features") as refused:
        model.predict(fitted, rows)
    np.testing.assert_allclose(model.predict(fitted, mended(rows, refused.value)), model.predict(fitted, X), rtol=1e-12)
    with pytest.raises(ShapeMismatch, match="features"):
        model.predict(fitted, X[:, :2])


ORDERS = {
    "another order": FRAME[NAMES[::-1]],
    "one more": FRAME.assign(more=1.0),
    "Polars in another order": polars.DataFrame({name: FRAME[name].to_numpy() for name in NAMES[::-1]}),
}


@pytest.mark.parametrize("rows", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("of", MODELS)
def test_columns_in_another_order_are_put_right_by_the_line(of: str, rows: Any) -> None:
    """LightGBM took them in silence, and XGBoost those of Polars: the predictions were those of other columns."""
    model, fitted = MODELS[of], OF_FRAMES[of]
    right = model.predict(fitted, FRAME)
    with pytest.raises(UsageError, match=r"order|not fitted to") as refused:
        model.predict(fitted, rows)
    np.testing.assert_array_equal(model.predict(fitted, mended(rows, refused.value)), right)
    with pytest.raises(UsageError, match="lacks 'width'"):
        model.predict(fitted, FRAME.rename(columns={"width": "breadth"}))
    with pytest.raises(UsageError, match=r"lacks 'mean.height'"):
        model.predict(fitted, FRAME[["width", "c"]])


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_keywords_that_a_fit_does_not_take_name_the_one_that_it_does(model: Model) -> None:
    with pytest.raises(UsageError, match="takes no weights=") as refused:
        model.fit(X, weights=np.ones(N))
    assert refused.value.fix == "fit(..., sample_weight=...)"
    model.fit(X, sample_weight=np.ones(N))


def test_what_a_pipeline_takes_is_its_own_affair() -> None:
    """Texts are rows to a vectoriser; what fails in it for another reason is not laid on them."""
    texts = list(np.where(YES > 0, "fine day", "sad night"))
    model = gm.CostSensitiveClassifier(make_pipeline(CountVectorizer(), LogisticRegression()), COSTS, cv=2)
    assert (model.fit(texts, YES).predict(texts) == YES).all()
    empty = gm.CostSensitiveClassifier(make_pipeline(CountVectorizer(min_df=1.0), LogisticRegression()), COSTS, cv=2)
    with pytest.raises(ValueError, match="terms remain") as refused:
        empty.fit(texts, YES)
    assert not isinstance(refused.value, Problem)


def test_columns_are_looked_at_only_where_a_model_refuses_them() -> None:
    """What XGBoost and LightGBM take as missing stays missing, and categories of pandas are LightGBM's own."""
    rows = np.column_stack([HALF, X])
    for name in {"XGBoost", "LightGBM"} & set(MODELS):
        assert np.isfinite(MODELS[name].predict(MODELS[name].fit(rows), rows)).all()
    categories = FRAME.assign(kind=pandas.Series(LABELS).astype("category"))
    if "LightGBM" in MODELS:
        with warnings.catch_warnings():
            MODELS["LightGBM"].fit(categories)
