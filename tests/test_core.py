"""Does the core need nothing but itself, does what needs more name the line that installs it, and are both right alike?"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from absent import EXTRAS, asked
from goodmeasure import kernels
from goodmeasure.calibrating import isotonic
from goodmeasure.deriving.totals import rounded
from goodmeasure.errors import MissingExtra
from goodmeasure.fitting import forest
from goodmeasure.frameworks import lightgbm_trees
from goodmeasure.keeping import compiling
from goodmeasure.statistics import compiled_limbs, plain_limbs
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.strict import extras
from goodmeasure.tallying import grid, replicates
from test_forest import asked as to_grow
from test_kernels import KINDS, examples

HERE = Path(__file__).parent
PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ASKS = re.compile(r"pip install 'goodmeasure\[([\w-]+)\]'")
# Rooms whose examples fit whole studies: the longest of them are tried where whole environments are made, every night.
ROOMS = sorted(path.name for path in (HERE.parent / "src" / "goodmeasure").iterdir() if path.is_dir())
QUICK = [f"goodmeasure.{room}." for room in ROOMS if room not in ("study", "monitoring", "__pycache__")]
# What cannot be had without an extra, outside the rooms that speak with other systems.
NEED_MORE = {
    "goodmeasure.drawing.displayed.Displayed.plot",
    "goodmeasure.engines.linear",  # gives an estimator of scikit-learn
    "goodmeasure.fitting.fit",
    "goodmeasure.keeping.calling",
    "goodmeasure.keeping.compiled",
    "goodmeasure.keeping.identity",
    "goodmeasure.risks.standings.Standing",  # its example grows trees
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The variables of a process that finds the package as it would be installed from this tree."""
    place = tmp_path_factory.mktemp("installed")
    told = place / f"goodmeasure-{PROJECT['version']}.dist-info"
    told.mkdir()
    lines = [f"Requires-Dist: {line}" for line in asked()]
    (told / "METADATA").write_text(
        "\n".join(["Metadata-Version: 2.1", "Name: goodmeasure", f"Version: {PROJECT['version']}", *lines])
    )
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(place), str(HERE.parent / "src"), str(HERE)])}


