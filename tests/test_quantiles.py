"""Several quantiles at once: do they never cross, is each the best of its level, and do they go through all floors?"""

from __future__ import annotations

import csv
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.choosing.functionals import AskDoesNotFit
from goodmeasure.cli import status_of
from goodmeasure.cli._evidence import losses_from
from goodmeasure.decisions.costs import CostsDoNotFit
from goodmeasure.errors import HyperparameterError, UsageError
from goodmeasure.fitting.certificate import Status
from goodmeasure.formulas.activations import exchanges
from goodmeasure.study.study import Study

LEVELS = (0.1, 0.5, 0.9)
MANY = (0.05, 0.2, 0.4, 0.45, 0.8, 0.99)
RISING = [gm.losses.interval(), gm.losses.quantiles(), gm.losses.quantiles(levels=MANY)]
rising = pytest.mark.parametrize("loss", RISING, ids=lambda loss: f"{len(loss.levels)} of {loss.spelling.factory}")


def rows(n: int = 400, seed: int = 0) -> dict[str, Any]:
    """A target whose spread grows with a column."""
    random = np.random.default_rng(seed)
    x, u = random.normal(size=n), random.uniform(size=n)
    return {"x": x, "u": u, "y": 1 + x + (0.3 + u) * random.standard_t(5, n)}


# --- the language ---


@pytest.mark.parametrize("count", range(2, 11))
def test_exchanges_put_all_numbers_in_order(count: int) -> None:
    for given in itertools.product((0, 1), repeat=count):  # what sorts zeros and ones sorts all numbers
        found = list(given)
        for i, j in exchanges(count):
            found[i], found[j] = min(found[i], found[j]), max(found[i], found[j])
        assert found == sorted(given)


@rising
def test_predictions_never_cross_and_cost_no_more_than_raw_outputs(loss: gm.Loss) -> None:
    random = np.random.default_rng(1)
    z = random.normal(size=(300, len(loss.levels))) * 3
    said, y = loss.predict(z), random.normal(size=300)
    assert np.array_equal(said, np.sort(z, axis=1))
    assert (loss.value(y, loss.raw(said)) <= loss.value(y, z) + 1e-12).all()
    assert np.isnan(loss.predict([[np.nan, *z[0, 1:]], z[1]])).any(axis=1).tolist() == [True, False]


@rising
def test_a_best_constant_is_the_quantile_of_each_level(loss: gm.Loss) -> None:
    y = np.random.default_rng(2).normal(size=1001)
    assert loss.best_constant(y) == pytest.approx(np.quantile(y, loss.levels), abs=0.05)


def test_the_loss_is_the_mean_of_pinball_losses_and_an_interval_a_multiple() -> None:
    random = np.random.default_rng(3)
    y, z = random.normal(size=200), random.normal(size=(200, 3))
    each = [gm.losses.pinball(level=level).value(y, z[:, k]) for k, level in enumerate(LEVELS)]
    assert gm.losses.quantiles().value(y, z) == pytest.approx(np.mean(each, axis=0))
    ends = np.sort(z[:, :2], axis=1)
    scored = gm.losses.interval(level=0.8).value(y, ends)
    assert scored == pytest.approx(20 * gm.losses.quantiles(levels=(0.1, 0.9)).value(y, ends))


def test_twice_the_loss_of_many_levels_is_nearly_the_crps() -> None:
    from scipy.stats import norm

    levels = ((np.arange(6) + 0.5) / 6).tolist()
    y = np.linspace(-2, 2, 9)
    at = np.tile(norm.ppf(levels), (9, 1))
    exact = gm.losses.gaussian_crps().value(y, np.zeros((9, 2)))
    assert 2 * gm.losses.quantiles(levels=levels).value(y, at) == pytest.approx(exact, abs=0.06)


WRONG = [(0.5,), (0.5, 0.2), (0.3, 0.3), (0.0, 0.5), (0.5, 1.0), "0.1", 0.5, (True, 0.5), (0.1, "a"), None, {0.1, 0.9}]


@pytest.mark.parametrize("levels", [*WRONG, tuple(np.linspace(0.01, 0.99, 25))], ids=repr)
def test_levels_rise_and_are_at_least_two(levels: Any) -> None:
    with pytest.raises(HyperparameterError, match="levels"):
        gm.losses.quantiles(levels=levels)


@pytest.mark.parametrize("given", [list(LEVELS), np.array(LEVELS), LEVELS])
def test_levels_are_a_list_an_array_or_a_tuple(given: Any) -> None:
    made = gm.losses.quantiles(levels=given)
    assert made == eval(f"gm.losses.{made}")
    assert (made.levels, str(made)) == (LEVELS, "quantiles(levels=(0.1, 0.5, 0.9))")
    assert made.hyperparameters == gm.losses.quantiles().hyperparameters


def test_other_losses_predict_no_quantiles_in_order() -> None:
    assert [name for name, each in gm.losses.catalogue().items() if each().levels] == ["interval", "quantiles"]


