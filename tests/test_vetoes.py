"""Is a model refused whose loss looks better while its metric or its predictions run away, and no useful one beside it?"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.statistics.estimate import Difference
from goodmeasure.study.verdict import BEFORE_MORE_ROWS, LOOK_FIRST, _doubt

CODES = {"GM251", "GM252"}


def amounts(seed: int, n: int = 600) -> dict[str, Any]:
    """Amounts above zero whose logarithm grows with a feature."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": np.exp(1 + 0.8 * x) * rng.gamma(4, 0.25, size=n)}


def test_predictions_that_run_away_forbid_use_and_are_named() -> None:
    plain, wild = amounts(0), amounts(1, 1000)
    wild["x"][7] = 12.0
    study = gm.run(plain, "y", represents="positive", test=wild)
    assert study.judged.report.versus_constant.verdict == "better"
    assert study.verdict.word == "look first"
    said = {remark.code: remark.what for remark in study.remarks if remark.code in CODES}
    assert set(said) == CODES
    assert "row 608 (" in said["GM252"]
    assert "rmse" in said["GM251"]
    assert gm.run(plain, "y", represents="positive", test=amounts(1, 1000)).verdict.word == "use"


def test_a_metric_that_is_surely_worse_forbids_use_of_probabilities() -> None:
    from goodmeasure.study.judging import Measured
    from goodmeasure.study.vetoing import _worse

    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    study = gm.run({"x": x, "y": np.where(rng.random(2000) < 1 / (1 + np.exp(-x)), "yes", "no")}, "y")
    first = study.judged.metrics[0]
    assert not _worse(first)
    for constant, worse in ((first.report.high + 0.01, True), (first.report.high - 0.01, False)):
        assert bool(_worse(Measured(first.metric, first.fit, first.report, constant))) is worse


@pytest.mark.parametrize("kind", ["amounts", "counts", "normal", "labels"])
def test_useful_models_are_hardly_ever_refused(kind: str) -> None:
    refused = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        table = amounts(seed)
        x = table["x"]
        if kind == "counts":
            table["y"] = rng.poisson(np.exp(0.5 + 0.6 * x))
        elif kind == "normal":
            table["y"] = x + rng.normal(size=len(x))
        elif kind == "labels":
            table["y"] = np.where(rng.random(len(x)) < 1 / (1 + np.exp(-2 * x)), "yes", "no")
        study = gm.run(table, "y")
        refused += bool(CODES & {remark.code for remark in study.remarks})
    assert refused == 0


@pytest.mark.parametrize("code", LOOK_FIRST)
@pytest.mark.parametrize(("low", "high", "said"), [(-1.0, 1.0, "cannot tell yet"), (0.5, 1.0, "do not use")])
def test_more_rows_are_asked_for_only_after_what_they_would_not_mend(
    code: str, low: float, high: float, said: str
) -> None:
    """More rows with copies of others, or with a column that knows the answer, tell no more than those at hand."""
    versus = Difference(0.2, low, high, 100, 100, "", standard_error=0.3)
    judged = SimpleNamespace(report=SimpleNamespace(versus_constant=versus, skill=None))
    remark = SimpleNamespace(code=code, severity="warning", fix="mend it", what="what it is")
    word, following = _doubt(judged, None, (remark,), "probabilities", 50)
    assert word == said
    plain = _doubt(judged, None, (), "probabilities", 50)[1]
    first = code in BEFORE_MORE_ROWS and said == "cannot tell yet"
    assert following == (f"mend it; then {plain}" if first else plain)
