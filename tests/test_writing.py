"""Do files appear whole or not at all, and is it said why not?"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from goodmeasure.cli import status_of
from goodmeasure.reading.writing import NotWritten, folder, whole_file, write_whole

Limit = Callable[[int], AbstractContextManager[None]]


def held(place: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in place.iterdir()}


def write_lines(place: Path, error: OSError | None = None) -> None:
    with whole_file(place) as file:
        for _ in range(5000):
            file.write("a line of text\n")
        if error is not None:
            raise error


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, disk_with_room_for: Limit) -> None:
    old, other = tmp_path / "a.txt", tmp_path / "b.txt"
    write_whole({old: b"old", other: b"old too"}, [b"", b""])
    before = held(tmp_path)
    with disk_with_room_for(1000), pytest.raises(NotWritten) as refused:
        write_whole({old: b"new", other: b"x" * 5000}, [b"", b""])
    assert held(tmp_path) == before == {"a.txt": b"old", "b.txt": b"old too"}
    assert (refused.value.code, refused.value.where, refused.value.exit_status) == ("GM012", str(other), 3)
    assert "File too large" in refused.value.seen
    with disk_with_room_for(1000), pytest.raises(NotWritten):
        write_lines(old)
    assert held(tmp_path) == before


def test_what_fails_while_a_file_is_written_keeps_its_name(tmp_path: Path) -> None:
    write_whole({tmp_path / "a.txt": b"before"}, [b""])
    with pytest.raises(OSError, match="from elsewhere") as failed:
        write_lines(tmp_path / "a.txt", OSError(28, "from elsewhere"))
    assert not isinstance(failed.value, NotWritten)
    assert held(tmp_path) == {"a.txt": b"before"}


def test_a_written_file_is_an_ordinary_one(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        with whole_file(tmp_path / "a.txt") as file:
            file.write("größer\n")
    finally:
        os.umask(mask)
    assert held(tmp_path) == {"a.txt": "größer\n".encode()}
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_places_that_take_no_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "none" / "a.txt", tmp_path / "file" / "a.txt", Path(os.devnull)):
        with pytest.raises(NotWritten) as refused:
            write_whole({place: b"x"}, [b""])
        assert str(place) in str(refused.value)
    assert Path(os.devnull).is_char_device()
    with pytest.raises(NotWritten):
        folder(tmp_path / "file" / "below")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_output_that_nobody_takes_is_an_error_and_no_fault() -> None:
    program = "import sys; from goodmeasure.cli import main; main(['losses'])"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], check=False, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr.split()[0]) == (3, "GM012")
    assert "No space left on device" in done.stderr
    assert "Exception ignored" not in done.stderr


def test_predictions_that_do_not_fit_leave_the_old_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], disk_with_room_for: Limit
) -> None:
    rows = "\n".join(f"{i % 7},{i % 7 + i % 3}" for i in range(400))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}\n")
    model, out = tmp_path / "out" / "model.json", tmp_path / "predicted.csv"
    assert status_of(["run", str(tmp_path / "t.csv"), "--target", "y", "--out", str(model.parent)]) in (0, 1)
    assert status_of(["predict", str(model), str(tmp_path / "t.csv"), "--out", str(out)]) == 0
    before, names = out.read_bytes(), sorted(each.name for each in tmp_path.iterdir())
    capsys.readouterr()
    with disk_with_room_for(1000):
        status = status_of(["predict", str(model), str(tmp_path / "t.csv"), "--out", str(out)])
    assert status == 3
    assert capsys.readouterr().err.startswith(f"GM012 {out} cannot be written")
    assert (out.read_bytes(), sorted(each.name for each in tmp_path.iterdir())) == (before, names)
