"""Are models compared by what they are: on the same rows, by every measure, without a false word, and the same everywhere?"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.cli import status_of
from goodmeasure.errors import UsageError
from goodmeasure.report import write
from goodmeasure.report.summary import summary
from goodmeasure.risks.areas import of_rows, pulls
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.standings import standing
from goodmeasure.statistics.confidence_set import confidence_set
from goodmeasure.statistics.sample import Sample

COSTS = gm.Costs(false_negative=10, false_positive=2)


def alone(n: int, **more: Any) -> Sample:
    return Sample(np.ones(n), np.ones(n), **more)


@cache
def amounts(n: int = 700, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": 50 + 10 * x + 6 * np.abs(x) + 5 * rng.standard_t(2.5, n)}


@cache
def outcomes(n: int = 700, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return {"x": x, "y": np.where(rng.random(n) < 1 / (1 + np.exp(1.5 - x - x**2)), "yes", "no")}


@cache
def raced() -> gm.Study:
    return gm.run(amounts(), "y", loss=["squared_error", "huber"], model=["linear", "boosting"])


@cache
def decided() -> gm.Study:
    return gm.run(outcomes(), "y", costs=COSTS, model=["linear", "boosting"])


STUDIES = {"amounts": raced, "outcomes": decided}


# --- the set of those that may be best ---


def test_the_set_holds_the_best_as_often_as_it_says_and_few_beside_it() -> None:
    """Six models in 300 rows: alike ones are all kept, and of one best by five standard errors hardly another is."""
    kept, alone_best, n = [], [], 300
    for seed in range(150):
        rng = np.random.default_rng(seed)
        losses = rng.exponential(size=(n, 1)) + rng.normal(size=(n, 6))
        kept.append(confidence_set(losses, alone(n)).kept.all())
        losses[:, 1:] += 5 * np.sqrt(2 / n)
        alone_best.append(confidence_set(losses, alone(n)).kept.tolist() == [True] + [False] * 5)
    assert np.mean(kept) > 0.9
    assert np.mean(alone_best) > 0.9


def test_differences_of_models_that_are_alike_are_seldom_said_to_be_sure() -> None:
    said = 0
    for seed in range(150):
        rows = np.random.default_rng(seed).normal(size=(200, 5))
        found = standing("loss", {str(k): column for k, column in enumerate(rows.T)}, alone(200))
        said += len(found.kept) < 5
    assert said <= 15


def test_the_set_does_not_depend_on_the_order_and_copies_stay_together() -> None:
    rows = np.random.default_rng(0).normal((0, 0.1, 0.3, 0.5), size=(200, 4))
    assert confidence_set(rows, alone(200)).p_values.max() == 1  # that of the best beside itself
    found = confidence_set(np.column_stack([rows, rows[:, 0]]), alone(200))
    assert found.p_values[0] == found.p_values[4]
    turned = confidence_set(rows[:, ::-1], alone(200)).p_values[::-1]
    np.testing.assert_allclose(confidence_set(rows, alone(200)).p_values, turned, atol=0.02)


def test_rows_that_are_copied_in_clusters_tell_no_more_than_they_did() -> None:
    rows = np.random.default_rng(1).normal((0, 0.2, 0.4), size=(120, 3))
    once = confidence_set(rows, alone(120, together=np.arange(120)))
    often = confidence_set(np.repeat(rows, 5, axis=0), alone(600, together=np.repeat(np.arange(120), 5)))
    np.testing.assert_allclose(often.p_values, once.p_values)


def test_infinite_rows_are_no_number_and_are_said() -> None:
    rng = np.random.default_rng(0)
    found = standing("loss", {"a": rng.random(50), "b": np.r_[np.inf, rng.random(49)]}, alone(50))
    assert (found.best, found.unjudged) == ("a", {"b": "1 row costs infinity"})
    assert standing("loss", {"b": np.full(50, np.inf)}, alone(50)).sentence.startswith("no model can be judged")


def test_pulls_are_the_area_and_vary_as_it_does() -> None:
    rng = np.random.default_rng(0)
    for seed in range(5):
        y, p = (rng.random(400) < 0.2).astype(float), np.round(rng.random(400), seed % 2 + 1)
        rows, area = pulls(y, p, np.ones(400)), of_rows(y, p, alone(400))
        assert rows.mean() == pytest.approx(area.value)
        assert rows.var() / 400 == pytest.approx(area.variance, rel=0.05)


# --- studies ---


@pytest.mark.parametrize("name", STUDIES)
def test_each_number_is_what_the_model_alone_is_found_to_cost(name: str) -> None:
    """The same question of one model and one loss reports the same rows, and the same mean of its loss."""
    study = STUDIES[name]()
    comparison = study.comparison
    assert comparison is not None
    assert len(comparison.models) == 4
    for question in study.asked:
        table, costs = (amounts(), None) if name == "amounts" else (outcomes(), None)
        one = gm.run(table, "y", loss=question.loss, model=question.model, costs=costs, protocol="holdout")
        label = f"{question.model} on {one.plan.loss}"
        shown = next(each for each in comparison.standings if each.measure == str(one.plan.loss))
        assert shown.values[label].value == pytest.approx(one.judged.report.value, rel=1e-9)


def test_the_matrix_is_predictions_by_measures() -> None:
    study = raced()
    report, comparison = study.prepared.report, study.comparison
    assert comparison is not None
    for each in comparison.standings[:2]:
        loss = gm.losses.find(each.measure.partition("(")[0])()
        mine = row_losses(loss, report.y, loss.raw(study.said[0].prediction)).mean()
        assert mine == pytest.approx(each.values[comparison.chosen.partition(" is handed")[0]].value)


def test_costs_are_a_measure_and_weights_are_raced_beside_the_threshold() -> None:
    study = decided()
    comparison = study.comparison
    assert comparison is not None
    assert study.decided is not None
    assert sum("weights 5 to 1" in name for name in comparison.models) == 2
    first = comparison.standings[0]
    assert first.measure == "cost a row"
    handed = comparison.chosen.partition(" is handed")[0]
    assert first.values[handed].value == study.decided.best.cost.value


def test_who_is_handed_over_is_not_chosen_by_the_reported_rows() -> None:
    table = amounts()
    chosen = set()
    for seed in range(3):
        other = amounts(300, seed + 1)
        test = {"x": other["x"], "y": np.random.default_rng(seed).permutation(other["y"])}
        study = gm.run(table, "y", test=test, loss=["squared_error", "absolute_error"], model=["linear", "boosting"])
        assert study.comparison is not None
        chosen.add(study.comparison.chosen)
    assert len(chosen) == 1


def test_predictions_outside_the_range_of_a_loss_are_named() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=600)
    table = {"x": x, "y": np.exp(x) * rng.gamma(5, 0.2, 600)}
    study = gm.run(table, "y", loss=["gamma", "squared_error"])
    assert study.comparison is not None
    by_gamma = next(each for each in study.comparison.standings if each.measure == "gamma()")
    assert "lie outside what gamma() takes" in by_gamma.unjudged["linear on squared_error()"]


@pytest.mark.parametrize("name", STUDIES)
def test_the_report_the_document_and_the_terminal_say_the_same(name: str, tmp_path: Path) -> None:
    study = STUDIES[name]()
    assert study.comparison is not None
    write(study, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())
    page = (tmp_path / "report.html").read_text()
    text = " ".join(summary(study, [], width=10_000).split())
    for sentence in study.comparison.sentences:
        assert sentence in text
        assert sentence in document["comparison"]["sentences"]
        assert sentence[1:] in page.replace("&#34;", '"')
    for model in study.comparison.models:
        assert page.count(model) >= 2


def test_the_command_of_the_report_asks_for_the_same_comparison(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from goodmeasure.report.again import command, python

    monkeypatch.chdir(tmp_path)
    table = amounts(500)  # any fewer, and folds are made
    Path("t.csv").write_text("x,y\n" + "".join(f"{a},{b}\n" for a, b in zip(table["x"], table["y"], strict=True)))
    study = gm.run("t.csv", "y", loss=[gm.losses.huber(delta=2), "absolute_error"], model=("linear", "boosting"))
    assert status_of([*shlex.split(command(study))[1:], "--json"]) == 0
    assert study.comparison is not None
    assert json.loads(capsys.readouterr().out)["comparison"] == json.loads(json.dumps(study.comparison.to_dict()))
    space: dict[str, Any] = {"print": lambda text: None}
    exec(python(study), space)
    assert space["study"].comparison.to_dict() == study.comparison.to_dict()


def test_studies_of_other_columns_are_compared_by_name_and_number() -> None:
    table = {**amounts(), "noise": np.random.default_rng(5).normal(size=700)}
    without, whole = gm.run(table, "y", exclude="x"), gm.run(table, "y")
    found = whole.compare(without)
    assert len(set(found.models)) == 2
    assert found.models[0] in found.standings[0].kept
    assert found.models[1] not in found.standings[0].kept


def test_studies_of_which_one_decides_are_compared_by_losses_alone() -> None:
    plain = gm.run(outcomes(), "y")
    for first, second in ((plain, decided()), (decided(), plain)):
        assert not [each for each in first.compare(second).standings if "cost" in each.measure]


REFUSED: dict[str, Callable[[], Any]] = {
    "nothing": lambda: raced().compare([]),
    "other rows": lambda: raced().compare(gm.run(amounts(), "y", seed=1)),
    "another target": lambda: raced().compare(decided()),
    "a margin loss": lambda: gm.run(outcomes(), "y", loss="hinge"),
    "a loss of classes": lambda: gm.run(outcomes(), "y", loss="cross_entropy"),
    "a loss of amounts": lambda: gm.run(outcomes(), "y", loss="huber"),
    "a loss of outcomes": lambda: gm.run(amounts(), "y", loss="binary_brier"),
    "a loss of angles": lambda: gm.run(amounts(), "y", loss="circular"),
    "a distribution": lambda: gm.run(amounts(), "y", loss="gaussian_nll"),
    "no loss": lambda: gm.run(amounts(), "y", loss=3),
    "none at all": lambda: gm.run(amounts(), "y", loss=[]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        REFUSED[name]()
