"""Does a command write over what it reads, or over a file of another kind?"""

from __future__ import annotations

import ast
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import goodmeasure as gm
from goodmeasure import report
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.study.examples import example
from goodmeasure.study.study import Study
from goodmeasure.tallying import saved
from table_files import text
from turns import by_turns

SCORED = ("--y", "churned", "--positive", "yes", "--p", "p")
LEARNT = ("--target", "churned", "--exclude", "p")
LOSSLESS = {
    "predict onto its table": ("predict", "model.json", "t.csv", "--out", "t.csv"),
    "predict onto its model": ("predict", "model.json", "t.csv", "--out", "model.json"),
    "predict onto one of a pattern": ("predict", "model.json", "?.csv", "--out", "t.csv"),
    "predict onto the table by another path": ("predict", "model.json", "t.csv", "--out", "./sub/../t.csv"),
    "predict onto the table by a hard link": ("predict", "model.json", "t.csv", "--out", "hard.csv"),
    "predict onto the table by a soft link": ("predict", "model.json", "t.csv", "--out", "soft.csv"),
    "score onto its table": ("score", "t.csv", *SCORED, "--save", "t.csv"),
    "score onto its table by a link": ("score", "t.csv", *SCORED, "--save", "soft.csv"),
    "score onto a file that is no tally": ("score", "t.csv", *SCORED, "--save", "other.txt"),
    "score onto an empty file that is called a tally": ("score", "t.csv", *SCORED, "--save", "empty.tally"),
    "run onto its table": ("run", "read/report.json", *LEARNT, "--out", "read"),
    "run onto the table to test on": ("run", "t.csv", *LEARNT, "--test", "read/model.json", "--out", "read"),
    "run onto the table by a hard link": ("run", "t.csv", *LEARNT, "--out", "linked"),
    "run onto a page of another program": ("run", "t.csv", *LEARNT, "--out", "others"),
    "run onto the card of another model": ("run", "t.csv", *LEARNT, "--out", "cards"),
    "demo onto another table": ("demo", "--out", "shown"),
    "demo onto a page of another program": ("demo", "--out", "others"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables, a model and links to them."""
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(text())
    for folder in ("sub", "read", "linked", "shown", "others", "cards"):
        Path(folder).mkdir()
    for name in ("model.json", "read/report.json", "read/model.json"):
        shutil.copy("t.csv", name)
    os.link("t.csv", "hard.csv")
    os.link("t.csv", "linked/report.html")
    Path("soft.csv").symlink_to("t.csv")
    Path("other.txt").write_text("mine")
    Path("empty.tally").touch()
    Path("shown/tumours.csv").write_text("mine")
    Path("cards/model.md").write_text('---\nlibrary_name: "another"\n---\n')
    Path("others/report.html").write_text("<!doctype html>\n<title>mine</title>")
    return tmp_path


def held(place: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("name", LOSSLESS)
def test_what_is_read_is_never_replaced(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = held(place)
    assert status_of([*LOSSLESS[name]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("GM009")
    assert "would" in said
    assert "replace" in said
    assert "fix" in said
    assert held(place) == before
    assert Path("soft.csv").is_symlink()


def test_a_tally_takes_the_place_of_a_tally(place: Path) -> None:
    assert status_of(["score", "t.csv", *SCORED, "--save", "a.bin"]) == 0
    first = Path("a.bin").read_bytes()
    Path("u.csv").write_text(text().replace("yes", "no", 1))
    assert status_of(["score", "a.bin", "u.csv", "--save", "a.bin"]) == 0
    assert Path("a.bin").read_bytes() != first


def test_the_demo_writes_over_its_own_table(place: Path) -> None:
    assert status_of(["demo", "--task", "regression", "--out", "again"]) == 0
    before = Path("again/diabetes.csv").read_bytes()
    assert status_of(["demo", "--task", "regression", "--out", "again"]) == 0
    assert Path("again/diabetes.csv").read_bytes() == before


# --- from Python ---

Writer = Callable[[Study, Path], object]


def tally_of(study: Study) -> saved.Saved:
    """A tally as `score --save` keeps it."""
    assert status_of(["score", "t.csv", *SCORED, "--save", "fresh.tally"]) == 0
    return saved.load("fresh.tally")


# Each function that writes whole files, by the module and the name of its definition; the name of a file that it writes.
WRITERS: dict[str, tuple[str, Writer]] = {
    "tallying/saved.py save": ("kept.tally", lambda study, place: saved.save(place, tally_of(study))),
    "study/model.py save": ("model.json", lambda study, place: study.model.save(place)),
    "monitoring/kept.py save": (
        "so_far.json",
        lambda study, place: gm.monitor(study.model, {"hours": [1, 2, 3]}, save=place),
    ),
    "study/exported.py export": ("model.py", lambda study, place: study.model.export(place)),
    "report/__init__.py write": ("report.html", lambda study, place: report.write(study, place.parent)),
    "study/examples.py _write_once": ("wines.csv", lambda study, place: example("multiclass").write(place.parent)),
}
# Pages are of one kind, whatever they are about.
OF_A_KIND = {"report/__init__.py write_report"}
# What the option of a command names is guarded by the command: see above.
BY_COMMAND = {
    "cli/_predicting.py _sink",
    "cli/_reporting.py reported",
    "cli/_monitoring.py monitored",
    "cli/_lab.py exported",
}


def test_every_writer_is_listed() -> None:
    root = Path(gm.__file__).parent
    found = {
        f"{path.relative_to(root)} {function.name}"
        for path in root.rglob("*.py")
        if re.search(
            "write_whole|whole_file", path.read_text()
        )  # few do, and reading all of them as programs takes seconds
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ("write_whole", "whole_file")
    }
    assert found == {*WRITERS, *BY_COMMAND, *OF_A_KIND}


def test_a_page_replaces_a_page_and_nothing_else(place: Path, study: Study) -> None:
    page = place / "sub" / "report.html"
    report.write_report(study, page)
    rows = gm.tally(gm.losses.squared_error(), [1.0, 2.0, 4.0], [1.5, 2.0, 3.0])
    assert report.write_report(rows, page) == str(page)
    with pytest.raises(UsageError, match="would replace"):
        report.write_report(study, place / "t.csv")


@pytest.fixture(scope="module")
def study() -> Study:
    hours = [i % 12 for i in range(240)]
    return gm.run(
        {"hours": hours, "passed": ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]},
        "passed",
        protocol="holdout",
    )


def written(name: str, study: Study, place: Path) -> bytes:
    """What a writer writes, in a directory of its own."""
    file, write = WRITERS[name]
    (place / "fresh").mkdir()
    write(study, place / "fresh" / file)
    return (place / "fresh" / file).read_bytes()


@pytest.mark.parametrize(
    ("pair", "link"),
    by_turns(
        [(name, other) for name in WRITERS for other in ("a table", *WRITERS) if other != name],
        (None, os.link, os.symlink),
    ),
)
def test_no_writer_replaces_a_file_of_another_kind(
    pair: tuple[str, str], link: Callable[[Path, Path], None] | None, study: Study, place: Path
) -> None:
    name, stands = pair
    file, write = WRITERS[name]
    target, read = place / "sub" / file, place / "input"
    read.write_bytes((place / "t.csv").read_bytes() if stands == "a table" else written(stands, study, place))
    (link or shutil.copy)(read, target)
    before = read.read_bytes()
    with pytest.raises(UsageError, match="would") as refused:
        write(study, target)
    assert refused.value.code == "GM009"
    assert "replace" in str(refused.value)
    assert target.read_bytes() == read.read_bytes() == before


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("empty", [True, False])
def test_a_writer_replaces_its_own_kind_and_what_is_empty(name: str, empty: bool, study: Study, place: Path) -> None:
    file, write = WRITERS[name]
    target = place / "sub" / file
    write(study, target)
    whole = target.read_bytes()
    if empty:
        target.write_bytes(b"")
    write(study, target)
    assert target.read_bytes()[:20] == whole[:20]
