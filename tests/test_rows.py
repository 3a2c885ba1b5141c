"""Have weight, absence and width one meaning, whichever door the rows come in by?"""

from __future__ import annotations

import dataclasses
import math
import re
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from good_calls import CALLS
from goodmeasure import losses
from goodmeasure.calibrating.calibration import Calibration
from goodmeasure.errors import Problem, ShapeMismatch, TargetOutsideDomain, WeightError
from goodmeasure.risks.risk import Risk
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import MissingScore
from row_entries import BCE, CE, DISPLAYED, ENTRIES, SQUARED, Entry, flat, table
from turns import by_turns

# Of an estimate, what tells how sure it is; the rest is what is estimated.
UNSURE = (
    *("low", "high", "n", "effective_n", "standard_error", "p_value", "method", "cautions", "verdict", "flat_low"),
    *("flat_high", "level", "effective_rows", "worst", "disagreements"),
)
# What takes noise off is as sure as its interval: it reads weights as intervals do.
DEBIASED = ("error", "squared_error", "smooth_error", "bias")
# What a row of weight zero may hold.
JUNK = {
    "yes": (math.nan, 7.0, None),
    "label": (math.nan, 99.0, -1.0),
    "amount": (math.nan, math.inf, None),
    "group": (None, "nobody", math.nan),
}


def all_entries(*without: str) -> Any:
    chosen = [e for e in ENTRIES if not any(getattr(e, flag) for flag in without)]
    return pytest.mark.parametrize("entry", chosen, ids=repr)


MEANT = [e for e in (*ENTRIES, *DISPLAYED) if e.meant]


def meant() -> Any:
    return pytest.mark.parametrize("entry", MEANT, ids=repr)


def with_junk(t: dict[str, Any], at: list[int]) -> dict[str, Any]:
    """The table with rows at these places that hold what no row may."""
    found = {}
    for name, column in t.items():
        junk = JUNK.get(name, (math.nan, math.inf, -math.inf))
        cells = list(column)
        for k, place in enumerate(sorted(at)):
            cell = junk[k % len(junk)]
            cells.insert(place, cell if np.ndim(column) == 1 else np.full(column.shape[1], cell))
        kind = object if any(c is None for c in junk[: len(at)]) or column.dtype == object else float
        found[name] = np.array(cells, dtype=kind)
    return found


def copied(t: dict[str, Any], k: Any) -> dict[str, Any]:
    return {name: np.repeat(column, k, axis=0) for name, column in t.items()}


def points(found: Any) -> dict[str, Any]:
    """The values of a result without what says how sure they are."""

    def unsure(path: str) -> bool:
        names = path.replace("[", ".").replace("]", "").split(".")
        return bool(set(names) & {*UNSURE, *DEBIASED}) or names[-2:] == ["curve", "weight"]

    return {path: value for path, value in flat(found).items() if not unsure(path)}


def same(a: dict[str, Any], b: dict[str, Any], rel: float = 1e-9) -> None:
    assert a.keys() == b.keys()
    for path, value in a.items():
        other = b[path]
        if isinstance(value, float | np.floating) and isinstance(other, float | np.floating):
            assert value == pytest.approx(other, rel=rel, abs=1e-11, nan_ok=True), path
        else:
            assert value == other, path


@cache
def usual(entry: Entry, *, uneven: bool = False) -> Any:
    """What an entry says of the table where all weights are one, or uneven: what several tests compare with."""
    t = table()
    return entry.call(t, uneven_weights(len(t["yes"])) if uneven else np.ones(len(t["yes"])))


def uneven_weights(n: int) -> Any:
    return np.random.default_rng(2).uniform(0.5, 2.0, n)


# --- weight zero ---


@all_entries()
def test_a_row_of_weight_zero_is_not_there(entry: Entry) -> None:
    t, places = table(), [0, 51, 122]
    full = with_junk(t, places)
    w = np.ones(len(full["yes"]))
    w[places] = 0
    found, alone = entry.call(full, w), usual(entry)
    if entry.excludes:
        found, alone = points(found), points(alone)
        found = {path: v for path, v in found.items() if "cautions" not in path}
        alone = {path: v for path, v in alone.items() if "cautions" not in path}
        same(found, alone)
    else:
        same(flat(found), flat(alone))


@all_entries()
def test_a_weight_of_one_is_no_weight(entry: Entry) -> None:
    t = table()
    same(flat(usual(entry)), flat(entry.call(t, None)))


# --- copies ---


