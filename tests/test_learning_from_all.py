"""Is the model that is handed over fitted to the rows to tune too, and does a linear model learn whether effects add?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.formulas.activations import activation
from goodmeasure.study.linking import adding, is_open, multiplying
from goodmeasure.study.procedure import Procedure, raw_of
from goodmeasure.study.training import linear_fit, natural_strength


def rows(n: int, seed: int, unit: float = 1.0) -> dict[str, np.ndarray]:
    """Two columns; an amount by which their effects add and one by which they multiply; a yes or no."""
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 2, (2, n))
    noise = rng.gamma(20, 1 / 20, n)
    return {
        "a": a,
        "b": b,
        "sum": unit * (0.2 + 3 * a + 2 * b) * noise,
        "product": unit * np.exp(1.2 * a - b) * noise,
        "hit": np.where(rng.random(n) < 1 / (1 + np.exp(2 - 2 * a)), "yes", "no").astype(object),
    }


def run(target: str, n: int = 600, seed: int = 0, unit: float = 1.0, **asked: object) -> gm.Study:
    others = tuple({"sum", "product", "hit"} - {target})
    return gm.run(rows(n, seed, unit), target, exclude=others, **asked)


# --- fitted to all ---


@pytest.mark.parametrize("model", ["linear", "boosting"])
@pytest.mark.parametrize("test", [None, 400])
def test_the_model_that_is_handed_over_is_fitted_to_rows_to_fit_and_to_tune(model: str, test: int | None) -> None:
    held = None if test is None else rows(test, 5)
    study = run("hit", model=model, test=held)
    given = study.prepared
    assert len(given.fitted) == len(given.fit) + len(given.tune)
    assert not {*given.split.report} & {*given.split.fit, *given.split.tune}
    if model == "linear":
        loss, matrix = study.plan.loss, study.model.encoding(given.fitted.table)
        by_hand = linear_fit(loss, matrix, given.fitted, study.trained.chosen * natural_strength(loss, given.fitted))
        assert raw_of(study.model, given.report) == pytest.approx(
            by_hand.scorer(study.model.encoding(given.report.table)), abs=1e-6
        )


def test_the_map_was_learned_from_a_model_that_had_not_seen_its_rows() -> None:
    study = run("hit")
    given = study.prepared
    chosen = Procedure(study.question, given.columns.features, lambda _: None)(given.plan, given.fit, given.tune)
    assert study.judged.recalibrated.map == chosen.recalibrated.map
    assert not np.array_equal(raw_of(study.model, given.tune), raw_of(chosen.model, given.tune))


def test_a_floor_is_promised_of_the_scores_that_chose_its_threshold() -> None:
    study = run("hit", n=2000, floors="recall=0.9")
    assert study.prepared.fitted is study.prepared.fit


# --- effects that add ---


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("target", ["sum", "product"])
def test_whether_effects_add_is_learned_in_any_unit(target: str, unit: float) -> None:
    study = run(target, n=600, unit=unit, represents="positive")
    assert study.plan.activation.name.startswith("softplus(") == (target == "sum")
    assert str(study.plan.loss).startswith("gamma()")
    assert study.verdict.word == "use"


def test_what_was_said_of_the_activation_the_loss_or_an_exposure_stands() -> None:
    data = rows(600, 0)
    for asked in ({"activation": "exp"}, {"loss": "gamma"}, {"exposure": "b"}):
        found = gm.run(data, "sum", exclude=("product", "hit"), **asked)
        assert found.plan.activation.name == "exp"
    assert run("product", activation="softplus").plan.activation.name == "softplus"


def test_folds_keep_what_was_learned_of_effects_once() -> None:
    study = run("sum", n=200)
    assert study.prepared.split.deals
    activations = {speaker.model.loss.activation[0].name for said in study.said for speaker in said.speakers}
    assert activations == {study.plan.activation.name}


def test_models_of_sums_are_judged_beside_others_by_the_loss_of_the_target() -> None:
    study = run("sum", model=["linear", "boosting"])
    measures = {standing.measure for standing in study.comparison.standings}
    assert not any("softplus" in measure for measure in measures)


@pytest.mark.parametrize("unit", [2.0**-20, 0.5, 8.0, 2.0**40])
def test_a_softplus_over_a_unit_is_the_one_over_one_in_that_unit(unit: float) -> None:
    of_one, over = (gm.losses.gamma().with_activation(name) for name in ("softplus", f"softplus({unit:.17g})"))
    z = np.array([-30.0, -1.0, 0.0, 2.0, 500.0])
    assert over.predict(unit * z) == pytest.approx(unit * of_one.predict(z), rel=1e-12)
    assert over.raw(over.predict(unit * z)) == pytest.approx(unit * z, rel=1e-9, abs=1e-9 * unit)
    y = np.full(5, 3.0)
    assert unit * over.gradient(unit * y, unit * z) == pytest.approx(of_one.gradient(y, z), rel=1e-9)
    assert activation(over.activation[0].name) == over.activation[0]
    assert multiplying(over) == gm.losses.gamma()


@pytest.mark.parametrize(
    "name", ["softplus()", "softplus(0)", "softplus(-1)", "softplus(inf)", "softplus(1e999)", "exp(2)"]
)
def test_what_is_no_unit_is_no_activation(name: str) -> None:
    with pytest.raises(gm.errors.UsageError):
        activation(name)


def test_a_model_of_sums_is_saved_and_read_again(tmp_path: Path) -> None:
    study = run("sum")
    path = tmp_path / "model.json"
    study.model.save(path)
    new = rows(50, 3)
    assert np.array_equal(gm.load(path).predict(new), study.model.predict(new))


def test_how_often_it_is_said_falsely_that_effects_add() -> None:
    wrong = [run("product", seed=seed).plan.activation.name != "exp" for seed in range(1, 4)]
    missed = [run("sum", seed=seed).plan.activation.name == "exp" for seed in range(1, 4)]
    assert not any(wrong)
    assert not any(missed)


def test_the_bend_is_a_power_of_two() -> None:
    study = run("sum", n=600)
    plan = adding(gm.choose(rows(600, 0)["sum"]), study.prepared.fit)
    unit = float(plan.activation.name.removeprefix("softplus(").removesuffix(")"))
    assert unit == 2.0 ** round(np.log2(unit))
    assert not is_open(plan, study.question)
