"""The magic of a notebook that audits a cell: ``%%audit``, after ``%load_ext goodmeasure``."""

from __future__ import annotations

import ast
from typing import Any

from goodmeasure.auditing.observing.cells import numbers
from goodmeasure.auditing.observing.within import Within
from goodmeasure.errors import UsageError


def load(shell: Any) -> None:
    """Make ``%%audit`` known to an IPython shell."""
    shell.register_magic_function(lambda line, cell: _audit(shell, line, cell), "cell", "audit")


def _audit(shell: Any, line: str, cell: str) -> Any:
    """Run a cell under observation, show what was found below it, and give the value of its last line."""
    if line.strip():
        raise UsageError(f"%%audit takes no words, and was given {line.strip()!r}", fix="%%audit on a line of its own")
    source = "\n" + shell.transform_cell(cell)  # the line of the magic is the first of the cell
    name = shell.compile.cache(source, max(numbers(shell).values(), default=0))  # that of the cell that runs
    tree = ast.parse(source, name)
    with Within():
        return _run(tree, name, shell.user_ns)


def _run(tree: ast.Module, name: str, scope: dict[str, Any]) -> Any:
    """Execute a cell; the value of its last line, where that is an expression."""
    last = tree.body[-1] if tree.body else None
    if not isinstance(last, ast.Expr):
        exec(compile(tree, name, "exec"), scope)
        return None
    exec(compile(ast.Module(tree.body[:-1], []), name, "exec"), scope)
    return eval(compile(ast.Expression(last.value), name, "eval"), scope)
