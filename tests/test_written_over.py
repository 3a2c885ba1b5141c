"""Does a command write over what it reads, or over a file of another kind?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from goodmeasure.cli import status_of
from table_files import text

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
    "demo onto another table": ("demo", "--out", "shown"),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables, a model and links to them."""
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(text())
    for folder in ("sub", "read", "linked", "shown"):
        Path(folder).mkdir()
    for name in ("model.json", "read/report.json", "read/model.json"):
        shutil.copy("t.csv", name)
    os.link("t.csv", "hard.csv")
    os.link("t.csv", "linked/report.html")
    Path("soft.csv").symlink_to("t.csv")
    Path("other.txt").write_text("mine")
    Path("empty.tally").touch()
    Path("shown/tumours.csv").write_text("mine")
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
    assert status_of(["demo", "--task", "multiclass", "--out", "again"]) == 0
    before = Path("again/wines.csv").read_bytes()
    assert status_of(["demo", "--task", "multiclass", "--out", "again"]) == 0
    assert Path("again/wines.csv").read_bytes() == before
