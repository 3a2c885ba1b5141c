"""Run a program as it is, under observation, and tell what the rules say about what it did."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import runpy
import shlex
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from goodmeasure.auditing.case import where_raised
from goodmeasure.auditing.evidence.lines import line_of
from goodmeasure.auditing.finding import Audit, Finding, Skipped
from goodmeasure.auditing.observing.judging import Judgement
from goodmeasure.auditing.observing.loops import unreached
from goodmeasure.auditing.observing.notebooks import run_notebook
from goodmeasure.auditing.observing.overrun import left_where_it_is
from goodmeasure.auditing.observing.seams import Install, Seams, observed
from goodmeasure.auditing.observing.stopping import Cut, Finished, Limits, bounded, guard
from goodmeasure.auditing.observing.writers_host import WRITERS


@dataclass(frozen=True)
class Invocation:
    """A program as it was named: a file, a notebook or a module, its own arguments, and how much of it is run."""

    program: str
    arguments: tuple[str, ...] = ()
    module: bool = False
    steps: int = 3
    all: bool = False
    stop: bool = False
    budget_s: float = 60.0

    @property
    def by_itself(self) -> str:
        """The line of a shell that runs it without an audit."""
        words = ("-m", self.program) if self.module else (self.program,)
        notebook = not self.module and self.program.endswith(".ipynb")
        command = ("jupyter", "execute") if notebook else ("python",)
        return shlex.join([*command, *words, *self.arguments])


@dataclass
class Ending:
    """What came of it: the report, where the run was ended, and what the program raised by itself."""

    audit: Audit
    ended: str = ""
    raised: str = ""
    raised_at: str = ""
    status: int = 0
    refused: str = ""  # what the program's own parser said of its arguments
    after_cut: bool = False
    started: tuple[str, ...] = ()
    left_open: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    def write(self, descriptor: int) -> None:
        """Write it down for whoever started the process."""
        with os.fdopen(descriptor, "w", encoding="utf-8") as told:
            json.dump(self.to_dict(), told)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Ending:
        """From plain values."""
        told = dict(values.pop("audit"))
        told["findings"] = tuple(Finding(**part) for part in told["findings"])
        told["not_applicable"] = tuple(Skipped(**part) for part in told["not_applicable"])
        for name in ("passed", "looked_at", "not_seen"):
            told[name] = tuple(told[name])
        values |= {name: tuple(values[name]) for name in ("started", "left_open")}
        return cls(Audit(**told), **values)


# The modules after whose import seams are replaced, and where they are described.
HOSTS: dict[str, tuple[str, ...]] = {
    "torch": ("torch_host",),
    # The compiler takes as long to import as torch: it is looked at only with a program that asks for it.
    "torch._dynamo": ("torch_host",),
    "sklearn.base": ("sklearn_host",),
    "sklearn.model_selection": ("sklearn_host",),
    "sklearn.metrics": ("sklearn_host",),
    "xgboost": ("boosters_host", "sklearn_host"),
    "lightgbm": ("boosters_host", "sklearn_host"),
    "transformers.trainer": ("transformers_host",),
    "keras": ("torch_host", "keras_host"),  # torch is told what is Keras's own affair
    **dict.fromkeys(WRITERS, ("writers_host",)),
}


@dataclass
class Hosts:
    """What observes a program, by host: each from the import of its library on."""

    limits: Limits
    cut: Cut
    known: dict[str, Any] = field(default_factory=dict)

    def observing(self) -> AbstractContextManager[Any]:
        """Inside, every library that is there or comes is observed."""
        return observed({name: self._install(name, hosts) for name, hosts in HOSTS.items()})

    def _install(self, name: str, hosts: tuple[str, ...]) -> Install:
        def install(seams: Seams) -> None:
            for host in hosts if name != "keras" or "torch" in sys.modules else hosts[1:]:
                if host not in self.known:
                    module = importlib.import_module(f"{__package__}.{host}")
                    self.known[host] = module.begin(self.limits, self.cut)
                self.known[host].install(name, seams)

        return install

    def judged(self, whole: bool) -> Judgement:
        """What the rules say about everything that was seen of a program that came to its end (``whole``) or was stopped."""
        judged = Judgement()
        torch, sklearn = self.known.get("torch_host"), self.known.get("sklearn_host")
        if torch is not None and sklearn is not None:
            sklearn.calls.workflow.taught += torch.targets()
        for name, host in self.known.items():
            try:
                judged.add(host.judge(whole))
            except Exception as error:  # a program that no host foresaw: the report says so
                judged.not_seen.append(f"{name}: judging it failed: {type(error).__name__}: {error}")
        return judged


@dataclass
class Observation:
    """One run of a program: what observes it, and how it ended."""

    request: Invocation
    cut: Cut = field(default_factory=Cut)
    raised: BaseException | None = None
    after_cut: bool = False
    status: int = 0
    refused: str = ""
    unreached: list[str] = field(default_factory=list)
    descriptor: int | None = None  # where to write what came of it, where the program does not come back
    _judged: threading.Lock = field(default_factory=threading.Lock)

    def go(self) -> Ending:
        """Run the program, then ask the rules."""
        limits = Limits(self.request.steps, self.request.all, self.request.stop, self.request.budget_s)
        hosts = Hosts(limits, self.cut)
        with hosts.observing(), self._left_in_time(limits, hosts):
            self._program(limits)
        with self._judged:
            return self._ending(limits, hosts)

    def _left_in_time(self, limits: Limits, hosts: Hosts) -> AbstractContextManager[None]:
        """Inside, a program that does not come back is judged where it is, and its process ends."""
        descriptor = self.descriptor
        if descriptor is None:
            return nullcontext()

        def leave(frame: FrameType) -> None:
            with self._judged:
                where = line_of(frame) or "the program"
                self.cut.short(where)
                self.cut.ended_by = "inside a call that did not return in its time, and its exit handlers did not run"
                self.unreached = list(unreached(reversed([*traceback.walk_stack(frame)])))
                self._ending(limits, hosts).write(descriptor)
                os._exit(0)

        return left_where_it_is(limits, self.cut, leave, descriptor)

    def _ending(self, limits: Limits, hosts: Hosts) -> Ending:
        """What came of it; what is done for that is none of the program's."""
        self.cut.judging = threading.get_ident()
        try:
            return self._told(hosts, time.monotonic() - limits.started)
        finally:
            self.cut.judging = 0  # what runs at exit belongs to the program

    def _program(self, limits: Limits) -> None:
        try:
            with bounded(limits, self.cut):
                as_main(self.request)
        except Finished as end:
            self.unreached = list(unreached(traceback.walk_tb(end.__traceback__)))
            return
        except SystemExit as left:
            self.status = left.code if isinstance(left.code, int) else int(left.code is not None)
            self.refused = _refused(left)
            if not isinstance(left.code, int | None):
                print(left.code, file=sys.stderr)  # as Python does
        except (Exception, KeyboardInterrupt) as error:  # the program's own: told, not ours to raise
            if self.cut.ended_by and isinstance(error, sqlite3.DatabaseError):
                return  # what it was not allowed to write has ended it
            self.raised = error
        self.after_cut = bool(self.cut.where)

    def _told(self, hosts: Hosts, seconds: float) -> Ending:
        judged = hosts.judged(whole=self.raised is None and not self.status)
        judged.not_seen += [f"{where}: was not reached" for where in self.unreached]
        outcome = Ending(
            judged.together(self.request.program, seconds), self._ended(), status=self.status, refused=self.refused
        )
        outcome.started = tuple(dict.fromkeys(self.cut.started))
        outcome.left_open = tuple(path.removeprefix(f"{Path.cwd()}/") for path in self.cut.left_open)
        if self.raised is not None:
            outcome.raised = f"{type(self.raised).__name__}: {self.raised}"
            outcome.raised_at = where_raised(self.raised)
            outcome.after_cut = self.after_cut
        return outcome

    def _ended(self) -> str:
        if self.cut.ended_by:
            return f"training was cut at {self.cut.where}; the run was ended {self.cut.ended_by}"
        return f"training was cut at {self.cut.where}" if self.cut.where else ""


