"""Is the house the one that docs/architecture.md describes: every room on its floor, arrows down only, and no loop?"""

import ast
import re

import pytest


@pytest.fixture(scope="module")
def measured(script):
    """The script that reads the files, from which the rest is asked."""
    return script("house")


@pytest.fixture(scope="module")
def house(measured, script):
    return measured.House(script("architecture").PACKAGE)


@pytest.fixture(scope="module")
def anywhere(measured, house):
    """Every module that a module imports: when it is loaded, in a function, or for types only."""
    return house.graph(measured.LOAD, measured.LATER, measured.TYPING)


@pytest.fixture(scope="module")
def floors(script):
    return script("architecture").floors()


def test_the_root_holds_rooms_errors_and_nothing_else(house, floors):
    names = {path.name for path in house.package.iterdir() if path.name != "__pycache__"}
    files = {name for name in names if (house.package / name).is_file()}
    assert files == {"__init__.py", "__main__.py", "errors.py", "py.typed"}
    assert names - files == floors.keys() - {"errors"}, "docs/architecture.md gives every room its floor"


def test_imports_are_absolute(house):
    assert [node for node in house.nodes if isinstance(node, ast.ImportFrom) and node.level] == []


def test_a_module_imports_from_its_own_room_and_from_lower_floors(measured, house, floors):
    for each in house.imports:
        upper, lower = measured.room(each.importer), measured.room(each.imported)
        assert upper == lower or floors[lower] < floors[upper], f"{each}: {upper} may not stand on {lower}"


def test_no_loop_exists_of_any_import(measured, anywhere):
    assert measured.loops(anywhere) == []


def test_every_room_says_what_belongs_in_it_and_has_a_paragraph(house, floors, script):
    page = script("architecture").PAGE.read_text(encoding="utf-8")
    for name in floors.keys() - {"errors"}:
        said = ast.get_docstring(house.trees[name]) or ""
        assert said.split("\n")[0].endswith("."), f"{name}: its first line is a sentence"
        assert "\n\n" in said, f"{name}: what does not belong in it is said after that"
        assert re.search(rf"^\*\*`{name}/`\*\*", page, re.MULTILINE), f"{name} has a paragraph in the page"


def test_no_two_public_classes_share_a_name(measured, house):
    assert measured.repeated_classes(house) == []


# What stands beside the hosts: DuckDB is the embedded reader, on which every other engine is built, and ``tallied`` asks the
# engine that a frame is of; formulas on the arrays of any library are what JAX and Keras share, those of columns what SQL and
# Polars do; boosters share the door at which models are looked at.
NO_HOST = {"arrays", "clusters", "columns", "duckdb", "estimators", "linear", "request", "shard", "tallied"}


def host(name):
    """Which outside system a module knows: ``frameworks.torch_formulas`` knows torch."""
    return name.split(".")[-1].split("_")[0]


@pytest.mark.parametrize("room", ["frameworks", "engines"])
def test_hosts_do_not_know_each_other(anywhere, room):
    inside = {name for name in anywhere if name.startswith(f"{room}.")}
    for name in {name for name in inside if host(name) not in NO_HOST}:
        others = {other for other in anywhere[name] & inside if host(other) not in {host(name), *NO_HOST}}
        assert not others, f"{name} imports {sorted(others)}"
