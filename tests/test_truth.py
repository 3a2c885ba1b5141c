"""Is every number of every loss true, and does the check notice one that is not?"""

import math
import re

import pytest

import goodmeasure as gm
from catalogue_losses import everything, ids, variants, weighted
from goodmeasure import words
from goodmeasure.checking import checks, repair, truth
from goodmeasure.checking.checks import Answer, CheckFailed, check
from goodmeasure.errors import FormulaError
from goodmeasure.formulas.expression import Word
from turns import at_night

PATIENT = 300.0  # seconds: here everything is looked at, however busy the machine is


# The questions that compile kernels of doubles, with weights and without.
COMPILING = (checks.is_absent_where_told, checks.is_a_mean)


@pytest.fixture
def _without_kernels(monkeypatch):
    asked = [each for each in checks._questions() if each not in COMPILING]
    monkeypatch.setattr(checks, "_questions", lambda: asked)


def looked_at(part, monkeypatch):
    """A part of the points of a battery, whose order visits every region early."""
    spread = checks._spread
    monkeypatch.setattr(checks, "_spread", lambda tried: spread(tried)[: math.ceil(part * len(tried))])


@pytest.mark.usefixtures("_without_kernels")
@pytest.mark.parametrize(
    ("loss", "part"),
    [at_night(loss, part, unless=part < 1, id=f"{loss!r}-{part}") for loss in everything() for part in (0.4, 1.0)],
)
def test_the_catalogue_passes_the_battery(loss, part, monkeypatch):
    looked_at(part, monkeypatch)
    report = check(loss, seconds=PATIENT)
    assert not report.left_out
    assert report.passed, str(report)


@pytest.mark.parametrize("name", gm.losses.catalogue())
def test_the_catalogue_passes_what_the_battery_asks_of_kernels(name):
    asked = checks.Asking(False, truth.Clock(PATIENT), str, PATIENT)
    answers = [answer for question in COMPILING for answer in asked.of(question, gm.losses.find(name)())]
    assert len(answers) > 4
    assert all(answer.passed for answer in answers), answers
    assert not asked.left_out


# Factors and another activation are the same whatever the loss: a few of each kind are held to the truth, hosts to all.
CHANGED = [*variants()[:3], *variants()[3::3], *weighted()[::3]]


@pytest.mark.parametrize("loss", CHANGED, ids=ids(CHANGED))
def test_weighted_added_and_reactivated_losses_pass_the_battery(loss):
    report = check(loss, seconds=PATIENT)
    assert not report.left_out
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


NAIVE = {
    "cos": lambda u: 1 - words.cos(u),
    "sqrt": lambda u: words.sqrt(4 + u * u) - 2,
    "exp": lambda u: words.exp(u) - 1 - u,
    "tanh": lambda u: words.log((words.exp(u) + words.exp(-u)) / 2),
    "lgamma": lambda u: words.lgamma(words.exp(u) + 0.5) - words.lgamma(words.exp(u)),
    "mixture": lambda u: -words.log(sum(words.exp(-((u - k) ** 2) / 2) for k in (-3, 0, 3)) / 3),
    "mixture of densities": lambda u: -words.log(0.7 * words.normal_pdf(u) + 0.3 * words.normal_pdf((u - 3) / 2) / 2),
    "growing weight": lambda u: u * (2 / (1 + words.exp(-u)) - 1),
    "difference of squares": lambda u: (u + 1000) ** 2 - (u + 1000) * 2000 + 1e6,
}


# The logarithm of the gamma function takes as long as all the others.
@pytest.mark.parametrize("name", [at_night(name, unless=name != "lgamma", id=name) for name in NAIVE])
def test_the_loss_of_digits_of_a_naive_formula_is_found_in_the_usual_time(name, monkeypatch):
    """Which is looked for before all else: what the other questions compile takes three times as long."""
    monkeypatch.setattr(checks, "_questions", list)

    @gm.loss(target=gm.Real)
    def naive(y, mu):
        return NAIVE[name](mu - y)

    report = gm.check(naive())
    assert any("value is true" in a.question and not a.passed for a in report.answers), str(report)


@pytest.mark.parametrize("outputs", [5, 6, 9])
def test_many_raw_outputs_are_checked_in_the_time_given_and_what_was_not_is_said(outputs):
    names = [f"m{i}" for i in range(outputs)]
    formula = eval(
        f"lambda y, {', '.join(names)}: (y - m0) ** 2 + {' + '.join(f'w(m{i})' for i in range(1, outputs))}",
        {"w": words.softplus},
    )
    own_of_many = gm.loss(target=gm.Real, activation=("linear",) * outputs)(formula)
    told = []
    report = gm.check(own_of_many(), seconds=1.0, tick=told.append)
    assert not report.failed, str(report)
    assert not report.passed
    assert told
    told_of = [each for each in report.left_out if re.search(r"\d+ of 64 points: the rest did not fit into 1 s", each)]
    uncompiled = [each for each in report.left_out if each.startswith("not asked, as the kernels of so long a formula")]
    assert len(told_of) in (1, 2)
    assert [*told_of, *uncompiled] == list(report.left_out)
    # Compiling takes longer than the second that was given.
    assert len(uncompiled) == 2
    assert all(each in str(report) for each in report.left_out)


