"""Does every module import only from its own floor or lower ones, without a cycle?"""

import ast
from functools import cache
from pathlib import Path

import pytest

import goodmeasure

ROOT = Path(goodmeasure.__file__).parent
FLOORS = {
    1: {
        "activations", "domains", "elementary", "errors", "evaluation", "formula", "latex", "special", "words",
        "writing",
    },
    2: {
        "algebra", "arrays", "checks", "classwise", "constants", "definition", "exact", "implied", "kernels", "landscape",
        "loss", "losses", "outcomes", "pointwise", "readings", "totals", "traits", "truth",
    },
    3: {
        "calibrating", "choosing", "decisions", "estimate", "fitting", "intervals", "learning", "metrics", "plots",
        "pulls", "risks", "rows", "signal", "tallying",
    },
    4: {"auditing", "engines", "frameworks", "reading"},
    5: {"card", "exercise", "ideas", "study"},
    6: {"cli", "report", "terminal"},
}  # fmt: skip
# A loss shows its own card, and its card is put together from every floor below it.
UPWARD = {("loss", "card")}


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(ROOT.rglob("*.py"))
        if path != ROOT / "__init__.py"
    }


def floor(name: str) -> int:
    top = name.split(".")[0]
    return next((level for level, names in FLOORS.items() if top in names), 0)


def targets(node: ast.Import | ast.ImportFrom) -> set[str]:
    known = modules()
    if isinstance(node, ast.Import):
        full = [alias.name for alias in node.names]
    else:
        full = [f"{node.module}.{alias.name}" for alias in node.names]
    found = set()
    for name in full:
        parts = name.split(".")
        if parts[0] != "goodmeasure":
            continue
        inner = ".".join(parts[1:])
        while inner and inner not in known:
            inner = inner.rpartition(".")[0]
        found.add(inner)
    return found - {""}


@cache
def imports(name: str) -> tuple[frozenset[str], frozenset[str]]:
    """What a module imports when it is loaded, and what its functions import later."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    typed = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    late = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    at_load, later = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and node not in typed:
            (later if node in late else at_load).update(targets(node))
    return frozenset(at_load), frozenset(later)


@pytest.mark.parametrize("name", modules())
def test_a_module_has_a_floor_and_imports_from_no_higher_one(name):
    assert floor(name), f"{name} stands on no floor: put it on one"
    at_load, later = imports(name)
    for other in at_load | later:
        above = floor(other) > floor(name) and (name, other.split(".")[0]) not in UPWARD
        assert not above, f"{name} (floor {floor(name)}) imports {other} (floor {floor(other)})"


def test_no_cycle_exists():
    graph = {name: {other for other in imports(name)[0] if other != name} for name in modules()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"a cycle: {' -> '.join((*path[path.index(name) :], name))}"
        if name not in done:
            for other in graph[name]:
                visit(other, (*path, name))
            done.add(name)

    for name in graph:
        visit(name, ())


# What stands beside the hosts: DuckDB is the embedded reader, on which every other engine is built.
NO_HOST = {"duckdb", "linear", "names", "request"}


def host(name: str) -> str:
    """Which outside system a module of floor 4 knows: ``frameworks.torch_formulas`` knows torch."""
    return name.split(".")[-1].split("_")[0]


def test_hosts_do_not_know_each_other():
    for package in ("frameworks", "engines"):
        inside = {name for name in modules() if name.startswith(f"{package}.")}
        for name in {name for name in inside if host(name) not in NO_HOST}:
            known = (imports(name)[0] | imports(name)[1]) & inside
            others = {other for other in known if host(other) not in {host(name), *NO_HOST}}
            assert not others, f"{name} imports {sorted(others)}"
