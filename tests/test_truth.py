"""Is every number of every loss true, and does the check notice one that is not?"""

import pytest

import goodmeasure as gm
from catalogue_losses import everything, ids, variants, weighted
from goodmeasure import words
from goodmeasure.checking.checks import CheckFailed, check


@pytest.mark.parametrize("loss", everything(), ids=repr)
def test_the_catalogue_passes_the_battery(loss):
    report = check(loss)
    assert report.passed, str(report)


@pytest.mark.parametrize("loss", [*variants(), *weighted()], ids=ids([*variants(), *weighted()]))
def test_weighted_added_and_reactivated_losses_pass_the_battery(loss):
    report = check(loss)
    assert report.passed, str(report)


@gm.loss(target=gm.Real)
def own(y, mu, *, scale: gm.Positive = 2.0):
    """Grows like the logarithm of the miss."""
    return words.log1p(words.abs(mu - y) / scale) * scale


@gm.loss(target=gm.Outcome)
def own_outcome(p):
    """A little of everything."""
    return -words.log(p) + (1 - p) ** 3


def test_a_loss_of_ones_own_passes_the_battery():
    for loss in (own(), own(scale=0.5), own_outcome(), own_outcome.binary()):
        assert gm.check(loss).passed, str(gm.check(loss))


@gm.loss(target=gm.Real)
def cancelling(y, mu):
    """True on paper, and nothing is left of it next to zero."""
    return 1 - words.cos(mu - y)


def test_the_battery_finds_a_formula_that_cancels():
    report = gm.check(cancelling)
    assert not report.passed
    assert any("value is true in float32" in a.question and not a.passed for a in report.answers)
    with pytest.raises(CheckFailed, match="GM010"):
        gm.check(cancelling, raises=True)


def test_the_battery_finds_a_wrong_derivative(monkeypatch):
    wrong = gm.losses.squared_error()
    (signal,) = wrong.signal
    monkeypatch.setitem(wrong.__dict__, "signal", (signal * 1.0000001,))
    failed = [a.question for a in check(wrong).answers if not a.passed]
    assert "signal is true in float64" in failed
