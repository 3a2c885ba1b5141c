"""Run a command line on an input, here or in a process of its own, and say which rules it broke."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

from fuzzing.cases import Case
from goodmeasure.cli import status_of

# By the clock: a machine that others use too is slow, and a loop without an end is longer than that.
SECONDS = 240
STATUSES = (0, 1, 2, 3)
# Characters that steer a terminal: controls, and those that turn the direction of what follows.
STEERING = {*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {*map(ord, "\n")}


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str
    trace: str = ""


class TooLong(BaseException):
    """A command that does not come to an end; no ``except Exception`` may take it."""


def broken(case: Case, *, apart: bool = False) -> list[str]:
    """The rules that a command breaks on this input; none is what is wanted."""
    with tempfile.TemporaryDirectory() as place, _inside(Path(place)):
        _put(case)
        before = held()
        with _pipes(case.pipes):
            said = _apart(case.words) if apart else here(case.words)
        return [*_of_words(said), *_of_files(case, before, held())]


def here(words: list[str]) -> Said:
    """The answer of the command line in this process."""
    out, err = _stream(), _stream()
    trace, status = "", 70
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings(), _limited():
        warnings.simplefilter("ignore")
        try:
            status = status_of([word for word in words if word != "--traceback"])
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 70
        except TooLong:
            trace = f"no answer in {SECONDS} s"
        except BaseException:
            trace = traceback.format_exc()
    return Said(status, _read(out), _read(err), trace)


def _stream() -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True)


def _read(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "replace")


@contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLong

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


def _apart(words: list[str]) -> Said:
    """The answer of the command line as it is started from a shell."""
    command = [sys.executable, "-c", "from goodmeasure.cli import main; main()", *(w for w in words if "\0" not in w)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL, check=False)
    except subprocess.TimeoutExpired:
        return Said(70, "", "", f"no answer in {SECONDS} s")
    except OSError as error:
        return Said(2, "", str(error))  # the system refuses to start it: words that are too long
    return Said(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def _of_words(said: Said) -> Iterator[str]:
    if said.status not in STATUSES or said.trace:
        yield f"exit {said.status}: {(said.trace or said.err)[-600:]}"
    text = said.out + said.err
    if "Traceback (most recent call last)" in text:
        yield f"a traceback: {text[-600:]}"
    steering = sorted({f"U+{ord(c):04X}" for c in text if ord(c) in STEERING})
    if steering:
        yield f"control characters on the terminal: {', '.join(steering)}"
    if said.status in (2, 3) and not said.err.startswith("GM"):
        yield f"an error without a code: {said.err[:300]!r}"


def _of_files(case: Case, before: dict[str, bytes], after: dict[str, bytes]) -> Iterator[str]:
    outputs = _outputs(case.words)
    for name, data in before.items():
        if name not in outputs and after.get(name) != data:
            yield f"the file {name!r} was {'changed' if name in after else 'removed'}"


def _outputs(words: list[str]) -> set[str]:
    """The files that the command was asked to write."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    after = {value for name, value in pairs if name in ("--out", "--save", "--show-code")}
    joined = {word.split("=", 1)[1] for word in words if word.startswith(("--out=", "--save=", "--show-code="))}
    return {str(Path(name)) for name in after | joined if name and "\0" not in name}


def held() -> dict[str, bytes]:
    """Every file below the working directory, and what it holds."""
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def _put(case: Case) -> None:
    for name in case.folders:
        Path(name).mkdir()
    for name, data in case.files.items():
        Path(name).write_bytes(data)
    for name in case.pipes:
        os.mkfifo(name)


@contextmanager
def _inside(place: Path) -> Iterator[None]:
    here = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(here)


@contextmanager
def _pipes(pipes: dict[str, bytes]) -> Iterator[None]:
    """Bytes on their way through pipes; a command that does not read them leaves nobody waiting."""
    writers = [threading.Thread(target=_write, args=(name, data), daemon=True) for name, data in pipes.items()]
    for writer in writers:
        writer.start()
    yield
    for name, writer in zip(pipes, writers, strict=True):
        if writer.is_alive():
            with suppress(OSError):
                os.close(os.open(name, os.O_RDONLY | os.O_NONBLOCK))
        writer.join(1)


def _write(name: str, data: bytes) -> None:
    with suppress(OSError):
        Path(name).write_bytes(data)
