"""Does the command line start fast, say what is wrong in one style, and never leave a traceback or half a file?"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest

from goodmeasure.cli import goodmeasure, status_of
from goodmeasure.errors import nearest, problems

HEAVY = {"scipy", "numba", "sklearn", "duckdb", "matplotlib", "torch", "jinja2", "pandas", "polars", "rich", "mpmath"}


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def commands() -> list[str]:
    return goodmeasure.list_commands(click.Context(goodmeasure))


def test_help_needs_nothing_heavy() -> None:
    code = (
        "import sys\nfrom goodmeasure.cli import status_of\nstatus_of(['--help'])\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    loaded = set(eval(run_python(code).splitlines()[-1]))  # our own list of names
    assert not loaded & HEAVY


@pytest.mark.parametrize("name", commands())
def test_each_command_explains_itself_without_loading_anything_heavy(name: str) -> None:
    code = (
        f"import sys\nfrom goodmeasure.cli import status_of\nstatus_of([{name!r}, '--help'])\n"
        "print(sorted({m.split('.')[0] for m in sys.modules}))"
    )
    text = run_python(code)
    assert "Usage: goodmeasure" in text
    assert not set(eval(text.splitlines()[-1])) & HEAVY  # our own list of names


def test_every_problem_has_a_code_of_its_own_and_a_page() -> None:
    import pkgutil
    from importlib import import_module

    import goodmeasure

    # Modules of hosts that this machine may lack define no problems of their own.
    for module in pkgutil.walk_packages(goodmeasure.__path__, "goodmeasure."):
        if ".auditing." not in module.name:
            import_module(module.name)
    codes = [kind.code for kind in problems() if kind.code.startswith("GM2")]
    assert len(codes) == len(set(codes))
    assert all(kind.__doc__ and len(kind.__doc__) > 40 for kind in problems())


@pytest.fixture
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a good table and many bad ones; it is where commands run."""
    rng = np.random.default_rng(0)
    n = 120
    x = rng.normal(size=(2, n))
    score = 3 * x[0] + rng.normal(size=n)
    base = {"a": [*map(str, x[0])], "b": [*map(str, x[1])], "score": [*map(str, score)]}

    def write(name: str, **columns: list[str]) -> None:
        found = {**base, **columns}
        with (tmp_path / name).open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(found)
            lines.writerows(zip(*found.values(), strict=True))

    write("good.csv", kind=["yes" if s > 0 else "no" for s in score])
    write("one.csv", kind=["yes"] * n)
    write("constant.csv", score=["5"] * n)
    write("text.csv", score=[*base["score"][:50], "about 3", *base["score"][51:]])
    write("infinite.csv", score=["inf", *base["score"][1:]])
    write("few.csv", **{name: values[:12] for name, values in base.items()})
    write("ids.csv", **{name: [f"{name} {i}" for i in range(n)] for name in ("a", "b")})
    (tmp_path / "twice.csv").write_text("a,a,score\n" + "1,2,3\n" * 50)
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "header.csv").write_text("a,score\n")
    (tmp_path / "ragged.csv").write_text("a,score\n" + "1,2\n" * 9 + "1,2,3\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ("run nope.csv --target score", 3, "no file nope.csv"),
        ("run *.parquet --target score", 3, "no file matches"),
        ("run good.csv --target scor", 3, "did you mean 'score'"),
        ("run good.csv --target score --weights nope", 3, "no column 'nope'"),
        ("run good.csv --target score --exclude nope", 3, "no column 'nope'"),
        ("run empty.csv --target score", 3, "is empty"),
        ("run header.csv --target score", 3, "no rows"),
        ("run one.csv --target kind", 3, "only one class"),
        ("run constant.csv --target score", 3, "same value"),
        ("run text.csv --target score", 3, "line 52, column 'score'"),
        ("run infinite.csv --target score", 3, "row 1,"),
        ("run twice.csv --target score", 3, "several columns named 'a'"),
        ("run few.csv --target score", 3, "too few"),
        ("run ids.csv --target score", 3, "no column is left"),
        ("run ragged.csv --target score", 3, "line 11"),
        ("run good.csv --target score --weights a", 3, "weights are missing, negative"),
        ("run good.csv --target score --exposure b", 3, "exposures are missing"),
        ("run good.csv --target kind --positive maybe", 2, "--positive"),
        ("run good.csv --target kind --metric rmse", 2, "--metric"),
        ("run good.csv --target kind --cost fn=3", 2, "--cost fp="),
        ("run good.csv --target kind --cost fn=3,fp=x", 2, "not a number"),
        ("run good.csv --target kind --cost zz=3", 2, "names no outcome"),
        ("run good.csv --target kind --cost cat-", 2, "'cat->LABEL=3'"),
        ("report good.csv --y kind --p p --cost fn=0 --cost fp=0", 3, "above those of right answers: --cost fn=40"),
        ("score good.csv --y kind --p p --cost under=0 --cost over=1", 3, "--cost under=3 --cost over=1"),
        ("choose good.csv --target kind --cost fn=inf --cost fp=1", 2, "not a finite cost"),
        ("run good.csv --target kind --cost tp=-3", 2, "gains alone"),
        ("run good.csv --target score --group score", 2, "at once"),
        ("run good.csv --target score --exclude score", 2, "is excluded"),
        ("run good.csv --target score --where zz>1", 2, "cannot be used"),
        ("run good.csv --target score --model forest", 2, "'forest'"),
        ("run good.csv --target score --taget score", 2, "did you mean --target"),
        ("run good.csv", 2, "--target is missing"),
        ("run", 2, "DATA is missing"),
        ("rum good.csv", 2, "goodmeasure run"),
        ("run good.csv --target score --out good.csv", 2, "is a file"),
        ("predict nope.json good.csv", 3, "no file nope.json"),
        ("predict good.csv good.csv", 3, "is not a model"),
    ],
)
def test_bad_input_is_told_in_one_style_and_leaves_nothing_behind(
    tables: Path, capfd: pytest.CaptureFixture[str], arguments: str, status: int, told: str
) -> None:
    before = sorted(tables.iterdir())
    assert status_of(arguments.split()) == status
    shown = capfd.readouterr()
    assert shown.out == ""
    assert told in shown.err
    assert shown.err.startswith("GM")
    assert "Traceback" not in shown.err
    assert f"goodmeasure explain {shown.err[:5]}" in shown.err
    assert sorted(tables.iterdir()) == before


