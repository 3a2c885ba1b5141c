"""Which test runs which line, and for how long: recorded once, kept outside of git, and asked for each mutant."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path

from mutations.operators import Mutant

SCRIPTS = Path(__file__).resolve().parent.parent
ROOT = SCRIPTS.parent
PACKAGE = ROOT / "src" / "goodmeasure"
STATE = ROOT / "build" / "mutations"
RECORDS = STATE / "records"
# Tests that read the source or pages made of it: they notice that a text has changed, not that an answer has.
READERS = frozenset(
    {"contributing", "docs", "docstrings", "house", "layers", "names_in_prose", "signatures", "mutations"}
)


class NothingRecorded(Exception):
    """There is no record to try mutants with, or none could be made: then nothing is known of any."""


def settings(source: Path, **more: Path) -> dict[str, str]:
    """The environment of a run of tests on a copy of the package: its own kernels, one thread, nothing of the user's."""
    paths = (str(source.parent), str(SCRIPTS), os.environ.get("PYTHONPATH", ""))
    given = {"MUTATIONS_SOURCE": source, "GOODMEASURE_CACHE_DIR": STATE / "cache", **more}
    rest = {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": ""}
    return {**os.environ, **rest, **{name: str(value) for name, value in given.items()}}


def pytest_command(tests: Iterable[str]) -> list[str]:
    # The plugin that the package brings would be loaded from a package that may have no such module.
    without = ("-p", "no:cacheprovider", "-p", "no:goodmeasure")
    return [sys.executable, "-m", "pytest", "-q", *without, "-p", "mutations.plugin", *tests]


def test_files() -> list[Path]:
    """The files of tests that ask for answers."""
    found = sorted((ROOT / "tests").glob("test_*.py"))
    return [path for path in found if path.stem.removeprefix("test_") not in READERS]


def record(files: Iterable[Path]) -> None:
    """Run files of tests, each in a process of its own, and write down what each test ran."""
    private(RECORDS)
    for path in files:
        _record_of(path).unlink(missing_ok=True)
        env = settings(PACKAGE, MUTATIONS_RECORD=_record_of(path))
        command = pytest_command([str(path.relative_to(ROOT))])
        done = subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True)
        if not _record_of(path).exists():
            raise NothingRecorded(f"pytest recorded nothing of {path.name}: {_last_line(done.stderr or done.stdout)}")
        print(f"{path.stem}: {_last_line(done.stdout)}", file=sys.stderr, flush=True)


def _last_line(said: bytes) -> str:
    lines = said.decode(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "it said nothing")


def is_recorded(path: Path) -> bool:
    """Whether a file of tests is recorded, and neither it nor the source has changed since: lines would have moved."""
    record = _record_of(path)
    return record.exists() and record.stat().st_mtime > max(path.stat().st_mtime, _last_change())


@cache
def _last_change() -> float:
    return max(path.stat().st_mtime for path in PACKAGE.rglob("*.py"))


def _record_of(path: Path) -> Path:
    return RECORDS / f"{path.stem}.json"


def private(folder: Path) -> Path:
    """A folder that nobody else can write to: kernels are kept in no other."""
    for each in reversed([folder, *folder.parents]):
        if each.is_relative_to(STATE.parent):
            each.mkdir(mode=0o700, exist_ok=True)
    return folder


class Record:
    """The records of all files of tests, read once."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.ran: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in sorted(RECORDS.glob("*.json")):
            if (ROOT / "tests" / f"{path.stem}.py").exists():
                self._read(json.loads(path.read_text(encoding="utf-8")))

    def _read(self, held: dict[str, dict[str, dict[str, list[int]]]]) -> None:
        seconds: dict[str, float] = held["seconds"]  # type: ignore[assignment]
        self.seconds |= seconds
        for test, modules in held["lines"].items():
            for module, lines in modules.items():
                for line in lines:
                    self.ran[module][line].update([test] if test else seconds)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Tests that may notice a mutant, the likeliest and fastest first.

        They run the changed lines; where no test does (a constant of the module, a function that is compiled, a text that is
        printed as a kernel), they run a line of a function of the module, of a module that imports it, or of the room.
        """
        return self._ordered(self._on_lines(mutant) or self._near(mutant.module), mutant)

    def quickest(self, count: int) -> list[str]:
        """The tests that take the least time."""
        if not self.ran:
            raise NothingRecorded("no test is known to run any line: python scripts/mutate.py record")
        return sorted(self.seconds, key=lambda t: (self.seconds[t], t))[:count]

    def _on_lines(self, mutant: Mutant) -> set[str]:
        if mutant.function == "module" or mutant.operator == "default":
            return set()
        lines = self.ran[mutant.module]
        return set().union(*(lines[k] for k in range(mutant.line, mutant.last + 1) if k in lines))

    def _near(self, module: str) -> set[str]:
        room = {each for each in self.ran if each.split("/")[0] == module.split("/")[0]}
        for modules in ({module}, self.importers[module], room):
            if found := set().union(*(self._in_functions(each) for each in modules)):
                return found
        return set()

    def _in_functions(self, module: str) -> set[str]:
        tree = ast.parse((PACKAGE / module).read_text(encoding="utf-8"))
        bodies = [n.body for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        inside = {k for body in bodies for k in range(body[0].lineno, (body[-1].end_lineno or 0) + 1)}
        return set().union(*(tests for line, tests in self.ran[module].items() if line in inside))

    @cached_property
    def importers(self) -> dict[str, set[str]]:
        """The modules that import each module."""
        found: dict[str, set[str]] = defaultdict(set)
        for path in PACKAGE.rglob("*.py"):
            for module in imported(path):
                found[module].add(str(path.relative_to(PACKAGE)))
        return found

    def _ordered(self, tests: set[str], mutant: Mutant) -> list[str]:
        """Each function of tests with its fastest case first, then each with its next.

        Before all others come those with the name of the function, then those whose file imports the module: it asks about it.
        """
        cases: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=lambda t: (self.seconds[t], t)):
            cases[test.split("[")[0]].append(test)
        turn = {test: k for same in cases.values() for k, test in enumerate(same)}
        own, asking = "[" + mutant.function.split(".")[-1].strip("_"), self._asking(mutant.module)
        return sorted(tests, key=lambda t: (own not in t, t.split("::")[0] not in asking, turn[t], self.seconds[t], t))

    def _asking(self, module: str) -> set[str]:
        stem = Path(module).stem
        files = {test.split("::")[0] for test in self.seconds}
        return {file for file in files if stem in Path(file).stem or module in imported(ROOT / file)}


def imported(path: Path) -> set[str]:
    """The modules of the package that a module imports, as files below the package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("goodmeasure"):
            base = "/".join((node.module or "").split(".")[1:])
            found |= {f"{base}.py", *(f"{base}/{a.name}.py".lstrip("/") for a in node.names)}
    return {f for f in found if (PACKAGE / f).exists()}
