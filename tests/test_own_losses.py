"""Losses of one's own, over every domain of targets: their cards and their checks answer, whatever the formula is."""

from time import monotonic
from typing import Annotated

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.errors import FormulaError
from goodmeasure.formulas.domains import Domain
from goodmeasure.words import exp, log, log1p, sin, sqrt
from turns import by_turns

_DOMAINS = {
    "Real": gm.Real,
    "Positive": gm.Positive,
    "NonNegative": gm.NonNegative,
    "Count": gm.Count,
    "UnitInterval": gm.UnitInterval,
    "Fraction": gm.Fraction,
    "Level": gm.Level,
    "above -2": Annotated[float, Domain("a number above -2", low=-2, low_open=True)],
    "below 3": Annotated[float, Domain("a number up to 3", high=3)],
    "0 to 9": Annotated[float, Domain("a mark", low=0, high=9, whole=True)],
}


def _of_one(domain):
    @gm.loss(target=domain, activation="linear")
    def one(y, mu):
        """A miss times the target, whose pull grows with the target."""
        return (y - mu) ** 2 * (1 + y * y)

    return one()


def _of_two(domain):
    @gm.loss(target=domain, activation=("linear", "exp"))
    def two(y, mu, scale):
        """A miss in its scale."""
        return log(scale) + log1p(((y - mu) / scale) ** 2)

    return two()


@pytest.mark.parametrize(("domain", "made"), by_turns(_DOMAINS, (_of_one, _of_two)))
def test_a_card_of_ones_own_loss_answers_for_every_domain(domain, made):
    loss = made(_DOMAINS[domain])
    assert any(f"{verb} convex" in str(loss.card()) for verb in ("is", "seems", "is not"))
    bounded = next((t for t in loss.card().traits if t.name == "bounded in y"), None)
    assert bounded is not None
    endless = not np.isfinite([loss.target.low, loss.target.high]).all()
    assert bounded.holds is (made is _of_two or not endless)


@pytest.mark.parametrize("number", [0, 0.0, 1, True, -2.5])
@pytest.mark.parametrize("ask", [lambda y, n: y == n, lambda y, n: n == y, lambda y, n: y != n, lambda y, n: n != y])
def test_a_formula_that_asks_whether_a_target_equals_a_number_is_refused(ask, number):
    """It was False in silence: `if y == 0` took the other branch, for every target."""
    with pytest.raises(FormulaError, match="cannot ask whether y equals") as said:

        @gm.loss(target=gm.Count, activation="exp")
        def zeros(y, mu):
            return mu if ask(y, number) else mu - y * log(mu)

    assert "where(y <= " in str(said.value)


@pytest.mark.parametrize("names", ["p", "p, rest_p2", "log_p2"])
def test_what_was_given_to_what_happened_does_not_stand_beside_a_target(names):
    """`def f(y, p)` took p for the probability of what happened, and y for what happened: the same value for yes and no."""
    made = {}
    exec(f"def twice(y, {names}): return -log({names.split(',')[0]}) * y", {"log": log}, made)
    with pytest.raises(FormulaError, match="what happened twice"):
        gm.loss(target=gm.Binary, activation="sigmoid")(made["twice"])


def test_cross_entropy_as_books_of_statistics_write_it_is_ours():
    @gm.loss(target=gm.Binary, activation="sigmoid")
    def bernoulli(y, mu):
        return -(y * log(mu) + (1 - y) * log(1 - mu))

    y, z = np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.3, 0.3, -40.0, -700.0])
    np.testing.assert_allclose(bernoulli().value(y, z), gm.losses.binary_cross_entropy().value(y, z), rtol=1e-15)


@pytest.mark.parametrize("book", [lambda u: exp(exp(u)), lambda u: exp(u ** exp(u)), lambda u: log1p(exp(exp(exp(u))))])
def test_a_card_of_what_grows_beyond_all_numbers_answers(book):
    """Its exact numbers have more digits than there is memory for."""

    @gm.loss(target=gm.Real, activation="linear")
    def towering(y, mu):
        return book((y - mu) ** 2 + 1)

    said = {t.name: t.holds for t in towering().card().traits}
    assert not said["Lipschitz"]
    assert not said["bounded in y"]


_PLACES = ("linear", "exp", "linear", "exp", "linear", "sigmoid", "linear")


@gm.loss(target=gm.Real, activation=_PLACES)
def plain_mixture(y, m1, s1, m2, s2, x, p, q):
    """Two normals, their densities added as they stand: far from both the sum is zero, and its logarithm infinite."""
    near, far = (exp(-(((y - m) / s) ** 2) / 2) / s for m, s in ((m1, s1), (m2, s2)))
    return -log(p * near + (1 - p) * far) + (x - q) ** 2


def test_a_check_finds_what_a_sum_of_densities_loses_in_the_time_it_is_given():
    begun = monotonic()
    report = gm.check(plain_mixture, seconds=5.0)
    assert monotonic() - begun < 15  # other processes may share the machine
    assert not report.passed
    assert any("inf, the truth is" in answer.seen for answer in report.answers)
    # Its kernels would take longer than that.
    assert any("A masked or zero-weight example" in left for left in report.left_out)
    asked = {answer.question for answer in report.answers}
    assert "dtypes are kept" in asked
    assert "absent by mask" not in asked
    assert any(a.passed is None and "masked or zero-weight" in a.question for a in report.answers)


def test_a_check_says_what_is_off_where_one_pass_differs_and_is_silent_beside(recwarn):
    @gm.loss(target=gm.Real, activation="linear")
    def towering(y, mu):
        return exp(exp((y - mu) ** 2))

    report = gm.check(towering, seconds=4.0)
    assert [str(w.message) for w in recwarn] == []
    assert all(answer.passed or answer.seen for answer in report.answers)


def test_what_was_only_tried_seems_so():
    @gm.loss(target=gm.Real)
    def nearly_convex(y, mu):
        return sqrt(1 + (y - mu) ** 2) + 1e-7 * sin(mu)

    convex = next(trait for trait in nearly_convex().card().traits if trait.name == "convex")
    assert str(convex).startswith("seems convex" if convex.holds else "is not convex")
