"""Is the house the one that docs/architecture.md describes: every room on its floor, arrows down only, and no loop?"""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import goodmeasure

ROOT = Path(goodmeasure.__file__).parent
PAGE = ROOT.parent.parent / "docs" / "architecture.md"
_FLOOR = re.compile(r"^\| *(\d+) [^|]*\|([^|]*)\|", re.MULTILINE)


@cache
def floors() -> dict[str, int]:
    """The floor of each room, read from the table of the page: it is written nowhere else."""
    rows = _FLOOR.findall(PAGE.read_text(encoding="utf-8"))
    return {room: int(floor) for floor, cell in rows for room in re.findall(r"`(\w+)/?`", cell)}


@cache
def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(ROOT.rglob("*.py"))
        if path != ROOT / "__init__.py"
    }


def room(name: str) -> str:
    return name.split(".")[0]


@cache
def imports(name: str) -> frozenset[str]:
    """Every module of the package that a module imports: when it is loaded, in a function, or for types only."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            full = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}: imports are absolute"
            full = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for each in full:
            parts = each.split(".")
            inner = ".".join(parts[1:]) if parts[0] == "goodmeasure" else ""
            while inner and inner not in modules():
                inner = inner.rpartition(".")[0]
            found.add(inner)
    return frozenset(found - {"", name})


def test_the_root_holds_rooms_errors_and_nothing_else():
    names = {path.name for path in ROOT.iterdir() if path.name != "__pycache__"}
    files = {name for name in names if (ROOT / name).is_file()}
    assert files == {"__init__.py", "errors.py", "py.typed"}
    assert names - files == floors().keys() - {"errors"}, "docs/architecture.md gives every room its floor"


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_from_its_own_room_and_from_lower_floors(name):
    for other in imports(name):
        if room(other) != room(name):
            mine, its = floors()[room(name)], floors()[room(other)]
            assert its < mine, f"{name} (floor {mine}) imports {other} (floor {its})"


def test_no_loop_exists_of_any_import():
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a loop: {' -> '.join((*path[path.index(name) :], name))}"
        if name not in done:
            for other in imports(name):
                visit(other, (*path, name))
            done.add(name)

    for name in modules():
        visit(name, ())


def test_every_room_says_what_belongs_in_it_and_has_a_paragraph():
    page = PAGE.read_text(encoding="utf-8")
    for name in floors().keys() - {"errors"}:
        said = ast.get_docstring(ast.parse((ROOT / name / "__init__.py").read_text(encoding="utf-8"))) or ""
        assert said.split("\n")[0].endswith("."), f"{name}: its first line is a sentence"
        assert "\n\n" in said, f"{name}: what does not belong in it is said after that"
        assert re.search(rf"^\*\*`{name}/`\*\*", page, re.MULTILINE), f"{name} has a paragraph in the page"


def public_classes() -> Counter[str]:
    found: Counter[str] = Counter()
    for path in modules().values():
        body = ast.parse(path.read_text(encoding="utf-8")).body
        found.update(node.name for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))
    return found


def test_no_two_public_classes_share_a_name():
    assert [name for name, count in public_classes().items() if count > 1] == []


# What stands beside the hosts: DuckDB is the embedded reader, on which every other engine is built.
NO_HOST = {"duckdb", "linear", "request"}


def host(name: str) -> str:
    """Which outside system a module knows: ``frameworks.torch_formulas`` knows torch."""
    return name.split(".")[-1].split("_")[0]


def test_hosts_do_not_know_each_other():
    for package in ("frameworks", "engines"):
        inside = {name for name in modules() if name.startswith(f"{package}.")}
        for name in {name for name in inside if host(name) not in NO_HOST}:
            others = {other for other in imports(name) & inside if host(other) not in {host(name), *NO_HOST}}
            assert not others, f"{name} imports {sorted(others)}"
