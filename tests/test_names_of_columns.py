"""Whatever a column is called, and however a loss is, does a command take it as that?"""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.risks.ranking import rank_models
from goodmeasure.statistics import row_arguments
from goodmeasure.tallying.accumulate import Accumulator

Y = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0] * 20)
P = np.linspace(0.1, 0.9, len(Y))
BCE = losses.binary_cross_entropy()
# Every name that an argument on the way has, and what else a keyword could be taken for.
NAMES = sorted(
    {
        *inspect.signature(gm.tally).parameters,
        *inspect.signature(Accumulator.add).parameters,
        *inspect.signature(row_arguments.equal_length).parameters,
        *inspect.signature(row_arguments.present).parameters,
        *("self", "name", "sample_weight", "cluster", "group", "y", "rows", "n", "time", "columns", "template", "cell"),
    }
)


@pytest.mark.parametrize("name", NAMES)
def test_a_model_may_be_called_anything(name: str) -> None:
    named = gm.tally(BCE, Y, prediction={name: P}, sample_weight=np.ones(len(Y)), cluster=np.arange(len(Y)))
    assert named.risk(BCE, name).value == pytest.approx(gm.risk(BCE, Y, prediction=P).value)
    aligned = rank_models({name: {name: P, "other": P + Y}, "second": {name: P, "other": P}})
    assert set(aligned.means) == {name, "second"}


def test_a_model_called_as_a_difference_is_refused() -> None:
    with pytest.raises(UsageError, match="named a - b"):
        gm.tally(BCE, Y, prediction={"a": P, "b": P, "a - b": P})


NAMED = ["y", "group", "cluster", "sample_weight", "self", "columns", "a - b"]


@pytest.mark.parametrize("name", NAMED)
def test_commands_take_columns_of_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "\n".join(f"{y:g},{p},{i // 6 % 3 + 1}" for i, (y, p) in enumerate(zip(Y, P, strict=True)))
    Path("t.csv").write_text(f"happened,{name},weight of\n{rows}\n")
    asked = ("t.csv", "--y", "happened", "--p", name)
    turn = NAMED.index(name) % 2
    for more in ([], ["--weights", "weight of"], ["--cluster", "weight of"], ["--by", "weight of"])[turn::2]:
        assert status_of(["score", *asked, *more]) == 0
        assert status_of(["decide", *asked, *more, "--cost", "fn=4", "--cost", "fp=1"]) == 0
    assert status_of(["score", "t.csv", "--y", name, "--p", "happened", "--loss", "squared_error"]) == 0


@pytest.mark.parametrize("name", losses.catalogue())
def test_a_hyperparameter_that_no_loss_has_is_told(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["losses", name, "--set", "self=2"]) == 3
    assert "GM002" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--p", ["decide", "t.csv", "--y", "y", "--p", "a", "--p", "b", "--cost", "fn=4", "--cost", "fp=1"]),
        ("--y", ["score", "t.csv", "--y", "a", "--p", "p", "--y", "b"]),
        ("--y", ["score", "t.csv", "--target", "a", "--p", "p", "--y=b"]),
        ("--target", ["run", "t.csv", "--target", "a", "--target=b"]),
        ("--out", ["predict", "m.json", "t.csv", "--out", "a", "--out", "b"]),
        ("--asks", ["losses", "--asks", "a", "--asks", "b"]),
    ],
)
def test_an_option_of_one_value_given_twice_is_refused(
    option: str, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert status_of(words) == 2
    said = capsys.readouterr().err
    assert f"{option} takes one value, and was given 2 times" in said
    assert "seen  a, b" in said


def test_the_fix_for_classes_in_words_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "\n".join(f"{('cat', 'dog', 'fox')[i % 3]},0.2,0.3,0.5" for i in range(60))
    Path("t.csv").write_text(f"y,cat,dog,fox\n{lines}\n")
    assert status_of(["score", "t.csv", "--y", "y", "--p", "cat", "--p", "dog"]) == 3
    assert "--p cat,dog,fox" in capsys.readouterr().err
    assert status_of(["score", "t.csv", "--y", "y", "--p", "cat,dog,fox"]) == 0


def test_a_loss_is_found_by_what_people_call_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text("y,p\n" + "".join(f"{y},{p}\n" for y, p in zip(Y, P, strict=True)))
    for called in ("rmse", "mse", "MAE", "log loss", "kl_div"):
        status_of(["losses", called, "--json"])
        known = capsys.readouterr().out
        status = status_of(["score", "t.csv", "--y", "y", "--p", "p", "--loss", called])
        out, err = capsys.readouterr()
        assert known
        assert losses.find(called).name in (out if status == 0 else f"{err} {losses.find(called).name}")
        assert losses.find(called).note in err
    assert status_of(["score", "t.csv", "--y", "y", "--p", "p", "--loss", "poison"]) == 2
    assert "GM011" in capsys.readouterr().err
