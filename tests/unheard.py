"""A program that runs each command with standard streams that others closed, filled up, or stopped reading.

    python tests/unheard.py

It prints a line of JSON for each: the command, what is wrong with the streams, the exit status, and what was said.
"""

from __future__ import annotations

import gc
import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from goodmeasure.cli import main, status_of

STREAMS = (
    "plain",
    "out closed",
    "out full",
    "out unread",
    "err closed",
    "err full",
    "err unread",
    "all closed",
    "ascii",
)
COMMANDS = {
    "choose": ("choose", "t.csv", "--target", "é"),
    "run": ("run", "t.csv", "--target", "é", "--exclude", "p", "--protocol", "holdout", "--out", "out"),
    "predict": ("predict", "trained/model.json", "t.csv", "--keep", "é"),
    "monitor": ("monitor", "trained/model.json", "t.csv", "--out", "m.html", "--save", "m.json"),
    "export": ("export", "trained/model.json", "m.sql"),
    "score": ("score", "t.csv", "--y", "é", "--positive", "ja ✓", "--p", "p"),
    "decide": ("decide", "t.csv", "--y", "é", "--positive", "ja ✓", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"),
    "report": ("report", "t.csv", "--y", "é", "--positive", "ja ✓", "--p", "p", "--out", "p.html"),
    "losses": ("losses", "huber"),
    "explain": ("explain", "GM012"),
    "audit": ("audit", "program.py:build"),
    "demo": ("demo", "--task", "regression", "--out", "out"),
    "lab": ("lab", "--page", "4", "--export", "lab.html"),
    "nothing": (),
    "refused": ("score", "nope é.csv", "--y", "y"),
}
# These only in the ways that differ at their end.
ENDS = ("out closed", "out unread", "err full")
SLOW = {"run": ENDS[:2], "demo": ENDS[1:2], "audit": ENDS[1:2]}


def asked(name: str) -> tuple[str, ...]:
    """The ways in which a command is run: of all but the first every fourth, and the next commands take the others."""
    turn = [*COMMANDS].index(name) % 4
    return SLOW.get(name, (STREAMS[0], *STREAMS[1 + turn :: 4]))


def redirected(streams: str) -> None:
    """Do to the standard streams of this process what the name says; what is left goes to the files out.txt and err.txt."""
    files = [os.open(f"{name}.txt", os.O_CREAT | os.O_TRUNC | os.O_WRONLY) for name in ("out", "err")]
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(files[number - 1], number)
        if streams in (f"{name} closed", "all closed"):
            os.close(number)
        elif streams == f"{name} full":
            os.dup2(os.open("/dev/full", os.O_WRONLY), number)
        elif streams == f"{name} unread":
            reader, writer = os.pipe()
            os.dup2(writer, number)
            os.close(reader)
    if streams == "all closed":
        os.close(0)
    encoding, closed = "ascii" if streams == "ascii" else "utf-8", {"out closed", "err closed", "all closed"}
    sys.stdout = None if streams in closed - {"err closed"} else open(1, "w", encoding=encoding)  # noqa: SIM115
    sys.stderr = None if streams in closed - {"out closed"} else open(2, "w", encoding=encoding, buffering=1)  # noqa: SIM115


def ended(words: tuple[str, ...], streams: str) -> int:
    """The exit status of a child that runs a command."""
    child = os.fork()
    if child == 0:
        redirected(streams)
        status: object = 99
        try:
            main([*words])
        except SystemExit as left:
            status = left.code
        try:  # what Python does at the end
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
        except Exception:
            status = 120
        os._exit(status if isinstance(status, int) else 98)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        for name, words in COMMANDS.items():
            if len(asked(name)) > 1:
                status_of([*words])  # what is loaded and compiled here need not be in every child
    gc.freeze()  # nor be walked through, and copied, by its collector
    for name, words in COMMANDS.items():
        for streams in asked(name):
            status = ended(words, streams)
            said = [Path(f"{each}.txt").read_bytes().decode() for each in ("out", "err")]
            print(json.dumps([name, streams, status, *said]), flush=True)
