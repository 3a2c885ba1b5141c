"""Does ``--loss`` say of every loss of the catalogue what it takes, with a fix that runs?"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.cli._evidence import losses_from
from goodmeasure.errors import UsageError
from goodmeasure.tallying.accumulate import kind_of

CATALOGUE = losses.catalogue()
KINDS = {name: kind_of(each()) for name, each in CATALOGUE.items()}
AMOUNTS = [name for name, kind in KINDS.items() if kind == "amount"]
CLASSES = [name for name, kind in KINDS.items() if kind == "classes"]
SEVERAL = [name for name in AMOUNTS if len(CATALOGUE[name]().activation) > 1]
HYPERPARAMETERS = [(name, given) for name, each in CATALOGUE.items() for given, _ in each.defaults]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("table") / "t.csv"
    rows = [f"{i % 2},{('cat', 'dog')[i % 2]},{0.2 + i % 2 / 2},{0.8 - i % 2 / 2}" for i in range(20)]
    place.write_text("\n".join(["y,lab,p,q", *rows]) + "\n")
    return place


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """The status, what is said, and the fix."""
    status = status_of([*map(str, words)])
    said = capsys.readouterr().err
    return status, said, next((line for line in said.splitlines() if line.startswith("  fix")), "")


@pytest.mark.parametrize("target", ["y", "lab"])
@pytest.mark.parametrize("name", AMOUNTS)
def test_a_label_that_means_yes_goes_with_no_loss_of_amounts(
    table: Path, name: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    label = {"y": "1", "lab": "cat"}[target]
    words = ["score", table, "--y", target, "--p", "p", "--positive", label]
    status, said, fix = refusal(capsys, *words, "--loss", name)
    assert (status, said[:5], "--loss binary_brier" in fix) == (2, "GM009", True)


def test_the_fix_for_a_label_and_a_loss_of_amounts_runs(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["score", table, "--y", "lab", "--p", "p", "--loss"]
    _, _, fix = refusal(capsys, *words, "huber")
    assert "--loss binary_brier --positive LABEL" in fix
    assert status_of([*map(str, words), "binary_brier", "--positive", "cat"]) == 0


@pytest.mark.parametrize("name", CLASSES)
def test_a_loss_of_classes_on_one_column_says_what_it_takes(
    table: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, fix = refusal(capsys, "score", table, "--y", "y", "--p", "p", "--loss", name)
    assert (status, "one column for each class" in said) == (2, True)
    offered = re.search(r"--loss (\w+)", fix)
    assert (offered and offered[1]) == (f"binary_{name}" if f"binary_{name}" in CATALOGUE else None)


@pytest.mark.parametrize("name", [name for name in CATALOGUE if KINDS[name] != "classes"])
def test_other_losses_on_a_column_for_each_class_say_what_they_take(
    table: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["score", table, "--y", "y", "--p", "p,q", "--classes", "0,1", "--loss", name]
    status, said, fix = refusal(capsys, *words)
    assert (status, "predictions a row" in said or "one column a model" in said, bool(fix)) == (2, True, True)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_loss_of_several_predictions_says_so(table: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = refusal(capsys, "score", table, "--y", "y", "--p", "p", "--loss", name)
    assert (status, "predictions a row" in said, "65536" in said) == (2, True, False)


@pytest.mark.parametrize(("name", "given"), HYPERPARAMETERS, ids=str)
@pytest.mark.parametrize("value", ["nan", "some", ""])
def test_a_hyperparameter_outside_its_domain_is_told_with_a_call_that_works(name: str, given: str, value: str) -> None:
    with pytest.raises(UsageError) as refused:
        losses_from([f"{name}({given}={value})"])
    assert ("outside its domain" if value == "nan" else "are numbers") in refused.value.what
    (call,) = shlex.split(refused.value.fix)[1:]
    (made,) = losses_from([call])
    assert (made.spelling.factory, made.hyperparameters) == (name, CATALOGUE[name]().hyperparameters)
    assert given in call


@pytest.mark.parametrize("name", CATALOGUE)
@pytest.mark.parametrize("given", ["class_weight=2", "positive_weight=-1", "no_such=1"])
def test_weights_and_unknown_words_too(name: str, given: str) -> None:
    with pytest.raises(UsageError) as refused:
        losses_from([f"{name}({given})"])
    (call,) = shlex.split(refused.value.fix)[1:]
    (made,) = losses_from([call])
    assert (made.spelling.factory, made.hyperparameters) == (name, CATALOGUE[name]().hyperparameters)


def test_a_negative_delta_is_told_its_domain() -> None:
    with pytest.raises(UsageError, match="a positive number"):
        losses_from(["huber(delta=-1)"])


@pytest.mark.parametrize(
    "name", [name for name in AMOUNTS if name not in SEVERAL and 0 not in CATALOGUE[name]().target]
)
def test_targets_outside_the_domain_are_counted_in_rows_of_the_file(
    table: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, fix = refusal(capsys, "score", table, "--y", "y", "--p", "p", "--loss", name)
    assert (status, "10 of 20 targets are outside" in said, "--where" in fix) == (3, True, True)


def test_refusals_of_labels_have_a_fix(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (
        ("--y", "p", "--p", "q"),
        ("--y", "lab", "--p", "p", "--positive", "bird"),
        ("--y", "lab", "--p", "p,q", "--classes", "cat,bird"),
        ("--y", "lab", "--p", "p,q", "--positive", "cat"),
    ):
        status, said, fix = refusal(capsys, "score", table, *words)
        assert (status in (2, 3), bool(fix)) == (True, True), said


@pytest.mark.parametrize("columns", ["p1", "p1,p2", "p1,p2,p3"])
@pytest.mark.parametrize("name", SEVERAL)
def test_a_loss_of_several_predictions_is_refused_with_what_scores_them(
    name: str, columns: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "t.csv"
    table.write_text("y,p1,p2,p3\n0,.9,.5,.2\n1,.9,.4,.1\n3,.9,.8,.7\n2,.8,.7,.6\n")
    words = ["score", str(table), "--y", "y"]
    assert status_of([*words, "--p", columns, "--loss", name]) == 2
    said = capsys.readouterr().err
    (line, width) = re.findall(r"in Python: (gm\.risk\(.*\)), p of shape \(rows, (\d)\)", said)[0]
    y, p = np.array([0, 1, 3, 2]), np.array([[0.9, 0.5, 0.2], [0.9, 0.4, 0.1], [0.9, 0.8, 0.7], [0.8, 0.7, 0.6]])
    graded = CATALOGUE[name]().is_graded
    assert int(width) == (3 if graded else len(CATALOGUE[name]().activation))
    rising = p if graded else np.sort(p, axis=1)
    assert np.isfinite(eval(line, {"gm": gm, "y": y if graded else y + 1, "p": np.abs(rising[:, : int(width)])}).value)
    for by_itself in re.findall(r"each level by itself: (--p .*); in Python", said):
        assert status_of([*words, *shlex.split(by_itself)]) == 0
