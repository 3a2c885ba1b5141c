"""Do the traits hold where they are said to, and does every counterexample refute?"""

import math

import numpy as np
import pytest

from catalogue_losses import between_bounds, everything
from goodmeasure import losses
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.interval_arithmetic import bounds, line
from goodmeasure.traits import SHOWN, trait, traits
from goodmeasure.traits.trait import PROVED, TRIED
from goodmeasure.traits.views import views

L = losses
LOSSES = everything()
# Each is another value of a hyperparameter, so that traits are not those of the defaults alone.
OTHERS = [
    L.huber(delta=3.0), L.pseudo_huber(delta=0.3), L.fair(scale=4.0), L.pinball(level=0.9), L.expectile(level=0.1),
    L.smooth_pinball(level=0.2, delta=0.5), L.epsilon_insensitive(epsilon=2.0), L.cauchy(scale=3.0), L.welsch(scale=0.5),
    L.geman_mcclure(scale=2.0), L.tukey_biweight(c=2.0), L.barron(alpha=1.5), L.barron(alpha=0.0), L.barron(alpha=-2.0),
    L.barron(alpha=2.0), L.student_t(df=1.0), L.linex(k=-0.5), L.tweedie(power=1.0), L.tweedie(power=2.0),
    L.tweedie(power=3.0), L.negative_binomial(dispersion=0.2), L.binary_focal(gamma=0.5),
    L.binary_cross_entropy(positive_weight=5.0), L.binary_cross_entropy(smoothing=0.2), L.binary_generalized_cross_entropy(q=1.0),
]  # fmt: skip
SINGLE = [e for e in (*LOSSES, *OTHERS) if not e.is_classwise and len(e.activation) == 1]


# On other scales of the raw output: what is straight in the prediction is not straight there. Beyond bounds there is no loss.
UNBOUNDED = [e for e in SINGLE if not (e.is_binary or (np.isfinite(e.target.high) and not e.target.whole))]
SCALES = [e.with_activation(a) for e in UNBOUNDED for a in ("exp", "softplus") if e.activation[0].name != a]


def holds(loss, name):
    found = trait(loss, name)
    assert found is not None, name
    return found.holds


def proved(loss, name):
    """What was only tried is the largest that was seen."""
    found = trait(loss, name)
    return found.holds and found.evidence == PROVED


# What is known of these, with the errors of published lists among them: log-cosh is not strongly convex, nor are the squared
# epsilon-insensitive kind strictly so; zero-one has no Lipschitz constant; Poisson is strictly convex.
KNOWN = [
    (L.log_cosh(), "strictly convex", True),
    (L.log_cosh(), "strongly convex", False),
    (L.log_cosh(), "Lipschitz", True),
    (L.zero_one(), "Lipschitz", False),
    (L.zero_one(), "convex", False),
    (L.epsilon_insensitive(), "strictly convex", False),
    (L.poisson(), "strictly convex", True),
    (L.poisson().with_activation("softplus"), "convex", True),
    (L.exponential_nll(), "strictly convex", False),
    (L.huber(), "strictly convex", False),
    (L.huber(), "smooth", True),
    (L.absolute_error(), "smooth", False),
    (L.squared_error(), "strongly convex", True),
    (L.squared_error(), "Lipschitz", False),
    (L.expectile(level=0.9), "strongly convex", True),
    (L.perceptron(), "classification-calibrated", False),
    (L.hinge(), "classification-calibrated", True),
    (L.multiclass_hinge(), "classification-calibrated", False),
    (L.binary_cross_entropy(), "strictly convex", True),
    (L.binary_cross_entropy(positive_weight=19.0), "classification-calibrated", False),
    (L.binary_brier(), "convex", False),
    (L.cross_entropy(), "convex", True),
    (L.cross_entropy(), "strictly convex", False),
    (L.inverse_gaussian(), "convex", False),
    (L.negative_binomial(), "convex", True),
    (L.cauchy(), "redescending", True),
    (L.huber(), "redescending", False),
    (L.circular(), "redescending", False),
    (L.tukey_biweight(), "free of dead zones", False),
    (L.binary_cross_entropy(), "free of dead zones", True),
    (L.gaussian_nll(), "bounded in y", False),
    (L.gaussian_crps(), "bounded in y", True),
    (L.barron(alpha=1.5), "convex", True),
    (L.barron(alpha=0.5), "convex", False),
    (L.barron(alpha=1.5), "Lipschitz", False),
    (L.barron(alpha=0.5), "Lipschitz", True),
]


@pytest.mark.parametrize(("loss", "name", "truth"), KNOWN, ids=str)
def test_what_is_known(loss, name, truth):
    assert holds(loss, name) is truth, trait(loss, name)


