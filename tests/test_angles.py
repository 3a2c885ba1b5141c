"""Targets that run in a circle: is the predicted direction the mean direction, in the user's unit, wherever zero is put?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.deriving.predictions import arrows, directions, foreseen, is_arrow
from goodmeasure.errors import Problem

L = gm.losses
TURNS = (360.0, 2 * np.pi, 24.0, 12.0, 7.0)


def bearings(n: int = 400, turn: float = 360.0, ahead: float = 0.0) -> dict[str, Any]:
    """Directions that swing with two columns, in a unit of which a full turn has so many, counted from somewhere else."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 2))
    angle = rng.vonmises(np.arctan2(x[:, 1] + 0.3, x[:, 0] + 0.3), 3.0) / (2 * np.pi)
    return {"a": x[:, 0], "b": x[:, 1], "y": np.mod(angle * turn + ahead, turn)}


def apart(one: Any, other: Any, turn: float) -> Any:
    """How far two directions are from one another, the shorter way round."""
    return np.abs(np.mod(np.asarray(one) - other + turn / 2, turn) - turn / 2)


@pytest.mark.parametrize("turn", TURNS)
def test_the_best_arrow_points_in_the_mean_direction(turn: float) -> None:
    y = bearings(60, turn)["y"]
    loss = L.arrow_error(period=turn)
    assert is_arrow(loss)
    mean = np.exp(2j * np.pi * y / turn).mean()
    best = loss.best_constant(y)
    np.testing.assert_allclose(loss.predict(best), [mean.real, mean.imag], rtol=1e-12)
    assert apart(foreseen(loss, best), np.angle(mean) * turn / (2 * np.pi), turn) < 1e-9 * turn
    assert apart(directions(loss, arrows(loss, y)), y, turn).max() < 1e-9 * turn
    assert apart(L.circular(period=turn).best_constant(y), foreseen(loss, best), turn) < 1e-6 * turn


def test_a_fit_is_least_squares_of_the_two_coordinates() -> None:
    table = bearings()
    X, angle = np.column_stack([table["a"], table["b"]]), np.radians(table["y"])
    fit = gm.LossRegressor(L.arrow_error(period=360.0), alpha=0.0).fit(X, table["y"])
    rows = np.column_stack([np.ones(len(X)), X])
    peer = np.linalg.lstsq(rows, np.column_stack([np.cos(angle), np.sin(angle)]), rcond=None)[0]
    np.testing.assert_allclose(fit.predict(X), rows @ peer, atol=1e-9)


@pytest.mark.parametrize("turn", [360.0, 2 * np.pi, 24.0])
def test_a_study_depends_neither_on_the_unit_nor_on_where_zero_is(turn: float) -> None:
    asked: dict[str, Any] = {"represents": f"angle={turn!r}", "protocol": "holdout"}
    plain, turned = (gm.run(bearings(400, turn, ahead), "y", **asked) for ahead in (0.0, 0.3 * turn))
    assert plain.plan.loss == L.arrow_error(period=turn)
    assert (plain.judged.prediction >= 0).all()
    assert (plain.judged.prediction < turn).all()
    moved = apart(plain.judged.prediction + 0.3 * turn, turned.judged.prediction, turn)
    assert np.quantile(moved, 0.9) < 0.02 * turn  # the rows are split by their targets, and not by where zero is
    (miss,) = plain.judged.metrics
    assert miss.metric.name == "mae"
    assert 0.05 * turn < miss.report.value < 0.11 * turn < 0.15 * turn < miss.constant
    assert plain.judged.calibration.error.value < 0.05 * turn


def test_a_swinging_direction_is_found_where_one_raw_output_is_far_off() -> None:
    study = gm.run(bearings(), "y", represents="angle=360", protocol="holdout", loss=["circular", "arrow_error"])
    assert study.plan.loss.spelling.factory == "arrow_error"
    assert study.comparison is not None
    assert "circular(period=360.0)" in str(study.comparison.to_dict())
    one, other = (
        gm.run(bearings(), "y", represents="angle=360", protocol="holdout", loss=loss)
        for loss in ("arrow_error", "circular")
    )
    assert other.plan.loss == L.circular(period=360.0)
    assert one.judged.metrics[0].report.high < other.judged.metrics[0].report.low


def test_trees_learn_directions_and_a_saved_model_says_the_same(tmp_path: Any) -> None:
    table = bearings(600)
    study = gm.run(table, "y", represents="angle=360", protocol="holdout", model="boosting")
    assert study.judged.metrics[0].report.value < 45 < study.judged.metrics[0].constant
    study.model.save(tmp_path / "model.json")
    found = gm.load(tmp_path / "model.json").predict(table)
    np.testing.assert_array_equal(found, study.model.predict(table))
    assert ((found >= 0) & (found < 360)).all()


@pytest.mark.parametrize("framework", ["numpy", "sklearn", "torch"])
def test_the_code_of_a_plan_runs_and_tells_the_direction(framework: str) -> None:
    table = bearings(60)
    plan = gm.choose(table["y"], represents="angle=360")
    X = np.column_stack([table["a"], table["b"]])
    known: dict[str, Any] = {"y": table["y"], "X": X, "z": X}
    if framework == "torch":
        torch = pytest.importorskip("torch")
        known |= {"features": torch.as_tensor(X, dtype=torch.float32), "body": torch.nn.Linear(2, 4), "width": 4}
    exec(plan.code(framework), known)
    if framework != "torch":
        assert ((known["direction"] >= 0) & (known["direction"] < 360)).all()


# --- what is of a line is not asked of a circle ---


def lines() -> list[str]:
    """Everything that some loss asks for, but a direction, with a level where it has one."""
    found = {}
    for each in L.catalogue().values():
        levels = {"level": "=0.9", "levels": "=0.1,0.9"}
        found[each.facts.asks_for] = next((levels[name] for name, _ in each.domains if name in levels), "")
    return [f"{name}{level}" for name, level in found.items() if name not in ("", "mean direction")]


@pytest.mark.parametrize("turn", TURNS[:3])
def test_nothing_else_than_a_direction_is_asked_of_angles_and_the_fix_runs(turn: float) -> None:
    y = bearings(80, turn)["y"]
    costs = (
        gm.UnderOverCosts(under=3, over=1),
        gm.Costs(false_negative=2, false_positive=1),
        gm.ClassCosts(np.eye(2)),
    )
    given = [*({"ask": ask} for ask in lines()), *({"costs": each} for each in costs)]
    assert len(given) > 10
    for said in given:
        with pytest.raises(Problem) as caught:
            gm.choose(y, represents=f"angle={turn!r}", **said)
        assert caught.value.code == ("GM605" if "ask" in said else "GM711"), said
        assert "ask='mean direction'" in str(caught.value.fix)
    fixed = gm.choose(y, represents=f"angle={turn!r}", ask="mean direction")
    assert fixed == gm.choose(y, represents=f"angle={turn!r}")


@pytest.mark.parametrize("loss", ["circular(period=360)", "absolute_error"])
def test_a_decision_is_next_after_amounts_and_not_after_angles(
    loss: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("y,p\n" + "350,10\n20,350\n100,110\n" * 10)
    assert status_of(["score", str(tmp_path / "a.csv"), "--y", "y", "--p", "p", "--loss", loss]) == 0
    assert ("under=3" in capsys.readouterr().out) == (loss == "absolute_error")
