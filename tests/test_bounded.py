"""Amounts between a least and a most: is the loss that of their shares, and does nothing leave the bounds, in the user's unit?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from goodmeasure.checking.checks import check
from goodmeasure.cli import status_of
from goodmeasure.errors import HyperparameterError, TargetOutsideDomain, UsageError
from goodmeasure.formulas.activations import activation, is_activation, sigmoid_between
from goodmeasure.formulas.domains import bounded
from turns import by_turns

L = gm.losses
BOUNDS = ((0.0, 1.0), (0.0, 100.0), (1.0, 5.0), (-1.0, 1.0), (0.1, 0.3), (-1e6, 1e-3), (1e-12, 3e-12))
FINITE = st.floats(-1e9, 1e9, allow_subnormal=False)


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_the_loss_is_cross_entropy_of_the_share_of_the_way(bounds: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    low, high = bounds
    share, z = rng.choice([0.0, 1.0, *rng.random(50)], 500), 5 * rng.normal(size=500)
    y = np.clip(low + (high - low) * share, low, high)
    loss, plain = L.fractional_logit(bounds=bounds), L.binary_cross_entropy()
    near = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(loss.value(y, z), plain.value(share, z), **near)
    np.testing.assert_allclose(loss.gradient(y, z), plain.gradient(share, z), **near)
    small = 1e-12 * (high - low)
    np.testing.assert_allclose(loss.predict(z), low + (high - low) * plain.predict(z), rtol=1e-14, atol=small)
    assert loss.predict(loss.best_constant(y)) == pytest.approx(y.mean(), rel=1e-12, abs=small)
    np.testing.assert_allclose(loss.identification(y, z), loss.predict(z) - y, atol=1e-9 * (high - low))
    assert repr(eval(repr(loss), {"fractional_logit": L.fractional_logit})) == repr(loss)


def test_it_passes_every_check_with_bounds_of_its_own() -> None:
    assert check(L.fractional_logit(bounds=(1.0, 5.0))).passed


@given(FINITE, FINITE, st.lists(st.floats(-800, 800), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_no_prediction_leaves_the_bounds_and_each_activation_is_found_by_its_name(
    one: float, other: float, raw: list[float]
) -> None:
    low, high = sorted((one, other))
    if low == high:
        return
    found = sigmoid_between(low, high)
    assert is_activation(found.name)
    assert activation(found.name) == found
    loss = L.squared_error().with_activation(found.name)
    predicted = loss.predict(np.sort(raw))
    assert (predicted >= low).all()
    assert (predicted <= high).all()
    assert (np.diff(predicted) >= 0).all()


@pytest.mark.parametrize("wrong", [(1, 1), (5, 1), (0, np.inf), (0, 1, 2), 3, "01", (0,)])
def test_bounds_are_two_rising_numbers(wrong: Any) -> None:
    with pytest.raises(HyperparameterError):
        L.fractional_logit(bounds=wrong)


def amounts(n: int = 600, low: float = 0.0, high: float = 100.0) -> dict[str, Any]:
    rng = np.random.default_rng(5)
    x, g = rng.normal(size=n), rng.choice(["a", "b"], n)
    mean = 1 / (1 + np.exp(-1.2 * x - (g == "a")))
    share = np.round(rng.beta(4 * mean, 4 * (1 - mean)), 2)
    return {"x": x, "g": g, "y": low + (high - low) * share}


def test_a_fit_is_that_of_another_library() -> None:
    import statsmodels.api as sm

    table = amounts()
    X = np.column_stack([table["x"], table["g"] == "a"]).astype(float)
    peer = sm.GLM(table["y"] / 100, sm.add_constant(X), family=sm.families.Binomial()).fit(tol=1e-12)
    ours = gm.LossRegressor(L.fractional_logit(bounds=(0, 100)), alpha=0.0).fit(X, table["y"])
    np.testing.assert_allclose([ours.intercept_, *ours.coef_], peer.params, rtol=1e-6)
    np.testing.assert_allclose(ours.predict(X), 100 * peer.predict(), rtol=1e-6)


@pytest.mark.parametrize(
    ("said", "loss"),
    [
        ("bounded=0,100", "fractional_logit(bounds=(0.0, 100.0))"),
        ("bounded=100", "fractional_logit(bounds=(0.0, 100.0))"),
        ("bounds = -5 , 200", "fractional_logit(bounds=(-5.0, 200.0))"),
        (bounded((0.0, 100.0)), "fractional_logit(bounds=(0.0, 100.0))"),
    ],
)
def test_bounds_are_said_as_what_the_target_represents(said: Any, loss: str) -> None:
    plan = gm.choose(amounts()["y"], represents=said)
    assert plan.meaning == "bounded"
    assert str(plan.loss) == loss
    assert plan.asks_for == "mean"
    rejected = [each.alternative for each in plan.steps[2].rejected[:2]]
    assert rejected == ["squared_error()", "the likelihood of a beta distribution"]


def test_bounds_that_a_name_tells_need_not_be_said_again() -> None:
    plan = gm.choose(amounts()["y"], name="percent_owned", represents="bounded")
    assert str(plan.loss) == "fractional_logit(bounds=(0.0, 100.0))"
    assert gm.choose(amounts()["y"] / 100, represents="bounded").loss.values == L.fractional_logit().values
    with pytest.raises(UsageError, match=r"bounded=0,100"):
        gm.choose(amounts()["y"] * 1.7, represents="bounded")
    for wrong in ("bounded=5,1", "bounded=a", "bounded=0,1,2", "bounded=0,inf", "bounded=nan"):
        with pytest.raises(UsageError, match="the least and the most"):
            gm.choose(amounts()["y"], represents=wrong)


@pytest.mark.parametrize("asked", [{"ask": "median"}, {"outliers": "errors"}])
def test_what_else_is_asked_for_stays_between_the_bounds_too(asked: dict[str, Any]) -> None:
    study = gm.run(amounts(300), "y", represents="bounded=0,100", protocol="holdout", **asked)
    assert {each.name for each in study.plan.loss.activation} == {"sigmoid(0,100)"}
    found = study.model.predict({"x": [-60.0, 0.0, 60.0], "g": ["a", "b", "c"]})
    assert (found >= 0).all()
    assert (found <= 100).all()


@pytest.mark.parametrize("model", ["linear", "boosting"])
def test_a_study_does_not_depend_on_the_unit(model: str) -> None:
    one, other = (
        gm.run(amounts(low=low, high=high), "y", represents=f"bounded={low:g},{high:g}", model=model)
        for low, high in ((0.0, 1.0), (-20.0, 180.0))
    )
    assert other.judged.report.value == pytest.approx(one.judged.report.value, rel=1e-6)
    for found, share in ((other.judged.metrics[0], one.judged.metrics[0]),):
        assert found.report.value == pytest.approx(200 * share.report.value, rel=1e-6)
        assert found.constant == pytest.approx(200 * share.constant, rel=1e-6)
    assert other.judged.calibration.error.value == pytest.approx(200 * one.judged.calibration.error.value, rel=1e-5)
    np.testing.assert_allclose(other.judged.prediction, 200 * one.judged.prediction - 20, rtol=1e-6, atol=1e-6)
    far = other.model.predict({"x": [-60.0, 60.0], "g": ["a", "new"]})
    assert -20 <= far[0] < far[1] <= 180


def test_a_model_is_the_same_when_saved_and_in_other_languages(tmp_path: Path) -> None:
    model = gm.run(amounts(300, 1.0, 5.0), "y", represents="bounded=1,5").model
    rows = {"x": [-60.0, 0.3, 60.0], "g": ["a", "b", "new"]}
    model.save(tmp_path / "model.json")
    np.testing.assert_array_equal(gm.load(tmp_path / "model.json").predict(rows), model.predict(rows))
    for place in (tmp_path / "m.py", tmp_path / "m.sql", tmp_path / "m.js"):
        model.export(place)
        assert place.stat().st_size > 0
    known: dict[str, Any] = {}
    exec((tmp_path / "m.py").read_text(), known)
    each = [known["predict"]({"x": x, "g": g})["prediction"] for x, g in zip(*rows.values(), strict=True)]
    np.testing.assert_allclose(each, model.predict(rows), rtol=1e-12)
    moved = model.using(shift=3.0, costs=gm.UnderOverCosts(under=3, over=1))
    assert moved.decide(rows).max() == 5.0
    moved.export(tmp_path / "moved.py")
    exec((tmp_path / "moved.py").read_text(), known)
    assert known["predict"]({"x": 60.0, "g": "a"})["decision"] == 5.0


def test_a_value_outside_the_bounds_is_refused_by_its_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = amounts(300)
    table["y"][[6, 40]] = 104.0, -3.0
    with pytest.raises(TargetOutsideDomain, match=r"2 of 300 values are outside it, the first 104") as caught:
        gm.choose(table["y"], name="y", represents="bounded=0,100")
    assert caught.value.where == "y[6]"
    path = tmp_path / "t.csv"
    lines = ["x,g,y", *(f"{x},{g},{y}" for x, g, y in zip(*table.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    for command in ("run", "choose"):
        more = ["--out", str(tmp_path / "out")] if command == "run" else []
        assert status_of([command, str(path), "--target", "y", "--represents", "bounded=0,100", *more]) == 3
        said = capsys.readouterr().err
        assert "a bounded amount [0, 100]" in said
        assert "row 7" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("ends", "bounds"),
    by_turns([(0.12, 0.12), (0.12, 0.0), (0.0, 0.12), (0.0, 0.0)], [(0.0, 100.0), (-20.0, 180.0)]),
)
def test_a_quantile_at_a_bound_is_the_bound_and_holds_the_targets_there(
    bounds: tuple[float, float], ends: tuple[float, float]
) -> None:
    rng = np.random.default_rng(4)
    low, high = bounds
    # At an end that many targets are, the quantile beyond their share is that end whatever the column says.
    x, u = rng.normal(size=600), rng.random(600)
    share = np.where(
        u < ends[0], 0.0, np.where(u > 1 - ends[1], 1.0, 0.2 + 0.6 / (1 + np.exp(-x - rng.normal(size=600))))
    )
    said = {"represents": f"bounded={low:g},{high:g}", "ask": "quantiles=0.05,0.5,0.95", "protocol": "holdout"}
    study = gm.run({"x": x, "y": low + (high - low) * share}, "y", **said)
    told, coverage = study.judged.prediction, study.model.coverage
    assert coverage is not None
    outer = (0, low, ends[0], "low", "0.05"), (2, high, ends[1], "high", "0.95")
    for k, end, many, name, level in outer:
        assert (told[:, k] == end).all() == bool(many)
        assert (coverage.moves[k] is None) == bool(many)
        reason = f"the {level} quantile stays as it was fitted, for too many targets lie at the {name} end"
        assert (reason in coverage.sentence) == bool(many)
    assert "would tell" not in coverage.sentence
    (held,) = (found.value for text, found in study.judged.shares.items() if text.startswith("from"))
    assert held > 0.85
    assert study.model.predict({"x": x}).min() >= low