@pytest.mark.parametrize("entry", [e for e in (*ENTRIES, *DISPLAYED[:2]) if not e.dealt], ids=repr)
def test_a_whole_weight_is_as_many_copies(entry: Entry) -> None:
    t = table()
    k = np.random.default_rng(1).integers(1, 4, len(t["yes"]))
    more = {"cluster": np.repeat(np.arange(len(k)), k)} if entry.folds else {}
    found, spelled = points(entry.call(t, k.astype(float))), points(entry.call(copied(t, k), None, **more))
    one_a_row = ".gradient"  # there are more rows of copies
    same(*({p: v for p, v in each.items() if not p.startswith(one_a_row)} for each in (found, spelled)))


@meant()
def test_weights_that_count_copies_are_rows_to_intervals_too(entry: Entry) -> None:
    if entry.folds or entry.dealt:
        pytest.skip("copies share a fold here")
    t = table()
    k = np.random.default_rng(1).integers(1, 4, len(t["yes"]))
    found, spelled = (
        flat(each) for each in (entry.call(t, k * 1.0, weights_mean="frequency"), entry.call(copied(t, k), None))
    )
    if entry.drawn:
        found, spelled = (
            {path: v for path, v in each.items() if path.rsplit(".", 1)[-1] in ("value", "n", "effective_n")}
            for each in (found, spelled)
        )
    drop = (".worst",)
    found, spelled = ({p: v for p, v in each.items() if not p.endswith(drop)} for each in (found, spelled))
    same(found, spelled, rel=1e-7)


@pytest.mark.parametrize(("entry", "factor"), by_turns(ENTRIES, (8.0, 1e160, 3.0, 1e-170)), ids=repr)
def test_scaling_all_weights_changes_nothing(entry: Entry, factor: float) -> None:
    t = table()
    w = uneven_weights(len(t["yes"]))
    if entry.excludes and not 1e-90 < factor < 1e90:
        with pytest.raises(Problem):
            entry.call(t, w * factor)
        return
    found, before = flat(entry.call(t, w * factor)), flat(usual(entry, uneven=True))
    for each in (found, before):
        for path in [p for p in each if ".weight" in p]:  # the weight of a point of a curve is in the unit of weights
            del each[path]
    same(found, before, rel=1e-6)


@pytest.mark.parametrize(("entry", "part"), by_turns(MEANT, (0.25, 0.5, 1.5, 2**-40)), ids=repr)
def test_copies_are_whole_numbers_everywhere(entry: Entry, part: float) -> None:
    """Refused by the index and the value; a tally holds sums, so it tells those."""
    t = table()
    n = len(t["yes"])
    w = np.ones(n)
    w[3], w[40:] = 0, 1 + part  # the first row of weight zero is not there, and numbers the others no differently
    told = r"sample_weight\[40\]" if not entry.excludes else "that were tallied are not"
    with pytest.raises(WeightError, match=told) as refused:
        entry.call(t, w, weights_mean="frequency")
    assert "whole numbers" in refused.value.what
    assert entry.excludes or f"{1 + part!r}" in refused.value.seen
    entry.call(t, w)


# Their weights move values alone, which have no interval; a tally says it when it is read; a plan knows shares.
POINTS_ALONE = {"tally", "choose", "audit", "explain_mean", "fit_linear"}
POINTS_ALONE |= {f"Loss.{name}" for name in ("__call__", "best_constant", "total", "value_and_gradient")}
POINTS_ALONE |= {
    f"{kind}.{name}"
    for kind in ("LossClassifier", "LossRegressor", "CostSensitiveClassifier", "CostSensitiveRegressor")
    for name in ("fit", "score")
}


def test_every_function_that_takes_weights_says_what_they_mean() -> None:
    taking = {name for name, (_, good) in CALLS.items() if "sample_weight" in good}
    saying = {name for name, (_, good) in CALLS.items() if "weights_mean" in good and "sample_weight" in good}
    assert {name for name in taking - saying if not re.match(r"Sklearn|.*\.start$", name)} <= POINTS_ALONE
    assert {"risk", "recalibrate", "calibration", "DecisionDisplay.from_predictions"} <= saying


# --- what is missing ---


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@all_entries("excludes")
def test_a_missing_target_is_refused_by_its_place(entry: Entry, bad: float) -> None:
    if not entry.target or entry.name in ("regressor", "classifier"):
        pytest.skip("no target, or scikit-learn's own words")
    t = table()
    full = with_junk(t, [3])
    w = np.ones(len(full["yes"]))
    w[3] = 0
    full[entry.target] = full[entry.target].copy()
    full[entry.target][40] = bad
    with pytest.raises(TargetOutsideDomain, match=r"\b40\b") as caught:
        entry.call(full, w)
    assert str(bad) in str(caught.value)


