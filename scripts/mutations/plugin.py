"""What pytest is told: to record which test runs which lines and for how long, or to run chosen tests in a chosen order.

Loaded with ``-p mutations.plugin``. It reads two settings of the environment: MUTATIONS_RECORD is the file to write a record to,
MUTATIONS_TESTS a file of tests in the order in which they are run.
"""

from __future__ import annotations

import ast
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import _lru_cache_wrapper
from pathlib import Path
from typing import Any

import pytest

WHOLE_FILE = ""  # the name under which coverage keeps what runs outside of any test
SOURCE = Path(os.environ["MUTATIONS_SOURCE"])


def _seconds() -> float:
    """The processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])


class Recorder:
    """Writes which lines each test ran, and its processor time."""

    def __init__(self, out: Path) -> None:
        from coverage import Coverage

        self.out = out
        self.seconds: dict[str, float] = {}
        self.mute: set[str] = set()  # tests that are skipped or fail: they can notice nothing
        self.coverage = Coverage(data_file=None, config_file=False, include=[f"{SOURCE}/*"])
        self.coverage.start()
        self.words: dict[str, set[str]] = defaultdict(set)

    @pytest.hookimpl
    def pytest_collection_finish(self) -> None:
        """A word of a kernel does not run as Python: a test runs its lines by having them printed."""
        from goodmeasure.kernels import printer

        recipe = printer.Words.recipe

        def noting(words: Any, name: str) -> Any:
            self.words[self._test()].add(name.removeprefix("wide_"))
            return recipe(words, name)

        printer.Words.recipe = noting

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        _forget()
        self.coverage.switch_context(item.nodeid)
        start = _seconds()
        found = yield
        self.seconds[item.nodeid] = _seconds() - start
        self.coverage.switch_context(WHOLE_FILE)
        return found

    def pytest_runtest_logreport(self, report: Any) -> None:
        if not report.passed:
            self.mute.add(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
        """What a shared fixture runs counts for the whole file: the next test does not run it again."""
        if fixturedef.scope == "function":
            return (yield)
        self.coverage.switch_context(WHOLE_FILE)
        try:
            return (yield)
        finally:
            self.coverage.switch_context(request.node.nodeid if "::" in request.node.nodeid else self._test())

    def _test(self) -> str:
        return os.environ["PYTEST_CURRENT_TEST"].rsplit(" ", 1)[0]

    def pytest_sessionfinish(self) -> None:
        self.coverage.stop()
        heard = {test: spent for test, spent in self.seconds.items() if test not in self.mute}
        lines = {test: ran for test, ran in self._lines().items() if test not in self.mute}
        self.out.write_text(json.dumps({"seconds": heard, "lines": lines}), encoding="utf-8")

    def _lines(self) -> dict[str, dict[str, list[int]]]:
        """The lines of each file that each test ran."""
        data = self.coverage.get_data()
        ran: dict[str, dict[str, list[int]]] = defaultdict(dict)
        for file in data.measured_files():
            for line, tests in data.contexts_by_lineno(file).items():
                for test in tests:
                    ran[test].setdefault(str(Path(file).relative_to(SOURCE)), []).append(line)
        for module in ("kernels/float32.py", "kernels/float64.py"):
            lines = _lines_of_functions(SOURCE / module)
            for test, words in self.words.items():
                ran[test][module] = [line for word in words for line in lines.get(word, ())]
        return ran


def _lines_of_functions(path: Path) -> dict[str, range]:
    found = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)]
    return {node.name: range(node.lineno, (node.end_lineno or 0) + 1) for node in found}


def _forget() -> None:
    """Empty the caches of functions: a test that finds an answer there would not run the lines that it rests on."""
    for name, module in list(sys.modules.items()):
        if name.startswith("goodmeasure"):
            for value in list(vars(module).values()):
                if isinstance(value, _lru_cache_wrapper):
                    value.cache_clear()


class Chooser:
    """Runs the tests that are listed, in the order of the list."""

    def __init__(self, listed: Path) -> None:
        self.order = {test: k for k, test in enumerate(listed.read_text(encoding="utf-8").splitlines())}

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        import goodmeasure

        assert Path(goodmeasure.__file__).is_relative_to(SOURCE), "another goodmeasure would be tried"
        items[:] = sorted((item for item in items if item.nodeid in self.order), key=lambda i: self.order[i.nodeid])

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            print(f"\nNOTICED {report.nodeid}", flush=True)


def pytest_configure(config: pytest.Config) -> None:
    if _recorder is not None:
        config.pluginmanager.register(_recorder)
    if "MUTATIONS_TESTS" in os.environ:
        config.pluginmanager.register(Chooser(Path(os.environ["MUTATIONS_TESTS"])))


# Begun before any module of the package is imported, which the settings of the tests do.
_recorder = Recorder(Path(os.environ["MUTATIONS_RECORD"])) if "MUTATIONS_RECORD" in os.environ else None
