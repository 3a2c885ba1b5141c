"""Runs the example of every docstring in an environment that lacks packages, and prints what came of each as JSON.

    python told_examples.py numba,torch [goodmeasure.risks goodmeasure.losses ...]

The packages that are named first are kept out, as if they were not installed. An example came out "as printed", or it "imports"
what is not there, or "asks" for an extra by the line that installs it; whatever else came is told as it is.
"""

from __future__ import annotations

import doctest
import json
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any

from absent import keep_out

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS | doctest.FAIL_FAST


class Runner(doctest.DocTestRunner):
    """Notes what stopped an example."""

    came = "as printed"

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        """Another answer than the printed one."""
        self.came = f"{example.source.strip()} gave {got.strip()}"

    def report_unexpected_exception(self, out: Any, test: Any, example: doctest.Example, exc_info: Any) -> None:
        """An error that nobody printed."""
        error = exc_info[1]
        if hasattr(error, "fix") and error.code == "GM008":
            self.came = f"asks: {error.fix}"
        elif isinstance(error, ModuleNotFoundError) and re.search(rf"\b{error.name}\b", example.source):
            self.came = f"imports {error.name}"
        else:
            self.came = f"{example.source.strip()} raised {type(error).__name__}: {error}"


def modules(rooms: Sequence[str]) -> Iterator[str]:
    """The names of all modules of some rooms, or of the whole package."""
    import goodmeasure

    for each in pkgutil.walk_packages(goodmeasure.__path__, "goodmeasure."):
        if not rooms or each.name.startswith(tuple(rooms)):
            yield each.name


def outcomes(names: Iterator[str]) -> dict[str, str]:
    """What came of each example, and which modules cannot be loaded for want of what."""
    found = {}
    for name in names:
        try:
            module = import_module(name)
        except ModuleNotFoundError as missing:
            found[name] = f"imports {missing.name}"
            continue
        for test in doctest.DocTestFinder().find(module, name, module=module, globs={}):
            if test.examples:
                runner = Runner(optionflags=OPTIONS, verbose=False)
                runner.run(test, out=lambda told: None)
                found[test.name] = runner.came
    return found


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    keep_out(sys.argv[1].split(","))
    print(json.dumps(outcomes(modules(sys.argv[2:]))))
