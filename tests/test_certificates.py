"""What a certificate says is true: the short form of scripts/simulations/certificates.py."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses, words
from goodmeasure.fitting.certificate import Status
from goodmeasure.fitting.linear import NoFiniteFit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from simulations import certificates
from simulations.certificates import Case, applies, drawn

ROWS = 40
DOUBTS = (Status.UNFINISHED, Status.UNCERTAIN, Status.ENDLESS, Status.FLAT)
# Two kinds with hyperparameters drawn beside those that are given.
CASES = [*((kind, 0) for kind in certificates.KINDS), ("noisy", 1), ("outlying", 2)]


def case(*given) -> Case:
    found = certificates.case(*given)
    assert found is not None
    return found


def check(found: Case) -> None:
    told = f"{found.loss} on {found.kind} targets: {found.certificate}"
    status = found.certificate.status
    assert bool(found.warned) == (status in DOUBTS), told
    assert found.curve[-1] <= found.curve[0] + 1e-12 * abs(found.curve[0]), told
    assert status is not Status.OPTIMAL or not found.is_beaten, told
    # Of targets that are all the same the best constant, where a fit begins, is as low as rounding lets it go.
    begins_lowest = found.kind == "constant" and found.certificate.objective == found.curve[0]
    assert status is not Status.ENDLESS or begins_lowest or found.certificate.objective < found.curve[0], told


@pytest.mark.parametrize(("place", "name"), list(enumerate(sorted(losses.catalogue()))))
def test_what_a_certificate_says_is_true(place: int, name: str) -> None:
    for kind, seed in CASES[place % 3 :: 3]:  # of each kind every third loss; the script takes all
        loss = drawn(losses.catalogue()[name], seed and 100 * seed + len(name))
        found = certificates.case(loss, kind, ROWS) if applies(loss, kind) else None
        # A distribution of targets that are mostly equal is refused (GM606).
        assert found is not None or not applies(loss, kind) or len(loss.activation) > 1, (loss, kind)
        if found is not None:
            check(found)


def test_the_least_is_found_where_the_first_step_would_be_too_far() -> None:
    loss = losses.linex(k=30.0)
    found = case(loss, "noisy", 300)
    assert found.certificate.status is Status.OPTIMAL
    constant = loss(found.y, np.full(300, loss.best_constant(found.y)))
    assert found.certificate.objective < constant == pytest.approx(found.curve[0], rel=1e-9)


@pytest.mark.parametrize("name", ["gaussian_nll", "lognormal_nll", "student_t_nll"])
def test_a_likelihood_without_a_bound_is_recognised(name: str) -> None:
    found = case(losses.catalogue()[name](), "exact", ROWS)
    assert found.certificate.status is Status.ENDLESS
    assert "has no bound" in found.warned[0]
    assert case(found.loss, "noisy", ROWS).certificate.status is Status.STATIONARY


def test_no_optimum_is_claimed_for_what_hardly_bends() -> None:
    found = case(losses.huber(), "huge", ROWS)
    lines = case(losses.absolute_error(), "huge", ROWS)
    assert (found.certificate.status, bool(found.warned)) == (Status.UNFINISHED, True)
    assert found.objective(found.theta) < 1.01 * found.objective(lines.theta)


def test_interval_is_convex_for_the_fit_too() -> None:
    found = case(losses.interval(), "noisy", ROWS)
    assert "no counterexample" in found.certificate.convex
    assert (found.certificate.status, bool(found.warned)) == (Status.OPTIMAL, False)
    assert found.certificate.proven


def test_classes_that_a_line_separates_have_no_least_and_others_have() -> None:
    rows = list(certificates.separable(sizes=(100, 1000), most=10))
    assert [(missed, falsely) for *_, missed, falsely in rows] == [(0, 0)] * 6
    assert [separable for *_, separable, _, _ in rows][::3] == [10, 10]
    assert rows[-1][3] == 0


JUMPING = {
    "at the target": lambda y, mu: words.where(mu < y, (mu - y) ** 2, (mu - y) ** 2 + 1),
    "away from it": lambda y, mu: words.where(mu < y + 1, (mu - y) ** 2, (mu - y) ** 2 + 0.5),
    "in a share": lambda y, mu: (mu - y) ** 2 + 0.1 * words.where(mu < 0, 0, 1),
}


@pytest.mark.parametrize("name", JUMPING)
def test_nothing_is_optimal_by_the_signals_of_a_loss_whose_value_jumps(name: str) -> None:
    r = np.random.default_rng(0)
    X = r.normal(size=(150, 2))
    y = X @ [1.0, -0.5] + 0.3 * r.standard_t(3, 150)
    certificate = gm.LossRegressor(gm.loss(target=gm.Real)(JUMPING[name])()).fit(X, y).certificate_
    assert certificate.status is not Status.OPTIMAL
    assert "counterexample was found" in certificate.convex


@pytest.mark.parametrize("loss", [gm.losses.gaussian_nll(), gm.losses.student_t_nll()], ids=repr)
@pytest.mark.parametrize("target", [1.0, -1e6, 3e-5])
def test_a_likelihood_of_one_target_alone_has_no_least(loss, target):
    """Every row pulls the scale the same way, and the middle is met exactly: nothing balances."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    with warnings.catch_warnings(action="ignore"):
        status = gm.LossRegressor(loss).fit(X, np.full(60, target)).certificate_.status
    assert status is Status.ENDLESS


