"""A notebook as a program: its cells in order, in one namespace, each under a name of its own."""

from __future__ import annotations

import json
import linecache
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from goodmeasure.errors import UsageError

_KEPT = frozenset(
    {"%%audit", "%%time", "%%timeit", "%%capture", "%%prun"}
)  # magics of a cell whose code is Python all the same


def run_notebook(path: str) -> dict[str, Any]:
    """Run the cells of a notebook as ``__main__``; lines that only a notebook understands are left out."""
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, display=print, get_ipython=Shell)
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        for number, source in code_cells(path):
            name = f"{path}[{number}]"
            linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
            exec(compile(source, name, "exec"), main.__dict__)
    finally:
        sys.modules["__main__"] = before
    return main.__dict__


def code_cells(path: str) -> list[tuple[int, str]]:
    """The code cells of a notebook with their places among all cells, counted from one. Error: GM009."""
    try:
        cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
        found = [(k, "".join(cell["source"])) for k, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(
            f"{path} is not a notebook", where=path, seen=f"{type(error).__name__}: {error}", fix="save it in Jupyter"
        ) from error
    return [(number, _python(source)) for number, source in found if not _foreign(source)]


def _foreign(source: str) -> bool:
    """Whether a cell is written in another language."""
    first = source.lstrip().split(maxsplit=1)[:1]
    return bool(first) and first[0].startswith("%%") and first[0] not in _KEPT


def _python(source: str) -> str:
    """A cell without what only a notebook understands, line by line; a cell that is Python as it stands is left as it is."""
    try:
        compile(source, "<cell>", "exec")
        return source
    except SyntaxError:
        lines, goes_on = list[str](), False
        for line in source.splitlines():
            lines.append("" if goes_on else _plain(line))
            goes_on = line.endswith("\\") and (goes_on or lines[-1] != line)
        return "\n".join(lines)


def _plain(line: str) -> str:
    """A line without its magic; the indentation stays, so that blocks are not empty, and so does Python behind a magic."""
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    if (timed := _TIMED.match(bare)) is not None:
        return indent + timed[1]
    if bare.startswith(("%", "!", "?")) or _HELP.fullmatch(bare):
        return f"{indent}pass"
    return _ASSIGNED.sub(r"\1 = []", line)


_TIMED = re.compile(r"%(?:time|prun)\s+(?!-)(.+)")
_HELP = re.compile(r"[\w.]+\?{1,2}\s*")
_ASSIGNED = re.compile(r"^(\s*\w+)\s*=\s*[!%].*")


class Shell:
    """What a notebook's own shell is asked to do besides Python: here, nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None