# --- fits ---


@pytest.mark.parametrize("heavy", [False, True])
def test_fits_are_those_of_others_each_certified(heavy: bool) -> None:
    from sklearn.linear_model import QuantileRegressor
    from statsmodels.regression.quantile_regression import QuantReg

    random = np.random.default_rng(4)
    x = random.normal(size=(300, 2))
    y = x @ [1.0, -2.0] + (random.standard_cauchy(300) if heavy else random.normal(size=300))
    fitted = gm.LossRegressor(loss=gm.losses.quantiles(), alpha=0.0).fit(x, y)
    assert fitted.certificate_.status is Status.OPTIMAL
    raw = x @ fitted.coef_.T + fitted.intercept_
    for k, level in enumerate(LEVELS):
        pinball = gm.losses.pinball(level=level)
        theirs = QuantileRegressor(quantile=level, alpha=0.0, solver="highs").fit(x, y).predict(x)
        others = np.column_stack([np.ones(300), x])
        also = QuantReg(y, others).fit(q=level, max_iter=5000).predict(others)
        assert pinball(y, raw[:, k]) <= pinball(y, theirs) * (1 + 1e-7)
        assert pinball(y, raw[:, k]) <= pinball(y, also) * (1 + 1e-7)
    assert np.array_equal(fitted.predict(x), np.sort(raw, axis=1))


def test_lines_that_cross_are_put_in_order() -> None:
    """With few rows, lines of quantiles fitted each alone cross within the rows; what is predicted does not."""
    random = np.random.default_rng(5)
    x, y = random.normal(size=(30, 3)), random.normal(size=30)
    levels = (0.3, 0.4, 0.5, 0.6, 0.7)
    fitted = gm.LossRegressor(loss=gm.losses.quantiles(levels=levels), alpha=0.0).fit(x, y)
    raw = x @ fitted.coef_.T + fitted.intercept_
    assert (np.diff(raw, axis=1) < 0).any()
    assert (np.diff(fitted.predict(x), axis=1) >= 0).all()


# --- asked of the chooser and of a study ---


@pytest.mark.parametrize(
    "ask", ["quantiles=0.1,0.5,0.9", "quantile=.1,.5,.9", "quantiles: .9, .5, .1", "quantiles=(.1,.5,.9)"]
)
def test_the_chooser_names_the_loss_of_several_quantiles(ask: str) -> None:
    random = np.random.default_rng(6)
    assert gm.choose(random.normal(size=200), ask=ask).loss == gm.losses.quantiles(levels=LEVELS)
    positive = gm.choose(np.exp(random.normal(size=200)), ask=ask)
    assert [each.name for each in positive.loss.activation] == ["exp"] * 3
    assert positive.asks_for == "quantiles"
    assert "z of shape (rows, 3)" in positive.code()


@pytest.mark.parametrize(
    ("ask", "reason", "instead"),
    [
        ("quantiles", "several levels, each strictly between 0 and 1", "quantiles=0.1,0.5,0.9"),
        ("quantiles=0.5", "several levels", "quantile=0.5"),
        ("quantiles=0,0.5", "several levels", "quantiles=0.1,0.5,0.9"),
        ("quantiles=a,b", "several levels", "quantiles=0.1,0.5,0.9"),
        ("mean=0.1,0.2", "a mean has no level", "mean"),
    ],
)
def test_levels_that_make_no_quantiles_are_refused(ask: str, reason: str, instead: str) -> None:
    with pytest.raises(UsageError, match=reason) as refused:
        gm.choose([0.1, -1.0, 2.3, 4.0], ask=ask)
    assert refused.value.fix == f"ask={instead!r}"
    gm.choose([0.1, -1.0, 2.3, 4.0], ask=instead)


def test_several_quantiles_are_asked_of_amounts_and_without_costs() -> None:
    with pytest.raises(AskDoesNotFit):
        gm.choose(["a", "b", "a"], ask="quantiles=0.1,0.9")
    costs = gm.UnderOverCosts(under=3, over=1)
    with pytest.raises(CostsDoNotFit, match="one quantile"):
        gm.choose([0.1, -1.0, 2.3, 4.0], ask="quantiles=0.1,0.9", costs=costs)
    with pytest.raises(UsageError, match="one quantile"):
        gm.run(rows(), "y", loss=gm.losses.quantiles(), costs=costs)


CALLS = {
    "quantiles": (),
    "quantiles()": (),
    "quantiles(.1,.5,.9)": LEVELS,
    "quantiles( 0.1 , 0.5, 0.9 )": LEVELS,
    "quantiles(levels=(0.1, 0.5, 0.9))": LEVELS,
    "multi_quantile(.1,.5,.9)": LEVELS,
}


@pytest.mark.parametrize("text", CALLS)
def test_levels_are_typed_in_brackets(text: str) -> None:
    (found,) = losses_from([text])
    assert found == (gm.losses.quantiles(levels=CALLS[text]) if CALLS[text] else gm.losses.quantiles())


