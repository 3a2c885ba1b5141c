"""The figures of a house: its rooms, floors and loops, its repeated names, its lengths, and what its docstrings say.

    python scripts/house.py                 # this checkout
    python scripts/house.py BEFORE AFTER    # one column a tree: other checkouts, or folders of other packages

A room is a folder of the package, or a file beside them. A hidden import is one in a function. A floor is a step of the longest
chain of rooms of which each imports the one below, for whatever reason; rooms in a loop stand on one floor. What is public is
what the package's own ``__init__`` imports, and the methods of the classes among it. Files are parsed and never imported, so any
version can be measured: ``git worktree add FOLDER COMMIT`` makes a tree of an older one.
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Graph: TypeAlias = Mapping[str, set[str]]

LOAD, LATER, TYPING = "load", "later", "typing"
# What a docstring holds that a caller needs.
SAYS = {
    "shapes": re.compile(r"\bshapes?\b|\((?:n|N|m|K|rows)\s*[,)]"),
    "error codes": re.compile(r"\bGM\d{3}\b"),
    "a source": re.compile(r"\bSource:|\b(?:18|19|20)\d\d\b"),
}


@dataclass(frozen=True)
class Import:
    """One import of a module of the package by another, and when it happens."""

    importer: str
    imported: str
    when: str
    line: int


@dataclass(frozen=True)
class Public:
    """A callable that the package shows: its name, whether it takes anything, and its docstring."""

    name: str
    takes: bool
    said: str


class House:
    """A package as its files say it is."""

    def __init__(self, package: Path) -> None:
        self.package = package
        paths = [path for path in sorted(package.rglob("*.py")) if path != package / "__init__.py"]
        self.paths = {self._name(path): path for path in paths}
        self.trees = {name: _parsed(path) for name, path in self.paths.items()}
        self.facade = _parsed(package / "__init__.py")

    def _name(self, path: Path) -> str:
        return ".".join(path.relative_to(self.package).with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def texts(self) -> list[list[str]]:
        """The lines of every file."""
        files = [self.package / "__init__.py", *self.paths.values()]
        return [path.read_text(encoding="utf-8").splitlines() for path in files]

    @property
    def lines(self) -> int:
        return sum(map(len, self.texts))

    @property
    def nodes(self) -> Iterator[ast.AST]:
        """Every node of every file."""
        for tree in (self.facade, *self.trees.values()):
            yield from ast.walk(tree)

    @property
    def functions(self) -> list[Function]:
        return [node for node in self.nodes if isinstance(node, Function)]

    # --- imports ---

    def module(self, dotted: str) -> str:
        """The module of the package that a dotted name leads to; empty if it leads out of the package, or to its facade."""
        head, _, inner = dotted.partition(".")
        if head != self.package.name:
            return ""
        while inner and inner not in self.trees:
            inner = inner.rpartition(".")[0]
        return inner

    def origin(self, name: str, node: ast.ImportFrom) -> str:
        """Where an import in a module takes from, dots of relative ones resolved."""
        if not node.level:
            return node.module or ""
        here = [self.package.name, *name.split(".")] if name else [self.package.name]
        is_package = not name or self.paths[name].name == "__init__.py"
        up = here[: len(here) - node.level + is_package]
        return ".".join([*up, *([node.module] if node.module else [])])

    @cached_property
    def imports(self) -> list[Import]:
        found = []
        for name, tree in self.trees.items():
            for node, when in _imports(tree):
                if isinstance(node, ast.Import):
                    dotted = [alias.name for alias in node.names]
                else:
                    dotted = [f"{self.origin(name, node)}.{alias.name}" for alias in node.names]
                inner = {self.module(each) for each in dotted} - {"", name}
                found += [Import(name, other, when, node.lineno) for other in sorted(inner)]
        return found

    def graph(self, *when: str) -> Graph:
        """Which modules each imports at these times."""
        graph: dict[str, set[str]] = {name: set() for name in self.trees}
        for each in self.imports:
            if each.when in when:
                graph[each.importer].add(each.imported)
        return graph

    @cached_property
    def rooms(self) -> Graph:
        """Which rooms each imports."""
        graph: dict[str, set[str]] = {room(name): set() for name in self.trees}
        for each in self.imports:
            graph[room(each.importer)] |= {room(each.imported)} - {room(each.importer)}
        return graph

    # --- what is public ---

    @cached_property
    def public(self) -> list[Public]:
        """The names that the facade hands on, and the public methods of those that are classes."""
        found: dict[str, Public] = {}
        for node in _top(self.facade):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found.update(self._callables(self.origin("", node), alias.name))
        return [found[name] for name in sorted(found)]

    def _callables(self, origin: str, name: str) -> Iterator[tuple[str, Public]]:
        home, node = self._definition(self.module(origin), name)
        if isinstance(node, Function):
            yield name, Public(name, _takes(node), ast.get_docstring(node) or "")
        elif isinstance(node, ast.ClassDef):
            methods = self._methods(home, node)
            yield name, Public(name, _is_made_of(node, methods), ast.get_docstring(node) or "")
            for each in methods.values():
                if (each.name == "__call__" or not each.name.startswith("_")) and not _is_property(each):
                    full = f"{name}.{each.name}"
                    yield full, Public(full, _takes(each, bound=True), ast.get_docstring(each) or "")

    def _definition(self, home: str, name: str) -> tuple[str, ast.AST | None]:
        """The function or class of this name, and its module, through those that only hand it on."""
        for node in _top(self.trees.get(home, ast.Module([], []))):
            if isinstance(node, Function | ast.ClassDef) and node.name == name:
                return home, node
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if (alias.asname or alias.name) == name and self.module(self.origin(home, node)) not in ("", home):
                        return self._definition(self.module(self.origin(home, node)), alias.name)
        return home, None

    def _methods(self, home: str, kind: ast.ClassDef) -> dict[str, Function]:
        """The methods of a class, those of its bases in the package included."""
        found: dict[str, Function] = {}
        for base in kind.bases:
            place, node = self._definition(home, ast.unparse(base))
            if isinstance(node, ast.ClassDef):
                found.update(self._methods(place, node))
        found.update({node.name: node for node in kind.body if isinstance(node, Function)})
        return found


def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def room(name: str) -> str:
    """The room of a module; what ``python -m goodmeasure`` runs is the door of the command line."""
    return "cli" if name == "__main__" else name.split(".")[0]


def _imports(tree: ast.AST, when: str = LOAD) -> Iterator[tuple[ast.Import | ast.ImportFrom, str]]:
    """Every import of a file, with when it happens."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, when
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for child in node.body:
                yield from _imports(ast.Module([child], []), TYPING)
            for child in node.orelse:
                yield from _imports(ast.Module([child], []), when)
        elif isinstance(node, Function) and when == LOAD:
            yield from _imports(node, LATER)
        else:
            yield from _imports(node, when)


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a file, those in its conditions included."""
    for node in tree.body:
        yield from (*node.body, *node.orelse) if isinstance(node, ast.If) else (node,)


def _decorators(node: Function | ast.ClassDef) -> str:
    return " ".join(map(ast.unparse, node.decorator_list))


def _is_property(node: Function) -> bool:
    return any(mark in _decorators(node) for mark in ("property", ".setter"))


def _takes(node: Function, *, bound: bool = False) -> bool:
    """Whether a function has parameters, apart from the object that it is bound to."""
    given = node.args
    named = [*given.posonlyargs, *given.args][bound and "staticmethod" not in _decorators(node) :]
    return bool(named or given.kwonlyargs or given.vararg or given.kwarg)


def _is_made_of(kind: ast.ClassDef, methods: Mapping[str, Function]) -> bool:
    """Whether making an object of a class takes anything: parameters of its maker, or fields."""
    if "__init__" in methods:
        return _takes(methods["__init__"], bound=True)
    return "dataclass" in _decorators(kind) and any(isinstance(node, ast.AnnAssign) for node in kind.body)


# --- graphs ---


def reachable(graph: Graph, start: str) -> set[str]:
    """What can be reached from a node in one step or more."""
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            waiting.extend(graph[node])
    return seen


def loops(graph: Graph) -> list[frozenset[str]]:
    """The groups of nodes that can all be reached from each other, the largest first."""
    reach = {node: reachable(graph, node) for node in graph}
    groups = {frozenset(other for other in reach[node] if node in reach[other]) for node in graph}
    return sorted(groups - {frozenset()}, key=len, reverse=True)


def floors(graph: Graph) -> int:
    """The number of steps of the longest chain; a loop is one step."""
    whole = {node: loop for loop in loops(graph) for node in loop}
    group = {node: whole.get(node, frozenset([node])) for node in graph}
    known: dict[frozenset[str], int] = {}

    def floor(of: frozenset[str]) -> int:
        if of not in known:
            below = {group[other] for node in of for other in graph[node]} - {of}
            known[of] = 1 + max(map(floor, below), default=0)
        return known[of]

    return max(map(floor, group.values()), default=0)


# --- figures ---


def repeated(names: Iterable[str]) -> list[str]:
    """The names that occur more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def repeated_files(house: House) -> list[str]:
    return repeated(path.stem for path in house.paths.values() if path.stem != "__init__")


