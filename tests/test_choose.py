"""Which loss does a situation ask for, and why? A table of situations with the plan and the reason expected of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import goodmeasure
from goodmeasure import Positive, losses
from goodmeasure.choosing import naming
from goodmeasure.choosing.choose import choose
from goodmeasure.choosing.functionals import AskDoesNotFit
from goodmeasure.choosing.revisiting import revisit
from goodmeasure.decisions.costs import ClassCosts, Costs, CostsDoNotFit, UnderOverCosts
from goodmeasure.errors import TargetOutsideDomain, UsageError
from goodmeasure.fitting import fit
from goodmeasure.formulas.activations import exp, linear, sigmoid, softmax

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(0, 2, 400)
HEAVY = RNG.standard_t(1, 400)
AMOUNT = RNG.gamma(1.5, 10, 400)
ZEROS = AMOUNT * (RNG.random(400) < 0.4)
COUNTS = RNG.poisson(2.0, 400)
SHARES = RNG.beta(2, 3, 400)
YES_NO = (RNG.random(400) < 0.3).astype(int)
RARE = np.r_[np.ones(8), np.zeros(392)]
CODES = RNG.integers(0, 3, 400)
LABELS = np.array(["red", "green", "blue"])[CODES]


@dataclass
class Situation:
    """A target and what is said of it; the meaning, activation, loss and words in the reasons that follow."""

    name: str
    y: Any
    meaning: str
    activation: Any
    loss: str
    words: str
    said: dict[str, Any] = field(default_factory=dict)
    asks_for: str | None = None


SITUATIONS = [
    Situation("a real number", NORMAL, "real", linear, "squared_error()", "of them negative", asks_for="mean"),
    Situation("its mean", NORMAL, "real", linear, "squared_error()", "squared miss", {"ask": "mean"}),
    Situation("its typical value", NORMAL, "real", linear, "absolute_error()", "one vote", {"ask": "typical"}, "median"),
    Situation("a quantile", NORMAL, "real", linear, "pinball(level=0.9)", "0.9 quantile", {"ask": "quantile=0.9"}),
    Situation("another functional", NORMAL, "real", linear, "expectile(level=0.8)", "expectile", {"ask": "expectile=0.8"}),
    Situation("outliers are errors", HEAVY, "real", linear, "huber(delta=", "stops growing", {"outliers": "errors"}),
    Situation("... and the mean was asked for", HEAVY, "real", linear, "huber(delta=", "you asked for the mean",
              {"outliers": "errors", "ask": "mean"}, "centre between mean and median"),
    Situation("... and the median was", HEAVY, "real", linear, "absolute_error()", "one vote",
              {"outliers": "errors", "ask": "median"}),
    Situation("outliers are real", HEAVY, "real", linear, "squared_error()", "as you said they should",
              {"outliers": "real"}, "mean"),
    Situation("heavy tails, nothing said", HEAVY, "real", linear, "squared_error()", "mind the tails", asks_for="mean"),
    Situation("a positive amount", AMOUNT, "positive", exp, "gamma()", "above zero", asks_for="mean"),
    Situation("its median", AMOUNT, "positive", exp, "absolute_error().with_activation('exp')", "one vote", {"ask": "median"}),
    Situation("outlying amounts are errors", AMOUNT, "positive", exp, "huber(delta=", "stops growing", {"outliers": "errors"}),
    Situation("outlying amounts are real", AMOUNT, "positive", exp, "gamma()", "as you said", {"outliers": "real"}),
    Situation("an amount far from zero", 170 + NORMAL, "real", linear, "squared_error()", "does not matter"),
    Situation("an amount, often zero", ZEROS, "non_negative", exp, "tweedie()", "exactly zero", asks_for="mean"),
    Situation("a count", COUNTS, "count", exp, "poisson()", "whole number, none negative", asks_for="mean"),
    Situation("a count with doubtful codes", np.r_[COUNTS, -1], "real", linear, "squared_error()", "-999"),
    Situation("a share", SHARES, "unit_interval", sigmoid, "binary_cross_entropy()", "between 0 and 1"),
    Situation("truly a probability", SHARES, "unit_interval", sigmoid, "binary_cross_entropy()", "surprise",
              {"ask": "probability"}),
    Situation("the median of a share", SHARES, "unit_interval", sigmoid, "absolute_error().with_activation('sigmoid')",
              "one vote", {"ask": "median"}),
    Situation("yes or no", YES_NO, "binary", sigmoid, "binary_cross_entropy()", "0 and 1", asks_for="probability"),
    Situation("the class of yes or no", YES_NO, "binary", sigmoid, "binary_cross_entropy()", "probability is what to learn",
              {"ask": "class"}, "probability"),
    Situation("true or false", YES_NO == 1, "binary", sigmoid, "binary_cross_entropy()", "true and false"),
    Situation("two labels", np.where(YES_NO == 1, "yes", "no"), "binary", sigmoid, "binary_cross_entropy()", "two labels"),
    Situation("two whole numbers", YES_NO + 1, "binary", sigmoid, "binary_cross_entropy()", "two whole numbers"),
    Situation("class codes", CODES, "classes", softmax, "cross_entropy()", "codes 0 to 2", asks_for="probability"),
    Situation("labels", LABELS, "classes", softmax, "cross_entropy()", "3 labels"),
    Situation("rows of probabilities", RNG.dirichlet([1, 2, 3], 50), "classes", softmax, "cross_entropy()", "add up to 1"),
    Situation("several labels at once", RNG.integers(0, 2, (60, 4)), "multilabel", sigmoid, "binary_cross_entropy()",
              "4 labels"),
    Situation("codes that are counts", CODES, "count", exp, "poisson()", "you said so", {"represents": "count"}),
    Situation("a meaning by its domain", 170 + NORMAL, "positive", exp, "gamma()", "you said so", {"represents": Positive}),
    Situation("too little costs more", AMOUNT, "positive", exp, "pinball(level=0.75).with_activation('exp')", "3 / (3 + 1)",
              {"costs": UnderOverCosts(under=3, over=1)}),
    Situation("... but the mean was asked for", AMOUNT, "positive", exp, "gamma()", "leave ask out",
              {"costs": UnderOverCosts(under=3, over=1), "ask": "mean"}, "mean"),
    Situation("a miss costs more", YES_NO, "binary", sigmoid, "binary_cross_entropy()", "5 / (5 + 40)",
              {"costs": Costs(false_negative=40, false_positive=5)}),
    Situation("class costs", CODES, "classes", softmax, "cross_entropy()", "row by row", {"costs": ClassCosts(1 - np.eye(3))}),
    Situation("a rare event", RARE, "binary", sigmoid, "binary_cross_entropy()", "no reason"),
]  # fmt: skip


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.name)
def test_each_situation_has_its_plan_and_its_reason(case: Situation) -> None:
    plan = choose(case.y, **case.said)
    assert plan.meaning == case.meaning
    assert plan.activation is case.activation
    assert str(plan.loss).startswith(case.loss)
    assert case.words in str(plan) + json.dumps(plan.to_dict())
    if case.asks_for is not None:
        assert plan.asks_for == case.asks_for


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.name)
def test_every_plan_has_four_answers_with_reasons_and_takes_its_target(case: Situation) -> None:
    plan = choose(case.y, **case.said)
    assert len(plan.steps) == 4
    assert all(s.answer and s.reason and s.rejected and all(r.why for r in s.rejected) for s in plan.steps)
    assert plan.represents == plan.represents
    if case.meaning == "classes":
        codes = case.y if case.y.ndim == 2 else np.searchsorted(plan.labels, case.y)
        assert np.isfinite(plan.loss(codes, np.zeros((len(case.y), 3))))
    elif plan.labels:
        codes = (np.asarray(case.y) == plan.labels[1]).astype(float)
        assert np.isfinite(plan.loss(codes, np.zeros(len(codes))))
    else:
        y = np.asarray(case.y, dtype=float)
        assert np.isfinite(plan.loss(y, np.zeros(y.shape)))


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.name)
def test_every_plan_reads_as_text_json_and_html(case: Situation) -> None:
    plan = choose(case.y, **case.said, name="<script>")
    assert json.loads(json.dumps(plan.to_dict(), allow_nan=False))["loss"] == str(plan.loss)
    assert "<script>" not in plan._repr_html_()
    assert "&lt;script&gt;" in plan._repr_html_()
    assert str(plan).count("because") >= 4


def test_the_level_and_the_threshold_follow_from_the_costs() -> None:
    assert choose(AMOUNT, costs=UnderOverCosts(under=3, over=1)).level == 0.75
    plan = choose(YES_NO, costs=Costs(false_negative=40, false_positive=5, true_positive=1, true_negative=-1))
    assert plan.threshold == pytest.approx(6 / (6 + 39))
    # Deciding at one half after weighting is deciding at the threshold: the weights undo its odds.
    assert plan.weighted is not None
    assert plan.weighted.values["positive_weight"] == pytest.approx(39 / 6)
    assert choose(YES_NO).threshold is None


def test_weights_and_their_price_are_named_beside_the_threshold() -> None:
    decided = choose(RARE, costs=Costs(false_negative=40, false_positive=5)).steps[3]
    whys = {r.alternative: r.why for r in decided.rejected}
    assert "distort" in whys["class weights"]
    assert "imbalance alone is no reason" in whys["weights because a class is rare"]


def test_labels_are_in_the_order_of_their_codes_and_yes_can_be_named() -> None:
    y = ["benign", "malignant", "benign"]
    assert choose(y).labels == ("benign", "malignant")
    assert choose(y, positive="benign").labels == ("malignant", "benign")
    assert choose(LABELS).labels == ("blue", "green", "red")
    assert choose([1, 2, 2, 1], positive="1").labels == (2, 1)
    with pytest.raises(UsageError, match="benine"):
        choose(y, positive="benine")


def test_alternatives_come_from_the_catalogue() -> None:
    named = {r.alternative for r in choose(NORMAL).steps[2].rejected}
    pointwise = {
        name for name, d in losses.catalogue().items() if len(d.activation) == 1 and d().target.name == "a real number"
    }
    assert pointwise - {"squared_error"} <= named


def test_the_outlier_question_is_asked_again_of_residuals() -> None:
    residuals = np.r_[np.full(60, 1.0), np.full(60, -1.0), np.zeros(120), 100.0, -100.0]
    first = choose(HEAVY, outliers="errors")
    again = revisit(first, residuals)
    scale = np.median(np.abs(residuals - np.median(residuals))) / 0.6744897501960817 or residuals.std()
    assert again.loss == losses.huber(delta=float(f"{1.345 * scale:.4g}"))
    assert "residuals" in again.steps[2].reason
    kept = revisit(choose(NORMAL), residuals)
    assert kept.loss == losses.squared_error()
    assert "mind the tails" in kept.steps[2].reason
    assert kept.tails is not None
    assert kept.tails.heavy
    light = revisit(choose(HEAVY), NORMAL)
    assert "no reason to bend" in light.steps[2].reason
    quantile = choose(AMOUNT, costs=UnderOverCosts(under=3, over=1))
    assert revisit(quantile, residuals).loss == quantile.loss
    assert revisit(choose(YES_NO), residuals) == choose(YES_NO)


@pytest.mark.parametrize(
    ("y", "said", "error", "words"),
    [
        (NORMAL, {"ask": "probability"}, AskDoesNotFit, "no probability"),
        (YES_NO, {"ask": "median"}, AskDoesNotFit, "no median"),
        (CODES, {"ask": "mean"}, AskDoesNotFit, "no mean"),
        (NORMAL, {"ask": "quantile"}, UsageError, "quantile=0.9"),
        (NORMAL, {"ask": "quantile=1.5"}, UsageError, "quantile=0.015"),
        (NORMAL, {"ask": "quantile=x"}, UsageError, "quantile=0.9"),
        (NORMAL, {"ask": "mean=0.3"}, UsageError, "a mean has no level"),
        (NORMAL, {"ask": "happiness"}, UsageError, "one of"),
        (NORMAL, {"represents": "positive"}, TargetOutsideDomain, "outside it"),
        (NORMAL, {"represents": "binary"}, TargetOutsideDomain, "not two"),
        (LABELS, {"represents": "count"}, TargetOutsideDomain, "labels"),
        (NORMAL, {"represents": "nonsense"}, UsageError, "one of"),
        (NORMAL, {"represents": "counts"}, UsageError, "represents='count'"),
        (NORMAL, {"represents": "percent"}, TargetOutsideDomain, "outside it"),
        (LABELS, {"represents": "percent"}, TargetOutsideDomain, "labels"),
        (NORMAL, {"outliers": "maybe"}, UsageError, "'errors'"),
        (NORMAL, {"costs": Costs(false_negative=2, false_positive=1)}, CostsDoNotFit, "UnderOverCosts"),
        (YES_NO, {"costs": UnderOverCosts(under=2, over=1)}, CostsDoNotFit, "false_negative"),
        (CODES, {"costs": Costs(false_negative=2, false_positive=1)}, CostsDoNotFit, "ClassCosts"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_what_would(y: Any, said: dict[str, Any], error: Any, words: str) -> None:
    with pytest.raises(error) as caught:
        choose(y, **said)
    assert words in str(caught.value)


@pytest.mark.parametrize("case", SITUATIONS, ids=lambda case: case.name)
def test_the_numpy_and_scikit_learn_code_runs(case: Situation, monkeypatch: pytest.MonkeyPatch) -> None:
    for estimator in (fit.LossClassifier, fit.LossRegressor):
        monkeypatch.setattr(goodmeasure, estimator.__name__, estimator, raising=False)
    plan = choose(case.y, **case.said)
    rows = np.asarray(case.y)
    numbers = rows.astype(float) if rows.dtype.kind in "biuf" else rows
    names: dict[str, Any] = {"y": numbers, "labels": rows, "X": RNG.normal(size=(len(rows), 2))}
    outputs = (len(rows), 3) if case.meaning == "classes" else rows.shape
    exec(plan.code("numpy"), names := {**names, "z": np.zeros(outputs)})
    assert np.isfinite(names["mean"])
    assert names["signal"].shape == outputs
    if rows.ndim == 1:
        names["y"] = rows if plan.labels else numbers
        exec(plan.code("sklearn"), names)
        assert np.isfinite(names["prediction"]).all()


def test_the_torch_code_is_python_and_other_frameworks_are_refused() -> None:
    for case in SITUATIONS:
        compile(choose(case.y, **case.said).code("torch"), "plan", "exec")
    with pytest.raises(UsageError, match="numpy, sklearn, torch"):
        choose(NORMAL).code("fortran")


@pytest.mark.parametrize(
    ("labels", "said", "fix"),
    [
        (("poor", "fair", "good", "great"), "poor < fair < good", "poor < fair < good < great"),
        (("poor", "fair", "good", "great"), "good < poor < fair", "good < poor < fair < great"),
        (("low", "mid", "high"), "low < medium < high", "low < mid < high"),
        (("a", "x", "q"), "x < q", "x < q < a"),
    ],
)
def test_an_order_that_lacks_a_label_is_completed_as_it_was_said(labels, said, fix):
    """The line that fixes put the labels in the order of the alphabet, and a model trained on that without a word."""
    with pytest.raises(UsageError) as refused:
        goodmeasure.choose(list(labels) * 30, represents=said)
    assert refused.value.fix.startswith(f"represents={fix!r}")
    assert goodmeasure.choose(list(labels) * 30, represents=fix).steps


@pytest.mark.parametrize("said", [*naming.PERCENTS.split(), "Percent"])
@pytest.mark.parametrize("most", [1.0, 100.0])
def test_percents_are_amounts_from_0_to_100_or_shares_of_1(said: str, most: float) -> None:
    y = most * np.linspace(0.005, 0.995, 60)
    assert str(choose(y, represents=said).loss) == str(choose(y, represents=f"bounded=0,{most:g}").loss)
