"""Does what is said of columns hold: who matters, what shuffling costs, which way a coefficient points and how surely?"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.reading.frames import table as table_of
from goodmeasure.report import write
from goodmeasure.report.summary import summary
from goodmeasure.risks.outputs import row_losses
from goodmeasure.study.cases import Cases
from goodmeasure.study.coefficients import coefficients
from goodmeasure.study.encoding import encoding
from goodmeasure.study.training import linear_fit

COSTS = gm.Costs(false_negative=10, false_positive=2)


@cache
def table(n: int = 900, seed: int = 0, kind: str = "amount") -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.normal(size=n)
    c = rng.choice(["a", "b", "c"], n)
    day = np.datetime64("2024-01-01") + rng.integers(0, 300, n)
    x[rng.random(n) < 0.05] = np.nan
    score = 2 * np.nan_to_num(x, nan=1.0) + 1.5 * (c == "a")
    y: Any = score + rng.normal(size=n)
    if kind == "outcome":
        y = np.where(rng.random(n) < 1 / (1 + np.exp(1 - score)), "yes", "no")
    if kind == "class":
        y = np.array(["p", "q", "r"])[(np.column_stack([score, z * 0, -score]) + rng.gumbel(size=(n, 3))).argmax(1)]
    return {"x": x, "noise": z, "c": c, "day": day, "y": y}


STUDIES = {
    "linear amounts": {"kind": "amount"},
    "trees": {"kind": "amount", "model": "boosting"},
    "yes and no with costs": {"kind": "outcome", "costs": COSTS},
    "folds": {"kind": "outcome", "protocol": "folds"},
    "classes": {"kind": "class"},
}


@cache
def studied(name: str) -> gm.Study:
    asked = dict(STUDIES[name])
    return gm.run(table(kind=asked.pop("kind")), "y", **asked)


@pytest.mark.parametrize("name", STUDIES)
def test_columns_that_matter_are_found_and_noise_is_not(name: str) -> None:
    words = {one.feature: one.word for one in studied(name).effects.each}
    assert words["x"] == "matters"
    assert words["noise"] != "matters"
    assert set(words) == {"x", "noise", "c", "day"}
    assert studied(name).effects.each[0].feature == "x"


def test_a_column_of_noise_is_seldom_said_to_matter() -> None:
    """Its values say nothing of reported rows, so shuffling them changes no expected loss, whatever was learned of them."""
    said = []
    for seed in range(14):
        rng = np.random.default_rng(seed)
        x, noise = rng.normal(size=200), rng.standard_t(3, (200, 2))
        given = {"x": x, "a": noise[:, 0], "b": noise[:, 1], "y": x + rng.normal(size=200)}
        found = gm.run(given, "y", protocol="holdout", seed=seed).effects.each
        said.append(any(one.word != "cannot be told to matter at this n" for one in found if one.feature in "ab"))
    assert np.mean(said) <= 0.15


@pytest.mark.parametrize("name", STUDIES)
def test_the_columns_of_the_matrix_belong_to_the_columns_of_the_table(name: str) -> None:
    encoding = studied(name).model.encoding
    belong = [encoding.columns_of(feature) for feature in encoding.features]
    assert sorted(k for each in belong for k in each) == list(range(len(encoding.names)))
    for feature, columns in zip(encoding.features, belong, strict=True):
        assert all(encoding.names[k].startswith(feature) for k in columns)


def test_shuffling_a_column_of_the_matrix_is_shuffling_the_column_of_the_table() -> None:
    study = studied("linear amounts")
    report, model = study.prepared.report, study.model
    order = np.random.default_rng(0).permutation(len(report))
    for feature in model.encoding.features:
        columns = {**report.table.columns, feature: report.table[feature][order]}
        matrix = model.encoding(report.table)
        places = model.encoding.columns_of(feature)
        matrix[:, places] = matrix[order][:, places]
        np.testing.assert_allclose(model.scorer(matrix), model.raw(dict(columns)))


def test_the_rise_is_that_of_the_mean_loss() -> None:
    """Shuffled for all pairs of rows, a column of a linear model with a squared loss costs what its variance says."""
    study = studied("linear amounts")
    report, model = study.prepared.report, study.model
    plain = model.raw(dict(report.table.columns))
    expected = []
    for seed in range(200):
        order = np.random.default_rng(seed).permutation(len(report))
        raw = model.raw({**report.table.columns, "x": report.table["x"][order]})
        expected.append(np.mean(row_losses(model.loss, report.y, raw) - row_losses(model.loss, report.y, plain)))
    found = next(one for one in study.effects.each if one.feature == "x").loss
    assert found.value == pytest.approx(np.mean(expected), rel=0.15)
    assert found.low < np.mean(expected) < found.high


def test_costs_rise_by_what_the_chosen_rule_then_costs() -> None:
    study = studied("yes and no with costs")
    rises = {one.feature: one.cost for one in study.effects.each}
    assert rises["x"] is not None
    assert rises["x"].verdict == "worse"
    assert studied("folds").effects.each[0].cost is None


LOSSES = {
    "yes and no": (gm.losses.binary_cross_entropy(), lambda rng, x: (rng.random(len(x)) < 1 / (1 + np.exp(-x))) * 1.0),
    "amounts of uneven spread": (gm.losses.squared_error(), lambda rng, x: x + rng.normal(size=len(x)) * (1 + x**2)),
    "counts": (gm.losses.poisson(), lambda rng, x: rng.poisson(np.exp(x) * rng.gamma(2, 0.5, len(x))) * 1.0),
}


@pytest.mark.parametrize("name", LOSSES)
def test_intervals_of_coefficients_cover_what_they_estimate(name: str) -> None:
    loss, drawn = LOSSES[name]
    inside = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=500)
        given = table_of({"x": x})
        cases, matrix = Cases(given, drawn(rng, x)), encoding(given, ["x"])
        scorer = linear_fit(loss, matrix(given), cases, 1e-8).scorer
        (one,) = coefficients(loss, matrix, scorer, cases, 1e-8)
        inside.append(one.value.low <= x.std() <= one.value.high)
    assert np.mean(inside) >= 0.89


def test_least_squares_have_the_intervals_that_books_print() -> None:
    """The third estimator of MacKinnon and White: residuals divided by what their rows leave of themselves."""
    study = gm.run(table(), "y", loss="squared_error", exclude=("c", "day", "noise"), protocol="holdout")
    fitted, trained = study.prepared.fit, study.trained
    scorer = linear_fit(trained.loss, trained.encoding(fitted.table), fitted, 0.0).scorer
    found = coefficients(trained.loss, trained.encoding, scorer, fitted, 0.0)
    matrix = np.column_stack([trained.encoding(fitted.table), np.ones(len(fitted))])
    bread = np.linalg.inv(matrix.T @ matrix)
    left = 1 - ((matrix @ bread) * matrix).sum(axis=1)
    meat = matrix * ((fitted.y - scorer(trained.encoding(fitted.table))) / left)[:, None]
    spread = bread @ (meat.T @ meat) @ bread
    np.testing.assert_allclose([one.value.standard_error for one in found], np.sqrt(np.diag(spread))[:-1], rtol=1e-6)


def test_a_loss_without_curvature_has_no_intervals() -> None:
    study = gm.run(table(), "y", loss="absolute_error")
    sentences = [one.sentence for effect in study.effects.each for one in effect.coefficients]
    assert sentences
    assert all("no interval" in sentence for sentence in sentences)


def test_curves_are_mean_predictions_with_the_column_set() -> None:
    study = studied("linear amounts")
    rows = {name: values[:300] for name, values in study.prepared.report.table.columns.items()}
    for one in study.effects.each:
        assert one.curve is not None
        if one.feature in ("x", "c"):
            for place, mean in zip(one.curve.places, one.curve.means, strict=True):
                held = {
                    **rows,
                    one.feature: np.full(len(rows["x"]), place, dtype=object if one.feature == "c" else float),
                }
                assert study.model.predict(held).mean() == pytest.approx(mean)


@pytest.mark.parametrize("name", STUDIES)
def test_the_report_the_document_and_the_terminal_say_the_same(name: str, tmp_path: Path) -> None:
    study = studied(name)
    write(study, tmp_path)
    document = json.loads((tmp_path / "report.json").read_text())["effects"]["columns"]
    page, text = (tmp_path / "report.html").read_text(), " ".join(summary(study, [], width=10_000).split())
    assert [one["feature"] for one in document] == [one.feature for one in study.effects.each]
    for one in study.effects.each[:3]:
        assert one.sentence in text
    for one in study.effects.each:
        assert f"What if {one.feature} had one value" in page
        for coefficient in one.coefficients:
            assert f"{coefficient.value.value:+.3g}{coefficient.interval}" in page
