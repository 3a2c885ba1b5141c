"""How a program under observation is ended: its loaders run dry, and what would outlive it ends it before it happens."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import FrameType
from typing import Any

from goodmeasure.auditing.evidence.lines import line_of
from goodmeasure.auditing.observing.handles import Opening, guard_databases, open_for_writing
from goodmeasure.keeping import private

_IDLE_S = 3.0  # for which a loop goes on that cannot be left
AGAIN_S = 5.0  # after which a program is ended once more that has caught its end


class Finished(SystemExit):
    """The program is ended here; it has shown what there is to see, or it was about to write what must not be written."""


@dataclass
class Limits:
    """How much of a program is run, and how it ends.

    Attributes:
        steps: the training steps that are looked at and run.
        all: whether it runs to its end.
        stop: whether it is ended at its last step at once.
        budget_s: the seconds after which it is ended where it is.
    """

    steps: int = 3
    all: bool = False
    stop: bool = False
    budget_s: float = 60.0
    started: float = field(default_factory=time.monotonic)
    done_at: float = 0.0

    def idle(self) -> bool:
        """Whether training has gone on for long after the steps that were asked for: its loop ends by no loader."""
        self.done_at = self.done_at or time.monotonic()
        return not self.all and time.monotonic() - self.done_at > _IDLE_S

    def spent(self) -> bool:
        """Whether the time is over."""
        return not self.all and time.monotonic() - self.started > self.budget_s


@dataclass
class Cut:
    """Whether the training was cut short, and by what the run was ended since then.

    From the first cut on, a program ends at its first attempt to write: half-trained weights may overwrite no checkpoint.
    """

    where: str = ""
    ended_by: str = ""
    heard: float = 0.0  # when the program was last told that its time is over
    judging: int = 0  # the thread in which the rules are asked, to which none of this applies
    started: list[str] = field(default_factory=list)  # programs of Python that it runs in processes of their own
    left_open: tuple[str, ...] = ()  # files that could be written to when training was cut
    _process: int = field(default_factory=os.getpid)

    @property
    def paused(self) -> bool:
        """Whether this thread is ours."""
        return self.judging == threading.get_ident()

    def short(self, where: str) -> None:
        """Note that the training was cut short here."""
        if not self.where:
            self.where, self.left_open = where, tuple(open_for_writing())

    @property
    def refuses(self) -> bool:
        """Whether this process may change nothing any more."""
        return bool(self.where) and not self.paused and os.getpid() == self._process and not sys.is_finalizing()

    def refuse(self, what: str) -> None:
        """End the program where its training was cut and it is about to do this."""
        if self.refuses:
            self.end(f"before {what}")

    def denies(self, what: str) -> bool:
        """Whether this is not allowed any more, told to a library that raises an error of its own then."""
        if self.refuses:
            self.ended_by = self.ended_by or f"before {what}"
        return self.refuses

    def end(self, why: str) -> None:
        """End the program."""
        self.ended_by = self.ended_by or why
        raise Finished(0)


@contextmanager
def bounded(limits: Limits, cut: Cut) -> Iterator[None]:
    """Inside, the program is ended where it is when its time is over, and again wherever it goes on in spite of that."""
    if limits.all:
        yield
        return

    def over(_: int, frame: FrameType | None) -> None:
        if not cut.paused and frame is not None:
            cut.heard = time.monotonic()
            cut.short(line_of(frame) or "the program")
            cut.end("because its time was spent")

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, limits.budget_s, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


_CHANGES = (
    "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink", "os.chmod", "os.chown",
    "os.utime", "os.setxattr", "shutil.", "sqlite3.connect", "socket.connect", "socket.sendto", "subprocess.Popen", "os.system",
    "os.exec", "os.posix_spawn", "os.fork", "ftplib.", "smtplib.",
)  # fmt: skip
_QUIET = {os.devnull, "/dev/stdout", "/dev/stderr"}


def guard(cut: Cut) -> None:
    """From the first cut on, end the program where it is about to change a file, start a process or reach a service."""

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen" and not cut.paused and (program := _python(args)):
            cut.started.append(program)
        if cut.refuses and _changes(event, args):
            cut.end(f"before {event} {_subject(args)}".strip())

    sys.addaudithook(hook)
    Opening(cut.refuse, _writes).install()
    guard_databases(cut.denies)


def _python(args: tuple[Any, ...]) -> str:
    """The command that starts Python, or a launcher of it; empty where another program is started."""
    command = [args[0], *args[1][1:]] if isinstance(args[1], (list, tuple)) else [args[0]]
    words = [os.fsdecode(one) for one in command if isinstance(one, (str, bytes, os.PathLike))]
    name = os.path.basename(words[0]) if words else ""  # noqa: PTH119  (a word of a command, which may be no path)
    return " ".join([name, *words[1:4]]) if name.startswith(_LAUNCHERS) else ""


_LAUNCHERS = ("python", "torchrun", "accelerate", "deepspeed")

_asking: list[bool] = []  # a function of the program is being asked again


@contextmanager
def writing_nothing() -> Iterator[None]:
    """Inside, a function of the program that is asked again cannot change a file or reach a service: that is an ``OSError``."""
    _guard_probes()
    _asking.append(True)
    try:
        yield
    finally:
        _asking.pop()


@cache
def _guard_probes() -> None:
    def hook(event: str, args: tuple[Any, ...]) -> None:
        if _asking and _changes(event, args):
            raise PermissionError(f"{event} {_subject(args)} while a function is asked again")

    sys.addaudithook(hook)


def _changes(event: str, args: tuple[Any, ...]) -> bool:
    """Whether this changes a file, starts a process or reaches a service; compiled functions of this package are no file of
    the program."""
    return _would_change(event, args) and not _subject(args).startswith(f"{private.wanted()}{os.sep}")


def _would_change(event: str, args: tuple[Any, ...]) -> bool:
    if event == "open":
        return _writes(*args)
    if event == "socket.connect":
        return isinstance(args[1], tuple)  # a file of this machine is no service
    return event.startswith(_CHANGES)


def _writes(path: Any, mode: Any, flags: Any) -> bool:
    if isinstance(path, int) or os.fspath(path) in _QUIET:
        return False
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND))


def _subject(args: Iterable[Any]) -> str:
    return next((os.fsdecode(part) for part in args if isinstance(part, (str, bytes, os.PathLike))), "")
