"""Which columns can be a target, in which containers, and what is said of those that cannot?"""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.meanings import MEANINGS
from goodmeasure.choosing.observed import NoTarget, NotATarget, TextAmongNumbers, observe
from goodmeasure.choosing.tails import tails
from goodmeasure.errors import NothingToLearn, Problem, ShapeMismatch, TargetOutsideDomain, UsageError

CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "numpy": np.asarray,
    "pandas": pd.Series,
    "pandas frame": lambda v: pd.DataFrame({"y": v}),
    "polars": lambda v: pl.Series(v, strict=False),
    "polars frame": lambda v: pl.DataFrame({"y": v}),
    "polars lazy": lambda v: pl.LazyFrame({"y": v}),
    "arrow": lambda v: pa.chunked_array([v]),
    "column": lambda v: np.asarray(v)[:, None],
}

VALUES = {
    "floats": ([0.5, -1.5, 2.25, 7.0] * 5, "real"),
    "counts": ([0, 3, 1, 0, 2, 9] * 5, "count"),
    "booleans": ([True, False, True] * 5, "binary"),
    "texts": (["a", "b", "c"] * 5, "classes"),
}


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("container", CONTAINERS)
def test_every_container_means_the_same(container: str, values: str) -> None:
    given_values, meaning = VALUES[values]
    plan = choose(CONTAINERS[container](given_values))
    assert plan.meaning == meaning
    assert plan.to_dict() == choose(given_values).to_dict()


@pytest.mark.parametrize(
    ("y", "meaning", "labels"),
    [
        (pd.Series(["low", "high", "low"], dtype="category"), "binary", ("high", "low")),
        (pd.Categorical(["x", "y", "z"] * 3), "classes", ("x", "y", "z")),
        (pl.Series(["x", "y", "z"] * 3, dtype=pl.Categorical), "classes", ("x", "y", "z")),
        (pl.Series(["x", "y"] * 3, dtype=pl.Enum(["x", "y", "never"])), "binary", ("x", "y")),
        (pd.Series([1, 2, 3] * 4, dtype="category"), "classes", ("1", "2", "3")),
        (pd.Series([0, 1, None, 1], dtype="Int64"), "binary", (0, 1)),
        (pd.Series([True, None, False], dtype="boolean"), "binary", (False, True)),
        (pd.Series(["yes", None, "no"], dtype="string"), "binary", ("no", "yes")),
        (pl.Series([1.5, None, -2.5]), "real", ()),
        ([Decimal("1.5"), Decimal("-2.25"), Decimal("0.5")], "real", ()),
        (["1.5", "-2", "7"], "real", ()),
        (np.ma.masked_array([1.5, 9.0, -2.5], mask=[False, True, False]), "real", ()),
        (np.array([1.5, -2.5, 0.25], dtype=np.float16), "real", ()),
        (np.array([0, 1, 255], dtype=np.uint8), "count", ()),
        ([-1, 1, 1, -1], "binary", (-1, 1)),
        (np.array([2**40, 2**41, 3 * 2**40]), "positive", ()),
    ],
)
def test_special_types(y: Any, meaning: str, labels: tuple[Any, ...]) -> None:
    plan = choose(y)
    assert (plan.meaning, plan.labels) == (meaning, labels)


