"""The arithmetic that the project was founded on, as a learner would check it by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import goodmeasure as gm
from goodmeasure import losses


def test_an_error_of_ten_against_an_error_of_one():
    squared, absolute = losses.squared_error(), losses.absolute_error()
    assert squared([0.0], [10.0]) == 100 * squared([0.0], [1.0])
    assert absolute([0.0], [10.0]) == 10 * absolute([0.0], [1.0])


@pytest.mark.parametrize(("p", "price"), [(0.9, 0.1054), (0.1, 2.3026), (0.01, 4.6052)])
def test_the_price_of_surprise(p, price):
    assert losses.binary_cross_entropy()([1], prediction=[p]) == pytest.approx(price, abs=5e-5)
    assert losses.cross_entropy()([0], prediction=[[p, 1 - p]]) == pytest.approx(price, abs=5e-5)


rows = st.lists(st.floats(-30, 30), min_size=2, max_size=6)


@given(rows)
def test_one_hot_cross_entropy_is_minus_log_p_true(row):
    p = np.exp(row) / np.exp(row).sum()
    one_hot = np.eye(len(row))[0]
    loss = losses.cross_entropy()
    assert loss([one_hot], [row]) == pytest.approx(-math.log(p[0]), rel=1e-9, abs=1e-12)
    assert loss([one_hot], [row]) == loss([0], [row])


@given(rows, st.floats(0.01, 5))
def test_raising_the_true_logit_or_lowering_others_lowers_it(row, step):
    loss = losses.cross_entropy()
    raised, lowered = np.asarray(row), np.asarray(row)
    raised[0] += step
    lowered[1:] -= step
    both = lowered.copy()
    both[0] += step
    here = loss([0], [row])
    assert loss([0], [raised]) < here
    assert loss([0], [lowered]) < here
    assert loss([0], [both]) < loss([0], [raised])


def test_absolute_error_has_no_size_near_zero_and_squared_error_does():
    near, far = [1e-6], [100.0]
    absolute, squared = losses.absolute_error(), losses.squared_error()
    assert absolute.gradient([0.0], near) == absolute.gradient([0.0], far) == 1
    assert squared.gradient([0.0], near)[0] == pytest.approx(2e-6)
    assert absolute.gradient([0.0], [0.0]) == 0


def test_zero_one_counts_errors_and_has_no_signal():
    random = np.random.default_rng(0)
    y, z = random.integers(0, 2, 50), random.normal(size=50)
    loss = losses.zero_one()
    assert loss(y, z) == np.mean((z > 0) != (y == 1))
    assert not loss.gradient(y, z).any()


def test_tails_that_libraries_lose():
    cross = losses.binary_cross_entropy()
    single = np.float32
    assert cross.value([0], single([-18.0]))[0] == pytest.approx(1.5229979512760347e-08, rel=2.4e-7)
    assert cross.gradient([1], single([17.0]))[0] == pytest.approx(-4.1399375473943e-08, rel=2.4e-7)
    assert losses.cross_entropy().value([0], single([[20.0, 0.0]]))[0] == pytest.approx(2.0611536181902e-09, rel=2.4e-7)
    assert cross.value([0], np.asarray([-40.0]))[0] == pytest.approx(4.248354255291589e-18, rel=1e-15)


def test_an_impossible_event_costs_infinity():
    assert losses.binary_cross_entropy()([1], prediction=[0.0]) == math.inf
    assert losses.cross_entropy()([0], prediction=[[0.0, 1.0]]) == math.inf
    assert losses.binary_cross_entropy()([1, 0], [np.inf, -np.inf]) == 0


def test_halves_and_constants_are_as_stated():
    assert losses.squared_error()([0.0], [3.0]) == 9
    assert losses.huber()([0.0], [0.5]) == 0.125
    assert losses.poisson()([2.0], prediction=[3.0]) == pytest.approx(3 - 2 * math.log(3))


def test_each_asks_for_its_own_number():
    y = np.asarray([0.0, 1.0, 2.0, 3.0, 100.0])
    assert losses.squared_error().best_constant(y) == pytest.approx(y.mean())
    assert losses.absolute_error().best_constant(y) == 2
    assert losses.pinball(level=0.9).best_constant(np.arange(11.0)) == pytest.approx(9)
    assert losses.absolute_error().best_constant([1.0, 2.0, 3.0, 4.0]) == 2.5
    raw = losses.binary_cross_entropy().best_constant([1, 0, 0, 0])
    assert losses.binary_cross_entropy().predict(np.asarray([raw]))[0] == pytest.approx(0.25)
    assert losses.binary_cross_entropy().best_constant([1, 1]) == math.inf


def test_a_loss_in_a_notebook():
    @gm.loss(target=gm.Outcome)
    def curious(p, *, bend: gm.Positive = 1.0):
        """A third of the way between two known ones."""
        return (1 - p**bend) / bend

    loss = curious(bend=0.5)
    assert repr(loss) == "curious(bend=0.5)"
    assert loss([0], [[2.0, 1.0, 0.0]]) > 0
    assert curious.binary()([1, 0], [3.0, -3.0]) < curious.binary()([1, 0], [-3.0, 3.0])
