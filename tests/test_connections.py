"""Is a connection that a command opened used again for the same files, for no others, and closed at the end?"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from weakref import ref

import pyarrow as pa
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.reading import connection
from goodmeasure.reading.connection import IN_ANY_ORDER, Reader, kept_open
from goodmeasure.reading.sql import literal, sql
from table_files import columns, text


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The connections that were opened, in their order."""
    found: list[Any] = []
    plain = Reader._opened

    def kept(reader: Reader) -> Any:
        found.append(plain(reader))
        return found[-1]

    monkeypatch.setattr(Reader, "_opened", kept)
    yield found
    for each in found:
        with pytest.raises(Exception, match=r"[Cc]losed"):
            each.execute("SELECT 1")


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Two tables of one number."""
    for k in range(2):
        (tmp_path / f"{k}.csv").write_text(f"x\n{k}\n")
    return [str(tmp_path / f"{k}.csv") for k in range(2)]


def number(path: str, *, paths: list[str] | None = None, **how: Any) -> int:
    """The number in a table, asked by a reader that may read these files."""
    with Reader([path] if paths is None else paths, **how) as reader:
        ((found,),) = reader.ask(sql("SELECT x FROM read_csv({path})", path=literal(path))).fetchall()
    return int(found)


def test_each_is_closed_after_its_use(files: list[str], opened: list[Any]) -> None:
    assert [number(files[0]), number(files[0])] == [0, 0]
    assert len(opened) == 2


def test_the_same_files_are_asked_again_by_the_same_connection(files: list[str], opened: list[Any]) -> None:
    with kept_open():
        assert [number(files[0]) for _ in range(3)] == [0, 0, 0]
        assert len(opened) == 1
        Path(files[0]).write_text("x\n7\n")
        assert number(files[0]) == 7  # nothing is held of what was read
        assert number(files[0], **IN_ANY_ORDER) == 7
        assert len(opened) == 2


def test_another_frame_is_asked_by_the_same_connection_which_holds_none(opened: list[Any]) -> None:
    held = []
    with kept_open():
        for k in range(2):
            frame = pa.table({"x": [k]})
            held.append(ref(frame))
            with Reader(frame=frame) as reader:
                assert reader.ask(sql("SELECT x FROM frame")).fetchall() == [(k,)]
            del reader, frame
        assert len(opened) == 1
        assert [each() for each in held] == [None, None]
        with Reader() as reader, pytest.raises(Exception, match="frame does not exist"):
            reader.ask(sql("SELECT x FROM frame"))


def test_what_is_given_back_when_all_is_over_is_closed(files: list[str], opened: list[Any]) -> None:
    """As by a thread that began to ask while another kept connections open."""
    idle = connection._Idle()
    with Reader(files) as reader:
        reader.ask(sql("SELECT 1")).fetchall()
        given = reader._connection
        idle.close()
        idle.kept("any", given)
        with pytest.raises(Exception, match="Connection"):
            given.cursor().execute("SELECT 1")
    assert idle.taken("any") is None


def test_threads_that_keep_connections_side_by_side_do_not_meet(files: list[str]) -> None:
    def asked(_: int) -> int:
        with kept_open(), Reader(files) as reader:
            return int(reader.ask(sql("SELECT 1")).fetchall()[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(asked, range(40))] == [1] * 40


def test_a_fit_to_a_frame_opens_one(opened: list[Any]) -> None:
    table = pa.table({"x": [0.0, 1.0, 2.0], "y": [1.0, 0.0, 1.0]})
    gm.fit_linear(gm.losses.squared_error(), "y", ["x"], data=table)
    assert len(opened) == 1


def test_a_connection_reads_no_other_files(files: list[str], opened: list[Any]) -> None:
    with kept_open():
        assert [number(each) for each in files] == [0, 1]
        for path, other in (files, files[::-1]):
            with pytest.raises(Exception, match=r"[Pp]ermission"):
                number(path, paths=[other])
    assert len(opened) == 2


def test_two_at_a_time_are_two(files: list[str], opened: list[Any]) -> None:
    with kept_open(), Reader(files[:1]) as one, Reader(files[:1]) as other:
        assert one.ask(sql("SELECT 1")).fetchall() == other.ask(sql("SELECT 1")).fetchall()
    assert len(opened) == 2


def test_no_more_than_a_few_are_kept(tmp_path: Path, opened: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_MOST_IDLE", 2)
    with kept_open():
        for k in (0, 1, 2, 2, 1, 0):
            (tmp_path / f"{k}.csv").write_text(f"x\n{k}\n")
            assert number(str(tmp_path / f"{k}.csv")) == k
    assert len(opened) == 4


COMMANDS = {
    "choose": ("choose", "t.csv", "--target", "churned"),
    "score": ("score", "t.csv", "--y", "churned", "--positive", "yes", "--p", "p"),
    "score groups": ("score", "t.csv", "--y", "churned", "--positive", "yes", "--p", "p", "--by", "région"),
    "report": ("report", "t.csv", "--y", "churned", "--positive", "yes", "--p", "p", "--out", "r.html"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_opens_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[Any], command: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(text(columns()))
    assert status_of([*COMMANDS[command]]) == 0
    assert len(opened) == 1
