"""Is a label the same to every command, whichever capitals and blanks it is written with?"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from goodmeasure.choosing.spelling import spellings, ways
from goodmeasure.cli import status_of

pytestmark = pytest.mark.usefixtures("a_cluster_at_hand")

RNG = np.random.default_rng(0)
P = RNG.uniform(0.05, 0.95, 300)
YES = RNG.random(300) < P
UNTIDY = [[" yes", "Yes", "yes"][i % 3] if yes else ["NO", "no"][i % 2] for i, yes in enumerate(YES)]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, labels in (("tidy.csv", ["yes" if yes else "no" for yes in YES]), ("untidy.csv", UNTIDY)):
        with Path(name).open("w", newline="") as file:
            lines = csv.writer(file)
            lines.writerow(["y", "p", "q", "x"])
            lines.writerows((label, p, 1 - p, round(p, 1)) for label, p in zip(labels, P.tolist(), strict=True))


SCORE, DASK, DECIDE = ("score",), ("score", "--engine", "dask"), ("decide", "--cost", "fn=4,fp=1")


@pytest.mark.parametrize(
    ("command", "label"),
    [*((each, label) for each in (SCORE, DECIDE) for label in ("yes", "YES", " Yes ")), (DASK, " Yes ")],
)
def test_the_label_that_means_yes(command: tuple[str, ...], label: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *options = command
    asked = ("--y", "y", "--p", "p", *options, "--json")
    assert status_of([name, "untidy.csv", *asked, "--positive", label]) == 0
    found = capsys.readouterr()
    assert status_of([name, "tidy.csv", *asked, "--positive", "yes"]) == 0
    assert json.loads(found.out) == json.loads(capsys.readouterr().out)
    assert f"in y is taken for {label!r}" in found.err


def test_labels_of_classes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--y", "y", "--p", "q,p", "--classes", "no,yes", "--json")
    told = []
    for table in ("tidy.csv", "untidy.csv"):
        assert status_of(["score", table, *asked]) == 0
        told.append(json.loads(capsys.readouterr().out))
    assert told[0] == told[1]


def test_what_it_is_chosen_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert status_of(["choose", "untidy.csv", "--target", "y"]) == 0
    said = capsys.readouterr().out
    assert "binary_cross_entropy()" in said
    assert "labels of column 'y' that are one were put together" in said


def test_labels_that_capitals_alone_tell_apart_stay_apart() -> None:
    genes = {"AA": 5, "Aa": 9, "aa": 4, " aa": 1}
    assert spellings(genes) == {" aa": "aa"}
    assert ways("Aa", genes) == ("Aa",)
    assert ways("aa", genes) == ("aa", " aa")
    assert ways("aA", genes) == ("aA",)
    assert ways("yes", {"Yes": 3, "yes ": 1, "no": 4}) == ("yes", "Yes", "yes ")
    assert ways("maybe", {"yes": 3, "no": 4}) == ("maybe",)
