"""One mutant on its tests: a private copy of the source, a fresh process, a limit of processor time."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mutations.operators import Mutant
from mutations.recording import PACKAGE, ROOT, STATE, Record, private, pytest_command, settings

BUDGET = 20.0  # seconds of tests, as they were recorded, that a mutant is tried on
START = 60.0  # seconds allowed for what is not a test: imports, collection, kernels that are compiled anew
SLACK = 5.0  # how many times as long as recorded the tests may take
MEMORY = 16 << 30


@dataclass(frozen=True)
class Tried:
    """What became of a mutant.

    Attributes:
        outcome: "killed", "survived" or "timeout".
        by: the test that noticed, or why none could.
        tests: how many may have been asked.
        seconds: how long it took.
    """

    outcome: str
    by: str
    tests: int
    seconds: float


def attempt(mutant: Mutant | None, record: Record, tests: Sequence[str] | None = None) -> Tried:
    """Try a mutant (None: the source as it is) on the tests that may notice it."""
    chosen = _affordable(record.tests_of(mutant) if mutant and tests is None else tests or (), record)
    if not chosen:
        return Tried("survived", "no test runs it", 0, 0.0)
    start = time.monotonic()
    with _copied(mutant) as (source, folder):
        outcome, by = _run(source, folder, chosen, sum(record.seconds[t] for t in chosen))
    return Tried(outcome, by, len(chosen), time.monotonic() - start)


def _affordable(tests: Sequence[str], record: Record) -> list[str]:
    chosen, spent = [], 0.0
    for test in tests:
        spent += record.seconds[test]
        if chosen and spent > BUDGET:
            break
        chosen.append(test)
    return chosen


@contextmanager
def _copied(mutant: Mutant | None) -> Iterator[tuple[Path, Path]]:
    """The package with the mutant in a folder of its own, and that folder."""
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=private(STATE / "copies")) as name:
        folder = Path(name)
        source = folder / "src" / "goodmeasure"
        shutil.copytree(PACKAGE, source)
        if mutant is not None:
            path = source / mutant.module
            path.write_text(mutant.applied(path.read_text(encoding="utf-8")), encoding="utf-8")
            for left in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                left.unlink()
            if mutant.module.startswith(("kernels/", "keeping/")):
                # What is compiled is kept by all that it follows from; but a mutant may be of what says so.
                shutil.copytree(STATE / "cache", folder / "cache")
        yield source, folder


def _run(source: Path, folder: Path, chosen: Sequence[str], expected: float) -> tuple[str, str]:
    listed = folder / "tests"
    listed.write_text("\n".join(chosen), encoding="utf-8")
    own = folder / "cache"
    env = settings(source, MUTATIONS_TESTS=listed, GOODMEASURE_CACHE_DIR=own if own.exists() else STATE / "cache")
    allowed = START + SLACK * expected
    command = pytest_command(["-x", "--no-header", *dict.fromkeys(t.split("::")[0] for t in chosen)])
    process = subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    resource.prlimit(process.pid, resource.RLIMIT_CPU, (int(allowed), int(allowed) + 5))
    resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        out, _ = process.communicate(timeout=6 * allowed)
    except subprocess.TimeoutExpired:
        out = b""
    finally:
        _end(process)
    return _read(process.returncode, out.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what the tests started, if anything is left of it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _read(status: int, said: str) -> tuple[str, str]:
    if status == 0:
        return "survived", ""
    noticed = [line.removeprefix("NOTICED ") for line in said.splitlines() if line.startswith("NOTICED ")]
    if noticed:
        return "killed", noticed[0]
    if status in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout", ""
    if status == 5:
        raise RuntimeError("the recorded tests are not there any more: record them anew")
    return "killed", f"the process ended by signal {-status}" if status < 0 else "the tests could not be collected"
