"""Claims of cards hold for hyperparameters anywhere in their domains and on every scale, in arbitrary precision."""

import zlib

import mpmath as mp
import numpy as np
import pytest

import goodmeasure as gm
from catalogue_losses import definitions, drawn, scales_of
from goodmeasure import words
from goodmeasure.deriving.in_books import value
from goodmeasure.traits import traits
from goodmeasure.traits.trait import PROVED, SHOWN, TRIED

DRAWS = 2
SINGLE = [d for d in definitions() if not d().is_classwise and len(d().activation) == 1]


def losses_of(definition, draws=DRAWS):
    random = np.random.default_rng(zlib.crc32(definition.name.encode()))
    for _ in range(draws):
        yield from scales_of(drawn(definition, random))


def chords(loss, random, n=12):
    """Targets with two raw outputs and their middle, near and far on the scale of the hyperparameters too."""
    units = [1.0, *(abs(v) for v in loss.values.values() if v)]
    for _ in range(n):
        unit = float(random.choice(units)) if loss.activation[0].name == "linear" else 1.0
        y = float(random.integers(0, 2)) if loss.is_binary else float(random.gamma(1.0, 2.0)) + 1e-3
        a, b = random.normal(size=2) * unit * random.choice([0.3, 3.0, 12.0])
        if loss.activation[0].name == "linear" and not loss.is_binary:
            a, b = a + y, b + y
        yield y, float(a), float(b)


def exact(loss, y, a, b):
    middle = (mp.mpf(a) + mp.mpf(b)) / 2
    return [value(loss, mp.mpf(y), [mp.mpf(z)]) for z in (a, middle, b)]


@pytest.mark.parametrize("definition", SINGLE, ids=repr)
@mp.workdps(120)
def test_what_is_proved_holds_at_random_chords(definition):
    random = np.random.default_rng(5)
    for loss in losses_of(definition):
        proved = {each.name: each for each in traits(loss) if each.holds and each.evidence == PROVED}
        for y, a, b in chords(loss, random):
            left, middle, right = exact(loss, y, a, b)
            gap, apart = (left + right) / 2 - middle, abs(mp.mpf(a) - mp.mpf(b))
            dust = (abs(left) + abs(right)) * mp.mpf(10) ** -60
            if "convex" in proved:
                assert gap >= -dust, (loss, y, a, b)
            if "strictly convex" in proved and abs(a) + abs(b) < 100:
                assert gap > 0, (loss, y, a, b)
            if "strongly convex" in proved:
                assert gap >= proved["strongly convex"].constant * (1 - 1e-12) * apart**2 / 8 - dust, (loss, y, a, b)
            if "Lipschitz" in proved:
                assert abs(left - right) <= proved["Lipschitz"].constant * apart + dust, (loss, y, a, b)
            if "smooth" in proved:
                assert abs(gap) <= proved["smooth"].constant * apart**2 / 8 + dust, (loss, y, a, b)


@pytest.mark.parametrize("definition", definitions(), ids=repr)
def test_constants_that_were_only_seen_are_said_to_be_at_least_that(definition):
    for loss in losses_of(definition, 1):
        for each in traits(loss):
            assert ("at least" in each.size) == (each.evidence == TRIED and each.constant is not None and each.holds)
            assert each.to_dict()["size"] == each.size
            assert f"({each.size})" in str(each) or not each.size


# What holds for every value of the hyperparameters, from the papers that introduced the losses.
ALWAYS = {
    "huber": {"convex": True, "Lipschitz": True, "smooth": True, "strictly convex": False},
    "pseudo_huber": {"convex": True, "Lipschitz": True, "smooth": True, "strongly convex": False},
    "fair": {"convex": True, "Lipschitz": True, "smooth": True, "strongly convex": False},
    "pinball": {"convex": True, "Lipschitz": True, "smooth": False, "strictly convex": False},
    "smooth_pinball": {"convex": True, "Lipschitz": True, "smooth": True, "strictly convex": False},
    "expectile": {"convex": True, "Lipschitz": False, "smooth": True, "strictly convex": True, "strongly convex": True},
    "epsilon_insensitive": {"convex": True, "Lipschitz": True, "smooth": False},
    "cauchy": {"convex": False, "Lipschitz": True, "smooth": True, "redescending": True},
    "geman_mcclure": {"convex": False, "Lipschitz": True, "smooth": True, "redescending": True},
    "welsch": {"convex": False, "Lipschitz": True, "smooth": True, "redescending": True},
    "tukey_biweight": {"convex": False, "Lipschitz": True, "smooth": True, "redescending": True},
    "student_t": {"convex": False, "Lipschitz": True, "smooth": True, "redescending": True},
    "linex": {"convex": True, "Lipschitz": False, "strictly convex": True, "smooth": False},
}


@pytest.mark.parametrize("name", ALWAYS)
def test_what_papers_say_is_said_at_every_scale(name):
    (definition,) = [d for d in SINGLE if d.name == name]
    random = np.random.default_rng(9)
    for _ in range(8):
        loss = drawn(definition, random)
        said = {each.name: each for each in traits(loss)}
        for trait, truth in ALWAYS[name].items():
            assert said[trait].holds is truth, (loss, str(said[trait]))
            assert said[trait].holds or said[trait].evidence == SHOWN


# --- losses of one's own: what grows, and where ---

OWN = {
    "wave": (lambda y, mu: (mu - y) ** 2 + words.sin(5 * (mu - y)), {"smooth": True}),
    "root": (lambda y, mu: words.sqrt(abs(mu - y)), {"Lipschitz": False, "smooth": False, "convex": False}),
    "power": (lambda y, mu: abs(mu - y) ** 1.5, {"smooth": False, "convex": True}),
    "steep power": (lambda y, mu: abs(mu - y) ** 2.5, {"smooth": False, "convex": True}),
    "log of one and a root": (lambda y, mu: words.log1p(words.sqrt(abs(mu - y))), {"Lipschitz": False}),
    "square": (lambda y, mu: (mu - y) ** 2, {"smooth": True, "Lipschitz": False}),
}


@pytest.mark.parametrize("name", OWN)
def test_growth_is_told_from_a_wave_and_seen_toward_zero_too(name):
    formula, expected = OWN[name]
    found = {t.name: t for t in gm.loss(target=gm.Real)(formula)().card().traits}
    assert {kind: found[kind].holds for kind in expected} == expected


def test_amounts_whose_curvature_leaves_the_range_are_not_smooth():
    loss = gm.loss(target=gm.Positive)(lambda y, mu: y * words.log(y / mu) - y + mu)()
    (smooth,) = (t for t in loss.card().traits if t.name == "smooth")
    assert not smooth.holds


@pytest.mark.parametrize("delta", [1e52, 1e60, 1e100])
def test_a_bound_that_holds_only_as_far_as_one_looks_is_not_called_proved(delta):
    (lipschitz,) = (t for t in gm.losses.huber(delta=delta).card().traits if t.name == "Lipschitz")
    assert lipschitz.evidence != "proved"
    assert not (lipschitz.holds and lipschitz.constant < delta and "nothing proves" not in lipschitz.seen)


@pytest.mark.parametrize("delta", [1e13, 1e20, 1e50])
def test_a_bound_is_that_of_the_whole_line_however_large_the_scale(delta):
    (lipschitz,) = (t for t in gm.losses.huber(delta=delta).card().traits if t.name == "Lipschitz")
    assert lipschitz.evidence == "proved"
    assert delta * (1 - 1e-9) <= lipschitz.constant <= 2 * delta