def in_the_core(environment, *given):
    """What a program says in a process without any extra."""
    done = subprocess.run(
        [sys.executable, *given], env=environment, cwd=HERE, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def program(text):
    return f"from absent import EXTRAS, keep_out\nkeep_out(EXTRAS)\n{text}"


# --- without any extra ---


@pytest.fixture(scope="module")
def outcomes(environment):
    """What came of every quick example."""
    return json.loads(in_the_core(environment, "told_examples.py", ",".join(EXTRAS), *QUICK, "goodmeasure.study.run"))


def test_every_example_gives_what_is_printed_or_asks_for_its_extra(outcomes):
    odd = {name: came for name, came in outcomes.items() if came != "as printed"}
    for name, came in odd.items():
        assert ASKS.search(came) or came.removeprefix("imports ") in {*EXTRAS, "lightning"}, f"{name}: {came}"
    elsewhere = {name for name in odd if not name.startswith(("goodmeasure.auditing.", "goodmeasure.frameworks."))}
    assert elsewhere == NEED_MORE
    assert sum(came == "as printed" for came in outcomes.values()) > 100


NAMES = """
import json, goodmeasure as gm
from goodmeasure.errors import MissingExtra
found = {}
for name in dir(gm):
    try:
        getattr(gm, name)
        found[name] = ""
    except MissingExtra as error:
        found[name] = str(error)
print(json.dumps(found))
"""


def test_every_public_name_is_there_or_names_its_extra(environment):
    found = json.loads(in_the_core(environment, "-c", program(NAMES)))
    assert found.keys() == set(dir(gm))
    missing = {name: told for name, told in found.items() if told}
    for name, told in missing.items():
        package = re.search(rf"goodmeasure\.{name} needs (\w+), which is not installed", told)[1]
        extra = ASKS.search(told)[1]
        brought = " ".join(PROJECT["optional-dependencies"][extra])
        assert {"sklearn": "scikit-learn"}.get(package, package) in brought
    assert {
        "choose",
        "check",
        "audit",
        "run",
        "losses",
        "risk",
        "decide",
        "tally",
        "to_sql",
        "to_xgboost",
    } <= found.keys() - missing.keys()


LOADED = """
import sys, numpy as np, goodmeasure as gm
y, z = np.array([0.0, 1.0, 1.0]), np.array([-1.0, 0.5, 2.0])
loss = gm.losses.binary_cross_entropy()
gm.choose([3, 0, 2, 7, 1]), loss(y, z), loss.gradient(y, z), loss.best_constant(y), str(loss.card())
gm.risk(loss, y, z), gm.decide([0, 1] * 9, [0.2, 0.7] * 9, gm.Costs(false_negative=4, false_positive=1)), gm.to_sql(loss).value
print([name for name in EXTRAS if name in sys.modules])
"""


def test_the_core_imports_no_extra_where_all_are_installed(environment):
    loaded = set(ast.literal_eval(in_the_core(environment, "-c", f"from absent import EXTRAS\n{LOADED}")))
    assert loaded <= {"numba", "llvmlite"}, "which compile where they are"


WRONG = """
import numpy as np
import goodmeasure as gm
from goodmeasure.errors import MissingExtra

def loss(outputs, targets):
    return float(np.mean((outputs - targets) ** 2))

rows = np.random.default_rng(0)
outputs, targets = rows.normal(size=(2, 20))
found = gm.audit(loss=loss, grad=lambda z, t: {sign} 2 * (z - t) / 20, outputs=outputs, targets=targets)
failed = [each.reason for each in found.not_applicable if "failed" in each.reason]
print([finding.code for finding in found.findings], failed)
try:
    gm.watch(lambda x: x, loss)
except MissingExtra as error:
    print(error)
"""


@pytest.mark.parametrize(("sign", "codes"), [("-", "['GM540'] []"), ("", "[] []")])
def test_array_code_is_audited_without_a_framework(environment, sign, codes):
    said = in_the_core(environment, "-W", "ignore", "-c", program(WRONG.format(sign=sign)))
    assert said.splitlines()[0] == codes
    assert "pip install 'goodmeasure[torch]'" in said


TABLE = """
import sys
from goodmeasure.cli import status_of
status = status_of(sys.argv[1:])
print(status)
"""


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("demo --out {place}", "run"),
        ("choose {place}/t.csv --target y", "run"),
        ("run {place}/t.csv --target y --out {place}/out", "run"),
        ("score {place}/t.csv --y y --p p", "run"),
        ("decide {place}/t.csv --y y --p p --cost fn=4 --cost fp=1", "run"),
        ("report {place}/t.csv --y y --p p --out {place}/r.html", "run"),
        ("lab --help", ""),
        ("losses huber", ""),
        ("explain GM206", ""),
    ],
)
def test_a_command_runs_or_names_its_extra(environment, tmp_path, words, extra):
    (tmp_path / "t.csv").write_text("y,p,x\n" + "0,0.2,1\n1,0.7,2\n" * 40)
    given = words.format(place=tmp_path).split()
    done = subprocess.run(
        [sys.executable, "-c", program(TABLE), *given],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1] == ("2" if extra else "0"), done.stderr
    assert (f"fix   pip install 'goodmeasure[{extra}]'" in done.stderr) == bool(extra)
    assert "Traceback" not in done.stderr


