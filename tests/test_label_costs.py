"""Do costs of classes that are named by label decide as the table of them does: in a study, a file, other languages, a line?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.report.again import command
from goodmeasure.study.label_costs import label_costs
from goodmeasure.study.question import costs_from
from goodmeasure.study.saving import NotAModel

LABELS = ("cat", "dog", "fox")
MATRIX = np.array([[0.0, 3.0, 1.0], [1.0, 0.0, 1.0], [9.0, 1.0, 0.0]])
PAIRS = {(a, b): MATRIX[LABELS.index(a), LABELS.index(b)] for a, b in permutations(LABELS, 2)}
TYPED = ("cat->dog=3", "fox->cat=9", "*->*=1")


@cache
def animals(n: int = 600) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2))
    scores = np.column_stack([x, np.zeros(n)]) * 1.5 + rng.gumbel(size=(n, 3))
    return {"x": x[:, 0], "z": x[:, 1], "y": np.array(LABELS)[scores.argmax(axis=1)]}


@cache
def studied() -> gm.Study:
    return gm.run(animals(), "y", costs=PAIRS)


WAYS: dict[str, Callable[[Path], Any]] = {
    "pairs": lambda place: PAIRS,
    "a matrix": lambda place: gm.ClassCosts(MATRIX),
    "what is typed": lambda place: label_costs(TYPED).settled(LABELS),
    "a table": lambda place: label_costs([str(place)]).settled(LABELS),
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_say_costs_decides_alike(way: str, tmp_path: Path) -> None:
    place = tmp_path / "costs.csv"
    rows = "".join(f"{label},{','.join(f'{c:g}' for c in row)}\n" for label, row in zip(LABELS, MATRIX, strict=True))
    place.write_text(f"true,{','.join(LABELS)}\n{rows}")
    study, first = gm.run(animals(), "y", costs=WAYS[way](place)), studied()
    assert study.decided is not None
    assert first.decided is not None
    assert study.decided.to_dict() == first.decided.to_dict()


def test_the_decision_is_the_class_of_least_expected_cost_and_costs_what_the_table_says() -> None:
    study = studied()
    report = study.prepared.report
    acts = [(each.prediction @ MATRIX).argmin(axis=1) for each in study.said]
    assert study.decided is not None
    mean = np.mean([MATRIX[report.y.astype(int), act].mean() for act in acts])
    assert study.decided.best.cost.value == pytest.approx(mean)
    rows = {"x": [3.0, -3.0, 0.0], "z": [0.0, 0.0, 0.0]}
    expected = [LABELS[k] for k in (study.model.predict(rows) @ MATRIX).argmin(axis=1)]
    assert study.model.decide(rows).tolist() == expected
    assert {rule.name for rule in study.decided.rules} == {"least expected cost", "likeliest", "one class for all"}


def test_saved_and_exported_models_decide_alike(tmp_path: Path) -> None:
    model, table = studied().model, animals()
    expected, _ = model.answers(table)
    assert len(set(expected["decision"])) > 1
    assert (expected["decision"] != [LABELS[k] for k in model.predict(table).argmax(axis=1)]).any()
    model.save(tmp_path / "model.json")
    assert gm.load(tmp_path / "model.json").decide(table).tolist() == expected["decision"].tolist()
    known: dict[str, Any] = {}
    model.export(tmp_path / "model.py")
    exec((tmp_path / "model.py").read_text(), known)
    said = [known["predict"]({"x": a, "z": b})["decision"] for a, b in zip(table["x"], table["z"], strict=True)]
    assert said == expected["decision"].tolist()
    duckdb = pytest.importorskip("duckdb")
    model.export(tmp_path / "model.sql")
    connection = duckdb.connect()
    connection.execute("CREATE TABLE rows (x DOUBLE, z DOUBLE)")
    connection.executemany("INSERT INTO rows VALUES (?, ?)", list(zip(table["x"][:80], table["z"][:80], strict=True)))
    found = connection.execute((tmp_path / "model.sql").read_text()).fetchnumpy()
    assert found["decision"].tolist() == expected["decision"][:80].tolist()


def test_a_forged_table_of_costs_is_refused(tmp_path: Path) -> None:
    text = studied().model.to_json()
    start = text.index('"matrix"')
    place = tmp_path / "model.json"
    place.write_text(text[:start] + text[start:].replace("9.0", "9.0, 1.0", 1))
    with pytest.raises(NotAModel):
        gm.load(place)


def test_costs_of_two_labels_are_costs_of_yes_and_no() -> None:
    table = animals()
    table = {**table, "y": np.where(table["y"] == "fox", "b", "a")}
    named = gm.run(table, "y", costs={("b", "a"): 10, ("a", "b"): 2})
    asked = gm.run(table, "y", positive="b", costs=gm.Costs(false_negative=10, false_positive=2))
    assert named.decided is not None
    assert asked.decided is not None
    assert named.decided.to_dict() == asked.decided.to_dict()


def test_the_line_of_the_report_says_the_same_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    table = animals()
    rows = zip(table["x"], table["z"], table["y"], strict=True)
    Path("t.csv").write_text("x,z,y\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    assert status_of(["run", "t.csv", "--target", "y", *(p for c in TYPED for p in ("--cost", c))]) == 0
    out = capsys.readouterr().out
    assert "say the class of least expected cost: costs" in out
    study = gm.run("t.csv", "y", costs=PAIRS)
    assert label_costs([part for part in shlex.split(command(study)) if "->" in part]).settled(LABELS) == gm.ClassCosts(
        MATRIX
    )
    assert status_of(["choose", "t.csv", "--target", "y", "--cost", "cat->dog=3", "--cost", "*->*=1"]) == 0
    assert "the act of least expected cost" in capsys.readouterr().out


def test_what_is_said_of_a_pair_goes_before_what_is_said_of_many() -> None:
    given = ("*->*=1", "cat->*=2", "*->fox=3", "cat->fox=4", "dog->dog=-1")
    expected = [[0, 2, 4], [1, -1, 3], [1, 1, 0]]
    for typed in permutations(given):
        assert label_costs(typed).settled(LABELS).to_dict()["matrix"] == expected


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["cat->dog=3"], "no cost is named of cat->fox"),
        (["cat->dgo=3", "*->*=1"], "'dgo', which is no label"),
        (["cat->dog"], "is no cost of a pair"),
        (["cat->dog=much"], "is no cost of a pair"),
    ],
)
def test_costs_that_do_not_say_enough_are_refused(typed: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        label_costs(typed).settled(LABELS)


def test_costs_of_labels_are_not_for_amounts() -> None:
    with pytest.raises(UsageError, match="the target is none"):
        gm.run({"x": np.arange(100.0), "y": np.arange(100.0) ** 1.1}, "y", costs=PAIRS)


def test_scored_classes_are_decided_at_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study, place = studied(), tmp_path / "t.csv"
    said = study.model.predict(animals())
    rows = zip(animals()["y"], said, strict=True)
    place.write_text("y,p_cat,p_dog,p_fox\n" + "".join(f"{y},{','.join(map(repr, p.tolist()))}\n" for y, p in rows))
    asked = ["decide", str(place), "--y", "y", "--p", "p_cat,p_dog,p_fox"]
    assert status_of([*asked, *(part for cost in TYPED for part in ("--cost", cost)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["all"]
    true = np.searchsorted(LABELS, animals()["y"])
    assert found["cost"]["value"] == pytest.approx(MATRIX[true, (said @ MATRIX).argmin(axis=1)].mean())
    assert {"always cat", "always dog", "always fox"} < {rule["name"] for rule in found["rules"]}
    assert status_of([*asked, "--cost", "fn=3", "--cost", "fp=1"]) == 2
    assert "takes costs of labels" in capsys.readouterr().err


def test_costs_of_labels_and_one_column_ask_which_label_is_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "t.csv"
    place.write_text("y,p\n" + "".join(f"{'ab'[i % 2]},{(i % 7) / 10 + 0.1 * (i % 2)}\n" for i in range(90)))
    asked = ["decide", str(place), "--y", "y", "--p", "p", "--cost", "b->a=10", "--cost", "a->b=2"]
    assert status_of(asked) == 2
    assert "--positive b" in capsys.readouterr().err
    assert status_of([*asked, "--positive", "b"]) == 0
    named, said = capsys.readouterr().out.split("next:")
    assert "--cost 'b->a=10' --cost 'a->b=2'" in said
    assert status_of([*asked[:6], "--cost", "fn=10", "--cost", "fp=2", "--positive", "b"]) == 0
    same, said = capsys.readouterr().out.split("next:")
    assert named == same
    assert "--cost fn=10 --cost fp=2" in said


@pytest.mark.parametrize("gain", ["tp=-10", "tn=-1", "tp=-3,tn=-1"])
def test_gains_alone_are_no_costs(gain: str) -> None:
    with pytest.raises(UsageError, match="what do errors cost"):
        costs_from([gain])
