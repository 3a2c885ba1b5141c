"""What else does a loss say: predictions, their way back, the best constant, what is zero when it is satisfied?"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue_losses import everything
from goodmeasure import losses
from goodmeasure.checking.checks import _sample
from goodmeasure.deriving.implied_probability import implies_probability
from goodmeasure.errors import HyperparameterError, NoSuchReading, UsageError

LOSSES = everything()
ONE_RAW = [each for each in LOSSES if not each.is_classwise and len(each.activation) == 1]


@pytest.mark.parametrize("loss", [e for e in ONE_RAW if not e.is_binary or implies_probability(e)], ids=repr)
def test_raw_undoes_predict(loss):
    z = np.linspace(-0.9, 0.9, 19)
    assert loss.raw(loss.predict(z)) == pytest.approx(z, abs=1e-9)


@pytest.mark.parametrize("loss", ONE_RAW, ids=repr)
def test_no_other_constant_is_better(loss):
    y, _ = _sample(loss, 25, seed=3)
    w = np.random.default_rng(4).integers(1, 5, 25).astype(float)
    best = loss.best_constant(y, w)
    reached = loss(y, np.full(25, np.clip(best, -1e6, 1e6)), w)
    for step in (1e-3, 0.05, 1.0, 20.0):
        for z in (best - step, best + step):
            if np.isfinite(z):
                assert loss(y, np.full(25, z), w) >= reached - 1e-12 * abs(reached)


@pytest.mark.parametrize("loss", [each for each in LOSSES if each.is_classwise], ids=repr)
@pytest.mark.parametrize("seed", range(4))
def test_no_other_constant_of_classes_is_better(loss, seed):
    rng = np.random.default_rng(seed)
    y = np.repeat([0, 1, 2], rng.integers(1, 40, 3))
    best = loss.best_constant(y, classes=3)
    reached = loss(y, np.tile(best, (len(y), 1)))
    near = best + rng.normal(size=(100, 3)) * np.repeat([1e-3, 0.1, 1.0, 10.0], 25)[:, None]
    for z in (np.zeros(3), *np.eye(3), *near):
        assert loss(y, np.tile(z, (len(y), 1))) >= reached - 1e-9 * abs(reached)


@pytest.mark.parametrize(("share", "best"), [(0.7, [2 / 3, -1 / 3, -1 / 3]), (0.4, [0, 0, 0])])
def test_the_best_constant_of_planes_is_where_they_meet(share, best):
    """Crammer and Singer's hinge takes the side of a class that is more than half of the rows, by its margin, and else none."""
    y = np.repeat([0, 1, 2], [round(100 * share), round(60 * (1 - share)), round(40 * (1 - share))])
    assert losses.multiclass_hinge().best_constant(y) == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize(("share", "reached"), [(0.7, 0.6), (0.4, 1.0)])
def test_the_best_constant_of_more_classes_than_planes_is_no_worse_than_either_side(share, reached):
    y = np.append(np.zeros(round(1000 * share)), 1 + np.arange(round(1000 * (1 - share))) % 150).astype(int)
    loss = losses.multiclass_hinge()
    best = loss.best_constant(y, classes=151)
    assert loss(y, np.tile(best, (len(y), 1))) == pytest.approx(reached, rel=1e-9)


def test_the_best_constant_of_many_rows_is_that_of_all_of_them():
    y = np.random.default_rng(0).normal(size=30_001)
    assert losses.squared_error().best_constant(y) == pytest.approx(y.mean(), abs=1e-14)
    assert losses.absolute_error().best_constant(y) == pytest.approx(np.median(y), abs=1e-14)


@pytest.mark.parametrize(
    ("loss", "y", "best"),
    [
        (losses.binary_cross_entropy(), [1, 1], math.inf),
        (losses.binary_cross_entropy(), [0, 0], -math.inf),
        (losses.poisson(), [0, 0], -math.inf),
        (losses.hinge(), [1, 1], 1.0),
        (losses.hinge(), [1, 1, 0], 1.0),
    ],
)
def test_constants_at_the_ends(loss, y, best):
    assert loss.best_constant(y) == best


@given(st.floats(0.001, 0.999))
def test_a_weight_is_undone(p):
    loss = losses.binary_cross_entropy(positive_weight=19.0)
    z = math.log(19 * p / (1 - p))
    assert loss.predict(np.asarray([z]))[0] == pytest.approx(p, rel=1e-9)


def test_losses_that_imply_no_probability_say_so():
    for loss in (losses.hinge(), losses.zero_one()):
        with pytest.raises(NoSuchReading, match="GM007"):
            loss.predict(np.zeros(3))


def test_identification_of_a_mean_is_prediction_minus_target():
    y, z = np.asarray([0.5, 2.0, 3.0]), np.asarray([0.1, -0.4, 1.0])
    for loss in (losses.poisson(), losses.gamma(), losses.squared_error()):
        assert loss.identification(y, z) == pytest.approx(loss.predict(z) - y, rel=1e-12)


def test_hyperparameters_are_checked():
    for call in (
        lambda: losses.huber(delta=-1.0),
        lambda: losses.huber(delta=float("nan")),
        lambda: losses.huber(detla=1.0),
        lambda: losses.huber(2.0),
        lambda: losses.pinball(level=1.0),
        lambda: losses.binary_cross_entropy(positive_weight=0.0),
        lambda: losses.binary_cross_entropy(positive_weight=[1, -2]),
        lambda: losses.cross_entropy(positive_weight=2.0),
        lambda: losses.cross_entropy(class_weight=(1.0, -1.0)),
        lambda: losses.squared_error(positive_weight=2.0),
    ):
        with pytest.raises(HyperparameterError):
            call()


def test_activations_are_checked():
    for loss, given_ in ((losses.poisson(), "relu"), (losses.poisson(), "softmax"), (losses.cross_entropy(), "exp")):
        with pytest.raises(UsageError):
            loss.with_activation(given_)
    assert losses.cross_entropy().with_activation("sigmoid").is_binary


def test_algebra():
    y, z = np.asarray([0.0, 1.0]), np.asarray([0.5, -1.0])
    double, total = 2 * losses.squared_error(), losses.squared_error() + 0.5 * losses.absolute_error()
    assert double(y, z) == 2 * losses.squared_error()(y, z)
    assert total(y, z) == pytest.approx(losses.squared_error()(y, z) + 0.5 * losses.absolute_error()(y, z))
    both = losses.huber(delta=1.0) + losses.huber(delta=3.0)
    assert both(y, 5 * z) == pytest.approx(losses.huber(delta=1.0)(y, 5 * z) + losses.huber(delta=3.0)(y, 5 * z))
    for wrong in (lambda: losses.squared_error() + losses.poisson(), lambda: 0 * losses.squared_error()):
        with pytest.raises(UsageError):
            wrong()


@pytest.mark.parametrize("far", [0.0, 30.0, 1e6])
def test_the_best_normal_distribution_of_all_targets_has_their_mean_and_their_spread(far):
    """A few targets far off leave the bulk no idea of either."""
    y = np.append(np.random.default_rng(0).normal(size=40), [far, far])
    mean, log_spread = losses.gaussian_nll().best_constant(y)
    assert mean == pytest.approx(y.mean(), rel=1e-9, abs=1e-9)
    assert losses.gaussian_nll().predict(np.array([[mean, log_spread]]))[0, 1] == pytest.approx(y.std(), rel=1e-8)
