"""Do grades keep their order: in losses, in fits, in what is chosen, and in a study from the table to the act?"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import goodmeasure as gm
from goodmeasure.checking.truth import truth
from goodmeasure.choosing.choose import choose
from goodmeasure.errors import HyperparameterError, Problem, ShapeMismatch, TargetOutsideDomain, UsageError
from goodmeasure.fitting.certificate import Status
from goodmeasure.report.summary import summary
from goodmeasure.traits.curvature_class import curvature_class

GRADED = [definition for definition in gm.losses.catalogue().values() if definition().is_graded]
every_loss = pytest.mark.parametrize("definition", GRADED, ids=repr)
LIKERT = ("strongly disagree", "disagree", "neutral", "agree", "strongly agree")


def drawn(n: int, grades: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and grades that follow them by proportional odds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    begins = np.quantile(rng.logistic(size=4000) * 1.5, np.arange(1, grades) / grades)
    return x, np.digitize(x @ [1.0, -0.6, 0.0] + rng.logistic(size=n), begins)


# --- losses ---


@every_loss
@settings(max_examples=40, deadline=None)
@given(z=arrays(np.float64, (5, 4), elements=st.floats(-700, 700)))
def test_no_raw_outputs_make_probabilities_cross(definition: Any, z: np.ndarray) -> None:
    loss = definition(grades=5)
    at_least, alone = loss.predict(z), loss.outcome_probabilities(z)
    assert (np.diff(at_least, axis=1) <= 0).all()
    assert (alone >= 0).all()
    assert np.allclose(alone.sum(axis=1), 1)
    assert np.allclose(np.cumsum(alone[:, ::-1], axis=1)[:, -2::-1], at_least, atol=1e-12)


@pytest.mark.parametrize("grades", [3, 5, 11])
def test_losses_are_what_books_say(grades: int) -> None:
    rng = np.random.default_rng(1)
    z, y = rng.normal(size=(200, grades - 1)), rng.integers(0, grades, 200)
    odds, ranked = gm.losses.proportional_odds(grades=grades), gm.losses.ranked_probability(grades=grades)
    p = odds.outcome_probabilities(z)
    assert np.allclose(odds.value(y, z), -np.log(p[np.arange(200), y]))
    steps = (np.cumsum(p, axis=1) - (np.arange(grades) >= y[:, None])) ** 2
    assert np.allclose(ranked.value(y, z), steps.sum(axis=1))
    for loss in (odds, ranked):
        assert np.allclose(loss.value(y, z), gm.losses.catalogue()[loss.spelling.factory](grades=grades).value(y, z))
        assert loss(y, prediction=loss.predict(z)) == pytest.approx(loss(y, z))
        assert np.allclose(loss.predict(loss.raw(loss.predict(z))), loss.predict(z))


def test_what_is_nearly_sure_keeps_its_digits() -> None:
    """The probability between two that are nearly equal is no difference of them: 1.0 - 1.0 would be none."""
    odds = gm.losses.proportional_odds(grades=3)
    z = np.array([[80.0, -5.0]])
    assert odds.outcome_probabilities(z)[0, 1] == pytest.approx(np.exp(-80) * np.expm1(np.log1p(np.exp(-5))), rel=1e-12)
    assert odds.value([1], z)[0] == pytest.approx(-np.log(odds.outcome_probabilities(z)[0, 1]), rel=1e-14)


@every_loss
@pytest.mark.parametrize("y", [0, 1, 3, 5])
def test_many_grades_are_true_to_fifty_digits(definition: Any, y: int) -> None:
    loss, z = (
        definition(grades=6),
        [[0.5, -0.25, 1.0, -2.0, 0.75], [12.0, 0.5, -3.0, 0.25, 1.5], [-18.0, 2.0, 0.5, -1.0, 0.0]],
    )
    for row in z:
        true = truth(loss, y, row)
        found = [loss.value([y], [row])[0], *loss.gradient([y], [row])[0], *loss.hessian([y], [row])[0]]
        assert np.allclose(np.ravel(found).astype(float), list(map(float, true.all)), rtol=1e-11, atol=1e-16)


@every_loss
@pytest.mark.parametrize("wrong", [2, 17, 3.5, "five"])
def test_a_number_of_grades_is_whole_and_no_formula_is_endless(definition: Any, wrong: Any) -> None:
    with pytest.raises(HyperparameterError):
        definition(grades=wrong)


@every_loss
def test_grades_are_those_that_there_are(definition: Any) -> None:
    loss = definition(grades=4)
    for wrong in (-1, 4, 0.5, np.nan):
        with pytest.raises(TargetOutsideDomain):
            loss([wrong], np.zeros((1, 3)))
    with pytest.raises(UsageError, match="keeps its activations"):
        loss.with_activation(("sigmoid",) * 3)
    assert repr(loss) == f"{definition.name}(grades=4)"


# --- fits ---


@pytest.mark.parametrize(("n", "grades"), [(120, 3), (400, 5), (900, 7)])
def test_a_fit_reaches_the_likelihood_of_statsmodels(n: int, grades: int) -> None:
    model_of = pytest.importorskip("statsmodels.miscmodels.ordinal_model").OrderedModel
    x, y = drawn(n, grades)
    loss = gm.losses.proportional_odds(grades=grades)
    ours = gm.LossRegressor(loss).fit(x, y)
    theirs = model_of(y, x, distr="logit").fit(method="bfgs", disp=0, maxiter=1000, gtol=1e-7)
    assert -n * loss(y, ours.raw(x)) == pytest.approx(theirs.llf, rel=1e-9)
    assert np.allclose(ours.coef_[0], theirs.params[:3], atol=1e-5)
    assert ours.certificate_.status is Status.OPTIMAL


@every_loss
@pytest.mark.parametrize("solver", ["newton", "lbfgs"])
def test_the_odds_are_proportional_whatever_the_solver(definition: Any, solver: str) -> None:
    x, y = drawn(300, 4)
    model = gm.LossRegressor(definition(grades=4), alpha=0.01, solver=solver).fit(x, y)
    assert not model.coef_[1:].any()
    best = gm.LossRegressor(definition(grades=4), alpha=0.01).fit(x, y)
    assert model.loss_(y, model.raw(x)) == pytest.approx(best.loss_(y, best.raw(x)), rel=1e-6)
    with pytest.raises(UsageError, match="intercept"):
        gm.LossRegressor(definition(grades=4), fit_intercept=False).fit(x, y)


def test_surprise_is_convex_where_grades_stand_and_ranked_probability_is_not() -> None:
    y = np.arange(5.0)
    assert curvature_class(gm.losses.proportional_odds(grades=5), y, 4).convex
    assert not curvature_class(gm.losses.ranked_probability(grades=5), y, 4).convex


@every_loss
def test_at_the_best_constant_each_grade_or_more_is_as_likely_as_it_is_seen(definition: Any) -> None:
    _, y = drawn(400, 4)
    loss = definition(grades=4)
    z = np.tile(loss.best_constant(y), (400, 1))
    assert np.allclose(loss.identification(y, z).mean(axis=0), 0, atol=1e-5)


@every_loss
def test_raw_outputs_are_as_many_as_the_grades_ask_for(definition: Any) -> None:
    for reading in (definition(grades=4).predict, definition(grades=4).outcome_probabilities, definition(grades=4).raw):
        with pytest.raises(ShapeMismatch, match="3 raw outputs"):
            reading(np.full((5, 2), 0.5))
    with pytest.raises(UsageError) as caught:
        gm.LossClassifier(definition(grades=4)).fit(*drawn(60, 4))
    assert "LossRegressor" in caught.value.fix


@pytest.mark.parametrize("host", ["boosting", "xgboost", "lightgbm", "network"])
def test_every_model_learns_grades(host: str) -> None:
    needed = {"boosting": "sklearn", "network": "torch"}.get(host, host)
    pytest.importorskip(needed)
    x, y = drawn(400, 4)
    found = gm.run({"a": x[:, 0], "b": x[:, 1], "stars": y + 1}, "stars", model=host, protocol="holdout")
    assert found.judged.fit.value < np.log(4) - 0.03


# --- choosing ---


def test_an_order_can_be_said() -> None:
    plan = choose(["soso", "poor", "fair"] * 20, represents="poor < soso < fair")
    assert plan.labels == ("poor", "soso", "fair")
    assert plan.loss == gm.losses.proportional_odds(grades=3)
    for unknown in ("ordinal", gm.Grade):
        with pytest.raises(Problem, match="order of its labels is not known"):
            choose(["soso", "poor", "x"] * 20, represents=unknown)
    for wrong in ("poor < soso", "poor < soso < fair < x", "poor < poor < soso"):
        with pytest.raises(UsageError, match="does not hold each label"):
            choose(["soso", "poor", "fair"] * 20, represents=wrong)


@pytest.mark.parametrize("count", [2, 17])
def test_too_few_or_too_many_grades_are_refused(count: int) -> None:
    with pytest.raises(TargetOutsideDomain, match=f"{count} distinct values"):
        choose(list(range(count)) * 60, represents="grade")


@pytest.mark.parametrize("framework", ["numpy", "sklearn", "torch"])
def test_the_code_of_a_plan_runs(framework: str) -> None:
    if framework == "torch":
        pytest.importorskip("torch")
    x, y = drawn(60, 5)
    labels = [LIKERT[k] for k in y]
    code = choose(labels, name="answer").code(framework)
    given: dict[str, Any] = {"labels": labels, "X": x, "z": np.zeros((60, 4))}
    if framework == "torch":
        import torch

        given |= {"features": torch.tensor(x, dtype=torch.float32), "body": torch.nn.Linear(3, 8), "width": 8}
    exec(code, given)
    assert "prediction" not in given or given["prediction"].shape == (60, 4)


# --- acts ---


@settings(max_examples=60, deadline=None)
@given(
    p=arrays(np.float64, (6, 5), elements=st.floats(0.01, 1)),
    grade=st.integers(1, 4),
    miss=st.floats(0.1, 40),
    alarm=st.floats(0.1, 40),
)
def test_acting_from_a_grade_on_is_acting_on_the_probability_of_it_or_more(
    p: np.ndarray, grade: int, miss: float, alarm: float
) -> None:
    p, costs = p / p.sum(axis=1, keepdims=True), gm.Costs(false_negative=miss, false_positive=alarm)
    at_least = p[:, grade:].sum(axis=1)
    clear = np.abs(at_least - costs.threshold) > 1e-9
    acts = gm.bayes_act(p, costs.from_grade(grade, grades=5))
    assert (acts == (at_least >= costs.threshold))[clear].all()


@pytest.mark.parametrize("grade", [0, 5])
def test_there_is_a_grade_to_act_from(grade: int) -> None:
    with pytest.raises(UsageError, match="no grade"):
        gm.Costs(false_negative=3, false_positive=1).from_grade(grade, grades=5)


# --- a study ---


@pytest.fixture(scope="module")
def study() -> Any:
    x, y = drawn(700, 5, seed=3)
    table = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "answer": [LIKERT[k] for k in y]}
    far = {(one, other): abs(i - j) for i, one in enumerate(LIKERT) for j, other in enumerate(LIKERT)}
    return gm.run(table, "answer", costs=far), table


def test_a_study_of_grades_is_whole(study: Any) -> None:
    found, table = study
    assert found.plan.labels == LIKERT
    assert found.plan.loss == gm.losses.proportional_odds(grades=5)
    assert found.verdict.word == "use"
    assert found.judged.calibration.verdict != "miscalibrated"
    answers, _ = found.model.answers({name: column[:20] for name, column in table.items()})
    assert list(answers) == [*(f"probability_{label}" for label in LIKERT), "decision"]
    assert np.allclose(sum(answers[f"probability_{label}"] for label in LIKERT), 1)
    assert set(answers["decision"]) <= set(LIKERT)
    assert "one of 5 grades" in summary(found, [])


def test_a_model_of_grades_is_saved_and_exported(study: Any, tmp_path: Path) -> None:
    found, table = study
    found.model.save(tmp_path / "model.json")
    again = gm.load(tmp_path / "model.json")
    assert again.loss == found.model.loss
    assert np.array_equal(again.predict(table), found.model.predict(table))
    found.model.export(tmp_path / "exported.py")
    spec = importlib.util.spec_from_file_location("exported", tmp_path / "exported.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["exported"] = module
    spec.loader.exec_module(module)
    told = module.predict({name: table[name][0] for name in "abc"})
    ours, _ = found.model.answers({name: column[:1] for name, column in table.items()})
    assert {name: pytest.approx(value) for name, value in told.items()} == {n: c[0] for n, c in ours.items()}


def test_losses_of_grades_are_compared_whatever_was_trained() -> None:
    x, y = drawn(500, 4)
    table = {"a": x[:, 0], "b": x[:, 1], "stars": y + 1}
    found = gm.run(table, "stars", loss=["proportional_odds", "ranked_probability"])
    assert found.comparison is not None
    by_loss = [each for each in found.comparison.standings if "grades=4" in each.measure]
    assert len(by_loss) == 2
    assert all(len(each.values) == 2 for each in by_loss)


def test_a_loss_of_another_number_of_grades_is_refused() -> None:
    x, y = drawn(300, 4)
    with pytest.raises(UsageError, match="is no loss for"):
        gm.run({"a": x[:, 0], "stars": y}, "stars", loss=gm.losses.proportional_odds(grades=5))
