"""Can a study be asked of features and a target apart, of lazy frames, and of classes that are too rare to split?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor

import goodmeasure as gm
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.files import read
from goodmeasure.reading.frames import table
from goodmeasure.reading.tables import UnreadableTable
from goodmeasure.study import answering
from goodmeasure.study.split import TooFewRowsToSplit
from turns import by_turns

N = 600
RNG = np.random.default_rng(3)
FEATURES = RNG.normal(size=(N, 2))
TARGET = FEATURES @ [1.0, -2.0] + RNG.normal(size=N)
NAMED = {"x0": FEATURES[:, 0], "x1": FEATURES[:, 1]}
WAYS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "arrays": lambda: (FEATURES, TARGET),
    "lists": lambda: (FEATURES.tolist(), TARGET.tolist()),
    "column": lambda: (FEATURES, TARGET[:, None]),
    "pandas": lambda: (pd.DataFrame(NAMED), pd.Series(TARGET, name="target")),
    "polars": lambda: (pl.DataFrame(NAMED), pl.Series("target", TARGET)),
    "arrow": lambda: (pa.table(NAMED), TARGET),
    "dict": lambda: (NAMED, TARGET),
    "lazy": lambda: (pl.LazyFrame(NAMED).with_columns(target=pl.Series(TARGET)), "target"),
    "one table": lambda: ({**NAMED, "target": TARGET}, "target"),
}


@pytest.fixture(scope="module")
def expected() -> float:
    return gm.run({**NAMED, "target": TARGET}, "target", protocol="holdout").judged.report.value


@pytest.mark.parametrize("way", WAYS)
def test_features_and_target_may_be_given_apart(way: str, expected: float) -> None:
    data, target = WAYS[way]()
    study = gm.run(data, target, protocol="holdout")
    assert study.question.target == "target"
    assert study.judged.report.value == expected
    assert study.model.predict({name: values[:3] for name, values in NAMED.items()}).shape == (3,)


@pytest.mark.parametrize(
    ("data", "target", "error"),
    [
        (FEATURES, TARGET[:-1], UnreadableTable),
        (np.zeros((4, 2, 2)), TARGET[:4], UnreadableTable),
        ("t.csv", TARGET, UsageError),
        (NAMED, True, UsageError),
        (NAMED, None, UsageError),
        (NAMED, 3.5, UsageError),
        (FEATURES, "y", UnreadableTable),
    ],
)
def test_what_is_no_target_is_an_error_with_a_name(data: Any, target: Any, error: type[Problem]) -> None:
    with pytest.raises(error):
        gm.run(data, target)


# --- rare classes ---


def rare(counts: dict[Any, int]) -> dict[str, Any]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    order = np.random.default_rng(0).permutation(len(labels))
    values = [labels[i] for i in order]
    return {"x": [crc32(str(label).encode()) % 97 + 0.1 * i for i, label in enumerate(values)], "kind": values}


RARE: list[dict[Any, int]] = [
    {"a": 200, "b": 200, "c": 1},
    {"a": 300, "b": 200, "c": 4, "d": 7, "e": 1},
    {1: 200, 2: 200, 3: 5, 4: 6},
]


# Folds take ten times as long, and the labels that the second table has too few of are each as few as one of the others'.
@pytest.mark.parametrize(
    ("counts", "protocol"), [*((counts, "holdout") for counts in RARE), (RARE[1], "folds")], ids=str
)
def test_rare_classes_are_named_and_then_left_out_or_one(counts: dict[Any, int], protocol: str) -> None:
    table = rare(counts)
    with pytest.raises(TooFewRowsToSplit) as caught:
        gm.run(table, "kind", represents="classes", protocol=protocol)
    assert "rare_classes='drop'" in caught.value.fix
    few = {label for label, count in counts.items() if count < 10}
    study = gm.run(table, "kind", represents="classes", protocol=protocol, rare_classes="drop")
    assert set(study.plan.labels) == set(counts) - few
    said = next(remark for remark in study.remarks if remark.code == "GM246")
    assert all(str(label) in said.what for label in few)
    assert said.what in study.plan.notes
    if protocol == "folds":
        return
    if sum(counts[label] for label in few) < 10:
        with pytest.raises(TooFewRowsToSplit, match="too few for a class"):
            gm.run(table, "kind", represents="classes", protocol=protocol, rare_classes="together")
        return
    study = gm.run(table, "kind", represents="classes", protocol=protocol, rare_classes="together")
    assert set(study.plan.labels) == {-1 if 1 in counts else "(rare)", *(set(counts) - few)}


OFFERED: list[tuple[dict[Any, int], str]] = [
    ({"low": 90, "medium": 90, "high": 3}, "grade"),
    ({"low": 90, "medium": 90, "high": 3}, "low < medium < high"),
    ({"poor": 6, "fair": 60, "good": 60, "excellent": 6}, "poor < fair < good < excellent"),
    ({1: 60, 2: 60, 3: 60, 4: 7, 5: 7}, "grade"),
    ({"a": 90, "b": 90, "c": 3}, "classes"),
    ({"a": 90, "b": 90, "c": 6, "d": 6}, "classes"),
    ({"a": 90, "b": 6, "c": 6}, "classes"),
    ({"a": 90, "b": 3}, "binary"),
]


class Ready(Exception):
    """The rows are ready, and nothing is trained on them."""


@pytest.mark.parametrize(("counts", "represents"), OFFERED, ids=str)
def test_what_is_offered_of_rare_labels_works_and_what_is_not_offered_does_not(
    counts: dict[Any, int], represents: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = answering.prepared

    def ready(*given: Any) -> None:
        raise Ready(made(*given).plan)

    monkeypatch.setattr(answering, "prepared", ready)
    asked: dict[str, Any] = {"represents": represents, "protocol": "holdout"}
    with pytest.raises(TooFewRowsToSplit) as caught:
        gm.run(rare(counts), "kind", **asked)
    for way in ("together", "drop"):
        offered = f"rare_classes={way!r}"
        expected = (Ready,) if offered in caught.value.fix else (TooFewRowsToSplit, UsageError)
        with pytest.raises(expected) as again:
            gm.run(rare(counts), "kind", **asked, rare_classes=way)
        if isinstance(again.value, Ready):
            plan = again.value.args[0]
            assert plan.loss.is_graded == (represents != "classes" and len(plan.labels) > 2)
        else:
            assert offered not in again.value.fix


def test_rare_labels_of_a_test_table_are_treated_alike() -> None:
    table, other = rare(RARE[1]), rare({"a": 30, "b": 30, "e": 3, "new": 2})
    together = gm.run(table, "kind", test=other, rare_classes="together")
    assert len(together.prepared.report) == 65
    dropped = gm.run(table, "kind", test=other, rare_classes="drop")
    assert len(dropped.prepared.report) == 60
    with pytest.raises(UsageError, match="rare_classes='merge' is no answer"):
        gm.run(table, "kind", rare_classes="merge")


def test_durations_and_times_of_the_day_are_seconds() -> None:
    spans, hours = [timedelta(minutes=1), None, timedelta(days=1)], [time(0, 0, 1), time(1), None]
    given = {
        "plain": {"span": spans, "hour": hours},
        "pandas": pd.DataFrame({"span": pd.to_timedelta(spans), "hour": hours}),
        "arrow": pa.table({"span": pa.array(spans), "hour": pa.array(hours, pa.time64("us"))}),
        "polars": pl.DataFrame({"span": spans, "hour": hours}),
    }
    for name, frame in given.items():
        found = table(frame)
        np.testing.assert_array_equal(found["span"], [60, np.nan, 86_400], err_msg=name)
        np.testing.assert_array_equal(found["hour"], [1, 3600, np.nan], err_msg=name)


@pytest.mark.parametrize(("label", "frame"), by_turns((str, "{}.0".format, bool), (dict, pd.DataFrame, pl.DataFrame)))
def test_a_target_is_the_same_however_0_and_1_are_written(label: Any, frame: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    y = (x + rng.normal(size=80) > 0).astype(int).tolist()
    found, plain = (
        gm.run(frame({"x": x, "y": cells}), "y", protocol="holdout") for cells in ([label(one) for one in y], y)
    )
    assert found.judged.report == plain.judged.report


# --- several targets a row ---

SEVERAL = (np.column_stack([TARGET, FEATURES[:, 0]]) > 0).astype(int)


@pytest.mark.parametrize(
    ("fit", "told"),
    [
        (lambda: gm.run(FEATURES, SEVERAL), "[run(data, y[:, k]) for k in range(y.shape[1])]"),
        (lambda: gm.LossClassifier().fit(FEATURES, SEVERAL), "MultiOutputClassifier(model).fit(X, y)"),
        (lambda: gm.LossRegressor().fit(FEATURES, SEVERAL), "MultiOutputRegressor(model).fit(X, y)"),
    ],
)
def test_several_targets_a_row_are_refused_with_a_line_that_runs(fit: Callable[[], Any], told: str) -> None:
    with pytest.raises(Problem) as caught:
        fit()
    assert told in caught.value.fix


@pytest.mark.parametrize("model", [gm.LossClassifier(alpha=1.0), gm.LossRegressor()])
def test_a_model_for_each_of_several_targets(model: Any) -> None:
    wrapper = MultiOutputClassifier if isinstance(model, gm.LossClassifier) else MultiOutputRegressor
    assert wrapper(model).fit(FEATURES, SEVERAL).predict(FEATURES[:3]).shape == (3, 2)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S+00:00"])
def test_a_model_of_a_file_takes_dates_as_texts_of_a_frame(form: str, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=N, freq="7h").strftime(form)
    frame = pd.DataFrame({**NAMED, "day": days, "y": TARGET})
    frame.to_csv(tmp_path / "t.csv", index=False)
    model = gm.run(str(tmp_path / "t.csv"), "y", protocol="holdout").model
    later = tmp_path / "later.csv"
    frame[:5].to_csv(later, index=False)
    assert np.array_equal(model.predict(frame[:5]), model.predict(read(str(later))))
