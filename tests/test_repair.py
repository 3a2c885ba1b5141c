"""Where a formula loses digits, does the battery print a line that keeps them: one that can be pasted, and passes?"""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import goodmeasure as gm
from goodmeasure import words
from goodmeasure.checking import repair
from goodmeasure.checking.checks import Asking, CheckFailed, Clock, Held, points
from goodmeasure.checking.rewriting import rules, written_otherwise
from goodmeasure.deriving.in_books import in_books
from goodmeasure.formulas.expression import symbols

# As people write them: the formula, the activation, and what the targets are.
NAIVE = {
    "root of a square and one": ("sqrt((y - mu)**2 + 1) - 1", "linear", gm.Real),
    "logarithm of a square and one": ("log((y - mu)**2 + 1)", "linear", gm.Real),
    "logarithm of a cosine": ("log((exp(y - mu) + exp(mu - y))/2)", "linear", gm.Real),
    "one less a cosine": ("1 - cos(y - mu)", "linear", gm.Real),
    "a square multiplied out": ("y**2 - 2*y*mu + mu**2", "linear", gm.Real),
    "gamma deviance": ("y/mu - log(y/mu) - 1", "exp", gm.Positive),
    "poisson deviance": ("y*log(y/mu) - y + mu", "exp", gm.Positive),
    "linex": ("exp(mu - y) - (mu - y) - 1", "linear", gm.Real),
    "one less an inverse root": ("1 - 1/sqrt(1 + (y - mu)**2)", "linear", gm.Real),
    "share of a square": ("(y - mu)**2/(1 + (y - mu)**2)", "linear", gm.Real),
    "one less an inverse": ("1 - 1/(1 + (y - mu)**2)", "linear", gm.Real),
    "fair": ("abs(y - mu) - log(1 + abs(y - mu))", "linear", gm.Real),
    "ratios both ways": ("mu/y + y/mu - 2", "exp", gm.Positive),
    "one less the share of what happened": ("1 - (y*mu + (1 - y)*(1 - mu))", "sigmoid", gm.Binary),
    "softplus both ways": ("log(exp(y - mu) + 1) + log(exp(mu - y) + 1)", "linear", gm.Real),
    "a miss and its tangent": ("(y - mu)*((exp(y - mu) - exp(mu - y))/(exp(y - mu) + exp(mu - y)))", "linear", gm.Real),
    "a hypotenuse less its side": ("sqrt((mu - y)**2 + 9) - 3", "linear", gm.Real),
    "a factor in both terms": ("2.5*sqrt(1 + ((mu - y)/2.5)**2) - 2.5", "linear", gm.Real),
    "log-sum-exp of two less one": ("log(exp(mu) + exp(y)) - mu", "linear", gm.Real),
    "log-sum-exp of two less the other": ("-y + log(exp(y) + exp(mu))", "linear", gm.Real),
    "a cube multiplied out": ("mu**3 - 3*mu*y**2 + 2*y**3", "exp", gm.Positive),
}
WHOLE = NAIVE.keys() - {"one less an inverse root", "a hypotenuse less its side", "a factor in both terms"}


def written(formula: str, activation: str, target, line: str = ""):
    """A loss of one's own, as a file would hold it: the formula, or the line that is to take its place."""
    known = {name: getattr(words, name) for name in dir(words)}
    exec(f"def own(y, mu):\n    'A loss of my own.'\n    {line or f'return {formula}'}", known)
    return gm.loss(target=target, activation=activation)(known["own"])()


def held(loss):
    """What a battery holds of a loss after a look at values, signals and curvatures."""
    found = Held(loss, Asking(False, Clock(30.0), lambda _: None, 30.0), tried=points(loss)[1::2])
    return found, list(found.answers())


def with_values(loss):
    """What a battery holds of a loss after a look at values, which is quick."""
    found = Held(loss, Asking(False, Clock(30.0), lambda _: None, 30.0))
    found.look_at_values()
    return found


@pytest.mark.parametrize("name", NAIVE)
def test_what_loses_digits_is_written_so_that_it_keeps_them(name, monkeypatch):
    monkeypatch.setattr(repair, "_nanoseconds", lambda *_: ([1.0], [1.0]))
    before, answers = held(written(*NAIVE[name]))
    assert not all(each.passed for each in answers)
    found = before.repair()
    assert found.digits > 2
    assert found.whole is (name in WHOLE)
    brought: dict[str, object] = {}
    exec(found.imports, brought)  # the line that brings its words is right
    again, answers = held(written(*NAIVE[name], found.line))
    assert all(each.passed for each in answers if found.whole or each.question.startswith("value"))
    assert again.known.keys() == before.known.keys()
    for place, truths in before.known.items():  # and it is the same loss, in as many digits as the truth has
        ours, theirs = truths[np.float64][0], again.known[place][np.float64][0]
        assert math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-300)