def repeated_classes(house: House) -> list[str]:
    kinds = (node for tree in house.trees.values() for node in tree.body if isinstance(node, ast.ClassDef))
    return repeated(node.name for node in kinds if not node.name.startswith("_"))


def spread(lengths: list[int]) -> str:
    """Median, ninth decile and largest."""
    if len(lengths) < 2:
        return " / ".join(map(str, lengths * 3))
    ninth = statistics.quantiles(lengths, n=10, method="inclusive")[-1]
    return f"{statistics.median(lengths):.0f} / {ninth:.0f} / {max(lengths)}"


def length(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def docstring_length(node: ast.AST) -> int:
    """How many lines the docstring of a file, a class or a function takes."""
    if not isinstance(node, ast.Module | ast.ClassDef | Function) or ast.get_docstring(node, clean=False) is None:
        return 0
    return length(node.body[0])


def _looped(graph: Graph) -> str:
    found = loops(graph)
    return f"{len(found)}, of {len(found[0])} files at most" if found else "0"


def _said(house: House, pattern: re.Pattern[str]) -> str:
    taking = [each for each in house.public if each.takes]
    return f"{sum(bool(pattern.search(each.said)) for each in taking)} of {len(taking)}"


FIGURES: Mapping[str, Callable[[House], object]] = {
    "files in the root": lambda house: sum(path.parent == house.package for path in house.paths.values()),
    "folders in the root": lambda house: len(
        {room(name) for name, p in house.paths.items() if p.parent != house.package}
    ),
    "floors, the longest chain of rooms": lambda house: floors(house.rooms),
    "arrows between rooms": lambda house: sum(map(len, house.rooms.values())),
    "loops of files, at load": lambda house: _looped(house.graph(LOAD)),
    "loops of files, hidden imports counted": lambda house: _looped(house.graph(LOAD, LATER)),
    "loops of files, any import": lambda house: _looped(house.graph(LOAD, LATER, TYPING)),
    "hidden imports": lambda house: len({(i.importer, i.line) for i in house.imports if i.when == LATER}),
    "repeated names of files": lambda house: len(repeated_files(house)),
    "repeated names of public classes": lambda house: len(repeated_classes(house)),
    "files": lambda house: len(house.texts),
    "lines": lambda house: house.lines,
    "lines of a file (median, p90, longest)": lambda house: spread([len(text) for text in house.texts]),
    "functions": lambda house: len(house.functions),
    "lines of a function (median, p90, longest)": lambda house: spread([length(node) for node in house.functions]),
    "the same without its docstring": lambda house: spread(
        [length(node) - docstring_length(node) for node in house.functions]
    ),
    "docstrings among the lines": lambda house: f"{sum(map(docstring_length, house.nodes)) / house.lines:.0%}",
    "public callables": lambda house: len(house.public),
    **{
        f"with parameters, {what} in the docstring": lambda house, pattern=pattern: _said(house, pattern)
        for what, pattern in SAYS.items()
    },
}


def package(folder: Path) -> Path:
    """The package of a checkout: the folder itself, or the largest one in it or in its ``src``."""
    if (folder / "__init__.py").exists():
        return folder
    inside = {path.parent for path in (*folder.glob("*/__init__.py"), *folder.glob("src/*/__init__.py"))}
    if not inside:
        sys.exit(f"{folder} holds no package")
    return max(inside, key=lambda path: len(list(path.rglob("*.py"))))


def main(folders: list[str]) -> None:
    houses = [House(package(Path(folder).resolve())) for folder in folders or [Path(__file__).parent.parent]]
    width = max(map(len, FIGURES))
    for name, figure in FIGURES.items():
        print(f"{name:<{width}}", *(f"{figure(house)!s:>28}" for house in houses))
    for what, found in (("files", repeated_files), ("classes", repeated_classes)):
        print(f"\n{what} of one name: {', '.join(found(houses[-1])) or 'none'}")


if __name__ == "__main__":
    main(sys.argv[1:])