def test_run_writes_its_files_and_predict_uses_them(tables: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        status_of(
            [
                "run",
                "good.csv",
                "--target",
                "kind",
                "--exclude",
                "score",
                "--cost",
                "fn=3",
                "--cost",
                "fp=1",
                "--protocol",
                "holdout",
                "--out",
                "out",
            ]
        )
        == 0
    )
    shown = capfd.readouterr()
    assert shown.err == ""
    assert "decision" in shown.out
    assert "next" in shown.out
    assert status_of(["predict", "out/model.json", "good.csv", "--keep", "kind", "--out", "predicted.csv"]) == 0
    with (tables / "predicted.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 120
    assert set(rows[0]) == {"kind", "probability_yes", "decision"}
    model = __import__("goodmeasure").load("out/model.json")
    for row in rows:
        assert row["decision"] == ("yes" if float(row["probability_yes"]) >= model.threshold else "no")
    capfd.readouterr()
    assert status_of(["predict", "out/model.json", "ids.csv"]) == 3
    assert "where a number is needed" in capfd.readouterr().err


def test_json_is_one_document_and_remarks_can_fail_a_run(tables: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(["run", "good.csv", "--target", "score", "--exclude", "b", "--json", "--out", "out"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["verdict"]["word"] in ("use", "use with care", "look first", "do not use")
    assert json.loads((tables / "out" / "report.json").read_text()) == document
    text = (tables / "good.csv").read_text().splitlines()
    (tables / "copies.csv").write_text("\n".join([*text, *text[1:]]) + "\n")
    asked = ["run", "copies.csv", "--target", "score", "--exclude", "kind", "--protocol", "holdout", "--out", "out"]
    assert status_of(asked) == 0
    assert status_of([*asked, "--fail-on", "warning"]) == 1


@pytest.mark.parametrize("task", ["binary", "regression", "multiclass"])
def test_the_demo_runs_and_beats_the_best_constant(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], task: str
) -> None:
    assert status_of(["demo", "--task", task, "--out", str(tmp_path / "demo"), "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["risk"]["report"]["versus_constant"]["verdict"] == "better"
    assert {p.suffix for p in (tmp_path / "demo").iterdir()} == {".csv", ".html", ".json", ".md"}


def test_a_traceback_is_shown_only_when_asked_for(tables: Path) -> None:
    from goodmeasure.reading.tables import NoSuchFile

    with pytest.raises(NoSuchFile):
        status_of(["run", "nope.csv", "--target", "y"], traceback=True)


NEAR = {
    "hubr": "huber", "hbuer": "huber", "HUBER": "huber", "count": "counts", "cross": "cross_entropy", "losess": "losses",
    "smooth_l1_los": "smooth_l1_loss", "--ocnvex": "--convex", "mst": "mse",
}  # fmt: skip
FAR = {"talwar": "angular", "ACME001": "GM001", "--out": "--port", "log_of_nothing": "log", "abs": "tails"}


def test_a_name_is_suggested_where_it_is_near_and_only_there():
    for typed, meant in NEAR.items():
        assert nearest(typed, [meant, "something_else"]) == [meant]
    for typed, other in FAR.items():
        assert nearest(typed, [other]) == []


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        ("lab --out x", "did you mean --export?"),
        ("run --label y", "did you mean --target?"),
        ("losses --for count", "--for counts"),
        ("losses --for nothing_near", "goodmeasure losses --help"),
        ("losses --convx", "did you mean --convex?"),
    ],
)
def test_an_option_that_is_not_there_leads_to_the_one_of_that_purpose(line, fix, capsys):
    assert status_of(line.split()) == 2
    assert f"fix   {fix}" in click.unstyle(capsys.readouterr().err)