@pytest.mark.parametrize(
    "formula", ["log(exp(mu) + exp(y)) - mu", "log(exp(y) + exp(mu)) - mu", "-mu + log(exp(y) + exp(mu))"]
)
def test_a_log_sum_exp_less_one_of_its_terms_is_a_softplus_on_every_run(formula, monkeypatch):
    monkeypatch.setattr(repair, "_nanoseconds", lambda *_: ([1.0], [1.0]))
    lines = {with_values(written(formula, "linear", gm.Real)).repair().line for _ in range(2)}
    assert lines == {"return softplus(y - mu)"}


def test_the_search_ends_after_so_many_formulas(monkeypatch):
    monkeypatch.setattr(repair, "_nanoseconds", lambda *_: ([1.0], [1.0]))
    monkeypatch.setattr(repair, "_TRIED", 3)
    tried = []
    rank = repair._Search._rank
    monkeypatch.setattr(repair._Search, "_rank", lambda self, loss: tried.append(loss) or rank(self, loss))
    with_values(written(*NAIVE["a miss and its tangent"])).repair()
    assert len(tried) == 3


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        ([9.0, 5.0, 5.1], [3.0, 3.1, 8.0], -2.0),
        ([3.0, 3.1, 8.0], [9.0, 5.0, 5.1], 2.0),
        ([5.0, 5.4, 5.5], [5.3, 5.3, 5.3], 0.0),
        ([5.0, 5.0, 5.0], [5.0, 9.0, 9.0], 0.0),
        ([4.0, 4.0, 90.0], [5.0, 5.0, 5.0], 1.0),
    ],
)
def test_the_least_of_several_timings_is_compared_and_noise_is_no_difference(before, after, more):
    assert repair.paid(before, after) == pytest.approx(more)
    text = str(repair.Repair("return x", "", 3.0, repair.paid(before, after), True))
    said = "about the same time" if not more else f"{abs(more):.2g} ns an example {'more' if more > 0 else 'less'}"
    assert text.endswith(f"wins 3.0 digits for {said}")


def test_the_report_prints_it_and_a_failure_takes_it_for_its_fix():
    loss = written(*NAIVE["linex"])
    report = gm.check(loss)
    assert (
        "  write return expm1mx(mu - y)\n        from goodmeasure.words import expm1mx\n        wins 14.7 digits"
        in str(report)
    )
    assert "return expm1mx(mu - y)" in str(report._display().notes)
    assert np.isfinite(report.repair.nanoseconds)
    with pytest.raises(CheckFailed) as failed:
        gm.check(loss, raises=True)
    assert failed.value.fix == "return expm1mx(mu - y)"


def test_what_keeps_its_digits_is_left_alone():
    assert gm.check(gm.losses.log_cosh()).repair is None


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule[0])[:60])
def test_each_rule_says_the_same_on_both_sides(rule):
    """In 60 digits, wherever both have a real value."""
    import mpmath as mp

    names = sorted(symbols(rule[0]))
    assert symbols(rule[1]) <= set(names)
    tried = 0
    rng = np.random.default_rng(3)
    with mp.workdps(60):
        for k in range(40):
            drawn = (-1) ** k * rng.uniform(0.05, 0.95, len(names))
            drawn = [abs(x) if name == "_scale" else x for name, x in zip(names, drawn, strict=True)]
            values = {name: mp.mpf(float(x)) for name, x in zip(names, drawn, strict=True)}
            try:
                left, right = in_books(list(rule), values)
            except (ValueError, ZeroDivisionError):
                continue
            if isinstance(left, mp.mpf) and isinstance(right, mp.mpf) and not mp.isnan(left - right):
                tried += 1
                assert abs(left - right) <= mp.mpf(10) ** -50 * (1 + abs(left))
    assert tried >= 10


@settings(max_examples=40, deadline=None)
@given(st.permutations(["exp(mu - y)", "-mu", "+ y", "- 1"]))
def test_a_sum_is_recognised_in_any_order(terms):
    first, *rest = terms
    formula = " ".join([first.lstrip("+ "), *(each if each[0] in "+-" else f"+ {each}" for each in rest)])
    book = written(formula, "linear", gm.Real).book
    assert "expm1mx(mu - y)" in {str(each) for each in written_otherwise(book)}
