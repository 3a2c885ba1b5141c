"""Are class probabilities that were rounded when they were written taken, told of, and others refused?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import Problem
from goodmeasure.statistics.rounded_rows import RoundedRows

RNG = np.random.default_rng(0)
EXACT = RNG.dirichlet([1, 2, 3], 200)
Y = np.array([RNG.choice(3, p=row) for row in EXACT])
LOSS = gm.losses.cross_entropy()
COSTS = gm.ClassCosts(1 - np.eye(3))
READINGS = {
    "loss": lambda p: LOSS(Y, prediction=p),
    "risk": lambda p: gm.risk(LOSS, Y, prediction=p).value,
    "tally": lambda p: gm.tally(LOSS, Y, prediction=p).risk().value,
    "calibration": lambda p: gm.calibration(Y, p, gm.losses.brier()).loss.value,
    "decide": lambda p: gm.decide(Y, p, COSTS).cost.value,
    "bayes_act": lambda p: gm.bayes_act(p, COSTS).mean(),
}


def written(decimals: int) -> np.ndarray:
    """The rows with so many decimals; where that left no chance to a class, even ones."""
    rounded = np.round(EXACT, decimals)
    rounded[(rounded == 0).any(axis=1)] = np.round([1 / 3] * 3, decimals)
    return rounded


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("decimals", [2, 3, 4, 5])
def test_rounded_rows_are_divided_by_their_sums_and_told_of(name: str, decimals: int) -> None:
    rounded = written(decimals)
    with pytest.warns(RoundedRows, match="by rounding, and were divided by their sums"):
        found = READINGS[name](rounded)
    assert found == pytest.approx(READINGS[name](rounded / rounded.sum(axis=1, keepdims=True)), rel=1e-6)


@pytest.mark.parametrize("name", READINGS)
@pytest.mark.parametrize("row", [[0.3, 0.3, 0.33], [0.3334, 0.3334, 0.3335], [0.3, 0.3, 0.3], [0.123456, 0.3, 0.5765]])
def test_rows_that_rounding_does_not_explain_are_refused_with_the_fix(name: str, row: list[float]) -> None:
    given = EXACT.copy()
    given[3] = row
    with pytest.raises(Problem) as refused:
        READINGS[name](given)
    assert "divide each row by its sum" in refused.value.fix


def test_single_precision_keeps_its_decimals() -> None:
    with pytest.warns(RoundedRows):
        assert LOSS(Y, prediction=written(3).astype(np.float32)) > 0


def test_a_table_of_rounded_rows_is_scored(tmp_path: Path) -> None:
    rows = [f"{label},{','.join(f'{p:.3f}' for p in row)}" for label, row in zip(Y, written(3), strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["y,p0,p1,p2", *rows]) + "\n")
    with pytest.warns(RoundedRows):
        assert status_of(["score", str(tmp_path / "t.csv"), "--y", "y", "--p", "p0,p1,p2"]) == 0
