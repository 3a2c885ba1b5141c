"""Is every argument of everything public either taken rightly or refused by name: never a raw error of what lies below?"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import goodmeasure as gm
from good_calls import CALLS
from goodmeasure.errors import Problem, UsageError
from goodmeasure.formulas.domains import Level
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.strict.definitions import each_once
from misuses import BINARY, P, Y, Z
from test_docstrings import EVERYTHING

# What is told from its own kind of tests, or takes anything by design.
ELSEWHERE = re.compile(
    r"audit|check|loss$|log_mlflow|watch|Watch|Within|TorchLoss|assert_partition_invariant|global_denominator|torch_loss|linear_loss|Audit|Activation|ColumnKind|Model\.(of|predictions|settled|decisions|using)"
    # What refuses arrays by shape and dtype alone, because it is traced.
    r"|JaxLoss|KerasLoss"
    # What rows that were read are counted by.
    r"|RowsRead|Reweighed|Model\.expected_losses"
    # What boosters call, with arrays and models of their own.
    r"|(XGBoost|LightGBM|CatBoost|HistGradientBoosting)(Loss|Metric)(?!\.start)"
    # What to_sklearn and recalibrations make, and what scikit-learn calls.
    r"|Sklearn(Loss|Costs)$|(Calibration|Loss|Decision)Display(\.plot)?$|AmountMap|CostSensitive\w+\.get_metadata_routing"
)
# scikit-learn refuses features and targets by its own checks and in its own words.
ESTIMATORS = ("LossClassifier", "LossRegressor", "CostSensitiveClassifier", "CostSensitiveRegressor")
ITS_OWN = {(kind, name) for kind in ESTIMATORS for name in ("X", "y", "X_val", "y_val")}
DISPLAYS = ("CalibrationDisplay", "DecisionDisplay", "LossDisplay")
ITS_OWN |= {(kind, name) for kind in DISPLAYS for name in ("estimator", "X")}
# A function of the user fails in its own words.
ITS_OWN |= {(kind, "monitor") for kind in ("LossClassifier", "LossRegressor")}


class Odd:
    """An object that nobody knows."""


HOSTILE: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "nan": lambda: float("nan"),
    "inf": lambda: float("inf"),
    "-1": lambda: -1,
    "95": lambda: 95,
    "10**400": lambda: 10**400,
    "a text": lambda: "x",
    "an empty text": lambda: "",
    "bytes": lambda: b"x",
    "an object": Odd,
    "a class": lambda: int,
    "a function": lambda: len,
    "1j": lambda: 1j,
    "a date": lambda: datetime.date(2020, 1, 1),
    "an empty list": list,
    "a dictionary": dict,
    "a set": lambda: {1, 2},
    "a generator": lambda: (i for i in range(6)),
    "no axes": lambda: np.array(0.5),
    "three axes": lambda: np.ones((6, 1, 1)),
    "an empty table": lambda: np.empty((0, 3)),
    "complex numbers": lambda: np.ones(6, complex),
    "texts": lambda: ["a"] * 6,
    "dates": lambda: np.array(["2020-01-01"] * 6, "M8[D]"),
    "durations": lambda: np.ones(6, "m8[s]"),
    "objects": lambda: [Odd()] * 6,
    "masked": lambda: np.ma.array(np.full(6, 0.5), mask=[0, 0, 1, 0, 0, 0]),
    "missing": lambda: pd.array([1, 0, None, 1, 0, 1], dtype="Int64"),
    "ragged lists": lambda: [[1], [1, 2]] * 3,
    "too short": lambda: [1.0],
    "too long": lambda: [0.5] * 7,
    "negative": lambda: [-1.0] * 6,
    "huge": lambda: [1e308] * 6,
    "whole numbers without a double": lambda: [10**400] * 6,
    "NaN": lambda: [np.nan] * 6,
    "None in lists": lambda: [None] * 6,
    "several fields": lambda: np.ones(6, "f8,f8"),
}
# No number is one of these.
NO_NUMBERS = (
    "an object",
    "a class",
    "a function",
    "1j",
    "a date",
    "a set",
    "a generator",
    "complex numbers",
    "texts",
    "dates",
    "durations",
    "objects",
    "ragged lists",
    "several fields",
)
NUMBERS = re.compile(r"^(y|z|z_a|z_b|p|scores|prediction|sample_weight|before|thresholds|ratios|at|matrix|exposure)$")
FEW = ("None", "nan", "a text", "an object", "an empty list", "a dictionary")
CASES = [(name, argument) for name, (_, good) in CALLS.items() for argument in good]


def hostile(name: str) -> dict[str, Callable[[], Any]]:
    """What to try: of what takes long, a part."""
    return {key: HOSTILE[key] for key in FEW} if name in ("run", "decide", "calibration") else HOSTILE


def test_everything_public_that_takes_arguments_has_a_right_call() -> None:
    public = {each.name for each in EVERYTHING if each.takes}
    assert {name for name in public - set(CALLS) if not ELSEWHERE.match(name)} == set()


@pytest.mark.parametrize("name", CALLS)
def test_the_right_calls_are_right(name: str) -> None:
    call, good = CALLS[name]
    call(**good)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_is_refused_is_refused_by_name(name: str, argument: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # a text is the name of a file to some
    call, good = CALLS[name]
    of_numbers = NUMBERS.match(argument) and name not in ("choose", "Loss.value_and_gradient")
    allowed = (TypeError, ValueError, OverflowError) if (name.split(".")[0], argument) in ITS_OWN else ()
    for what, make in hostile(name).items():
        try:
            call(**{**good, argument: make()})
        except (Problem, *allowed):
            continue
        assert not (of_numbers and what in NO_NUMBERS), f"{what} was taken"


OF_ARRAYS = (
    "risk",
    "signal",
    "compare",
    "tally",
    "Loss.best_constant",
    "Loss.value_and_gradient",
    "choose",
    "recalibrate",
)
OF_MODELS = [f"{name}.fit" for name in ESTIMATORS] + ["LossRegressor.predict", "LossClassifier.raw"]


@pytest.mark.parametrize("argument", ["y", "z", "sample_weight", "X", "exposure"])
@pytest.mark.parametrize("name", [*OF_ARRAYS, *OF_MODELS])
def test_what_is_masked_is_missing(name: str, argument: str) -> None:
    call, good = CALLS[name]
    if argument not in good:
        pytest.skip("it has no such argument")
    values = np.asarray(good[argument], dtype=float)
    gone = np.zeros(values.shape, bool)
    gone[2] = True
    told = []
    for given in (np.ma.array(values, mask=gone), np.where(gone, np.nan, values)):
        try:
            found = call(**{**good, argument: given})
            told.append(found.to_bytes() if name == "tally" else repr(found))
        except (Problem, ValueError) as problem:  # the latter of scikit-learn, about NaN
            told.append(str(problem))
    assert told[0] == told[1]


# --- one of several words, a share, an instance: read off the annotation ---


# Arguments that take one of several words, with some of these.
WORDS = {
    "weights_mean": ["importance", "frequency"],
    "method": ["platt"],
    "outliers": ["errors", "real"],
    "curve": ["recall", "net_benefit"],
    "name": ["always"],
}


def literals() -> list[tuple[str, str]]:
    """Arguments of right calls that take one of several words."""
    others = {("risk", "method"), ("choose", "name"), ("to_keras", "name"), ("Tally.calibration", "method")}
    # Estimators look at what they were made with when they fit.
    others |= {("CostSensitiveClassifier", "method"), ("CostSensitiveRegressor", "method")}
    return [
        (name, key) for name, (_, good) in CALLS.items() for key in good if key in WORDS and (name, key) not in others
    ]


@pytest.mark.parametrize(("name", "argument"), literals())
def test_a_misspelt_word_is_refused_with_the_nearest(name: str, argument: str) -> None:
    call, good = CALLS[name]
    for word in WORDS[argument]:
        with pytest.raises(UsageError) as caught:
            call(**{**good, argument: word + "q"})
        assert word in caught.value.fix


@pytest.mark.parametrize("name", [name for name, (_, good) in CALLS.items() if "level" in good])
@pytest.mark.parametrize("level", [95, 0, 1, -0.5, float("nan"), float("inf"), "0.9", None])
def test_a_level_lies_between_zero_and_one(name: str, level: Any) -> None:
    call, good = CALLS[name]
    with pytest.raises(UsageError, match="level=") as caught:
        call(**{**good, "level": level})
    assert (caught.value.fix[-12:] == " level=0.95)") == (level == 95)


def test_the_door_takes_what_stands_for_a_plain_value() -> None:
    @strict_keywords
    def taking(level: Level = 0.9, count: int = 1, name: str | None = None, sure: bool = False) -> tuple[Any, ...]:
        return level, count, name, sure

    assert taking(np.float32(0.5), np.int64(3), None, np.bool_(True))[1] == 3
    assert taking(level=np.array(0.5), count=True)[0] == 0.5
    for wrong in ({"level": 1}, {"count": 1.5}, {"name": 3}, {"sure": "no"}, {"count": 10**400, "level": "x"}):
        with pytest.raises(UsageError, match="taking takes no"):
            taking(**wrong)


# --- samples ---


@pytest.mark.parametrize("given", ["weights", "weight"])
def test_weights_are_called_sample_weight(given: str) -> None:
    with pytest.raises(UsageError) as caught:
        gm.risk(BINARY, Y, Z, **{given: [1.0] * 6})
    assert caught.value.fix == "risk(..., sample_weight=...)"


def test_costs_of_another_length_are_refused() -> None:
    costs = gm.Costs(false_negative=np.ones(5), false_positive=1)
    for call in (lambda: gm.bayes_act(P, costs), lambda: gm.decide(Y, P, costs), lambda: costs.of_leaving(np.array(Y))):
        with pytest.raises(Problem, match="5"):
            call()


def test_half_is_no_evidence_at_all() -> None:
    assert BINARY.raw([0.5]).tolist() == [0.0]
    assert BINARY.raw(np.array([0.5], np.float32)).tolist() == [0.0]


def test_an_audit_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="nothing to audit"):
        gm.audit()
    with pytest.raises(UsageError, match="nothing to audit"):
        gm.audit(task="binary")


def test_a_name_that_is_defined_twice_in_a_file_is_refused(tmp_path) -> None:
    file = tmp_path / "m.py"
    file.write_text("def one():\n    pass\n\n\ndef two():\n    pass\n\n\ndef one():\n    pass\n")
    with pytest.raises(UsageError, match="one is defined 2 times"):
        each_once(str(file), r"def (\w+)")
    file.write_text("log: Word = Word()\nexp: Word = Word()\n")
    each_once(str(file), r"(\w+): Word = ")