@pytest.mark.parametrize("text", ["quantiles(.5)", "quantiles(.9,.1)", "quantiles(levels=x)", "quantiles(a,b)"])
def test_what_is_no_levels_is_refused_with_a_fix_that_runs(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        losses_from([text])
    fix = refused.value.fix.removeprefix("--loss ").strip("'")
    assert losses_from([fix]) == (gm.losses.quantiles(levels=LEVELS),)


@pytest.fixture(scope="module", params=["linear", "boosting", "network"])
def study(request: pytest.FixtureRequest) -> Study:
    return gm.run(rows(), "y", loss=gm.losses.quantiles(), model=request.param, protocol="holdout")


def test_a_study_judges_each_quantile_by_its_share_of_rows(study: Study) -> None:
    below = [found for name, found in study.judged.shares.items() if "below" in name]
    report = study.prepared.report
    said = study.judged.prediction
    assert said.shape == (len(report), 3)
    assert (np.diff(said, axis=1) >= 0).all()
    for k, found in enumerate(below):
        assert found.value == pytest.approx(np.mean(report.y <= said[:, k]))
        assert found.low < found.value < found.high
    each = [
        study.plan.loss(report.y, deal.prediction) for deal in study.said
    ]  # in rising order, as they are handed over
    assert study.judged.report.value == pytest.approx(np.mean(each))
    assert study.to_dict()["calibration"]["shares"].keys() == study.judged.shares.keys()


def test_a_model_predicts_a_column_for_each_level_and_is_kept(study: Study, tmp_path: Path) -> None:
    study.model.save(tmp_path / "model.json")
    table = {name: column[:20] for name, column in rows(seed=9).items()}
    shown, _ = gm.load(tmp_path / "model.json").answers(table)
    assert list(shown) == ["quantile_0.1", "quantile_0.5", "quantile_0.9"]
    assert np.array_equal(np.column_stack(list(shown.values())), study.model.predict(table))


def test_a_linear_fit_is_certified() -> None:
    study = gm.run(rows(), "y", loss=gm.losses.quantiles(levels=(0.05, 0.25, 0.75)), protocol="holdout")
    assert study.trained.certificate is not None
    assert study.trained.certificate.status is Status.OPTIMAL


@pytest.mark.parametrize("ending", ["py", "sql"])
def test_an_exported_model_says_the_same(ending: str, tmp_path: Path) -> None:
    # Levels so near to each other that raw outputs cross.
    levels = (0.45, 0.5, 0.55, 0.6)
    held = rows(60, seed=5)
    model = gm.run(held, "y", loss=gm.losses.quantiles(levels=levels), protocol="holdout").model
    table = {name: column * 5 for name, column in rows(50, seed=8).items() if name != "y"}
    model.export(tmp_path / f"m.{ending}")
    text, expected = (tmp_path / f"m.{ending}").read_text(), model.predict(table)
    assert (np.diff(model.raw(table), axis=1) < 0).any()
    if ending == "py":
        known: dict[str, Any] = {}
        exec(text, known)
        found = [known["predict"]({name: float(c[i]) for name, c in table.items()}) for i in range(50)]
        told = np.array([list(each.values()) for each in found])
    else:
        import duckdb
        import pandas as pd

        rows_frame = pd.DataFrame(table)
        connection = duckdb.connect()
        connection.register("rows", rows_frame)
        told = connection.execute(text).df()[[f"quantile_{level:g}" for level in levels]].to_numpy()
    assert told == pytest.approx(expected, abs=1e-9)


def test_models_of_quantiles_and_of_one_amount_stand_beside_each_other() -> None:
    study = gm.run(rows(), "y", loss=[gm.losses.quantiles(), gm.losses.squared_error()], protocol="holdout")
    assert study.comparison is not None
    by = {each.measure: each for each in study.comparison.standings}
    assert len(by["squared_error()"].values) == 2  # of several quantiles the middle one
    assert len(by["quantiles()"].values) == 1
    assert "does not predict the quantiles 0.1, 0.5, 0.9" in " ".join(study.comparison.sentences)


def test_the_command_line_runs_and_predicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    held = rows()
    path, out = tmp_path / "t.csv", tmp_path / "out"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(held)
        writer.writerows(zip(*held.values(), strict=True))
    words = ["run", path, "--target", "y", "--loss", "quantiles(.05,.95)", "--protocol", "holdout", "--out", out]
    assert status_of([*map(str, words)]) == 0
    said = capsys.readouterr().out
    assert "at or below the 0.05 quantile: " in said
    assert "--cost" not in said  # several quantiles are no decision
    page = (out / "report.html").read_text()
    assert "rom the 0.05 to the 0.95 quantile: " in page
    assert status_of(["predict", str(out / "model.json"), str(path), "--out", str(tmp_path / "p.csv")]) == 0
    assert (tmp_path / "p.csv").read_text().startswith("quantile_0.05,quantile_0.95")
