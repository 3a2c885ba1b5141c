"""Does the learning signal point the right way, how does it grow, who carries it, and does lowering the loss help?"""

from __future__ import annotations

import json

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.errors import NothingToAverage, ShapeMismatch, UsageError
from goodmeasure.making.loss import Loss
from goodmeasure.signals.observed import MetricAlignment, signal

RNG = np.random.default_rng(0)
N = 2000
Z = 2 * RNG.normal(size=N)
YES = (RNG.random(N) < 1 / (1 + np.exp(-Z))).astype(float)
REAL = Z + RNG.normal(size=N)


def names(loss: Loss, y: object = YES, z: object = Z) -> list[str]:
    return [side.name for side in signal(loss, y, z).sides]


def test_how_the_pull_grows_is_named_for_each_side() -> None:
    assert names(losses.binary_cross_entropy()) == ["saturating", "saturating"]
    assert names(losses.binary_brier()) == ["vanishing", "vanishing"]
    assert names(losses.zero_one()) == ["none", "none"]
    assert names(losses.squared_error(), REAL) == ["growing", "growing"]
    assert names(losses.absolute_error(), REAL) == ["saturating", "saturating"]
    assert names(losses.huber(), REAL) == ["saturating", "saturating"]
    assert names(losses.gamma(), np.exp(REAL), Z) == ["saturating", "growing"]
    assert names(losses.cross_entropy(), YES.astype(int), np.column_stack([0 * Z, Z])) == ["saturating"]


def test_brier_through_a_sigmoid_pulls_less_the_surer_it_is_wrong() -> None:
    (side, _) = signal(losses.binary_brier(), YES, Z).sides
    # The pull at probability p of what happened is 2 (1 - p)**2 p: .25 at p = .5, .02 at p = .01.
    p = 1 / (1 + np.exp(np.asarray(side.distances)))
    np.testing.assert_allclose(side.sizes, 2 * (1 - p) ** 2 * p / 0.25, rtol=1e-9)


def test_every_proper_loss_pulls_wrong_rows_toward_what_happened() -> None:
    for loss, y in (
        (losses.binary_cross_entropy(), YES),
        (losses.squared_error(), REAL),
        (losses.pinball(level=0.9), REAL),
    ):
        found = signal(loss, y, Z)
        assert found.directional is not None
        assert found.directional.value == 1
        assert found.directional.low > 0.99
        assert found.silent is not None
        assert found.silent.value == 0


@pytest.mark.parametrize("period", [360.0, 2 * np.pi, 24.0, 12.0])
@pytest.mark.parametrize("ahead", [0.0, 0.3, 0.77])
def test_on_a_circle_toward_is_the_shorter_way_round_wherever_zero_is(period: float, ahead: float) -> None:
    loss = losses.circular(period=period)
    y, miss = RNG.uniform(size=N), RNG.uniform(-0.45, 0.45, size=N)
    y, z = ((part + ahead) % 1 * period for part in (y, y + miss))
    found = signal(loss, y, z)
    assert found.directional is not None
    assert found.directional.value == 1
    assert np.sign(miss[np.abs(miss) > 0.01]) == pytest.approx(np.sign(loss.gradient(y, z)[np.abs(miss) > 0.01]))
    assert found.faint is not None
    # A slight error is a tenth of the usual one; the pull is the sine of the miss.
    near = 0.1 * np.median(np.abs(miss))
    weak = np.abs(np.sin(2 * np.pi * miss)) < 0.1 * np.sin(2 * np.pi * near)
    assert found.faint.value == pytest.approx(np.mean(weak[np.abs(miss) > near]), abs=0.002)
    assert [side.name for side in found.sides] == ["vanishing", "vanishing"]


def test_the_zero_one_loss_is_silent() -> None:
    found = signal(losses.zero_one(), YES, Z)
    wrong = int(np.sum((Z > 0) != (YES == 1)))
    assert found.silent is not None
    assert (found.silent.value, found.silent.n) == (1.0, wrong)
    assert found.carried == found.effective_rows == 0
    assert "there is no pull" in str(found)
    assert found.aligned is None


def test_who_carries_the_signal() -> None:
    y = np.zeros(1000)
    y[:10] = 1e3
    z = np.full(1000, 1.0)
    squares, sizes = signal(losses.squared_error(), y, z), signal(losses.absolute_error(), y, z)
    assert squares.worst == 10
    assert squares.carried == pytest.approx(9990 / (9990 + 990))
    assert sizes.carried == pytest.approx(0.01)
    assert sizes.effective_rows == pytest.approx(1000)
    weighted = signal(losses.squared_error(), y, z, np.where(y > 0, 99.0, 1.0))
    # Of 1,980 copies the worst 19.8 are of rows that pull 999 times as hard as 990 others.
    assert weighted.carried == pytest.approx(19.8 * 999 / (990 * 999 + 990))


def test_a_saturated_row_is_counted_as_faint() -> None:
    z = np.r_[np.full(30, -12.0), np.full(70, 1.0)]
    y = np.ones(100)
    brier = signal(losses.binary_brier(), y, z)
    assert brier.faint is not None
    assert (brier.faint.value, brier.faint.n) == (1.0, 30)
    surprise = signal(losses.binary_cross_entropy(), y, z)
    assert surprise.faint is not None
    assert surprise.faint.value == 0


def test_alignment_takes_its_word_from_intervals() -> None:
    good = signal(losses.binary_cross_entropy(), YES, Z).aligned
    assert isinstance(good, MetricAlignment)
    assert (good.metric, good.verdict) == ("accuracy", "aligned")
    area = signal(losses.binary_cross_entropy(), YES, Z, metric="auc").aligned
    assert area is not None
    assert (area.metric, area.verdict) == ("auc", "aligned")
    tiny = signal(losses.binary_cross_entropy(), YES[:12], Z[:12], before=Z[:12] + 0.01).aligned
    assert tiny is not None
    assert tiny.verdict == "cannot tell at this n"
    # Overconfident scores of the right sign: worse surprise, better accuracy than one class for all.
    rare = signal(losses.binary_cross_entropy(), YES, 40 * Z).aligned
    assert rare is not None
    assert rare.verdict == "against"
    with pytest.raises(UsageError):
        signal(losses.binary_cross_entropy(), YES, Z, metric="rmse")


@pytest.mark.parametrize("name", losses.catalogue())
def test_every_loss_of_the_catalogue_has_a_signal_to_look_at(name: str) -> None:
    loss = losses.catalogue()[name]()
    outputs = 3 if loss.is_classwise else len(loss.activation)
    z = RNG.normal(size=(60, outputs)) if outputs > 1 else RNG.normal(size=60)
    if loss.is_classwise:
        y = RNG.integers(0, 3, 60)
    elif loss.target.whole or loss.is_binary:
        y = RNG.integers(0, 2, 60).astype(float)
    else:
        y = RNG.uniform(0.1, 0.9, 60)
    found = signal(loss, y, z)
    json.dumps(found.to_dict(), allow_nan=False)
    assert found.n == 60
    assert 0 <= found.carried <= 1
    assert str(found)


def test_absent_rows_and_bad_shapes() -> None:
    w = np.r_[np.ones(N - 1), 0]
    z = np.r_[Z[:-1], np.nan]
    assert signal(losses.binary_cross_entropy(), YES, z, w).n == N - 1
    with pytest.raises(NothingToAverage):
        signal(losses.squared_error(), REAL, Z, np.zeros(N))
    with pytest.raises(ShapeMismatch):
        signal(losses.squared_error(), REAL, Z[:, None])