def test_a_package_that_does_not_start_is_told_of(tmp_path, monkeypatch):
    (tmp_path / "halting.py").write_text("raise ImportError('needs NumPy 1')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra, match="is installed and does not start") as caught:
        extras.needed("halting", "this")
    assert caught.value.seen == "needs NumPy 1"
    assert caught.value.fix == "pip install --upgrade halting"


# --- what is compiled, and what answers in its place ---


@pytest.fixture
def plain(monkeypatch):
    """Nothing is compiled."""
    monkeypatch.setattr(kernels, "compiles", lambda: False)


@pytest.mark.parametrize("name", KINDS)
def test_training_steps_are_the_same_without_kernels(name, plain):
    loss = KINDS[name]
    y, z = examples(name, np.float64)
    there = np.isfinite(z.reshape(len(z), -1)).all(1)
    y, z = y[there], z[there]
    with np.errstate(all="ignore"):
        assert kernels.value_and_gradient(loss, y, z) is None
        assert kernels.table(loss, "value", y, z) is None
        each, signal = kernels.each(loss, y, z, None, signal=True)
        total, scaled = kernels.total(loss, y, z, None, 0.5)
        np.testing.assert_array_equal(each, loss.value(y, z))
        np.testing.assert_array_equal(scaled, 0.5 * signal)
        mean, gradient = loss.value_and_gradient(y, z)
        np.testing.assert_array_equal(mean, loss(y, z))
        assert total == rounded(loss.total(y, z).sum)
        np.testing.assert_allclose(gradient, signal / len(z), rtol=1e-15)


def numbers(n, seed=0):
    """Numbers of all sizes, of both signs, with zeros and the smallest."""
    rows = np.random.default_rng(seed)
    found = rows.normal(size=n) * 10.0 ** rows.integers(-300, 300, n)
    found[rows.random(n) < 0.1], found[rows.random(n) < 0.02] = 0.0, -5e-324
    return found


@pytest.mark.parametrize("n", [0, 1, 2, 3000])
def test_exact_sums_are_the_same_bits(n, monkeypatch):
    x, cells = numbers(n), np.random.default_rng(1).integers(0, 3, n)

    def sums():
        found = ExactSums(5)
        found.add(x, cells)
        found.add_column(x, 3)
        assert found.add_moments(x, 3) == bool((np.abs(x) < 1e154).all())
        return found.canonical()

    names = ("exponents", "add", "add_column", "carry")
    with monkeypatch.context() as always:
        for name in names:
            always.setattr(compiled_limbs, name, getattr(compiled_limbs, name).compiled)
        compiled = sums()
    for name in names:
        monkeypatch.setattr(compiled_limbs, name, getattr(plain_limbs, name))
    for part in (1 << 20, 7):
        monkeypatch.setattr(plain_limbs, "_PART", part)
        monkeypatch.setattr(plain_limbs, "MOST_ADDED", part * 3)
        found = sums()
        assert found.first == compiled.first
        np.testing.assert_array_equal(found.limbs, compiled.limbs)
    assert plain_limbs.add_column(np.zeros((1, 70), np.int64), np.array([np.inf])) is False


@pytest.mark.parametrize("n", [1, 2, 500])
def test_pools_are_the_same_bits(n):
    rows = np.random.default_rng(n)
    weights = rows.integers(1, 5, n).astype(float)
    sums = weights * (rows.random(n) < np.linspace(0, 1, n))
    for one, two in zip(isotonic._pool.compiled(sums, weights), isotonic._pool_plain(sums, weights), strict=True):
        np.testing.assert_array_equal(one, two)
    many, few = rows.random((4, n)), rows.integers(0, 3, (4, n)).astype(float)
    few[:, rows.integers(n)] = 1.0
    np.testing.assert_array_equal(isotonic._means.compiled(many, few), isotonic._means_plain(many, few))


def test_cells_and_draws_are_the_same():
    n = 4000
    rows = np.random.default_rng(2)
    p = np.concatenate([rows.random(n) ** 12, 1 - rows.random(n) ** 12, grid.score_edges(), [0.0, 1.0]])
    cells = [np.empty(len(p), np.int64) for _ in range(2)]
    grid._cells.compiled(p, cells[0])
    grid._cells_plain(p, cells[1])
    np.testing.assert_array_equal(*cells)
    labels = rows.integers(0, 2, len(p)).astype(np.int8)
    tables = [[np.zeros(2 * grid.SCORE_CELLS, np.int64) for _ in range(2)] for _ in range(2)]
    grid._count_scores.compiled(p, labels, *tables[0])
    grid._count_scores_plain(p, labels, *tables[1])
    np.testing.assert_array_equal(*tables)
    keys = rows.integers(0, 2**64, n, dtype=np.uint64)
    for replicate in (0, 1, 199):
        drawn = [np.empty(n, np.int64) for _ in range(2)]
        replicates._drawn.compiled(keys, replicate, replicates._TABLE, drawn[0])
        replicates._drawn_plain(keys, replicate, replicates._TABLE, drawn[1])
        np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("loss", [gm.losses.squared_error(), gm.losses.cross_entropy()], ids=repr)
def test_trees_are_walked_to_the_same_leaves(loss, monkeypatch):
    given = to_grow(loss)
    grown = lightgbm_trees.grow(given)
    rows = np.vstack(
        [given.x, given.x[::-1] + 0.5, np.full((1, 6), np.nan), np.full((1, 6), -3.0), np.full((1, 6), 1e9)]
    )
    walk = forest._walk
    monkeypatch.setattr(forest, "_walk", walk.compiled)
    compiled = grown(rows)
    monkeypatch.setattr(forest, "_walk", walk.plain)
    np.testing.assert_array_equal(grown(rows), compiled)


def test_a_report_tells_what_its_seconds_are_of(monkeypatch):
    page = import_module("goodmeasure.report.page")
    study = gm.run({"x": [1.0, 2.0, 3.0, 5.0] * 15, "y": [1.0, 2.5, 2.0, 4.0] * 15}, "y")
    assert "without compiled kernels" not in page.page(study)
    monkeypatch.setattr(page, "installed", lambda: False)
    assert re.search(r"\d s without compiled kernels\.", page.page(study))


def test_loops_are_compiled_where_that_pays(monkeypatch):
    def one(x):
        return x.size

    def other(x):
        return -x.size

    few, many = np.zeros(9), np.zeros(10)
    made = compiling.loop(plain=other, fewest=10, nogil=True)(one)
    assert (made(few), "compiled" in vars(made)) == (-9, False)
    assert (made(many), "compiled" in vars(made)) == (10, True)
    assert compiling.loop(nogil=True)(one)(few) == 9
    monkeypatch.setattr(compiling, "compiles", lambda: False)
    assert made(many) == -10
    alone = compiling.loop(nogil=True)(one)
    assert (alone(many), "compiled" in vars(alone)) == (10, False)


def test_loops_of_whole_numbers_are_compiled_once_they_had_many(monkeypatch):
    monkeypatch.setattr(compiling, "_TOGETHER", 3)

    def loops(**how):
        return compiling.loop(plain=lambda x: -x.size, fewest=10, nogil=True, **how)(lambda x: x.size)

    few, many = np.zeros(9), np.zeros(10)
    whole, rounded = loops(whole=True), loops()
    assert [whole(few) for _ in range(5)] == [-9, -9, -9, 9, 9]
    assert [rounded(few) for _ in range(5)] == [-9] * 5
    assert [each(x) for each in (loops(whole=True), rounded) for x in (few, many, few)] == [-9, 10, 9, -9, 10, -9]


def test_loops_call_each_other_compiled_and_plainly():
    space = {"loop": compiling.loop, "__name__": __name__}
    exec(
        "@loop(nogil=True)\ndef inner(x):\n    return 2 * x\n"
        "@loop(nogil=True)\ndef outer(x):\n    return inner(x) + 1\n",
        space,
    )
    assert space["outer"](3) == space["outer"].function(3) == 7
    assert isinstance(space["inner"], compiling.LazyLoop)
