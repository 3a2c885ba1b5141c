"""Does the main job choose, train, judge and decide as its protocol says?"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.decisions.costs import Costs, UnderOverCosts
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.tables import Table
from goodmeasure.risks.risk import averaged
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.study.cases import Cases
from goodmeasure.study.examples import example
from goodmeasure.study.folds import over_folds
from goodmeasure.study.judging import constant_for
from goodmeasure.study.split import few, split
from goodmeasure.study.split import folded as dealt
from goodmeasure.study.study import Study
from goodmeasure.study.verdict import hesitation, verdict
from turns import at_night


def table(n: int = 500, seed: int = 0) -> dict[str, np.ndarray]:
    """Three features, a yes/no, a count with its exposure, an amount, and three classes."""
    rng = np.random.default_rng(seed)
    a, b, c = rng.normal(size=(3, n))
    years = rng.uniform(0.2, 2, n)
    return {
        "a": a,
        "b": b,
        "c": c,
        "years": years,
        "hit": np.where(rng.random(n) < 1 / (1 + np.exp(2 - 2 * a - b)), "yes", "no").astype(object),
        "claims": rng.poisson(years * np.exp(-0.5 + 0.6 * a)).astype(float),
        "cost": np.exp(1 + 0.5 * b) * rng.gamma(3, 1 / 3, n),
        "score": 3 + a - 2 * b + rng.normal(size=n),
        "share": 1 / (1 + np.exp(-a - b - 0.5 * c)),
        "kind": np.array(["u", "v", "w"], dtype=object)[np.argmax([a, b, c] + 0.4 * rng.gumbel(size=(3, n)), axis=0)],
    }


TARGETS = ("hit", "claims", "cost", "score", "kind", "share")


def others_than(target: str) -> tuple[str, ...]:
    """The columns that a run on this target must not learn from."""
    return tuple(sorted({*TARGETS, "years"} - {target}))


@cache
def run(target: str, n: int = 500, seed: int = 0, **asked: object) -> Study:
    """A run on one target of the table, learning from the three features."""
    others = [name for name in others_than(target) if name != asked.get("exposure")]
    return gm.run(table(n, seed), target, exclude=tuple(others), **asked)


@pytest.mark.parametrize("model", ["linear", "boosting"])
@pytest.mark.parametrize("target", TARGETS)
def test_every_kind_of_target_is_learned_and_beats_the_best_constant(target: str, model: str) -> None:
    study = run(target, model=model)
    # One feature says little about a count of about one: there the interval may hold zero, and must then say so.
    versus = study.judged.report.versus_constant
    assert versus.verdict == "better" or (target == "claims" and versus.low < 0 < versus.high)
    assert study.judged.report.n == len(study.prepared.report)
    document = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    assert document["risk"]["report"]["value"] == pytest.approx(study.judged.report.value)


@pytest.mark.parametrize("target", ["hit", "cost", "score"])
def test_reported_rows_change_no_part_of_the_model(target: str) -> None:
    data = table()
    first = run(target)
    rows = first.prepared.split.report
    shuffled = {name: values.copy() for name, values in data.items()}
    for name in ("a", "b", "c"):
        shuffled[name][rows] = shuffled[name][rows][::-1]
    second = gm.run(shuffled, target, exclude=others_than(target))
    new = table(50, seed=9)
    assert np.array_equal(first.model.predict(new), second.model.predict(new))
    assert first.judged.report.value != second.judged.report.value


def test_reported_targets_have_no_say_in_the_loss() -> None:
    """Its scale is that of the rows to fit, though the first look that the split needs sees every target."""
    rng, n = np.random.default_rng(0), 3000  # enough for rows to be held out
    a = rng.normal(size=n)
    score = 10 + a + 0.5 * rng.normal(size=n)
    score[::20] += 30 * rng.normal(size=n // 20)
    first = gm.run({"a": a, "score": score}, "score", outliers="errors")
    rows = first.prepared.split.report
    score[rows] = 10 + 1.5 * (score[rows] - 10)
    second = gm.run({"a": a, "score": score}, "score", outliers="errors")
    assert first.prepared.plan.loss == second.prepared.plan.loss != gm.losses.huber()
    assert np.array_equal(first.model.predict({"a": a}), second.model.predict({"a": a}))


def test_the_reported_risk_is_the_loss_of_the_saved_model_on_the_reported_rows() -> None:
    study = run("hit", costs=Costs(false_negative=10, false_positive=1))
    report = study.prepared.report
    p = study.model.predict(report.table)
    by_hand = -np.log(np.where(report.y == 1, p, 1 - p)).mean()
    assert study.judged.report.value == pytest.approx(by_hand)
    constant = study.prepared.fitted.y.mean()
    flat = -np.log(np.where(report.y == 1, constant, 1 - constant)).mean()
    assert study.judged.report.constant_risk.value == pytest.approx(flat, rel=1e-6)


def test_an_exposure_multiplies_the_prediction() -> None:
    study = run("claims", n=2000, exposure="years")
    assert str(study.plan.loss) == "poisson()"
    new = table(5, seed=3)
    doubled = {**new, "years": 2 * new["years"]}
    assert study.model.predict(doubled) == pytest.approx(2 * study.model.predict(new))
    rate = study.prepared.fitted.y.sum() / study.prepared.fitted.exposure.sum()
    assert np.exp(study.judged.constant) == pytest.approx(rate, rel=1e-6)
    weights = study.model.scorer.coefficients[0]
    slope = weights[0] / study.prepared.fit.table["a"].std()
    assert slope == pytest.approx(0.6, abs=0.1)
    with pytest.raises(UsageError, match="effects multiply"):
        run("score", exposure="years")


@pytest.mark.parametrize("power", [-1.0, 0.0, 3.0])
def test_the_best_constant_rate_of_gamma_is_the_mean_rate(power: float) -> None:
    """However far it lies from the ratio of the means: exposures of a hundredth and a hundred, rates that go with them."""
    years = np.where(np.arange(1000) < 5, 100.0, 0.01)
    weight = 1.0 + np.arange(1000) % 3
    cases = Cases(Table({}, "", 1000), years**power, weight, years)
    rate = np.average(years**power / years, weights=weight)
    assert constant_for(gm.losses.gamma(), cases) == pytest.approx(np.log(rate), rel=1e-9)


def test_a_story_tells_what_the_run_is_asked() -> None:
    told = example("binary")
    missed, needless = map(float, re.findall(r"(?:to cost|biopsy) (\d+)", told.story))
    assert told.asked["costs"] == Costs(false_negative=missed, false_positive=needless)


def test_weights_are_rows_that_count_several_times() -> None:
    data = table(300)
    data["w"] = np.random.default_rng(5).integers(1, 4, 300).astype(float)
    study = gm.run(data, "score", weights="w", exclude=others_than("score"), protocol="holdout")
    report = study.prepared.report
    miss = (study.model.predict(report.table) - report.y) ** 2
    assert study.judged.report.value == pytest.approx(np.average(miss, weights=report.weight))


def test_rows_of_weight_zero_are_as_if_they_were_not_there() -> None:
    data = table(300)
    data["w"] = np.where(np.arange(300) < 100, 0.0, 1.0)
    held = {"weights": "w", "exclude": others_than("score"), "protocol": "holdout"}
    study = gm.run(data, "score", **held)
    assert "100 of 300" in next(r.what for r in study.remarks if r.code == "GM243")
    rest = {name: values[100:] for name, values in data.items()}
    again = gm.run(rest, "score", **held)
    assert study.judged.report.value == again.judged.report.value
    data["w"][:] = 0
    with pytest.raises(Problem, match="all weights are zero"):
        gm.run(data, "score", **held)


def test_costs_set_the_threshold_and_rules_are_compared_on_the_same_rows() -> None:
    costs = Costs(false_negative=9, false_positive=1)
    study = run("hit", n=1500, costs=costs)
    decided, report = study.decided, study.prepared.report
    assert decided.rule("costs").threshold == pytest.approx(0.1)
    p = study.model.predict(report.table)
    for name, threshold in (("costs", 0.1), ("half", 0.5), ("always", 0.0)):
        act = p >= threshold
        by_hand = np.where(act, costs.of_acting(report.y), costs.of_leaving(report.y)).mean()
        assert decided.rule(name).cost.value == pytest.approx(by_hand)
    assert decided.rule("half").versus_chosen.verdict == "worse"
    assert study.model.threshold == decided.threshold
    acted = study.model.decide(report.table) == "yes"
    assert np.array_equal(acted, p >= decided.threshold)
    assert decided.weighing.ratio == pytest.approx(9)
    assert decided.weighing.says > decided.weighing.plain_says + 0.1


def test_unit_costs_ask_for_the_quantile_and_it_costs_least() -> None:
    study = run("cost", n=2000, costs=UnderOverCosts(under=4, over=1))
    assert study.plan.level == pytest.approx(0.8)
    below = (study.prepared.report.y <= study.model.predict(study.prepared.report.table)).mean()
    assert below == pytest.approx(0.8, abs=0.06)
    assert study.decided.rule("one amount for all").versus_chosen.verdict == "worse"


def test_groups_and_times_are_kept_apart_and_intervals_know_it() -> None:
    data = table(900)
    data["house"] = np.random.default_rng(2).integers(0, 200, 900).astype(float)
    data["day"] = np.datetime64("2023-01-01") + np.random.default_rng(3).integers(0, 400, 900)
    others = others_than("score")
    grouped = gm.run(data, "score", group="house", exclude=(*others, "day"))
    houses = [set(data["house"][rows]) for rows in grouped.prepared.split.parts.values()]
    assert sum(map(len, houses)) == len(set().union(*houses))
    assert grouped.judged.report.method == "cluster-robust, corrected for skewness"
    ordered = gm.run(data, "score", time="day", exclude=(*others, "house"))
    assert data["day"][ordered.prepared.split.fit].max() < data["day"][ordered.prepared.split.report].min()
    assert ordered.judged.report.method == "time blocks, corrected for skewness"
    for study in (grouped, ordered):
        assert not {"house", "day"} & set(study.prepared.columns.features)


def test_one_column_is_excluded_by_its_name_alone():
    study = gm.run(table(300), "score", exclude="kind", protocol="holdout")
    assert "kind" not in study.model.columns


def test_a_test_table_is_what_is_reported() -> None:
    others = others_than("score")
    study = gm.run(table(300), "score", test=table(120, seed=4), exclude=others)
    assert study.judged.report.n == 120
    assert len(study.prepared.fit) + len(study.prepared.tune) == 300
    again = gm.run(table(300), "score", test=table(300), exclude=others)
    assert "GM222" in [r.code for r in again.remarks]
    assert again.verdict.word == "look first"


def test_identifiers_constants_and_answers_are_named() -> None:
    data = table(300)
    n = 300
    data |= {
        "id": np.arange(n) + 1000.0,
        "name": np.array([f"client {i * 7919}" for i in range(n)], dtype=object),
        "same": np.full(n, 7.0),
        "nothing": np.full(n, np.nan),
        "copy": data["score"] * 2 + 1,
        "far": np.where(np.arange(n) == 3, np.inf, data["a"]),
    }
    study = gm.run(data, "score", exclude=others_than("score"), protocol="holdout")
    codes = {r.code: r.what for r in study.remarks}
    assert {"GM232", "GM233", "GM234", "GM235"} <= set(codes)
    assert "'copy'" in codes["GM235"]
    assert "'far'" in codes["GM234"]
    assert {"id", "name", "same", "nothing"} <= set(study.prepared.columns.left_out)
    assert set(study.prepared.columns.features) == {"a", "b", "c", "copy", "far"}
    assert study.verdict.word == "look first"
    without = gm.run(data, "score", exclude=(*others_than("score"), "copy"), protocol="holdout")
    assert without.verdict.word != "look first"


def test_outliers_that_are_errors_bend_the_loss_on_the_residuals_and_are_not_swapped_in_silently() -> None:
    data = table(600)
    wrong = np.random.default_rng(1).random(600) < 0.03
    data["score"] = np.where(wrong, data["score"] + 400, data["score"])
    others = others_than("score")
    plain = gm.run(data, "score", exclude=others)
    assert str(plain.plan.loss) == "squared_error()"
    robust = gm.run(data, "score", exclude=others, outliers="errors")
    assert str(robust.plan.loss).startswith("huber(delta=")
    assert robust.plan.tails_of == "the residuals"
    assert 1 < robust.plan.loss.values["delta"] < 3
    new = table(200, seed=8)
    truth = 3 + new["a"] - 2 * new["b"]
    errors = [np.abs(study.model.predict(new) - truth).mean() for study in (plain, robust)]
    assert errors[1] < errors[0] / 4


def test_a_boosted_model_minimises_any_loss_and_is_saved_without_it(tmp_path: Path) -> None:
    study = run("cost", model="boosting", costs=UnderOverCosts(under=4, over=1), outliers="errors")
    assert study.judged.report.versus_constant.verdict == "better"
    study.model.save(tmp_path / "model.json")
    new = table(100, seed=9)
    np.testing.assert_array_equal(gm.load(tmp_path / "model.json").predict(new), study.model.predict(new))


def test_a_boosted_model_takes_no_exposure_but_as_a_weight() -> None:
    with pytest.raises(UsageError, match="knows no exposure"):
        run("cost", model="boosting", exposure="years", costs=UnderOverCosts(under=4, over=1))


def test_noise_is_not_called_better() -> None:
    words = []
    others = others_than("score")
    for seed in range(2):
        data = table(200, seed)
        data["score"] = np.random.default_rng(seed + 100).permutation(data["score"])
        study = gm.run(data, "score", exclude=others, seed=seed)
        words.append(study.verdict.word)
        versus = study.judged.report.versus_constant
        says = study.verdict.sentences[0]
        assert ("better" in says) == (versus.high < 0)
        assert ("worse" in says) == (versus.low > 0)
    assert set(words) <= {"do not use", "cannot tell yet"}


def test_missing_targets_are_left_out_and_infinite_ones_refused() -> None:
    data = table(300)
    others = others_than("score")
    data["score"][:20] = np.nan
    study = gm.run(data, "score", exclude=others)
    assert "20 of 300" in next(r.what for r in study.remarks if r.code == "GM240")
    assert len(study.prepared.report) == len(study.prepared.fit) + len(study.prepared.tune) == 280
    data["score"][33] = np.inf
    with pytest.raises(Problem, match="infinite") as caught:
        gm.run(data, "score", exclude=others)
    assert "row 34" in caught.value.where


def test_the_same_seed_gives_the_same_numbers_and_another_another_split() -> None:
    first, again, other = (
        gm.run(table(200), "score", exclude=others_than("score"), seed=seed, protocol="holdout").to_dict()
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first["risk"] != other["risk"]


# --- judged by folds ---


def folded(target: str = "score", n: int = 120, **asked: object) -> Study:
    return run(target, n=n, protocol="folds", **asked)


def test_each_row_is_judged_by_a_model_that_saw_neither_its_target_nor_its_features() -> None:
    data, others = table(120), others_than("score")
    first = gm.run(data, "score", exclude=others)
    split = first.prepared.split
    assert (split.folds, len(split.deals), first.judged.report.n) == (10, 3, 120)
    held = split.deals[0] == 4
    changed = {name: values.copy() for name, values in data.items()}
    changed["score"][held] += 5.0
    again = gm.run(changed, "score", exclude=others)
    assert np.array_equal(again.prepared.split.deals[0], split.deals[0])
    assert np.array_equal(again.judged.raw[held], first.judged.raw[held])
    assert not np.isclose(again.judged.raw[~held], first.judged.raw[~held]).any()


def test_the_model_that_is_handed_over_is_fitted_to_all_rows() -> None:
    study = folded()
    rows = study.prepared.fitted
    assert len(rows) == 120
    assert np.asarray(study.model.encoding(rows.table)).mean(axis=0) == pytest.approx(0, abs=1e-12)
    miss = study.model.predict(rows.table) - rows.y
    assert study.judged.fit.value == pytest.approx((miss**2).mean())
    assert study.judged.constant == pytest.approx(rows.y.mean())


def test_an_interval_from_folds_is_wider_by_what_the_folds_share() -> None:
    study = folded()
    found = study.judged.report
    values = np.mean([(study.judged.raw - study.prepared.report.y) ** 2], axis=0)
    assert found.value == pytest.approx(values.mean(), rel=0.05)  # the first of three deals
    assert found.method == "normal, corrected for skewness, 10 folds, 3 times (Nadeau and Bengio)"
    assert found.standard_error == pytest.approx(values.std() / np.sqrt(120) * np.sqrt(1 / 3 + 10 / 9), rel=0.1)
    for each in (found.versus_constant, found.skill, study.judged.metrics[0].report):
        assert "10 folds" in each.method
        assert each.n == 120


def test_folds_keep_groups_whole_and_intervals_know_them() -> None:
    data = table(200)
    data["house"] = np.random.default_rng(2).integers(0, 30, 200).astype(float)
    study = gm.run(data, "score", group="house", exclude=others_than("score"))
    for fold in study.prepared.split.deals:
        assert all(len(set(fold[data["house"] == house])) == 1 for house in set(data["house"]))
    assert study.judged.report.method.startswith("cluster-robust")
    assert study.judged.report.effective_n < 200


@pytest.mark.parametrize(
    ("target", "asked"),
    [
        ("hit", {"costs": Costs(false_negative=9, false_positive=1)}),
        ("claims", {"exposure": "years"}),
        at_night("cost", {"costs": UnderOverCosts(under=4, over=1)}, unless=False, id="amounts"),
        at_night("kind", {}, unless=False, id="classes"),
        ("hit", {"model": "boosting"}),
    ],
    ids=str,
)
def test_folds_judge_every_kind_of_target(target: str, asked: dict[str, object]) -> None:
    study = folded(target, n=160, **asked)
    document = json.loads(json.dumps(study.to_dict(), allow_nan=False))
    repeats = 1 if "model" in asked else 3
    assert document["protocol"] == {"name": "folds", "folds": 10, "repeats": repeats}
    assert study.judged.report.n == 160
    assert "each judged by models that did not see it" in str(study)
    if study.decided is not None:
        assert all("10 folds" in rule.cost.method for rule in study.decided.rules)
        assert all(rule.cost.low >= 0 for rule in study.decided.rules)


def test_folds_are_made_where_rows_are_few_and_nowhere_else() -> None:
    yes = np.arange(2000) % 50 == 0
    assert few(499, None, None)
    assert not few(500, None, None)
    assert few(2000, yes, None)
    assert not few(2000, np.arange(2000) % 3, None)
    assert few(2000, None, np.arange(2000) % 49)
    assert not few(2000, None, np.arange(2000) % 50)
    assert not few(100, None, np.arange(100) % 4)
    assert not few(20_001, np.arange(20_001) < 50, None)
    assert run("score", n=500).prepared.split.protocol == {"name": "holdout"}


def test_folds_that_would_see_the_future_or_another_table_are_refused() -> None:
    data = table(100)
    with pytest.raises(UsageError, match="future"):
        gm.run(data | {"day": np.arange(100.0)}, "score", time="day", protocol="folds")
    with pytest.raises(UsageError, match="table of its own"):
        gm.run(data, "score", test=data, protocol="folds")
    with pytest.raises(UsageError, match="no protocol"):
        gm.run(data, "score", protocol="nested")


def test_copies_in_two_folds_are_named() -> None:
    data = {name: np.concatenate([values, values[:40]]) for name, values in table(120).items()}
    study = gm.run(data, "score", exclude=others_than("score"))
    assert "rows of one fold equal rows of another" in next(r.what for r in study.remarks if r.code == "GM222")


def test_cannot_tell_is_a_word_of_its_own_and_says_what_would_tell() -> None:
    found = folded().judged
    split = folded().prepared.split

    def word(value: float, half: float, skill: float, events: int | None = None) -> tuple[str, str]:
        versus = Difference(value, value - half, value + half, 120, 120, "", standard_error=half / 2)
        gained = Estimate(skill, skill - 0.005, skill + 0.005, 120, 120, "")
        report = replace(found.report, versus_constant=versus, skill=gained, cautions=())
        told = verdict(replace(found, report=report), None, (), split, what="predictions", events=events)
        return told.word, told.following

    assert word(-1.0, 0.5, 0.5)[0] == "use"
    assert word(-1.0, 0.5, 0.001)[0] == "use"
    assert word(1.0, 0.5, -0.5)[0] == "do not use"
    assert word(-0.1, 0.5, 0.001)[0] == "do not use"
    assert word(1.0, 0.5, -0.5, events=9)[0] == word(-0.1, 0.5, 0.001, events=9)[0] == "cannot tell yet"
    assert "9 reported rows of the rarer label" in word(1.0, 0.5, -0.5, events=9)[1]
    assert word(1.0, 0.5, -0.5, events=10)[0] == "do not use"
    assert word(-1.0, 0.5, 0.5, events=9)[0] == "use"
    assert word(-0.4, 0.5, 0.1) == (
        "cannot tell yet",
        "bring more rows: about 370 rows like these (now 120) would tell a difference as large as the one seen, four "
        "times in five",
    )
    assert word(math.inf, math.nan, 0.1)[0] == "do not use"


def least_squares_words(slope: float, protocol: str, n: int = 150, runs: int = 60) -> list[str]:
    """The words for least squares on five features, one of which says something where the slope is not 0."""
    told, loss = [], gm.losses.squared_error()
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x = np.column_stack([np.ones(n), rng.normal(size=(n, 5))])
        y = slope * x[:, 1] + rng.normal(size=n)
        parts = split(n, seed=seed) if protocol == "holdout" else dealt(n, seed=seed, repeats=3)
        raws = []
        for fold in parts.deals or [np.isin(np.arange(n), parts.report).astype(int)]:
            raw = np.zeros(n)
            for k in range(1, 2) if not parts.deals else np.unique(fold):
                raw[fold == k] = x[fold == k] @ np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]
            raws.append(raw[parts.report])
        found = over_folds(averaged(loss, y[parts.report], raws, constant=y.mean()), parts)
        told.append((hesitation(found) or ("use", ""))[0])
    return told


def test_folds_tell_more_than_held_out_rows_and_nothing_from_nothing() -> None:
    """The nightly tables have all kinds of targets and sizes."""
    held, by_folds = (least_squares_words(0.6, protocol) for protocol in ("holdout", "folds"))
    assert by_folds.count("use") > held.count("use") + 10
    assert by_folds.count("do not use") == 0
    assert least_squares_words(0.0, "folds").count("use") <= 1


@pytest.mark.parametrize(
    ("p", "said"), [(0.0, "at most 0.001"), (1e-9, "at most 0.001"), (0.001, "at most 0.001"), (0.0021, "0.0021")]
)
def test_a_small_chance_is_not_said_as_if_it_were_known(p, said):
    from goodmeasure.study.verdict import _chance

    assert _chance(p) == said