ENDLESS = {
    "downward": lambda y, mu: -((mu - y) ** 2),
    "straight": lambda y, mu: mu - y,
    "cubic": lambda y, mu: (mu - y) ** 3,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_loss_of_numbers_that_falls_however_far_one_goes_is_refused(name: str) -> None:
    r = np.random.default_rng(0)
    X, y = r.normal(size=(60, 2)), r.normal(size=60)
    with pytest.raises(NoFiniteFit, match="falls however far one goes"):
        gm.LossRegressor(gm.loss(target=gm.Real)(ENDLESS[name])()).fit(X, y)


def test_signals_that_do_not_balance_are_not_said_to(monkeypatch: pytest.MonkeyPatch) -> None:
    r = np.random.default_rng(0)
    X = r.normal(size=(80, 2))
    y = X @ [1.0, -0.5] + r.standard_t(2, 80)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        certificate = gm.LossRegressor(gm.losses.welsch(), max_iter=1).fit(X, y).certificate_
    assert certificate.status is Status.UNFINISHED
    assert "signals do not balance" in certificate.method


_ALL = [define() for define in losses.catalogue().values()]
_ON_A_LINE = [each for each in _ALL if each.facts.asks_for != "mean direction"]  # another unit turns a direction around
_OF_A_PLACE = [
    each for each in _ON_A_LINE if len(each.activation) > 1 and each.target == gm.losses.squared_error().target
]


@pytest.mark.parametrize("scale", [1e-100, 1e-30, 1e6, 1e30, 1e100])
@pytest.mark.parametrize("loss", _OF_A_PLACE, ids=str)
def test_the_unit_of_the_targets_changes_no_fit_of_a_distribution(loss, scale):
    """A mean of 1e30 and the logarithm of its scale are in units far apart; what rounds one says nothing of the other."""
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 3))
    y = X @ [1.0, -2.0, 0.5] + random.normal(size=300)
    found = []
    for unit in (1.0, scale):
        with warnings.catch_warnings(record=True):
            warnings.simplefilter("always")
            model = gm.LossRegressor(loss).fit(X, unit * y)
        constant = np.broadcast_to(loss.best_constant(unit * y), (300, len(loss.activation)))
        found.append((model.certificate_, np.array([loss(unit * y, model.raw(X)), loss(unit * y, constant.copy())])))
    (first, plain), (second, scaled) = found
    likelihood = "nll" in repr(loss)  # which moves with the logarithm of the unit; a score is in proportion to it
    np.testing.assert_allclose(scaled - np.log(scale) if likelihood else scaled / scale, plain, rtol=3e-4)
    assert second.status is first.status
    assert second.status is not Status.ENDLESS


def test_a_fit_without_a_signal_warns_and_learns_nothing() -> None:
    X, y = np.random.default_rng(0).normal(size=(40, 2)), np.arange(40) % 2
    with pytest.warns(UserWarning, match="nothing was learned: no signal"):
        assert not gm.LossClassifier(losses.zero_one()).fit(X, y).coef_.any()


@pytest.mark.parametrize("loss", [losses.focal(), losses.brier(), losses.poly(), losses.binary_focal()], ids=str)
def test_separable_classes_are_told_what_to_give_though_the_loss_is_not_convex(loss) -> None:
    X = np.linspace(-1, 1, 40)[:, None]
    with pytest.warns(UserWarning, match="there is no best fit: .* give alpha"):
        gm.LossClassifier(loss).fit(X, X[:, 0] > 0)


@pytest.mark.parametrize("k", [30.0, -30.0])
def test_fits_go_on_where_steps_by_the_steepest_row_end(k) -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(300, 3))
    y = X @ [1.0, -2.0, 0.5] + random.normal(size=300)
    model = gm.LossRegressor(losses.linex(k=k)).fit(X, y)
    assert model.certificate_.status is Status.OPTIMAL
    assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]


@pytest.mark.parametrize("scale", [1e-100, 1e-6, 1e6, 1e100])
def test_convexity_is_looked_at_where_the_targets_stand(scale) -> None:
    """Behind an exponential raw outputs of 1e100 lie at 230, where inverse Gaussian bends down."""
    random = np.random.default_rng(1)
    X = random.normal(size=(200, 2))
    y = scale * np.exp(X @ [0.3, 0.1] + 0.3 * random.normal(size=200))
    certificate = gm.LossRegressor(losses.inverse_gaussian()).fit(X, y).certificate_
    assert certificate.status is Status.STATIONARY
    assert "counterexample was found" in certificate.convex


@pytest.mark.parametrize("epsilon", [3.0, 5.0, 20.0])
def test_a_fit_that_loses_nothing_is_optimal(epsilon):
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, 2))
    y = x @ [1, -2] + rng.standard_t(3, 60)
    fitted = gm.LossRegressor(gm.losses.epsilon_insensitive(epsilon=epsilon)).fit(x, y)
    assert fitted.certificate_.status is Status.OPTIMAL
