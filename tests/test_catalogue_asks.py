"""Does the least expected loss lie at what a loss says it asks for, and are its probabilities free of its own distortion?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from catalogue_losses import between_bounds, everything
from goodmeasure import losses
from goodmeasure.errors import NoSuchReading, Problem

L = losses


# --- what is asked for ---


def _quantile(y, w, level):
    order = np.argsort(y)
    reached = np.cumsum(w[order])
    return y[order][np.searchsorted(reached, level * reached[-1] - 1e-12)]


def _weighted_expectile(y, w, level):
    low, high = y.min(), y.max()
    for _ in range(200):
        m = (low + high) / 2
        lower = (w * np.where(y > m, level, 1 - level) * (y - m)).sum() > 0
        low, high = (m, high) if lower else (low, m)
    return low


FUNCTIONALS = {
    "mean": lambda y, w, h: np.average(y, weights=w),
    "median": lambda y, w, h: _quantile(y, w, 0.5),
    "quantile": lambda y, w, h: _quantile(y, w, h["level"]),
    "expectile": lambda y, w, h: _weighted_expectile(y, w, h["level"]),
    "entropic mean": lambda y, w, h: -math.log(np.average(np.exp(-h["k"] * y), weights=w)) / h["k"],
    "log mean": lambda y, w, h: math.expm1(np.average(np.log1p(y), weights=w)),
    "weighted median": lambda y, w, h: _quantile(y, w / y, 0.5),
}
ELICITS = [e for e in everything() if e.facts.asks_for in FUNCTIONALS]
ELICITS += [
    L.pinball(level=0.9),
    L.expectile(level=0.2),
    L.linex(k=-0.5),
    L.tweedie(power=1.0),
    L.negative_binomial(dispersion=3.0),
    L.fractional_logit(bounds=(-10.0, 30.0)),
]


@pytest.mark.parametrize("loss", ELICITS, ids=repr)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=12, deadline=None)
def test_the_least_expected_loss_is_at_what_is_asked_for(loss, seed):
    random = np.random.default_rng(seed)
    y = between_bounds(loss, random.permutation(np.arange(1.0, 9.0))[:5] * random.choice([0.25, 1.0, 2.0]))
    w = random.integers(1, 9, 5) + 1e-3
    best = loss.predict(np.asarray([loss.best_constant(y, w)]))[0]
    assert best == pytest.approx(FUNCTIONALS[loss.facts.asks_for](y, w, loss.values), rel=1e-7)


@pytest.mark.parametrize(
    "loss", [e for e in everything() if len(e.activation) == 1 and not e.is_classwise and not e.is_binary], ids=repr
)
def test_zero_lies_between_the_signals_beside_the_best(loss):
    y = between_bounds(loss, np.asarray([0.5, 1.0, 1.25, 2.0, 3.5]))
    best, step = loss.best_constant(y), 1e-6
    below, above = (loss.gradient(y, np.full(5, best + s)).sum() for s in (-step, step))
    assert below <= 1e-9
    assert above >= -1e-9


def test_the_mean_direction_is_that_of_the_arrows():
    y = np.asarray([0.2, 0.9, -0.4, 0.5])
    arrows = np.exp(1j * y).sum()
    assert losses.circular().best_constant(y) == pytest.approx(np.angle(arrows), abs=1e-9)


def test_an_interval_asks_for_its_two_quantiles():
    y = np.arange(1.0, 12.0)
    low, high = losses.interval(level=0.8).best_constant(y)
    assert (np.mean(y < low), np.mean(y > high)) == pytest.approx((0.1, 0.1), abs=0.1)


def test_distributions_ask_for_their_own_parameters():
    random = np.random.default_rng(2)
    y = random.normal(3.0, 0.5, 4000)
    for name in ("gaussian_nll", "gaussian_crps"):
        mean, log_scale = getattr(losses, name)().best_constant(y)
        assert (mean, math.exp(log_scale)) == pytest.approx((y.mean(), y.std()), rel=0.02)


# --- probabilities without the loss's own distortion ---

YES_NO = [e for e in everything() if e.is_binary and e.facts.asks_for == "probability"]
YES_NO += [
    L.binary_cross_entropy(positive_weight=19.0),
    L.binary_focal(positive_weight=0.2),
    L.binary_cross_entropy(smoothing=0.1),
]
YES_NO += [gm.weighted(e, positive=4.0) for e in (L.asymmetric(), L.exponential(), L.squared_hinge())]


@pytest.mark.parametrize("loss", YES_NO, ids=repr)
@pytest.mark.parametrize("share", [0.07, 0.3, 0.5, 0.86])
def test_a_model_at_its_best_gives_back_the_probability(loss, share):
    best = loss.best_constant(np.asarray([1.0, 0.0]), np.asarray([share, 1 - share]))
    assert loss.predict(np.asarray([best]))[0] == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize(
    ("loss", "true", "distorted"),
    [
        (L.binary_cross_entropy(positive_weight=19.0), 0.05, 0.5),
        (L.binary_focal(gamma=2.0), 0.05, 0.250),
        (L.binary_focal(gamma=2.0), 0.2, 0.373),
        (L.binary_focal(gamma=2.0), 0.9, 0.694),
        (L.binary_cross_entropy(smoothing=0.1), 0.05, 0.095),
        (L.binary_generalized_cross_entropy(q=0.7), 0.6, 0.794),
        (L.binary_generalized_cross_entropy(q=0.7), 0.8, 0.990),
    ],
)
def test_published_distortions(loss, true, distorted):
    best = loss.best_constant(np.asarray([1.0, 0.0]), np.asarray([true, 1 - true]))
    assert 1 / (1 + math.exp(-best)) == pytest.approx(distorted, abs=5e-4)
    assert loss.predict(loss.raw(np.asarray([true])))[0] == pytest.approx(true, rel=1e-12)


@given(st.floats(-600, 600))
def test_probabilities_are_exact_in_the_tails(z):
    from goodmeasure.deriving.implied_probability import log_odds

    weighted = log_odds(L.binary_cross_entropy(positive_weight=19.0), np.asarray([z]))[0]
    assert weighted == pytest.approx(z - math.log(19), rel=1e-14, abs=1e-14)
    steep = log_odds(L.exponential(), np.asarray([z / 2]))[0]
    assert steep == pytest.approx(z, rel=1e-14, abs=1e-14)
    noisy = log_odds(L.binary_generalized_cross_entropy(q=0.7), np.asarray([z]))[0]
    assert noisy == pytest.approx(0.3 * z, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", ["hinge", "perceptron", "zero_one", "multiclass_hinge"])
def test_losses_of_decisions_imply_no_probability(name):
    loss = getattr(losses, name)()
    z = np.zeros((2, 3)) if loss.is_classwise else np.zeros(2)
    with pytest.raises(NoSuchReading, match="implies no probability"):
        loss.predict(z)


CLASSES = [e for e in everything() if e.is_classwise and e.facts.asks_for == "probability"]
CLASSES += [
    L.cross_entropy(smoothing=0.1),
    L.focal(class_weight=(1.0, 2.0, 5.0)),
    gm.weighted(L.brier(), classes=(1.0, 2.0, 5.0)),
]


@pytest.mark.parametrize("loss", CLASSES, ids=repr)
def test_class_probabilities_make_the_expected_signal_zero_and_come_back(loss):
    share = np.asarray([[0.5, 0.2, 0.3], [0.1, 0.6, 0.3]])
    z = loss.raw(share)
    assert loss.predict(z) == pytest.approx(share, abs=1e-7)
    signal = sum(share[:, [j]] * loss.gradient(np.full(2, j), z) for j in range(3))
    assert signal == pytest.approx(0, abs=1e-7)


# --- algebra ---


def test_losses_add_scale_and_weight():
    y, z = np.asarray([1.0, 0.0, 1.0]), np.asarray([0.3, -0.7, -2.0])
    one, other = L.binary_cross_entropy(), L.binary_brier()
    both = one + 0.1 * other
    assert both.value(y, z) == pytest.approx(one.value(y, z) + 0.1 * other.value(y, z), rel=1e-14)
    assert gm.weighted(one, positive=3).value(y, z) == pytest.approx(np.where(y > 0, 3, 1) * one.value(y, z), rel=1e-15)
    twice = gm.weighted(gm.weighted(one, positive=3), positive=2)
    assert twice.value(y, z) == pytest.approx(np.where(y > 0, 6, 1) * one.value(y, z), rel=1e-15)
    focal = L.binary_focal(gamma=1.0) + L.binary_focal(gamma=3.0)
    apart = L.binary_focal(gamma=1.0).value(y, z) + L.binary_focal(gamma=3.0).value(y, z)
    assert focal.value(y, z) == pytest.approx(apart, rel=1e-13)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: L.squared_error() + L.poisson(),
        lambda: -1 * L.squared_error(),
        lambda: gm.weighted(L.squared_error(), positive=3),
        lambda: gm.weighted(L.focal(), positive=3),
        lambda: gm.weighted(L.binary_focal(), positive=-1),
        lambda: gm.weighted(L.binary_focal()),
        lambda: L.binary_focal(positive_weight=2.0) + L.binary_focal(positive_weight=3.0),
        lambda: L.tweedie(power=0.5),
        lambda: L.linex(k=0.0),
    ],
)
def test_what_is_no_loss_says_so(wrong):
    with pytest.raises(Problem, match="fix"):
        wrong()