@all_entries("excludes")
def test_a_missing_prediction_is_refused_by_its_place(entry: Entry) -> None:
    if entry.name in ("regressor", "classifier") or entry.name.endswith("()") or "value_and" in entry.name:
        pytest.skip("a NaN raw output gives NaN, for that example only")
    for column in entry.scores:
        t = table()
        full = with_junk(t, [3])
        w = np.ones(len(full["yes"]))
        w[3] = 0
        full[column] = full[column].copy()
        full[column][40] = math.nan
        if entry.name == "total":
            assert math.isnan(entry.call(full, w))
            continue
        with pytest.raises(MissingScore, match=r"\b40\b"):
            entry.call(full, w)


# --- no words from what is not a number ---


UNKNOWN = Estimate(math.nan, math.nan, math.nan, 10, 10.0, "none")


@pytest.mark.parametrize("lost", ["value", "low", "high"])
def test_a_verdict_is_never_computed_from_nan(lost: str) -> None:
    known = {"value": -1.0, "low": -2.0, "high": -0.5} | {lost: math.nan}
    difference = Difference(**known, n=9, effective_n=9.0, method="none")
    assert difference.verdict.startswith("not known")
    assert difference.to_dict()["verdict"] == difference.verdict
    t = table()
    calibrated = gm.calibration(t["yes"], t["p"])
    assert dataclasses.replace(calibrated, squared_error=difference).verdict.startswith("not known")
    assert isinstance(calibrated, Calibration)
    decided = gm.decide(t["yes"], t["p"], gm.Costs(false_negative=5, false_positive=1))
    assert decided.verdict.startswith("act when p >= ")
    unknown = dataclasses.replace(decided, cost=UNKNOWN)
    assert unknown.verdict.startswith("not known")
    assert "act when" not in str(unknown)
    aligned = gm.signal(BCE, t["yes"], t["z"]).aligned
    assert aligned is not None
    assert dataclasses.replace(aligned, loss=difference).verdict.startswith("not known")


def test_of_two_infinite_losses_the_difference_is_not_known() -> None:
    y, z = np.array([1.0, 0.0, 1.0]), np.array([-math.inf, 0.0, 1.0])
    found = gm.compare(BCE, y, z, z)
    assert found.verdict.startswith("not known")
    assert gm.compare(BCE, y, z, np.zeros(3)).verdict == "worse"
    assert gm.risk(BCE, y, z, constant=-math.inf).versus_constant.verdict.startswith("not known")


def test_a_missing_target_is_no_amount() -> None:
    with pytest.raises(TargetOutsideDomain, match=r"y\[1\]"):
        gm.calibration([0.0, math.nan, 1.0, 0.0], [0.9, 0.9, 0.9, 0.9])


# --- how many classes there are ---


@pytest.mark.parametrize(
    "entry", [e for e in ENTRIES if e.target == "label" and "best" not in e.name and "fier" not in e.name], ids=repr
)
def test_the_outputs_say_how_many_classes_there_are(entry: Entry) -> None:
    t = table()
    kept = t["label"] < 2  # held-out rows without the last class
    part = {name: column[kept] for name, column in t.items()}
    for w in (None, np.ones(int(kept.sum()))):
        entry.call(part, w)


def test_the_best_constant_of_classes_that_do_not_occur() -> None:
    best = CE.best_constant([0, 1, 1], classes=4)
    assert best.shape == (4,)
    assert np.isneginf(best[2:]).all()
    assert len(losses.cross_entropy(class_weight=(1, 2, 3)).best_constant([0, 1])) == 3
    with pytest.raises(TargetOutsideDomain, match=r"target\[2\]"):
        CE.best_constant([0, 1, 2], classes=2)
    with pytest.raises(TargetOutsideDomain, match=r"target\[1\]"):
        CE.best_constant([0.0, math.nan, 1.0])
    assert gm.risk(CE, [0, 1, 1], np.zeros((3, 4))).constant == tuple(best)


def test_a_class_that_only_weightless_rows_have_is_none() -> None:
    x, y = np.arange(8.0)[:, None], np.array([0, 1, 0, 1, 0, 1, 0, 2])
    model = gm.LossClassifier().fit(x, y, np.array([1.0] * 7 + [0.0]))
    assert model.classes_.tolist() == [0, 1]


# --- numbers whose products leave the range of double precision ---


SIZES = st.sampled_from((-300, -170, -100, -3, 0, 3, 100, 160, 300)) | st.integers(-300, 300)


