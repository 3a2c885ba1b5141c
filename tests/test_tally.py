"""Is the tally of all rows the sum of the tallies of its parts, to the last bit, and does it say what the rows
say?"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodmeasure import losses
from goodmeasure.calibrating.calibration import calibration
from goodmeasure.decisions.costs import Costs, CostsDoNotFit
from goodmeasure.decisions.curves import curves
from goodmeasure.decisions.decision import decide, expected_cost
from goodmeasure.errors import NothingToAverage, UsageError
from goodmeasure.risks.risk import compare, risk
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.statistics.row_arguments import (
    MissingScore,
    OneClassOnly,
    OutOfRange,
    ScoreOutsideUnitInterval,
    UnknownLabel,
)
from goodmeasure.tallying import accumulate, readings
from goodmeasure.tallying.accumulate import tally
from goodmeasure.tallying.counted import Counted, Reading
from goodmeasure.tallying.grid import MOST_ROWS, SCORE_CELLS, amount_cells, count_scores, score_cells, score_edges
from goodmeasure.tallying.serialise import StateUnreadable
from goodmeasure.tallying.tally import DifferentTallies, Tally

LOG, BRIER = losses.binary_cross_entropy(), losses.binary_brier()
COSTS = Costs(false_negative=40, false_positive=5)


def outcome_rows(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    p = rng.random(n)
    return {
        "y": (rng.random(n) < p) * 1.0,
        "z": np.log(p / (1 - p)),
        "w": rng.choice([0.25, 1.0, 1 / 3], n),
        "cluster": rng.integers(0, 40, n),
        "group": rng.choice(["north", "south"], n),
    }


def of(rows: dict[str, np.ndarray], at: object = slice(None), **more: object) -> Tally:
    z = {"a": rows["z"][at], "b": 2 * rows["z"][at]}
    return tally([LOG, BRIER], rows["y"][at], z, **{name: rows[column][at] for name, column in more.items()})


EVERYTHING = {"sample_weight": "w", "cluster": "cluster", "group": "group"}

# --- exact sums ---

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=40), st.randoms(use_true_random=False), st.integers(0, 40))
@settings(max_examples=150, deadline=None)
def test_sums_are_exact_for_all_finite_doubles_in_any_order(values: list[float], random: object, cut: int) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)
    whole, left, right = ExactSums(1), ExactSums(1), ExactSums(1)
    whole.add(np.array(values, dtype=float))
    left.add(np.array(shuffled[:cut], dtype=float))
    right.add(np.array(shuffled[cut:], dtype=float))
    merged, one = right.merge(left).canonical(), whole.canonical()
    assert np.array_equal(merged.limbs, one.limbs)
    assert merged.first == one.first or not one.limbs.size
    exact = sum(map(Fraction, values), Fraction(0))
    try:
        assert whole.totals()[0] == float(exact)
    except OverflowError:
        assert math.isinf(whole.totals()[0])


@given(st.lists(finite, max_size=40), st.integers(0, 3000))
@settings(max_examples=150, deadline=None)
def test_a_column_sums_to_the_same_limbs_as_its_values(values: list[float], repeated: int) -> None:
    column = np.concatenate(
        [np.array(values, dtype=float), np.full(repeated if values else 0, values[0] if values else 0)]
    )
    apart, together = ExactSums(2), ExactSums(2)
    apart.add(column, np.ones(len(column), dtype=np.intp))
    together.add_column(column, 1)
    assert same(apart, together)


@given(st.lists(st.floats(-(2.0**511), 2.0**511), max_size=40), st.integers(0, 2000))
@settings(max_examples=100, deadline=None)
def test_moments_are_the_column_and_its_square(values: list[float], ones: int) -> None:
    column = np.concatenate([np.array(values, dtype=float), np.ones(ones)])
    apart, together = ExactSums(2), ExactSums(2)
    apart.add_column(column, 0)
    apart.add_column(column * column, 1)
    assert together.add_moments(column, 0)
    assert same(apart, together)


def same(a: ExactSums, b: ExactSums) -> bool:
    """Whether two sums are the same bits."""
    mine, theirs = a.canonical(), b.canonical()
    return np.array_equal(mine.limbs, theirs.limbs) and (mine.first == theirs.first or not mine.limbs.size)


@pytest.mark.parametrize("lost", [math.nan, math.inf])
def test_nothing_is_added_of_a_column_that_is_not_finite(lost: float) -> None:
    sums, column = ExactSums(2), np.append(np.ones(5000), lost)
    assert not sums.add_moments(column, 0)
    with pytest.raises(OverflowError):
        sums.add_column(column, 0)
    assert not sums.totals().any()


def test_a_sum_has_one_form_whatever_was_added_and_taken_off_on_the_way() -> None:
    short, long = ExactSums(1), ExactSums(1)
    short.add(np.array([2.0**60, 256 - 2.0**60]))
    long.add(np.array([2.0**60, 256 - 2.0**60, 5e-324, -5e-324]))
    assert same(short, long)


def test_a_sum_begins_at_the_limb_of_its_lowest_bit() -> None:
    """Limbs hold 32 bits, and the first begins at the smallest number there is; whatever the exponent."""
    for lowest in range(1074 + 1024):
        sums = ExactSums(1)
        sums.add(np.array([2.0 ** (lowest - 1074)]))
        form = sums.canonical()
        assert form.first == max(lowest // 32 - (lowest % 32 < 30), 0)
        assert form.totals()[0] == 2.0 ** (lowest - 1074)


def test_sums_survive_many_carries() -> None:
    sums = ExactSums(1)
    for _ in range(40):
        sums.add(np.full(10_000, -1.7976931348623157e308))
        sums._added = 1 << 31  # as if half a billion rows had been added
        sums.add(np.full(10_000, 1.7976931348623157e308))
    sums.add(np.array([5e-324, 1.0]))
    assert sums.totals()[0] == 1.0
    with pytest.raises(OverflowError):
        sums.add(np.array([math.inf]))


# --- the grid ---


@given(st.floats(0, 1))
@settings(max_examples=300, deadline=None)
def test_a_score_lies_in_the_cell_of_its_edges(p: float) -> None:
    assert score_cells(np.array([p]))[0] == np.searchsorted(score_edges(), p, side="right") - 1


def test_edges_are_members_of_their_cells() -> None:
    assert np.array_equal(score_cells(score_edges().copy()), np.arange(SCORE_CELLS))
    before = np.nextafter(score_edges()[1:], -1)
    assert np.array_equal(score_cells(before), np.arange(SCORE_CELLS - 1))


@pytest.mark.parametrize("p", [0.0, 2.0**-33, 0.3, 0.5, 1.0])
def test_a_cell_holds_more_rows_than_are_counted_at_once(p: float) -> None:
    n = 3 * MOST_ROWS + 5
    counts, places = np.zeros((2, SCORE_CELLS, 2), dtype=np.int64)
    count_scores(np.full(n, p), np.arange(n, dtype=np.int8) % 2, counts, places)
    cell = score_cells(np.array([p]))[0]
    assert counts[cell].tolist() == [n - n // 2, n // 2]
    assert places[cell].tolist() == [round(p * 2**32) * (n - n // 2), round(p * 2**32) * (n // 2)]
    assert counts.sum() == n


@given(st.lists(finite, min_size=2, max_size=30))
@settings(max_examples=100, deadline=None)
def test_cells_of_amounts_ascend(values: list[float]) -> None:
    assert (np.diff(amount_cells(np.sort(np.array(values)))) >= 0).all()


# --- one state ---


@given(st.integers(0, 10**6), st.integers(1, 120), st.lists(st.integers(0, 120), max_size=3), st.booleans())
@settings(max_examples=30, deadline=None)
def test_any_partition_and_order_give_the_same_bytes(seed: int, n: int, cuts: list[int], everything: bool) -> None:
    rows, more = outcome_rows(n, seed), EVERYTHING if everything else {}
    order = np.random.default_rng(seed).permutation(n)
    parts = [of(rows, part, **more) for part in np.split(order, sorted(cuts))]
    total = parts[-1]
    for part in parts[:-1]:
        total = total + part
    assert total.to_bytes() == of(rows, **more).to_bytes()


@pytest.mark.parametrize("more", [{}, EVERYTHING], ids=["plain", "everything"])
def test_the_length_of_blocks_does_not_matter(more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = outcome_rows(1000)
    rows["z"][[3, 500]] = rows["y"][[5, 3]] = math.nan
    rows["w"][7] = 0
    whole = of(rows, **more)
    monkeypatch.setattr(accumulate, "BLOCK", 96)
    assert of(rows, **more).to_bytes() == whole.to_bytes()
    assert sum(whole.excluded.values()) == (4 if more else 3)


def test_bytes_come_back_as_they_were() -> None:
    made = of(outcome_rows(500), **EVERYTHING)
    again = Tally.from_bytes(made.to_bytes(), [LOG, BRIER])
    assert again.to_bytes() == made.to_bytes()
    assert again.risk(LOG, "b") == made.risk(LOG, "b")
    assert again.calibration().to_dict() == made.calibration().to_dict()


@pytest.mark.parametrize("damage", ["cut", "flip", "alien", "empty"])
def test_damaged_bytes_are_refused(damage: str) -> None:
    data = of(outcome_rows(50)).to_bytes()
    broken = {"cut": data[:-7], "flip": data[:900] + bytes([data[900] ^ 1]) + data[901:], "alien": b"PAR1" + data}
    with pytest.raises(StateUnreadable) as refused:
        Tally.from_bytes(broken.get(damage, b""))
    assert refused.value.code == "GM720"


def test_tallies_of_different_things_do_not_add() -> None:
    rows = outcome_rows(50)
    with pytest.raises(DifferentTallies, match="count different things"):
        of(rows) + of(rows, sample_weight="w")
    with pytest.raises(DifferentTallies):
        tally(LOG, rows["y"], rows["z"]) + tally(BRIER, rows["y"], rows["z"])
    with pytest.raises(DifferentTallies):
        Tally.from_bytes(of(rows).to_bytes(), [BRIER])


# --- readings ---


@pytest.mark.parametrize("more", [{}, {"sample_weight": "w"}, {"cluster": "cluster"}, EVERYTHING], ids=str)
def test_risk_is_that_of_the_rows(more: dict[str, str]) -> None:
    rows = outcome_rows(3000)
    made = of(rows, **more)
    given_too = {name: rows[column] for name, column in more.items() if name != "group"}
    # A tally holds no third powers of rows, so its interval is Student's where they are not clustered.
    exact = risk(LOG, rows["y"], rows["z"], method="auto" if "cluster" in more else "normal", **given_too)
    paired = compare(BRIER, rows["y"], 2 * rows["z"], rows["z"], **given_too)
    for name in ("value", "low", "high", "standard_error"):
        assert getattr(made.risk(LOG, "a"), name) == pytest.approx(getattr(exact, name), rel=1e-9)
        if "cluster" in more or name not in ("low", "high"):
            assert getattr(made.compare("b", "a", BRIER), name) == pytest.approx(getattr(paired, name), rel=1e-9)
    assert made.compare("b", "a").verdict == "worse"
    assert made.compare("a", "b").verdict == "better"


def test_groups_are_parts_of_the_whole() -> None:
    rows = outcome_rows(2000)
    made = of(rows, group="group")
    north = rows["group"] == "north"
    assert made["north"].risk().value == pytest.approx(risk(LOG, rows["y"][north], rows["z"][north]).value, rel=1e-12)
    assert made["north"].n + made["south"].n == made.n == 2000
    with pytest.raises(UsageError, match="west"):
        made["west"]


def test_calibration_on_the_grid_is_close_to_that_of_rows() -> None:
    rows = outcome_rows(20_000)
    p = LOG.predict(2 * rows["z"])
    made, exact = of(rows).calibration(BRIER, "b"), calibration(rows["y"], p, BRIER)
    assert made.loss.value == pytest.approx(exact.loss.value, rel=1e-12)
    lost = exact.miscalibration.value - made.miscalibration.value
    assert -1e-9 <= lost <= made.miscalibration.grid_error + 1e-9
    assert made.error.value == pytest.approx(exact.error.value, abs=0.01)
    assert made.smooth_error.value == pytest.approx(exact.smooth_error.value, abs=1e-3)
    assert made.verdict == exact.verdict == "miscalibrated"


def test_the_threshold_is_within_its_certificate() -> None:
    for seed in range(5):
        rows = outcome_rows(2000, seed)
        p = LOG.predict(rows["z"])
        made, exact = of(rows).decide(COSTS, "a"), decide(rows["y"], p, COSTS)
        at_grid = expected_cost(rows["y"], p, COSTS, made.threshold.value).value
        best = expected_cost(rows["y"], p, COSTS, exact.threshold.value).value
        assert 0 <= at_grid - best <= made.threshold.grid_error + 1e-12
        for mine, theirs in zip((made.theory, *made.rules), (exact.theory, *exact.rules), strict=True):
            assert abs(mine.cost.value - theirs.cost.value) <= mine.cost.grid_error + 1e-12


@pytest.mark.parametrize(("n", "share"), [(100, 0.3), (300, 0.3), (1000, 0.05)])
@pytest.mark.parametrize("weighted", [False, True])
def test_how_far_a_cross_fitted_cost_is_from_that_of_rows_is_true(n: int, share: float, weighted: bool) -> None:
    """Rows and cells fall into other folds: of a hundred tables a few lie farther apart than is said, and not twice as far."""
    rng, apart = np.random.default_rng(0), []
    for _ in range(20):
        p = rng.beta(2 * share, 2 * (1 - share), n)
        y, w = (rng.random(n) < p) * 1.0, rng.uniform(0.5, 2, n) if weighted else None
        made, exact = tally(LOG, y, prediction=p, sample_weight=w).decide(COSTS), decide(y, p, COSTS, sample_weight=w)
        apart.append(abs(made.cost.value - exact.cost.value) / made.cost.grid_error)
        never = made.rule("never").versus_practice
        assert never.grid_error >= made.cost.grid_error
    assert np.mean(np.array(apart) > 1) <= 0.1
    assert max(apart) < 2


def test_more_rows_of_one_score_than_fit_are_refused_and_none_is_lost() -> None:
    """Sums of scores stand in 63 bits: where they would begin again from below, that is said."""
    one = tally(LOG, np.ones(4), prediction=np.full(4, 1.0)).state
    held = next(iter(one.scores.values()))
    held.places *= 2**28  # as of 2**30 rows
    less = next(iter(tally(LOG, np.ones(4), prediction=np.full(4, 0.5)).state.scores.values()))
    assert held.merge(less).places.max() == 2**62
    with pytest.raises(OutOfRange, match="more rows have one score"):
        held.merge(held)
    held.places[held.places > 0] = 2**63 - 1
    with pytest.raises(OutOfRange, match="more rows have one score"):
        held.add(np.ones(4), np.ones(4, dtype=np.int8), None)


@pytest.mark.parametrize("weighted", [False, True])
def test_what_a_rule_costs_is_what_the_rows_say_with_its_interval(weighted: bool) -> None:
    """To the last digits, where scores stand on the edges of the grid."""
    rng = np.random.default_rng(0)
    p = rng.integers(1, 32, 400) / 32
    y, w = (rng.random(400) < p) * 1.0, rng.integers(1, 4, 400) * 1.0 if weighted else None
    made, exact = tally(LOG, y, prediction=p, sample_weight=w).decide(COSTS), decide(y, p, COSTS, sample_weight=w)
    for name in ("theory", "half", "always", "never"):
        mine, theirs = (
            (c.value, c.low, c.high, c.standard_error, c.effective_n)
            for c in (made.rule(name).cost, exact.rule(name).cost)
        )
        assert mine == pytest.approx(theirs, rel=1e-9), name


def test_nobody_can_write_into_the_edges_of_the_grid() -> None:
    with pytest.raises(ValueError, match="read-only"):
        score_edges()[0] = 1.0


def test_half_the_pairs_of_a_cell_bound_what_the_grid_does_to_an_area() -> None:
    rows = outcome_rows(500)
    cell, event = score_cells(LOG.predict(rows["z"])), rows["y"] == 1
    tied = (cell[event][:, None] == cell[~event]).mean()
    assert of(rows).curves("a").area().grid_error == pytest.approx(tied / 2)


def test_curves_are_exact_at_the_edges() -> None:
    rows = outcome_rows(3000)
    p = LOG.predict(rows["z"])
    made, exact, edges = of(rows).curves("a"), curves(rows["y"], p), score_edges()[[1, 900, 1500, 1985, 2500, -5]]
    assert made.cost(edges) == pytest.approx(exact.cost(edges), abs=1e-15)
    assert np.array_equal(of(rows).cost_curve(edges, "a"), made.cost(edges))
    for curve in ("cost", "net_benefit", "recall", "precision"):
        mine, theirs = made.band(curve, edges), exact.band(curve, edges)
        assert mine.low == pytest.approx(theirs.low, abs=1e-12)
        assert mine.high == pytest.approx(theirs.high, abs=1e-12)
    assert abs(made.roc_area - exact.roc_area) <= made.area().grid_error
    assert made.area().standard_error == pytest.approx(exact.area().standard_error, rel=1e-3)
    with pytest.raises(OneClassOnly):
        tally(LOG, [1.0, 1.0], [0.5, 0.75]).curves()


def test_weights_reach_the_curves_of_a_tally() -> None:
    rows = outcome_rows(3000)
    made = of(rows, sample_weight="w").curves("a")
    exact, edges = curves(rows["y"], LOG.predict(rows["z"]), sample_weight=rows["w"]), score_edges()[[900, 1985, 2500]]
    mine, theirs = made.band("net_benefit", edges), exact.band("net_benefit", edges)
    assert mine.low == pytest.approx(theirs.low, abs=1e-12)
    assert made.area().effective_n == pytest.approx(exact.area().effective_n, rel=1e-12)


def test_classes_and_amounts() -> None:
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(4000, 3)), rng.integers(0, 3, 4000)
    made = tally(losses.cross_entropy(), y, z)
    assert made.risk().value == pytest.approx(float(losses.cross_entropy()(y, z)), rel=1e-12)
    assert made.calibration().verdict == "miscalibrated"
    assert len(made.state.scores) == 4
    x = rng.normal(size=4000)
    right = tally(losses.squared_error(), x + rng.normal(size=4000), x)
    off = tally(losses.squared_error(), x + rng.normal(size=4000), 1.3 * x)
    assert right.bias().squared_error.low <= 0 < off.bias().squared_error.low
    with pytest.raises(UsageError):
        right.decide(COSTS)


# --- bad input ---


def test_rows_that_cannot_be_counted_are_counted_as_such() -> None:
    rows = outcome_rows(100)
    rows["z"][3] = rows["y"][5] = math.nan
    rows["w"][7] = 0
    made = of(rows, sample_weight="w")
    assert made.excluded == {"missing score": 1, "missing target": 1, "no weight": 1}
    assert made.n == 97
    assert "1 rows left out: missing score" in str(made.risk())
    nothing = tally(LOG, [math.nan], [0.0])
    with pytest.raises(NothingToAverage):
        nothing.risk()


def test_infinite_losses_make_the_risk_infinite_and_are_counted() -> None:
    found = tally(LOG, [0.0, 1.0, 1.0], [-1.0, 2.0, -math.inf]).risk()
    assert math.isinf(found.value)
    assert "1 row costs infinity" in str(found)


def test_bad_scores_and_labels_are_refused() -> None:
    with pytest.raises(ScoreOutsideUnitInterval):
        tally(LOG, [0.0, 1.0], prediction=[0.5, 5.75])
    with pytest.raises(UnknownLabel):
        tally(LOG, [0.0, 2.0], [0.5, 0.75])
    with pytest.raises(UsageError):
        tally(LOG, [0.0, 1.0], np.zeros((2, 3)))
    with pytest.raises(OneClassOnly):
        tally(LOG, [1.0, 1.0], [0.5, 0.75]).decide(COSTS)
    with pytest.raises(CostsDoNotFit):
        tally(LOG, [0.0, 1.0], [0.5, 0.75]).decide(Costs(false_negative=np.ones(2), false_positive=1))


@pytest.mark.parametrize("spread", [0.0, 1.0, 2.0], ids=["equal weights", "unequal weights", "very unequal weights"])
def test_a_tuned_threshold_costs_what_it_costs_on_rows_however_unequal_weights_are(spread: float) -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    y, w = (rng.random(500) < p**1.3) * 1.0, np.exp(spread * rng.normal(size=500))
    counted = tally(losses.binary_brier(), y, prediction=p, sample_weight=w)
    costs = Costs(false_negative=7, false_positive=2)
    of_rows = [decide(y, p, costs, sample_weight=w, seed=seed).cost.value for seed in range(30)]
    of_tally = [counted.decide(costs, seed=seed).cost.value for seed in range(30)]
    error = np.hypot(np.std(of_rows), np.std(of_tally)) / np.sqrt(30)
    assert abs(np.mean(of_tally) - np.mean(of_rows)) <= 4 * error + counted.decide(costs).cost.grid_error


def test_the_interval_of_a_bias_lies_around_it() -> None:
    y = np.random.default_rng(0).normal(size=500)
    found = tally(losses.squared_error(), y, np.full(500, 0.3)).bias()
    off, half = 0.3 - y.mean(), 1.96 * y.std() / np.sqrt(500)
    assert (found.low[0], found.bias[0], found.high[0]) == pytest.approx((off - half, off, off + half), abs=0.05 * half)


@pytest.mark.parametrize(
    ("loss", "z"), [(losses.poisson(), 1000.0), (losses.huber(), np.inf), (losses.welsch(), -np.inf)], ids=repr
)
def test_a_prediction_that_is_no_number_is_refused_by_its_name(loss: losses.Loss, z: float) -> None:
    with pytest.raises(MissingScore, match=r"predictions holds -?inf"):
        tally(loss, [1.0, 2.0, 0.5], [1.0, z, 1.0])


@pytest.mark.parametrize("weighted", [False, True])
def test_deals_of_many_rows_are_told_from_the_cells_that_they_may_cut_apart(weighted, monkeypatch) -> None:
    """The cells that are left out of them are cut alike by every deal, so the spread is that of all cells."""
    rng, n = np.random.default_rng(4), readings.MANY + 10_000
    p = rng.beta(0.5, 3, n)
    y, w = (rng.random(n) < p) * 1.0, rng.uniform(0.5, 2, n) if weighted else None
    held = Counted.of(tally(LOG, y, prediction=p, sample_weight=w).state.scores["model"], Reading())
    priced = readings._Priced(held, COSTS, readings._Prices.of(COSTS), 0.95)
    some = readings._in_doubt(held, priced.price)
    assert 10 < some.stop - some.start < readings.SCORE_CELLS / 4
    cuts = [priced.practice([1, deal]) for deal in range(60)]
    assert min(cut.first for cut in cuts) > some.start
    assert max(cut.last for cut in cuts) < some.stop
    monkeypatch.setattr(readings, "DEALS", 300)
    near = priced.spread_of_deals(0)
    monkeypatch.setattr(readings, "MANY", n + 1)
    assert near == pytest.approx(priced.spread_of_deals(0), rel=0.25)