@pytest.mark.parametrize("missing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_targets_are_left_out_and_counted(missing: Any) -> None:
    plan = choose([1.5, missing, -2.5, missing, 3.0])
    assert plan.meaning == "real"
    assert plan.rows == 5
    assert "2 of 5 values are missing" in " ".join(plan.notes)
    assert "2 of 5" in str(plan)


def test_rows_of_weight_zero_are_absent() -> None:
    y = [0.0, 1.0, 1.0, -999.0]
    assert choose(y, sample_weight=[1, 1, 1, 0]).meaning == "binary"
    with pytest.raises(NothingToLearn):
        choose(y, sample_weight=[0, 1, 1, 0])
    with pytest.raises(ShapeMismatch):
        choose(y, sample_weight=[1, 1])


@pytest.mark.parametrize(
    ("y", "error", "words"),
    [
        ([], NoTarget, "0 rows"),
        ([None, None], NoTarget, "2 of them missing"),
        ([float("nan")], NoTarget, "missing"),
        (["", " "], NoTarget, "missing"),
        ([3.5, 3.5, 3.5], NothingToLearn, "same value"),
        ([0, 0, 0], NothingToLearn, "only one class"),
        (["a", "a"], NothingToLearn, "only one class"),
        ([True, True], NothingToLearn, "only one class"),
        ([1.0, 2.0, "3,5", 4.0], TextAmongNumbers, "row 2 (line 4"),
        (["1", "2", "n.a."], TextAmongNumbers, "'n.a.'"),
        (["1.5", None, "oops", "2"], TextAmongNumbers, "row 2 (line 4"),
        ([1.0, np.inf, 2.0], TargetOutsideDomain, "row 1"),
        ([1.0, None, -np.inf], TargetOutsideDomain, "row 2"),
        (np.array(["2020-01-01", "2021-01-01"], dtype="datetime64[D]"), NotATarget, "dates"),
        ([datetime.date(2020, 1, 1), datetime.date(2021, 1, 1)], NotATarget, "dates"),
        (pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"])), NotATarget, "dates"),
        (pl.Series([datetime.timedelta(1), datetime.timedelta(2)]), NotATarget, "dates"),
        ([f"customer {i}" for i in range(50)], NotATarget, "identifiers or free text"),
        (np.arange(10**17, 10**17 + 30), NotATarget, "2**53"),
        ([10**400, 1, 2], NotATarget, "too large"),
        ([object(), object()], NotATarget, "neither numbers nor labels"),
        (np.array([1 + 2j, 3.0]), NotATarget, "neither"),
        ([[1, 2], [3]], NotATarget, "table"),
        (np.zeros((2, 2, 2)), ShapeMismatch, "3 axes"),
        (np.array([["a", "b"], ["c", "d"]]), NotATarget, "neither"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_target_is_named_with_its_place(y: Any, error: type[Problem], words: str) -> None:
    with pytest.raises(error) as caught:
        choose(y, name="amount")
    assert words in str(caught.value)
    assert "amount" in str(caught.value)
    assert caught.value.code.startswith("GM")


def test_every_meaning_can_be_said_by_its_name_and_by_its_domain() -> None:
    y = {"classes": [0, 1, 2], "multilabel": np.eye(3), "binary": [0.0, 1.0]}
    for meaning in MEANINGS:
        target = y.get(meaning.name, [0.5, 0.75] if meaning.name != "count" else [1.0, 2.0])
        assert choose(target, represents=meaning.name).meaning == meaning.name
        assert choose(target, represents=meaning.domain).meaning == meaning.name
    with pytest.raises(UsageError):
        choose([0.5, 0.7], represents=MEANINGS[3].domain.__class__("elsewhere", low=7))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-3, 12), st.floats(-5, 5), st.booleans()), max_size=40))
def test_any_mixture_of_numbers_makes_a_plan_or_a_problem(values: list[Any]) -> None:
    try:
        plan = choose(values)
    except (NoTarget, NothingToLearn):
        assert len({v for v in values if v is not None}) < 2
        return
    seen = observe(values)
    assert seen.numbers is not None
    assert not any(m.against(seen) for m in MEANINGS if m.name == plan.meaning)
    assert len(plan.steps) == 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50), st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_tails_follow_the_units(values: list[float], factor: float, shift: float) -> None:
    x = np.asarray(values)
    one, other = tails(x), tails(factor * x + shift)
    assert other.scale == pytest.approx(factor * one.scale, rel=1e-6, abs=1e-6)
    assert 0 <= one.carried <= 1 + 1e-12
    assert one.far <= one.n


def test_tails_know_a_normal_law_from_a_heavy_one() -> None:
    rng = np.random.default_rng(0)
    normal = tails(rng.normal(3, 2, 20_000))
    assert normal.scale == pytest.approx(2, rel=0.03)
    assert normal.carried == pytest.approx(0.0845, abs=0.01)
    assert not normal.heavy
    assert tails(rng.standard_cauchy(2000)).heavy
    with pytest.raises(UsageError):
        tails([])