def _finite_or_said(call: Any) -> None:
    """A result without NaN where there is nothing undefined; or a problem with a code."""
    try:
        found = flat(call())
    except Problem:
        return  # with a code of its own
    for path, value in found.items():
        if isinstance(value, float) and math.isnan(value) and path.rsplit(".", 1)[-1] in ("value", "low", "high"):
            estimate = path.rsplit(".", 1)[0]
            assert f"{estimate}.cautions[0]" in found or "no interval" in found[f"{estimate}.method"], path


@pytest.mark.parametrize("entry", ENTRIES, ids=repr)
@settings(max_examples=3)
@given(exponents=st.lists(SIZES, min_size=3, max_size=3))
def test_weights_of_any_size(entry: Entry, exponents: list[int]) -> None:
    t = table(40)
    w = 10.0 ** np.resize(exponents, 40)
    _finite_or_said(lambda: entry.call(t, w))


@pytest.mark.parametrize("entry", [e for e in ENTRIES if e.target == "amount" or not e.target], ids=repr)
@settings(max_examples=4)
@given(exponent=SIZES, other=SIZES)
def test_amounts_of_any_size(entry: Entry, exponent: int, other: int) -> None:
    t = table(40)
    for names, power in ((("amount", "mu", "mu_old"), exponent), (("loss", "other_loss"), other)):
        for name in names:
            t[name] = t[name] * 10.0**power
    t["amount"] = t["amount"] + 10.0 ** min(exponent, other)
    _finite_or_said(lambda: entry.call(t, None))


@given(
    miss=SIZES,
    alarm=SIZES,
    right=st.sampled_from([0.0, -1.0]),
    ask=st.none() | SIZES,
)
def test_costs_of_any_size(miss: int, alarm: int, right: float, ask: int | None) -> None:
    t = table(40)

    def decided() -> Any:
        price = None if ask is None else 10.0**ask
        costs = gm.Costs(
            false_negative=10.0**miss, false_positive=10.0**alarm, true_positive=right * 10.0**miss, ask=price
        )
        made = gm.tally(BCE, t["yes"], t["z"]).decide(costs)
        return [gm.decide(t["yes"], t["p"], costs), made]

    _finite_or_said(decided)
    units = lambda: gm.UnderOverCosts(under=10.0**miss, over=10.0**alarm)  # noqa: E731
    _finite_or_said(lambda: gm.decide(t["amount"], t["mu"], units()))
    table_of_costs = np.array([[0.0, 10.0**miss, 1], [10.0**alarm, 0, 1], [1, 10.0**miss, 0]])
    _finite_or_said(lambda: gm.decide(t["label"], t["shares"], gm.ClassCosts(table_of_costs)))


def test_an_interval_keeps_its_width_at_any_size() -> None:
    t = table()
    found = gm.risk(losses.absolute_error(), t["amount"], t["mu"])
    for size in (1e-250, 1e250):
        scaled = gm.risk(losses.absolute_error(), t["amount"] * size, t["mu"] * size)
        assert scaled.low / size == pytest.approx(found.low)
        assert scaled.high / size == pytest.approx(found.high)
    heavy = np.full(len(t["yes"]), 1e160)
    assert BCE(t["yes"], t["z"], heavy) == pytest.approx(BCE(t["yes"], t["z"]), rel=1e-15)
    assert BCE.total(t["yes"], t["z"], heavy).mean == BCE(t["yes"], t["z"], heavy)
    beyond = SQUARED.total([1e150], [0.0], [1e100])
    assert beyond.sum > Fraction(10) ** 399
    assert (beyond + beyond).mean == pytest.approx(1e300)


# --- predictions in place of raw outputs ---


@pytest.mark.parametrize(
    ("loss", "y", "p"),
    [
        (BCE, "yes", "p"),
        (losses.binary_focal(), "yes", "p"),
        (losses.binary_cross_entropy(positive_weight=3.0), "yes", "p"),
        (CE, "label", "shares"),
        (losses.cross_entropy(class_weight=(1.0, 2.0, 3.0)), "label", "shares"),
        (SQUARED, "amount", "mu"),
        (losses.poisson(), "yes", "loss"),
        (losses.gamma(), "loss", "other_loss"),
    ],
    ids=repr,
)
def test_predictions_are_taken_as_the_loss_takes_them(loss: Any, y: str, p: str) -> None:
    t, w = table(), np.random.default_rng(3).integers(0, 3, 120).astype(float)
    expected = loss(t[y], prediction=t[p], sample_weight=w)
    found = gm.risk(loss, t[y], prediction=t[p], sample_weight=w)
    assert isinstance(found, Risk)
    assert found.value == pytest.approx(expected, rel=1e-13)
    both = gm.tally(loss, t[y], prediction={"a": t[p], "b": t[p]}, sample_weight=w)
    assert both.risk(model="a").value == pytest.approx(expected, rel=1e-13)
    assert gm.compare(loss, t[y], prediction=(t[p], t[p]), sample_weight=w).value == 0
    raw = gm.signal(loss, t[y], prediction=t[p], sample_weight=w)
    assert raw.n == int((w > 0).sum())
    if loss in (BCE, SQUARED):
        z = t["z"] if loss is BCE else t["mu"]
        same(flat(raw), flat(gm.signal(loss, t[y], z, w)), rel=1e-6)
    for call in (gm.risk, gm.signal, gm.tally):
        with pytest.raises(Problem, match="one of them"):
            call(loss, t[y])
        with pytest.raises(Problem, match="one of them"):
            call(loss, t[y], t[p], prediction=t[p])


