"""Is every promised loss there, is its book form the book's, and does it ask for what it says?"""

import inspect
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import integrate, stats

import goodmeasure as gm
from catalogue_losses import definitions
from goodmeasure import losses
from goodmeasure.checking.checks import check
from goodmeasure.errors import NoSuchLoss

L = losses
PROMISED = [
    "squared_error", "absolute_error", "huber", "pseudo_huber", "log_cosh", "fair", "pinball", "smooth_pinball",
    "expectile", "epsilon_insensitive", "cauchy", "geman_mcclure", "welsch", "tukey_biweight", "barron", "student_t",
    "linex", "circular", "poisson", "gamma", "exponential_nll", "tweedie", "inverse_gaussian", "negative_binomial",
    "fractional_logit",
    "squared_log_error", "absolute_percentage_error", "gaussian_nll", "laplace_nll", "student_t_nll",
    "lognormal_nll", "gaussian_crps", "logistic_crps", "laplace_crps", "interval", "cross_entropy",
    "binary_cross_entropy", "brier", "binary_brier", "focal", "binary_focal", "poly", "binary_poly",
    "generalized_cross_entropy", "binary_generalized_cross_entropy", "symmetric_cross_entropy",
    "binary_symmetric_cross_entropy", "spherical", "binary_spherical", "asymmetric", "exponential", "hinge",
    "squared_hinge", "smooth_hinge", "modified_huber", "perceptron", "zero_one", "multiclass_hinge",
]  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_promised_losses_are_made_without_arguments(name):
    loss = getattr(gm.losses, name)()
    assert repr(loss) == f"{name}()"
    assert loss.facts.sentence
    assert loss.facts.advice.startswith("Reach for it")


def test_the_source_of_the_catalogue_is_short():
    lines = sum(len(file.read_text().splitlines()) for file in Path(inspect.getfile(losses)).parent.glob("*.py"))
    assert lines < 13 * len(losses.catalogue())  # a loss is its formula and a few sentences


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("mse", "squared_error"),
        ("mae", "absolute_error"),
        ("rmse", "squared_error"),
        ("bce", "binary_cross_entropy"),
        ("Log-Loss", "binary_cross_entropy"),
        ("ce", "cross_entropy"),
        ("mape", "absolute_percentage_error"),
        ("log loss", "binary_cross_entropy"),
        ("cross-entropy", "cross_entropy"),
        ("bce_with_logits", "binary_cross_entropy"),
        ("BCEWithLogitsLoss", "binary_cross_entropy"),
        ("torch.nn.CrossEntropyLoss", "cross_entropy"),
        ("Mean Squared Error", "squared_error"),
        ("kl_div", "cross_entropy"),
        ("smooth_l1", "huber"),
        ("smape", "absolute_percentage_error"),
    ],
)
def test_everyday_names_find_their_loss(name, found):
    assert losses.find(name).name == found
    assert getattr(losses, name).name == found


def test_a_name_finds_one_loss_only():
    for each in definitions():
        for name in (each.name, *each.facts.also, *dict(each.facts.nearly)):
            assert losses.find(name) == each


@pytest.mark.parametrize("each", [d for d in definitions() if d.facts.nearly], ids=repr)
def test_a_name_of_something_close_says_how_it_differs(each):
    for name, how in each.facts.nearly:
        found = losses.find(name)
        assert found == each
        assert how in repr(found)
        assert f"{name}: {how}" in str(found().card())
        assert f"{name}: {how}" in found().card()._repr_html_()
    assert repr(losses.find(each.name)) == each.name


def test_an_unknown_name_says_what_comes_close():
    with pytest.raises(NoSuchLoss, match="huber"):
        losses.find("hubber")
    assert not hasattr(losses, "no_such_loss")


def test_listing_is_light():
    code = "import sys; from goodmeasure.cli import main\ntry: main(['losses'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    listed, modules = done.stdout.rsplit("\n", 2)[0], {m.split(".")[0] for m in done.stdout.split()}
    assert not modules & {"scipy", "numba", "sklearn", "torch", "matplotlib", "mpmath"}
    assert all(definition.name in listed for definition in definitions())