def test_the_truth_is_looked_at_however_long_the_other_questions_take(monkeypatch):
    """Compiling takes seconds on a busy machine: what a formula loses is found before."""
    clock = [0.0]
    monkeypatch.setattr(truth, "monotonic", lambda: clock[0])

    def slow(loss, asked):
        """Take all the time that there is."""
        clock[0] += 1000.0
        yield Answer("slow", True)

    monkeypatch.setattr(checks, "_questions", lambda: [slow])
    monkeypatch.setattr(repair, "_nanoseconds", lambda *_: ([1.0], [1.0]))
    report = gm.check(gm.loss(target=gm.Real)(lambda y, mu: NAIVE["exp"](mu - y))())
    lost = {a.question for a in report.answers if a.passed is False}
    assert lost >= {f"{name} is true in float{bits}" for name in ("value", "signal") for bits in (32, 64)}
    assert not report.left_out


def test_the_same_is_looked_at_whatever_the_clock_says(monkeypatch):
    """What is given is work, counted in parts of formulas and digits: a machine may be forty times as slow or as fast."""
    monkeypatch.setattr(checks, "_questions", list)
    monkeypatch.setattr(checks, "SECONDS", 0.05)
    monkeypatch.setattr(checks, "_PATIENCE", math.inf)
    reports = []
    for slowness in (0.0, 1e-3):
        clock = [0.0]

        def now(clock=clock, slowness=slowness):
            clock[0] += slowness
            return clock[0]

        monkeypatch.setattr(truth, "monotonic", now)
        reports.append(gm.check(gm.losses.log_cosh()))
    assert str(reports[0]) == str(reports[1])
    assert reports[0].left_out


@pytest.mark.parametrize(
    ("looked", "status"), [(0, "not examined"), (45, "not examined"), (46, "passed"), (92, "passed")]
)
def test_what_was_hardly_looked_at_is_not_passed(looked, status, monkeypatch):
    def so_far(self, what, look):
        self.looked[what] = looked
        return looked == len(self.tried)

    monkeypatch.setattr(checks.Held, "_look", so_far)
    report = gm.check(gm.losses.huber())
    assert {a.status for a in report.answers if "is true" in a.question} == {status}
    assert report.passed is (status == "passed")
    assert not report.failed
    unsure = sum(a.status == "not examined" for a in report.answers)
    assert (f"{unsure} not examined" in str(report).splitlines()[0]) is bool(unsure)
    assert str(report).count(f"looked at {looked} of 92 points") == unsure
    assert (">not examined<" in report._repr_html_()) is bool(unsure)
    assert gm.check(gm.losses.huber(), raises=True).failed is False


def test_the_battery_finds_a_wrong_derivative(monkeypatch):
    wrong = gm.losses.squared_error()
    (signal,) = wrong.signal
    monkeypatch.setitem(wrong.__dict__, "signal", (signal * 1.0000001,))
    failed = [a.question for a in check(wrong).answers if not a.passed]
    assert "signal is true in float64" in failed


def without_truth(word):
    @gm.loss(target=gm.Real)
    def of_real(y, mu):
        return word(mu - y)

    @gm.loss(target=gm.Outcome)
    def of_outcome(p):
        return -words.log(p) + word(p)

    return of_real(), of_outcome(), of_outcome.binary()


@pytest.mark.usefixtures("_without_kernels")
@pytest.mark.parametrize(
    ("book", "says"),
    [
        (None, "the word own_square has no book form"),
        (lambda x: words.sqrt(-1 - x**2), "is no number"),
        (math.exp, "was turned into a Python number"),
        (Word("other", (None,)), "the word other has no book form"),
        (lambda x: x / 0 + undefined, "undefined"),  # noqa: F821
    ],
    ids=["none", "no number", "not a formula", "another word", "a mistake"],
)
def test_the_battery_names_the_word_that_has_no_truth(book, says):
    own_square = Word("own_square", (lambda x: 2 * x,), meaning=lambda x: x * x, book=book)
    for loss in without_truth(own_square):
        (failed,) = [a for a in gm.check(loss).answers if a.status == "failed"]
        assert failed.question == "the truth can be computed"
        assert failed.seen.startswith("the word own_square has no truth in arbitrary precision")
        assert says in failed.seen
    with pytest.raises(CheckFailed, match="own_square"):
        gm.check(loss, raises=True)


def test_an_elementary_word_of_ones_own_is_named_before_anything_is_computed():
    for loss in without_truth(Word("bare", (None,))):
        with pytest.raises(FormulaError, match="the word bare has no meaning"):
            gm.check(loss)