def test_clipped_predictions_are_counted() -> None:
    y, p = np.array([1.0, 0.0, 1.0]), np.array([0.0, 0.2, 0.9])
    found = gm.risk(BCE, y, prediction=p, clip=1e-3)
    assert (found.clipped, found.infinite) == (1, 0)
    assert found.value == pytest.approx(BCE(y, prediction=np.clip(p, 1e-3, 1)))


# --- columns of pandas ---


def in_pandas(column: Any, order: Any) -> Any:
    """A column whose index tells in which order its rows stand."""
    made = pandas.Series(column) if np.ndim(column) == 1 else pandas.DataFrame(column)
    return made.iloc[order]


def entries_of_columns() -> Any:
    """Each entry with each of its columns, weights too, beside another that says in which order its rows stand."""
    chosen = [
        (entry, name) for entry in ENTRIES if entry.target and entry.scores for name in (*entry.scores, "sample_weight")
    ]
    return pytest.mark.parametrize(("entry", "name"), chosen, ids=repr)


@entries_of_columns()
def test_rows_in_another_order_are_refused(entry: Entry, name: str) -> None:
    t, n = table(), 120
    other = np.random.default_rng(0).permutation(n)
    columns = {each: in_pandas(column, np.arange(n)) for each, column in t.items()}
    weight = pandas.Series(np.ones(n))
    if name == "sample_weight":
        weight = weight.iloc[other]
    else:
        columns[name] = columns[name].iloc[other]
    with pytest.raises(ShapeMismatch, match="another order") as refused:
        entry.call(columns, weight)
    assert f"{refused.value.where}.to_numpy()" in refused.value.fix


@all_entries()
def test_weights_in_another_order_are_refused(entry: Entry) -> None:
    if not entry.target:
        pytest.skip("its columns are arrays already")
    t, n = table(), 120
    columns = {each: in_pandas(column, np.arange(n)) if each == entry.target else column for each, column in t.items()}
    with pytest.raises(ShapeMismatch, match="another order"):
        entry.call(columns, pandas.Series(np.ones(n)).iloc[::-1])


@all_entries()
def test_rows_that_are_numbered_anew_are_paired_as_they_stand(entry: Entry) -> None:
    t, n = table(), 120
    columns = {each: in_pandas(column, np.arange(n)) for each, column in t.items()}
    for k, column in enumerate(columns.values()):
        column.index = column.index + 1000 * (k % 2)
    same(flat(entry.call(t, None)), flat(entry.call(columns, None)))


# --- a loss is arithmetic ---


@pytest.mark.parametrize(("z", "mean"), [(math.nan, math.nan), (1e200, math.inf), (1e-200, 0.0), (1e154, 5e307)])
def test_the_mean_of_a_loss_is_arithmetic_and_what_judges_refuses_the_same_rows(z: float, mean: float) -> None:
    """Half of n squares of z: NaN of NaN, and infinite or 0 where the square is no number."""
    y, given = np.zeros(30), np.full(30, z) * np.arange(1, 31) / 30
    given[:15] = 0.0 if mean else given[:15]
    for found in (SQUARED(y[:2], [0.0, z]), SQUARED.value_and_gradient(y[:2], [0.0, z])[0]):
        assert found == pytest.approx(mean, nan_ok=True)
    if math.isfinite(mean) and mean:
        return
    for judge in (gm.risk, lambda *row: gm.compare(*row, given / 2)):
        with pytest.raises(Problem) as refused:
            judge(SQUARED, y, given)
        assert refused.value.code in ("GM702", "GM706")
    assert SQUARED([0.0, 0.0], [z, 1.0], [0, 1]) == 1.0