@pytest.mark.parametrize(
    ("loss", "name", "constant"),
    [
        (L.absolute_error(), "Lipschitz", 1.0),
        (L.huber(delta=3.0), "Lipschitz", 3.0),
        (L.pinball(level=0.9), "Lipschitz", 0.9),
        (L.binary_cross_entropy(), "Lipschitz", 1.0),
        (L.binary_cross_entropy(), "smooth", 0.25),
        (L.binary_brier(), "Lipschitz", 8 / 27),
        (L.modified_huber(), "Lipschitz", 4.0),
        (L.fair(scale=4.0), "Lipschitz", 4.0),
        (L.cauchy(scale=2.0), "Lipschitz", 1.0),
        (L.squared_error(), "smooth", 2.0),
        (L.cross_entropy(), "Lipschitz", math.sqrt(2)),
    ],
    ids=str,
)
def test_published_constants(loss, name, constant):
    assert trait(loss, name).constant == pytest.approx(constant, rel=1e-3)


@pytest.mark.parametrize(
    ("loss", "link"),
    [
        (L.binary_cross_entropy(), "proper with the sigmoid"),
        (L.binary_brier(), "proper with the sigmoid"),
        (L.binary_spherical(), "proper with the sigmoid"),
        (L.binary_focal(), "proper with a link of its own"),
        (L.exponential(), "proper with a link of its own"),
        (L.focal(), "proper with a link of its own"),
        (L.cross_entropy(), "proper with the softmax"),
        (L.brier(), "proper with the softmax"),
    ],
    ids=str,
)
def test_proper_is_said_of_the_loss_with_its_link(loss, link):
    assert trait(loss, "proper").name == link
    assert trait(loss, "proper").holds


def test_cross_entropy_is_proved_proper():
    assert trait(L.binary_cross_entropy(), "proper").evidence == PROVED


@pytest.mark.parametrize("loss", SINGLE, ids=repr)
def test_bounds_hold_at_points_inside_the_boxes(loss):
    """The proof's own ground: no value of signal or curvature lies outside of its box."""
    boxes = line(200)
    random = np.random.default_rng(0)
    inside = boxes.low + (boxes.high - boxes.low) * random.random(boxes.low.shape)
    for view in views(loss):
        for formula in (view.signal, view.curvature):
            box = bounds(formula, {"u": boxes}, dict(loss.hyperparameters))
            found = on_arrays([formula], {**loss.values, "u": inside}, inside)[0]
            known = np.isfinite(found)
            slack = 1e-12 * (1 + np.abs(found[known]))
            assert (found[known] >= box.low[known] - slack).all(), (view, formula)
            assert (found[known] <= box.high[known] + slack).all(), (view, formula)


@pytest.mark.parametrize("loss", [*SINGLE, *SCALES], ids=repr)
def test_claims_agree_with_random_chords(loss):
    """Said to be convex: no chord lies below. Said not to be: some chord or some curvature shows it."""
    random = np.random.default_rng(1)
    y = _targets(loss, random, 4000)
    a, b = random.normal(size=(2, 4000)) * np.repeat([0.5, 3.0, 8.0, 1.0], 1000)
    seen = np.isfinite(
        loss.value(y, a) + loss.value(y, b)
    )  # an exponential of an exponential leaves the range of numbers
    assert seen.mean() > 0.5
    y, a, b = y[seen], a[seen], b[seen]
    gap = (loss.value(y, a) + loss.value(y, b)) / 2 - loss.value(y, (a + b) / 2)
    slack = 1e-10 * (1 + np.abs(loss.value(y, a)) + np.abs(loss.value(y, b)))
    if holds(loss, "convex"):
        assert (gap >= -slack).all()
    else:
        assert (gap < -slack).any() or (loss.hessian(y, a) < 0).any()
    if proved(loss, "Lipschitz"):
        assert np.abs(loss.gradient(y, a)).max() <= trait(loss, "Lipschitz").constant * (1 + 1e-9)
        moved = np.abs(loss.value(y, a) - loss.value(y, b))
        assert (moved <= trait(loss, "Lipschitz").constant * np.abs(a - b) * (1 + 1e-6) + slack).all()
    if proved(loss, "smooth"):
        assert np.abs(loss.hessian(y, a)).max() <= trait(loss, "smooth").constant * (1 + 1e-4)


def _targets(loss, random, n):
    if loss.is_binary:
        return random.integers(0, 2, n).astype(float)
    if loss.target.low == 0:
        return between_bounds(loss, random.gamma(1.0, 2.0, n) + 1e-3)
    return random.normal(size=n) * 2


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_every_trait_has_its_evidence(loss):
    found = traits(loss)
    assert {"convex", "Lipschitz", "smooth"} <= {each.name for each in found}
    for each in found:
        assert each.evidence in (PROVED, TRIED, SHOWN)
        assert (each.evidence == SHOWN) == (not each.holds)
        assert (each.evidence == TRIED) == (each.tried > 0)
        assert each.seen
    weaker = {"strongly convex": "strictly convex", "strictly convex": "convex"}
    for strong, weak in weaker.items():
        assert not (holds(loss, strong) and not holds(loss, weak))


def test_a_dishonest_word_is_found_out(monkeypatch):
    """The proof rests on the formula: with a wrong derivative, the same question has another answer."""
    from goodmeasure.traits.shape import convex

    wrong = L.huber(delta=1.25)
    monkeypatch.setitem(wrong.__dict__, "composed", -wrong.composed)
    assert not convex(wrong).holds