# --- the book forms are the book's ---

_Y = np.asarray([0.3, 1.0, 2.5, 7.0])
_COUNTS = np.asarray([0.0, 1.0, 3.0, 9.0])


def _shifts(loss, y, z, reference):
    """The loss less a negative log-likelihood is the same for all raw outputs: it depends on the target alone."""
    grid = np.linspace(-1.5, 1.5, 9)
    apart = [loss.value(y, np.full(y.shape, each)) - reference(y, each) for each in grid]
    return np.ptp(np.stack(apart), axis=0)


@pytest.mark.parametrize(
    ("loss", "y", "minus_log_likelihood"),
    [
        (L.poisson(), _COUNTS, lambda y, z: -stats.poisson.logpmf(y, math.exp(z))),
        (L.gamma(), _Y, lambda y, z: -stats.gamma.logpdf(y, 1.0, scale=math.exp(z))),
        (L.exponential_nll(), _Y, lambda y, z: -stats.expon.logpdf(y, scale=math.exp(z))),
        (L.inverse_gaussian(), _Y, lambda y, z: -stats.invgauss.logpdf(y, math.exp(z))),
        (
            L.negative_binomial(dispersion=0.7),
            _COUNTS,
            lambda y, z: -stats.nbinom.logpmf(y, 1 / 0.7, 1 / (1 + 0.7 * math.exp(z))),
        ),
        (L.tweedie(power=0.0), _Y, lambda y, z: (y - math.exp(z)) ** 2 / 2),
        (L.tweedie(power=3.0), _Y, lambda y, z: y * math.exp(-2 * z) / 2 - math.exp(-z)),
        (L.student_t(df=3.0, scale=0.5), _Y, lambda y, z: -stats.t.logpdf(y, 3.0, loc=z, scale=0.5)),
        (L.circular(), _Y, lambda y, z: -stats.vonmises.logpdf(y, 1.0, loc=z)),
    ],
    ids=lambda x: repr(x) if isinstance(x, gm.Loss) else "",
)
def test_likelihoods_up_to_what_the_target_decides(loss, y, minus_log_likelihood):
    assert _shifts(loss, y, None, minus_log_likelihood) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(
    ("loss", "law"),
    [
        (L.gaussian_nll(), stats.norm),
        (L.laplace_nll(), stats.laplace),
        (L.student_t_nll(df=0.7), lambda m, s: stats.t(0.7, m, s)),
        (L.student_t_nll(df=1e5), lambda m, s: stats.t(1e5, m, s)),
        (L.lognormal_nll(), lambda m, s: stats.lognorm(s, scale=math.exp(m))),
    ],
    ids=lambda given: "" if callable(given) and not isinstance(given, gm.Loss) else repr(given),
)
def test_distributions_are_whole_likelihoods(loss, law):
    for m, log_s in ((0.0, 0.0), (0.7, -1.2), (-0.4, 0.9)):
        z = np.tile([m, log_s], (4, 1))
        assert loss.value(_Y, z) == pytest.approx(-law(m, math.exp(log_s)).logpdf(_Y), rel=1e-8)


@pytest.mark.parametrize(
    ("loss", "law"),
    [(L.gaussian_crps(), stats.norm), (L.logistic_crps(), stats.logistic), (L.laplace_crps(), stats.laplace)],
    ids=lambda x: repr(x) if isinstance(x, gm.Loss) else "",
)
def test_ranked_probability_scores_are_the_integral(loss, law):
    for y, m, s in ((0.0, 0.0, 1.0), (1.3, 0.2, 0.5), (-4.0, 0.5, 2.0)):
        below = integrate.quad(lambda x: law.cdf(x, m, s) ** 2, m - 80 * s, y)[0]  # noqa: B023
        above = integrate.quad(lambda x: law.sf(x, m, s) ** 2, y, m + 80 * s)[0]  # noqa: B023
        assert loss.value([y], [[m, math.log(s)]])[0] == pytest.approx(below + above, rel=1e-6)


