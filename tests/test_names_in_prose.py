"""Do the names in docstrings and comments exist? A name of ours stands in single backquotes, other code in double ones."""

import ast
import inspect
import re
import tokenize
from collections.abc import Iterator
from functools import cache, lru_cache, reduce
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

import goodmeasure as gm

ROOT = Path(gm.__file__).parent
FILES = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
NAME = re.compile(r"(?<!`)`([A-Za-z_]\w*(?:\.\w+)*)`(?!`)")
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@lru_cache(maxsize=1)
def parsed(path: Path) -> list[ast.AST]:
    """Every node of a file."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def prose(path: Path) -> Iterator[str]:
    """The docstrings of a file, and its comments where one holds a name: to find comments takes longer than all else."""
    for node in parsed(path):
        if isinstance(node, DOCUMENTED):
            yield ast.get_docstring(node) or ""
    with tokenize.open(path) as file:
        if not any("`" in line.partition("#")[2] for line in file):
            return
        file.seek(0)
        yield from (token.string for token in tokenize.generate_tokens(file.readline) if token.type == tokenize.COMMENT)


def attributes(path: Path) -> set[str]:
    """The attributes that a file sets or declares; an object of a class has them, the class itself may not."""
    nodes = parsed(path)
    stored = {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    return stored | {
        node.target.id for node in nodes if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


@cache
def facade() -> dict[str, object]:
    """What the first module of all leads to."""
    return {"goodmeasure": gm, **{name: getattr(gm, name) for name in dir(gm)}}


@cache
def beside(package: str) -> dict[str, str]:
    """The modules of a package, by their short names."""
    path = import_module(package).__path__
    return {found.name: f"{package}.{found.name}" for found in iter_modules(path)}


def members(module: str) -> dict[str, object]:
    """What a name may begin with in a module: what stands in it, its classes' members, modules beside it, rooms, the facade."""
    here = import_module(module)
    near = beside("goodmeasure") | beside(module if hasattr(here, "__path__") else module.rpartition(".")[0])
    classes = [kind for kind in vars(here).values() if inspect.isclass(kind) and kind.__module__ == module]
    return {
        **facade(),
        **{name: import_module(full) for name, full in near.items()},
        **{name: member for kind in classes for name, member in inspect.getmembers(kind)},
        **vars(here),
        **dict.fromkeys(attributes(FILES[module]) - vars(here).keys()),
    }


def inner(found: object, name: str) -> object:
    if inspect.ismodule(found) and f"{found.__name__}.{name}" in FILES and not hasattr(found, name):
        return import_module(f"{found.__name__}.{name}")
    return getattr(found, name)


@pytest.mark.parametrize("module", FILES)
def test_a_name_in_prose_is_there(module):
    known = members(module)
    for name in {name for text in prose(FILES[module]) for name in NAME.findall(text)}:
        first, *rest = name.split(".")
        assert first in known, f"{module} speaks of {name}"
        reduce(inner, rest, known[first])
