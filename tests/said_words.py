"""The words that verdicts and numbers of the source say, found where they are written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import goodmeasure
from goodmeasure.study.verdict import LOOK_FIRST

PACKAGE = Path(goodmeasure.__file__).parent
# What judges; what it says is shown elsewhere as it is.
ROOMS = ("statistics", "risks", "calibrating", "decisions", "tallying", "signals", "study", "monitoring")
TEXTS = {"str", "tuple[str, ...]", "list[str]", "Iterable[str]"}
# Functions of a run that make sentences of intervals.
SENTENCES = {
    "study/verdict.py": ("_against_constant", "_generalises", "_means_what_it_says", "_decides"),
    "report/scored.py": ("verdict",),
    "report/sentences.py": ("weighing_text", "_moved"),
}


def said() -> set[str]:
    """Every such text, with … where a number stands."""
    return set(_verdicts()) | set(_cautions()) | set(_of_a_run()) | set(LOOK_FIRST)


def _trees(*rooms: str) -> Iterator[ast.Module]:
    for room in rooms:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _makes_text(function: ast.FunctionDef) -> bool:
    return function.returns is not None and ast.unparse(function.returns) in TEXTS


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts of a piece of source but for docstrings; those of a few letters are no words."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.JoinedStr) and not _is_docstring(child):
            yield from _texts(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _verdicts() -> Iterator[str]:
    """What functions called verdict, or word, return."""
    for tree in _trees(*ROOMS):
        for function in _functions(tree):
            if function.name in ("verdict", "word") and _makes_text(function):
                for node in ast.walk(function):
                    if isinstance(node, ast.Return) and node.value is not None:
                        yield from _texts(node.value)


def _cautions() -> Iterator[str]:
    """What is given as a caution, and what functions called so say, with those that they call."""
    named = {
        function.name: function for tree in _trees(*ROOMS) for function in _functions(tree) if _makes_text(function)
    }
    for tree in _trees(*ROOMS):
        for node in ast.walk(tree):
            if not _is_caution(node):
                continue
            yield from _texts(node)
            for call in ast.walk(node):
                if isinstance(call, ast.Call):
                    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
                    yield from _texts(named[name]) if name in named else ()


def _is_caution(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        return any("caution" in getattr(target, "id", "") for target in node.targets)
    if isinstance(node, ast.FunctionDef):
        return _makes_text(node) and ("caution" in node.name or "unseen" in node.name or node.name == "never_seen")
    return isinstance(node, ast.keyword) and node.arg == "cautions"


def _of_a_run() -> Iterator[str]:
    """The words of a run: the first of each pair that a function returns, and its sentences."""
    for name, functions in SENTENCES.items():
        tree = ast.parse((PACKAGE / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                yield from _texts(node)
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                yield from _texts(node.value.elts[0])
