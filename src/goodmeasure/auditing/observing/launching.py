"""Audit a program in a process of its own: what it does to itself, and how it ends, touches nobody else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from goodmeasure.auditing.evidence.lines import is_own
from goodmeasure.auditing.observing.notebooks import code_cells
from goodmeasure.auditing.observing.running import Ending, Invocation
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.paths import is_directory, is_file


class ProgramGone(Problem, RuntimeError):
    """The process of a program under audit ended before it could tell what was seen.

    The program was killed (by the system, for memory), left by ``os._exit``, or did not come back from a call that lets
    nothing else run. Run it by itself, with less data, or have it audited with fewer steps or a larger budget.
    """

    code = "GM191"


class NothingObserved(Problem, RuntimeError):
    """A program ran under audit, and nothing that the audit knows how to look at happened in it.

    No loss was differentiated, no estimator was fitted, no metric was computed: there is nothing that could be right or
    wrong. The program may only define things, or do its training in another process.
    """

    code = "GM192"


def launch(request: Invocation) -> Ending:
    """Run the program in a process of its own and return what came of it."""
    _named(request)
    read, write = os.pipe()
    root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", f"{__package__}.child", str(write), json.dumps(asdict(request))]
    with subprocess.Popen(command, pass_fds=[write], env={**os.environ, "PYTHONPATH": path}) as child:
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as told:
            text = told.read()
        child.wait()
    if (stuck := _stuck_at(text)) is not None:
        raise ProgramGone(
            f"{request.program} did not come back from a call that lets nothing else run",
            where=stuck,
            seen="nothing that was observed before could be told",
            fix=f"goodmeasure audit {request.program} --budget {4 * request.budget_s:g}",
        )
    if not text:
        raise ProgramGone(
            f"{request.program} ended before it could be judged (status {child.returncode})",
            where=request.program,
            fix=request.by_itself,
        )
    return Ending.from_dict(json.loads(text))


def _stuck_at(text: str) -> str | None:
    """The line of the program in what Python writes when a process is ended from outside; None where it ended by itself."""
    if not text.startswith("Timeout ("):
        return None
    frames = re.findall(r'File "(.+)", line (\d+) in (.+)', text)
    return next((f"{path}:{line} in {name}" for path, line, name in frames if is_own(path)), "")


def _named(request: Invocation) -> None:
    """Refuse what is no program before a process is made for it. Error: GM009."""
    if request.module:
        return
    if not is_file(request.program):
        named = request.program
        what = f"{named} is a directory" if is_directory(named) else f"there is no file {named}"
        raise UsageError(what, where=named, fix="goodmeasure audit train.py -- ARGS")
    if request.program.endswith(".ipynb"):
        code_cells(request.program)
