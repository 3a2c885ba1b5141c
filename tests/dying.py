"""A program that does a piece of work again and again, each time in a child that is killed at another moment.

    python tests/dying.py score|predict|report|compile FIRST STEP

The moments are those at which the child asks the system for something that changes files, and the middle of what it
writes: from the FIRST of them on, every STEP. Of each child it prints a line of JSON: how it ended, and the checksums of the
files that it left below ``out``.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import goodmeasure.report as report_room
from goodmeasure import load, run
from goodmeasure.cli import status_of
from goodmeasure.keeping import machine_code
from goodmeasure.kernels.lowering import lowering
from goodmeasure.reading import writing
from goodmeasure.report import write

CHANGES = {"os.rename", "os.remove", "os.chmod", "os.mkdir", "os.rmdir", "tempfile.mkstemp", "fcntl.flock"}
KERNEL = """
def run(x: "*float64"):
    x[0] = 1.5
"""


def score() -> Callable[[], Any]:
    asked = ["score", "t.csv", "--y", "y", "--p", "p", "--save", "out/kept.tally"]
    status_of(asked)
    return lambda: status_of([*asked, "--where", "x > 0"])


def predict() -> Callable[[], Any]:
    study = run("t.csv", "y", exclude=("p",), protocol="holdout")
    Path("model.json").write_text(study.model.to_json(), encoding="utf-8")
    load("model.json")
    asked = ["predict", "model.json", "t.csv", "--out", "out/predicted.csv"]
    status_of(asked)
    return lambda: status_of([*asked, "--where", "x > 0"])


def report() -> Callable[[], Any]:
    write(run("t.csv", "y", exclude=("p",), protocol="holdout", seed=1), "out")
    study = run("t.csv", "y", exclude=("p",), protocol="holdout")
    texts = report_room.texts_of(study)  # drawing takes long, and packed parts of a model hold the time
    report_room.texts_of = lambda _: texts
    return lambda: write(study, "out")


def compile() -> Callable[[], Any]:
    os.environ["GOODMEASURE_CACHE_DIR"] = "out"
    return lambda: machine_code.address(KERNEL, lowering())


def dies_at(moment: int) -> None:
    """Make this process kill itself at a moment."""
    left = iter(range(moment, -1, -1))

    def passed() -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, given: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR)):
            passed()

    whole = writing._Disk.write

    def half(self: Any, data: Any) -> int:
        if len(data) < 100:
            return whole(self, data)
        done = whole(self, bytes(data)[:-50])
        passed()
        return done

    writing._Disk.write = half
    sys.addaudithook(watch)


def left() -> dict[str, str]:
    files = sorted(path for path in Path("out").rglob("*") if path.is_file())
    return {str(path.relative_to("out")): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def main(work: Callable[[], Callable[[], Any]], first: int, step: int) -> None:
    """Print what stood there before, then what each child left; the last one was not killed."""
    do = work()
    shutil.copytree("out", "before")
    print(json.dumps([None, left()]), flush=True)
    gc.freeze()  # a child's collector would walk through all of it, and copy every page
    moments, killed = count(first, step), True
    while killed:
        moment = next(moments)
        child = os.fork()
        if child == 0:
            dies_at(moment)
            do()
            os._exit(0)
        killed = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        print(json.dumps([killed, left()]), flush=True)
        if killed and moment // step % 2:  # every other time the next child finds what this one left
            shutil.rmtree("out")
            shutil.copytree("before", "out")


if __name__ == "__main__":
    main(
        {"score": score, "predict": predict, "report": report, "compile": compile}[sys.argv[1]], *map(int, sys.argv[2:])
    )
