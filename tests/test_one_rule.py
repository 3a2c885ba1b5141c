"""What is special about rows (infinite, equal, tiny, absent, of another form) has one answer, whoever is asked."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.errors import NoSuchLoss, NoSuchReading, UsageError
from goodmeasure.making import host_names
from goodmeasure.statistics.row_arguments import OutOfRange
from goodmeasure.traits.sizes import is_hit_or_miss

BCE, SQUARED, ABSOLUTE = losses.binary_cross_entropy(), losses.squared_error(), losses.absolute_error()

# --- infinite losses ---

SURE = {"neither": ((), ()), "first": ((0,), ()), "second": ((), (0,)), "one row": ((0,), (0,)), "two": ((0,), (2, 4))}


@pytest.mark.parametrize("sure", SURE)
@pytest.mark.parametrize(("weighted", "clustered", "turned"), list(itertools.product([False, True], repeat=3)))
def test_a_difference_of_two_infinite_means_is_no_number(
    sure: str, weighted: bool, clustered: bool, turned: bool
) -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    scores = {name: rng.normal(size=60) for name in "ab"}
    for z, at in zip(scores.values(), SURE[sure], strict=True):
        z[list(at)] = np.inf  # these targets are 0
    more: dict[str, Any] = {"sample_weight": rng.uniform(1, 2, 60)} if weighted else {}
    more |= {"cluster": np.arange(60) // 3} if clustered else {}
    a, b = "ba" if turned else "ab"
    exact = gm.compare(BCE, y, scores[a], scores[b], **more)
    found = gm.tally(BCE, y, scores, **more).compare(a, b)
    assert (found.value, found.verdict[:9]) == (pytest.approx(exact.value, nan_ok=True), exact.verdict[:9])
    assert found.is_known == exact.is_known == (sure not in ("one row", "two"))


def test_score_gives_no_verdict_of_two_infinite_means(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "i.csv"
    place.write_text("y,a,b\n0,1,1\n" + "0,.6,.4\n1,.3,.8\n" * 30)
    for order in ("ab", "ba"):
        assert status_of(["score", str(place), "--y", "y", "--p", order[0], "--p", order[1]]) == 0
        said = capsys.readouterr().out
        assert "not known" in said
        assert "worse" not in said
        assert "better" not in said


# --- losses that are all equal, or happen to be 0 and 1 ---

ONES = np.r_[np.ones(30), np.zeros(10)]


@pytest.mark.parametrize("loss", [SQUARED, ABSOLUTE, losses.huber(delta=2.0)], ids=str)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_loss_of_amounts_has_one_interval_in_every_unit(loss: Any, weighted: bool) -> None:
    w = np.random.default_rng(0).integers(1, 4, 40).astype(float) if weighted else None
    y = np.arange(40.0)
    steps = [gm.risk(loss, y, y + step * ONES, sample_weight=w) for step in (1.0, 1.0 + 2**-20)]
    assert steps[0].low == pytest.approx(steps[1].low, rel=1e-5)
    assert steps[0].method == steps[1].method
    assert steps[0].high == pytest.approx(steps[1].high, rel=1e-5)
    with pytest.raises(UsageError, match="by its formula"):
        gm.risk(loss, y, y + ONES, method="exact")


def test_only_a_formula_of_0_and_1_is_a_share() -> None:
    shares = {name for name, definition in losses.catalogue().items() if is_hit_or_miss(definition())}
    assert shares == {"zero_one"}
    assert gm.risk(losses.zero_one(), [0, 1] * 20, [-1.0, 1.0] * 20).high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert not is_hit_or_miss(gm.weighted(losses.zero_one(), positive=2.0))


@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0, 1e6])
@pytest.mark.parametrize("how", ["rows", "weights", "copies", "clusters"])
def test_of_equal_losses_rows_and_tally_say_what_is_not_known(shift: float, how: str) -> None:
    y, w = np.random.default_rng(0).normal(size=40), np.arange(40.0) % 3 + 1
    rows = {"rows": {}, "clusters": {"cluster": np.arange(40) // 2}}.get(how, {"sample_weight": w})
    more = {"weights_mean": "frequency"} if how == "copies" else {}
    exact = gm.risk(ABSOLUTE, y, y + shift, **rows, **more)
    found = gm.tally(ABSOLUTE, y, y + shift, **rows).risk(**more)
    for one in (exact, found):
        assert one.high == np.inf
        assert 0 <= one.low <= one.value == pytest.approx(shift)
        assert "all rows cost the same" in str(one)
    assert found.low == pytest.approx(exact.low)


def test_of_equal_bounded_losses_the_bound_is_the_end() -> None:
    y, z = [0, 1] * 50, [-1.0, 1.0] * 50
    exact, found = gm.risk(losses.binary_brier(), y, z), gm.tally(losses.binary_brier(), y, z).risk()
    missed = 1 - 0.025 ** (1 / 100)
    assert exact.high == pytest.approx(exact.value + missed * (1 - exact.value)) == found.high
    assert exact.low == pytest.approx(exact.value * (1 - missed)) == found.low


@pytest.mark.parametrize("share", [0.02, 0.06, 0.08, 0.15])
def test_how_often_the_interval_of_equal_losses_misses_the_mean(share: float) -> None:
    """Rows that cost the bound are rare: of all samples, few hold none of them and say that there are fewer than there are."""
    rng, n, drawn = np.random.default_rng(0), 50, 2000
    equal = gm.risk(losses.welsch(), np.zeros(n), np.zeros(n))
    none_seen = rng.binomial(n, share, drawn) == 0
    missed = none_seen & (not equal.low <= share * 0.5 <= equal.high)
    assert missed.mean() <= 0.03


# --- losses that are too small to be numbers ---

SMALL: dict[str, Any] = {
    "risk": gm.risk,
    "risk of predictions": lambda loss, y, z: gm.risk(loss, y, prediction=z),
    "compare": lambda loss, y, z: gm.compare(loss, y, z, 2 * z),
    "signal": gm.signal,
    "tally": gm.tally,
    "tally with weights": lambda loss, y, z: gm.tally(loss, y, z, sample_weight=np.ones(len(y))),
}


@pytest.mark.parametrize("call", SMALL.values(), ids=SMALL)
def test_what_underflows_is_refused_and_nothing_else(call: Any) -> None:
    y = np.random.default_rng(0).normal(size=40)
    for loss in (SQUARED, losses.huber(delta=1.0), losses.expectile(level=0.8)):
        for exponent in (-170, -200, -300):
            with pytest.raises(OutOfRange, match="leave double precision"):
                call(loss, y * 10.0**exponent, y * 0.5 * 10.0**exponent)
        call(loss, y, y * 0.5)
        call(loss, y * 1e-60, y * 5e-61)
        call(loss, np.r_[1.0, y * 1e-170], np.r_[0.5, y * 5e-171])
        call(loss, y * 1e-170, y)


# --- rows of weight zero ---


@pytest.mark.parametrize("lost", [(), ("y",), ("z",), ("y", "z")], ids=str)
@pytest.mark.parametrize("by", [None, "group"])
def test_a_row_without_weight_is_counted_as_nothing_else(lost: tuple[str, ...], by: str | None) -> None:
    rng = np.random.default_rng(0)
    rows = {"y": np.arange(40.0) % 2, "z": rng.normal(size=40), "w": np.arange(40) % 4.0}
    for name in lost:
        rows[name][::4] = np.nan
    group = None if by is None else np.arange(40) // 20
    found = gm.tally(BCE, rows["y"], rows["z"], sample_weight=rows["w"], group=group)
    assert (found.n, found.excluded) == (30, {"no weight": 10})


# --- weights per label, and names ---


@pytest.mark.parametrize("call", SMALL.values(), ids=SMALL)
def test_weights_per_label_are_refused_alike(call: Any) -> None:
    with pytest.raises(NoSuchReading, match="of_label"):
        call(gm.weighted(BCE, positive=[3.0, 2.0]), np.eye(2), np.eye(2))


@pytest.mark.parametrize("table", [host_names.XGBOOST, host_names.LIGHTGBM], ids=["xgboost", "lightgbm"])
def test_objectives_of_boosters_lead_to_the_loss_that_is_spelled_so(table: dict[str, str]) -> None:
    for ours, spelled in table.items():
        found = losses.find(spelled.split('"')[1]).name
        assert found == ours or found.removeprefix("binary_") == ours, spelled


@pytest.mark.parametrize("name", ["auc", "F1", "IoU", "dice", "contrastive loss", "roc auc"])
def test_what_is_of_a_set_or_of_pairs_is_said_so(name: str) -> None:
    with pytest.raises(NoSuchLoss, match="no loss here is") as caught:
        losses.find(name)
    assert "a loss here is" in caught.value.seen


def test_names_that_are_no_text_and_the_divergence() -> None:
    assert losses.find("kullback leibler").name == "cross_entropy"
    for name in (None, 3, b"mse"):
        with pytest.raises(NoSuchLoss, match="by its name"):
            losses.find(name)  # type: ignore[arg-type]
