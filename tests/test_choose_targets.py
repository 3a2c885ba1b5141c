"""Which columns can be a target, in which containers, and what is said of those that cannot?"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from pathlib import Path
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
from goodmeasure.choosing.ordering import ordered
from goodmeasure.choosing.plan import Plan
from goodmeasure.choosing.tails import tails
from goodmeasure.cli import status_of
from goodmeasure.errors import NothingToLearn, Problem, ShapeMismatch, TargetOutsideDomain, UsageError
from textbook_targets import KNOWN, TEXTBOOK, UNSEEN, Column

COLUMNS = {column.story: column for column in (*TEXTBOOK, *UNSEEN, *KNOWN)}
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
    assert plan.left_out == {"missing target": 2}
    assert "5 rows read, 3 used; left out: 2 missing target" in str(plan)


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
    y = {"classes": [0, 1, 2], "grade": [0, 1, 2], "multilabel": np.eye(3), "binary": [0.0, 1.0]}
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


# --- what columns mean, and what is asked about them ---


@pytest.mark.parametrize("column", COLUMNS.values(), ids=lambda column: column.story)
def test_a_column_has_its_meaning_and_what_is_open_is_asked(column: Column) -> None:
    if column.meaning.startswith("GM"):
        with pytest.raises(Problem) as caught:
            choose(column.values, name=column.name)
        assert caught.value.code == column.meaning
        return
    plan = choose(column.values, name=column.name)
    assert plan.meaning == column.meaning
    assert " ".join(question.about for question in plan.questions) == column.asks
    assert column.notes in " ".join(plan.notes)


ASKED = [column for column in COLUMNS.values() if column.asks]


@pytest.mark.parametrize("column", ASKED, ids=lambda column: column.story)
def test_every_answer_that_a_question_offers_works_and_settles_it(
    column: Column, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Plan, "_picture", lambda plan: None)  # the card of a loss of many grades takes seconds
    first = choose(column.values, name=column.name)
    (question,) = first.questions
    assert question.represents
    for answer in question.represents:
        plan = choose(column.values, name=column.name, represents=answer)
        assert plan.meaning == answer.partition("=")[0]
        assert not plan.questions
    for said in (str(first), first._repr_html_().replace("&#x27;", "'"), str(first.to_dict()["questions"])):
        assert question.options[0] in said


@pytest.mark.parametrize("about", sorted({column.asks for column in ASKED}))
def test_the_option_that_a_question_prints_can_be_typed(
    about: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    column = next(column for column in ASKED if column.asks == about)
    path = tmp_path / "t.csv"
    path.write_text("\n".join([column.name, *map(str, column.values)]) + "\n")
    asked = ["choose", str(path), "--target", column.name]
    assert status_of(asked) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "to settle it: " in line)
    options = re.findall(r"--represents \S+", line)
    assert options
    for option in options:
        assert status_of([*asked, *option.split()]) == 0
        said = capsys.readouterr().out
        assert "to settle it" not in said
        assert option in said.rpartition("next:")[2]


def test_a_name_is_evidence_only_for_values_that_agree() -> None:
    for name, y in {
        "direction": [0, 1] * 30,
        "phase": [1, 2, 3] * 30,
        "hour": [1.5, 200.0, 31.0] * 20,
        "zip": [0.5, 12.25, 3.75] * 20,
        "percent": [-5.0, 250.0, 31.0] * 20,
        "age": [0.5, -1.5, 3.25] * 20,
    }.items():
        assert all(question.about in ("order",) for question in choose(y, name=name).questions), name
    assert choose(["a", "b", "c"] * 9, name="percent").meaning == "classes"


def test_an_angle_needs_a_full_turn() -> None:
    assert str(choose([350.0, 10.0, 170.0], represents="angle=360").loss) == "arrow_error(period=360.0)"
    assert str(choose([0.5, -3.0, 2.0], represents="angle").loss) == f"arrow_error(period={2 * np.pi!r})"
    for wrong in ("angle=0", "angle=round", "angle=-360", "angle=inf", "angle=nan"):
        with pytest.raises(UsageError, match="full turn"):
            choose([350.0, 10.0, 170.0], represents=wrong)
    with pytest.raises(TargetOutsideDomain):
        choose(["n", "e", "s"], represents="angle=8")


@pytest.mark.parametrize("share", [0.6, 0.92, 0.999])
@pytest.mark.parametrize("level", [0.25, 0.5, 0.75, 0.95])
def test_a_quantile_among_equal_values_is_said_to_be_one(share: float, level: float) -> None:
    n = 1000
    y = np.r_[np.zeros(round(share * n)), np.arange(1.0, n - round(share * n) + 1)]
    said = " ".join(choose(y, ask=f"quantile={level}", represents="non_negative").notes)
    assert ("is 0 itself" in said) == (level < share)
    assert not choose(y, ask="mean", represents="real").notes


@pytest.mark.parametrize("share", [0.3, 0.45, 0.5, 0.6, 0.945])
def test_the_scale_of_mostly_equal_values_is_that_of_the_others(share: float) -> None:
    rng = np.random.default_rng(0)
    others = rng.normal(0, 2, round((1 - share) * 4000))
    seen = tails(np.r_[np.full(4000 - len(others), 7.0), 7 + others, 1e6])
    assert seen.scale == pytest.approx(2, rel=0.2)
    assert seen.far == 1
    assert seen.heavy


def test_labels_in_an_order_are_known_however_they_are_written() -> None:
    for labels in (
        ["Strongly Disagree", "disagree", "AGREE"],
        ["very_low", "Low", "high"],
        ["XS", "S", "XL"],
        ["<18", "18-25", ">25"],
        ["1st", "2nd", "3rd"],
        ["stage-1", "stage-2", "stage-10"],
        ["C", "B+", "A-"],
        ["bronze", "silver", "gold"],
    ):
        assert ordered(sorted(labels)) == tuple(labels)
    for labels in (
        ["A", "B", "AB", "O"],
        ["red", "green", "blue"],
        ["cat 1", "dog 2", "fox 3"],
        ["low", "high"],
        [1, 2, 3],
    ):
        assert ordered(labels) == ()


@pytest.mark.parametrize(
    ("labels", "name", "asks"),
    [
        ("abc", "arm", False),
        ("ABC", "y", False),
        ("ABCD", "answer", False),
        ("BCD", "variant", False),
        ("ABCDF", "grade", True),
        ("ABC", "credit_rating", True),
        ("ABC", "ratingMoodys", True),
        (("A+", "A", "B-"), "y", True),
        (("aa", "a", "b"), "y", True),
        (("AAA", "BB", "C"), "y", True),
    ],
)
def test_single_letters_are_an_order_only_where_the_name_says_so(
    labels: str | tuple[str, ...], name: str, asks: bool
) -> None:
    plan = choose([*labels] * 20, name=name)
    assert [question.about for question in plan.questions] == ["order"] * asks
