"""Can it be told, from a report alone, whether a table is the one that was read?"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import threading
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.reading.files import read
from goodmeasure.report import write
from goodmeasure.report.again import command
from table_files import RIGHT, Right, text

HASH = re.compile(r"[0-9a-f]{12}")


def begins(data: bytes) -> str:
    """What stands first in the line that sha256sum prints."""
    return sha256(data).hexdigest()[:12]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def book() -> bytes:
    """A workbook of two columns."""
    openpyxl = pytest.importorskip("openpyxl")
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in [("x", "y"), (1, 2), (3, 4)]:
        made.active.append(row)
    made.save(out)
    return out.getvalue()


# What is read from a copy that is written otherwise, beside the files of every command.
COPIED = [
    Right("a workbook", book, "t.xlsx"),
    Right("letters of Windows", lambda: "x,y\n1,“a”\n2,“b”\n".encode("cp1252")),
    Right("columns between blanks", lambda: b"x   y\n1   2\n30  4\n5   60\n7   8\n"),
]


@pytest.mark.parametrize("case", [*RIGHT, *COPIED], ids=lambda case: case.name)
def test_the_digest_is_of_the_bytes_as_they_came(place: Path, case: Right) -> None:
    made = case.make()
    files = made if isinstance(made, dict) else {case.source: made}
    for name, data in files.items():
        Path(name).write_bytes(data)
    assert read(case.source).digest == begins(b"".join(files[name] for name in sorted(files)))


@pytest.mark.parametrize("data", [text().encode(), text().encode("utf-16")], ids=["plain", "UTF-16"])
def test_what_comes_in_once_has_the_digest_of_what_came_in(
    place: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    class Input:
        buffer = io.BytesIO(data)

    monkeypatch.setattr(sys, "stdin", Input)
    assert read("-").digest == begins(data)
    os.mkfifo("pipe")
    writer = threading.Thread(target=lambda: Path("pipe").write_bytes(data))
    writer.start()
    assert read("pipe").digest == begins(data)
    writer.join()


def rows(seed: int) -> dict[str, list[float]]:
    x = np.random.default_rng(seed).normal(size=120).round(3)
    return {"x": x.tolist(), "y": (2 * x + np.cos(9 * x)).round(3).tolist()}


def written(name: str, seed: int) -> str:
    held = rows(seed)
    Path(name).write_text("\n".join(["x,y", *(f"{x},{y}" for x, y in zip(held["x"], held["y"], strict=True))]))
    return name


def told(study: gm.Study) -> list[str]:
    """What page, card and document say of the tables, the same in all."""
    write(study, "out")
    page, card = (Path("out", name).read_text() for name in ("report.html", "model.md"))
    document = json.loads(Path("out/report.json").read_text())["sha256"]
    again = page[page.index('id="again"') :]
    for digest in document.values():
        assert (digest or "it has no file") in again
        assert (digest or "it has no file") in card
    assert set(HASH.findall(card[card.index("numbers again") :])) == {*filter(None, document.values())}
    return [f"{source} {digest}" for source, digest in document.items()]


def test_a_report_names_the_bytes_of_every_table_that_it_is_of(place: Path) -> None:
    main, test, like = written("a.csv", 0), written("<b>.csv", 1), written("c_*.csv", 2)
    study = gm.run(main, "y", test=test, like=like)
    assert told(study) == [f"{name} {begins(Path(name).read_bytes())}" for name in (main, test, like)]
    Path(main).write_text(Path(main).read_text() + "\n0,0")
    assert gm.run(main, "y").digests[main] not in {None, study.digests[main]}


def test_several_models_on_one_table_name_its_bytes(place: Path) -> None:
    study = gm.run(written("a.csv", 0), "y", loss=["squared_error", "huber"])
    assert told(study) == [f"a.csv {begins(Path('a.csv').read_bytes())}"]


def test_of_a_table_in_memory_it_is_said_that_there_is_no_file(place: Path) -> None:
    held = rows(0)
    for data, target in ((held, "y"), (np.array(held["x"])[:, None], np.array(held["y"]))):
        assert told(gm.run(data, target)) == ["data None"]
    assert told(gm.run(held, "y", test=written("later.csv", 1)))[0] == "data None"


def test_a_file_that_is_called_as_tables_in_memory_are_is_a_file(place: Path) -> None:
    assert command(gm.run(written("data", 0), "y")).startswith("goodmeasure run data --target y")


def test_what_came_in_on_standard_input_is_asked_for_there_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Input:
        buffer = io.BytesIO(Path(written("a.csv", 0)).read_bytes())

    monkeypatch.setattr(sys, "stdin", Input)
    study = gm.run("-", "y")
    assert told(study) == [f"standard input {begins(Path('a.csv').read_bytes())}"]
    assert command(study).startswith("goodmeasure run - --target y")
