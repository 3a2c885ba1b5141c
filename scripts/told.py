"""Runs what pages show, from top to bottom, and writes beneath each block what it prints.

    python scripts/told.py                             # every page whose blocks are run
    python scripts/told.py docs/questions/where.md     # some of them

In a page of Markdown, blocks of ``python`` share their names, and blocks of ``sh`` are commands of goodmeasure, run in an empty
folder of the page; a block of ``text`` right below one is what it prints. Where a line of it is ``...``, lines are left out. A
tutorial is a script in cells (``# %%``), and its page is made of them.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import os
import re
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
_CELL = re.compile(r"^# %%(?: \[(markdown)\])?\n", re.MULTILINE)
_LEFT_OUT = doctest.OutputChecker()
_HOW = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_WIDE = "100"


def pages() -> list[Path]:
    """The pages whose blocks are run, tutorials by their scripts."""
    docs = ROOT / "docs"
    return sorted([docs / "start.md", docs / "chain.md", *docs.glob("questions/*.md"), *docs.glob("tutorials/*.py")])


def target(path: Path) -> Path:
    """The page that shows what came of running this one: itself, or that of a script."""
    return path.with_suffix(".md")


def told(path: Path) -> str:
    """A page with what its blocks print now; a block that still tells the truth stays as it is, lines left out of it too."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        text = _of_cells(path, text)
    with _folder():
        names: dict[str, Any] = {"__name__": "__main__"}
        return _BLOCK.sub(lambda found: _run(found, names, path), text)


def _run(found: re.Match[str], names: dict[str, Any], path: Path) -> str:
    language, code, shown = found.groups()
    printed = _python(code, names, path) if language == "python" else _commands(code)
    kept = shown is not None and _LEFT_OUT.check_output(shown, printed, _HOW)
    held = shown if kept else printed
    return f"```{language}\n{code}```\n" + (f"\n```text\n{held}```\n" if held else "")


def _python(code: str, names: dict[str, Any], path: Path) -> str:
    """What a block prints; the value of its last expression is printed as an interpreter does."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with _listening() as heard:
        exec(compile(tree, str(path), "exec"), names)
        value = eval(compile(ast.Expression(last.value), str(path), "eval"), names) if last else None
        if value is not None:
            print(repr(value))
    return _tidy(heard.getvalue())


def _commands(code: str) -> str:
    """What commands of goodmeasure print; one that fails stops the page."""
    from goodmeasure.cli import status_of

    with _listening() as heard:
        for line in code.replace("\\\n", " ").splitlines():
            first, *words = shlex.split(line, comments=True)
            if first != "goodmeasure":
                raise ValueError(f"only commands of goodmeasure are run, not {line}")
            status = status_of(words)
            if status:
                raise RuntimeError(f"{line} ended with {status}:\n{heard.getvalue()}")
    return _tidy(heard.getvalue())


def _tidy(printed: str) -> str:
    """What was printed, without spaces at the ends of lines and without empty lines around it."""
    lines = [line.rstrip() for line in re.sub(r"\x1b\[[\d;]*m", "", printed).splitlines()]
    text = "\n".join(lines).strip("\n")
    return f"{text}\n" if text else ""


@contextlib.contextmanager
def _listening() -> Iterator[io.StringIO]:
    """What is printed, on the way to a reader and to whoever looks for errors; warnings are not part of a page."""
    heard = io.StringIO()
    with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield heard


@contextlib.contextmanager
def _folder() -> Iterator[None]:
    """An empty folder to work in, and a terminal of one width."""
    before, wide = Path.cwd(), os.environ.get("COLUMNS")
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        os.environ["COLUMNS"] = _WIDE
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.pop("COLUMNS")
            os.environ.update({"COLUMNS": wide} if wide else {})


def _of_cells(path: Path, text: str) -> str:
    """The page of a script in cells: prose from cells of Markdown, blocks from the others, with what was printed before."""
    page = target(path)
    before = page.read_text(encoding="utf-8") if page.exists() else ""
    printed = {code: shown for _, code, shown in _BLOCK.findall(before) if shown}
    source = path.relative_to(ROOT).as_posix()
    parts = [*_cells(text, printed), f"<!-- made by scripts/told.py of {source} -->", ""]
    return "\n".join(parts)


def _cells(text: str, printed: dict[str, str]) -> Iterator[str]:
    _, *rest = _CELL.split(text)
    for kind, body in zip(rest[::2], rest[1::2], strict=True):
        if kind:
            yield re.sub(r"^# ?", "", body.strip("\n"), flags=re.MULTILINE) + "\n"
        else:
            code = body.strip("\n") + "\n"
            yield f"```python\n{code}```\n" + (f"\n```text\n{printed[code]}```\n" if code in printed else "")


def main(arguments: list[str]) -> None:
    for path in map(Path, arguments) if arguments else pages():
        target(path).write_text(told(path.resolve()), encoding="utf-8")
        print(f"{path} is told")


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "torch")
    # The tree that this script stands in, whatever is installed.
    sys.path.insert(0, str(ROOT / "src"))
    main(sys.argv[1:])
