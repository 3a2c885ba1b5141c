"""Does a first fit wait for nothing but what it needs, and does a plain one reach what a compiled one reaches?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goodmeasure import LossClassifier, LossRegressor, losses
from goodmeasure.fitting import objective
from goodmeasure.formulas.evaluation import evaluate, language
from goodmeasure.making.loss import Loss

ROWS, COLUMNS = 10_000, 20
# Every loss of one raw output or of classes, on few rows: no size below the limit and no loss may wake the compiler.
ALL = """
import sys, warnings
from goodmeasure.losses import catalogue
from tests.test_fit import CATALOGUE, fitted
warnings.simplefilter("ignore")
for name in CATALOGUE:
    fitted(catalogue()[name]())
    assert not {"numba", "llvmlite"} & {*sys.modules}, name
"""
# Scikit-learn is imported first, so that what comes after it is ours.
ONE = """
import sys, time
start = time.process_time()
import sklearn.linear_model
unit, before = time.process_time() - start, {{*sys.modules}}
start = time.process_time()
import numpy as np
import goodmeasure as gm
rng = np.random.default_rng(0)
X = rng.normal(size=({rows}, {columns}))
z = X @ rng.normal(size={columns}) / 4
y = {y}
{model}.fit(X, y)
print((time.process_time() - start) / unit, *{{*sys.modules}} - before)
"""
FITS = {
    "two classes": ("gm.LossClassifier(alpha=0.001)", "z + rng.logistic(size=len(z)) > 0"),
    "three classes": ("gm.LossClassifier(alpha=0.001)", "rng.integers(0, 3, len(z))"),
    "quantile": ("gm.LossRegressor(gm.losses.pinball(level=0.9))", "z + rng.normal(size=len(z))"),
}
# In imports of scikit-learn's linear models; measured: 0.1 to 0.15, and 1.9 before small fits were evaluated plainly.
MOST = 0.5


def ran(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a process prints that has compiled nothing before."""
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", str(folder / "empty"))
    asked = [sys.executable, "-c", program]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("kind", FITS)
def test_a_first_fit_compiles_nothing(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, y = FITS[kind]
    taken, *modules = ran(ONE.format(rows=ROWS, columns=COLUMNS, y=y, model=model), tmp_path, monkeypatch).split()
    brought = {name.split(".")[0] for name in modules}
    assert "goodmeasure" in brought
    assert not brought & {"numba", "llvmlite", "duckdb", "mpmath", "matplotlib", "torch", "rich"}
    assert not (tmp_path / "empty").exists()
    assert float(taken) < MOST


def test_no_small_fit_of_any_loss_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran(ALL, tmp_path, monkeypatch)


SMOOTH = {
    losses.binary_cross_entropy(): lambda z, rng: z > rng.logistic(size=len(z)),
    losses.huber(): lambda z, rng: z + rng.normal(size=len(z)),
    losses.poisson(): lambda z, rng: rng.poisson(np.exp(z)),
    losses.cross_entropy(): lambda z, rng: rng.integers(0, 3, len(z)),
}


@pytest.mark.parametrize("loss", SMOOTH, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_plain_fit_is_the_compiled_one(loss: Loss, weighted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2_000, 3))
    z = X @ [0.5, -0.3, 0.1]
    y = SMOOTH[loss](z, rng)
    weight = rng.exponential(size=len(z)) if weighted else None
    kind = LossClassifier if loss.is_binary or loss.is_classwise else LossRegressor
    found = []
    for limit in (0, 1 << 62):
        monkeypatch.setattr(objective, "_PLAIN", limit)
        found.append(kind(loss, alpha=0.01).fit(X, y, weight))
    compiled, plain = found
    np.testing.assert_allclose(plain.coef_, compiled.coef_, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(plain.intercept_, compiled.intercept_, rtol=1e-9, atol=1e-12)
    assert plain.certificate_.status is compiled.certificate_.status


# Formulas of classes speak of statistics of a row, which have names of their own.
POINTWISE = [made for made in (loss() for loss in losses.catalogue().values()) if not made.is_classwise]


@pytest.mark.parametrize("loss", POINTWISE, ids=repr)
def test_parts_of_a_formula_are_let_go_after_their_last_use(loss: Loss) -> None:
    formulas, held, most = [loss.composed, *loss.signal], {"now": 0}, {"most": 0, "made": 0}

    class Counted(float):
        def __init__(self, value: float) -> None:
            held["now"] += 1
            most["made"] += 1
            most["most"] = max(most["most"], held["now"])

        def __del__(self) -> None:
            held["now"] -= 1

    spell = {name: lambda *args, f=f: Counted(float(f(*args))) for name, f in language(np).items()}
    names = {"y": 1.0, **dict.fromkeys(loss.raw_names, 0.3), **loss.values}
    with np.errstate(all="ignore"):
        whole = evaluate(formulas, names, language(np), float)
        found = evaluate(formulas, names, spell, float)
    np.testing.assert_array_equal([float(f) for f in found], [float(f) for f in whole])
    del found
    assert held["now"] == 0
    if most["made"] > 20:
        assert most["most"] < 0.7 * most["made"]