def _refused(left: SystemExit) -> str:
    """What an argument parser said when it ended the program."""
    frames = [frame for frame, _ in traceback.walk_tb(left.__traceback__)]
    own = (one for one in frames if one.f_code.co_filename == argparse.__file__ and one.f_code.co_name == "error")
    return next((str(one.f_locals.get("message", "")) for one in own), "")


def as_main(request: Invocation) -> None:
    """Run a program as Python runs it: as ``__main__``, with its own arguments, from its own directory."""
    argv, path = sys.argv, list(sys.path)
    sys.argv = [request.program, *request.arguments]
    try:
        if request.module:
            sys.path.insert(0, str(Path.cwd()))
            runpy.run_module(request.program, run_name="__main__", alter_sys=True)
        else:
            sys.path.insert(0, str(Path(request.program).resolve().parent))
            (run_notebook if request.program.endswith(".ipynb") else _run_script)(request.program)
    finally:
        sys.argv, sys.path[:] = argv, path


def _run_script(path: str) -> dict[str, Any]:
    return runpy.run_path(path, run_name="__main__")


def run(request: Invocation, descriptor: int | None = None) -> Ending:
    """Run a program under observation in this process, which is then good for nothing else.

    Where the program does not come back from a library, what came of it is written to the descriptor, if there is one.
    """
    sys.dont_write_bytecode = True
    os.environ.setdefault("MPLBACKEND", "agg")  # no windows
    the_run = Observation(request, descriptor=descriptor)
    guard(the_run.cut)
    return the_run.go()
