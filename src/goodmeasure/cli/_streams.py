"""Standard output and error, which others may close, fill up, or stop reading."""

from __future__ import annotations

import io
import os
import select
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import click

from goodmeasure.drawing.terminal import printable
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.writing import NotWritten

UNREAD = 141  # what a shell says of any program whose reader went away: 128 and the number of SIGPIPE


class Closed(io.TextIOBase):
    """A standard output that was closed before the program began: what is written to it is refused."""

    encoding = "utf-8"  # type: ignore[assignment,unused-ignore]

    @property
    def buffer(self) -> Closed:
        """Bytes are refused as texts are."""
        return self

    def write(self, _: Any) -> int:
        """Refuse a text. Error: GM012."""
        raise NotWritten("standard output is closed", where="standard output", fix="> /dev/null drops what is printed")


def opened() -> None:
    """Hold the places of standard streams that are closed, so that no other file gets their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - stays open as long as the program runs
    if sys.stdout is None:
        sys.stdout = Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115


def aside(text: str) -> None:
    """Say something on standard error. Where that takes nothing, the exit status tells all the same."""
    try:
        click.echo(text, err=True, color=colour())
    except OSError:
        drop(sys.stderr)


def tell(remarks: Iterable[Remark]) -> None:
    """Say remarks on standard error, each with its code."""
    for remark in remarks:
        aside(printable(f"{remark.code} {remark.what}"))


def colour() -> bool | None:
    """Never colour where NO_COLOR is set (no-color.org); else whatever the terminal can show."""
    return False if os.environ.get("NO_COLOR") else None


def drop(stream: Any) -> None:
    """What a stream does not take is dropped, so that Python does not complain about it at exit."""
    with suppress(io.UnsupportedOperation):  # it has no descriptor, and nothing to drop
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def unread() -> bool:
    """Whether the reader of standard output went away (head, less): it has what it wanted."""
    if not hasattr(select, "poll"):  # Windows: only standard output breaks there
        return True
    watched = select.poll()
    try:
        watched.register(sys.stdout.fileno(), 0)
    except io.UnsupportedOperation:
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in watched.poll(0))