def _slope_and_bend(loss, r):
    r = np.asarray(r, dtype=float)
    return loss.gradient(np.zeros_like(r), r), loss.hessian(np.zeros_like(r), r)


_R = np.asarray([-6.5, -2.0, -0.3, 0.2, 1.1, 3.0])


@pytest.mark.parametrize(
    ("loss", "slope", "bend"),
    [
        (L.pseudo_huber(delta=2.0), _R / np.sqrt(1 + (_R / 2) ** 2), (1 + (_R / 2) ** 2) ** -1.5),
        (L.log_cosh(), np.tanh(_R), np.cosh(_R) ** -2.0),
        (L.fair(scale=1.5), _R / (1 + abs(_R) / 1.5), (1 + abs(_R) / 1.5) ** -2),
        (L.linex(k=0.5), 0.5 * np.expm1(0.5 * _R), 0.25 * np.exp(0.5 * _R)),
        (L.circular(), np.sin(_R), np.cos(_R)),
        (L.tukey_biweight(c=4.0), np.where(abs(_R) <= 4, _R * (1 - (_R / 4) ** 2) ** 2, 0), None),
        *(
            (L.barron(alpha=a, scale=1.5), _R / 2.25 * ((_R / 1.5) ** 2 / abs(a - 2) + 1) ** (a / 2 - 1), None)
            for a in (-2.0, 0.0, 0.5, 1.0, 1.999)
        ),
        (L.barron(alpha=2.0, scale=1.5), _R / 2.25, None),
        (L.expectile(level=0.8), 2 * np.where(_R < 0, 0.8, 0.2) * _R, 2 * np.where(_R < 0, 0.8, 0.2)),
    ],
    ids=lambda x: repr(x) if isinstance(x, gm.Loss) else "",
)
def test_published_derivatives(loss, slope, bend):
    found = _slope_and_bend(loss, _R)
    assert found[0] == pytest.approx(slope, rel=1e-12)
    assert bend is None or found[1] == pytest.approx(bend, rel=1e-12)


def test_relatives_agree_where_they_meet():
    y, z = np.asarray([0.5, 2.0, 4.0]), np.asarray([0.1, -0.4, 1.2])
    same = [(L.tweedie(power=1.0), L.poisson()), (L.tweedie(power=2.0), L.gamma()), (L.exponential_nll(), L.gamma())]
    same += [(L.barron(alpha=1.0), L.pseudo_huber()), (L.expectile(level=0.5), 0.5 * L.squared_error())]
    for one, other in same:
        assert one.value(y, z) == pytest.approx(other.value(y, z), rel=1e-14)
    assert L.barron(alpha=-1e9).value(y, z) == pytest.approx(-np.expm1(-((z - y) ** 2) / 2), rel=1e-6)
    p = np.asarray([0.0, 1.0, 1.0])
    assert L.binary_focal(gamma=0.0).value(p, z) == pytest.approx(L.binary_cross_entropy().value(p, z), rel=1e-14)
    tiny = L.binary_generalized_cross_entropy(q=1e-9).value(p, z)
    assert tiny == pytest.approx(L.binary_cross_entropy().value(p, z), rel=1e-7)


def test_two_classes_are_yes_and_no():
    z = np.linspace(-9, 9, 13)
    rows = np.column_stack([np.zeros_like(z), z])
    for each in definitions():
        if each.binary is None or each.name == "cross_entropy":
            continue
        for y in (0, 1):
            pair, single = each().value(np.full(13, y), rows), each.binary().value(np.full(13, y), z)
            assert pair == pytest.approx(single, rel=1e-13), each


@pytest.mark.parametrize(
    "loss",
    [
        L.barron(alpha=1e-7),
        L.barron(alpha=2.0),
        L.tweedie(power=0.0),
        L.tweedie(power=3.0),
        L.negative_binomial(dispersion=300.0),
        L.linex(k=-0.3),
        L.asymmetric(gamma_negative=0.5, gamma_positive=1.0, margin=0.2),
    ],
    ids=repr,
)
def test_other_hyperparameters_pass_the_battery(loss):
    report = check(loss)
    assert report.passed, str(report)
