"""Probabilities that losses imply: at and near the ends of every hyperparameter, for any raw output, and by brute search."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from catalogue_losses import definitions
from goodmeasure.deriving.implied_probability import implies_probability, log_odds
from goodmeasure.deriving.sizes import domains, log_size
from goodmeasure.errors import NoSuchReading
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import symbol
from turns import at_night

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
import recover

YES_NO = list(recover.yes_no())
CLASSES = list(recover.classes())


def in_turn(cases):
    """A third of the settings of the hyperparameters of every loss, and at night the others."""
    return pytest.mark.parametrize("cases", [at_night(cases[k::3], unless=k == 0, id=f"from {k}") for k in range(3)])


FAR = np.array([0.0, 1e-9, 0.3, 1.0, 5.0, 36.0, 88.0, 700.0, 1e4, 1e300])
RAW = np.unique(np.concatenate([-FAR, FAR]))


@in_turn(YES_NO)
def test_probabilities_of_yes_are_there_and_rise_wherever_the_raw_output_is(cases):
    for _, loss, _ in cases:
        if implies_probability(loss):
            p = loss.predict(RAW)
            assert ((p >= 0) & (p <= 1)).all(), loss
            assert (np.diff(p) >= -1e-12).all(), loss


def rows(k: int):
    """Raw outputs of k classes: near each other, far apart, tied, and out to where exponentials are lost."""
    r = np.random.default_rng(0)
    return np.concatenate([scale * r.normal(size=(3, k)) for scale in (1e-9, 0.1, 1.0, 5.0, 30.0)] + [np.zeros((1, k))])


def told(loss, z):
    """What `predict` says of one row; even shares where it says by name that it cannot tell, which only sums over classes may."""
    if set(loss.predictions) == {"p"}:
        return loss.predict(z[None])[0]
    try:
        return loss.predict(z[None])[0]
    except NoSuchReading:
        return np.full(len(z), 1 / len(z))


@in_turn(CLASSES)
def test_probabilities_of_classes_are_there_or_refused_by_name(cases):
    for _, loss, k in cases:
        if not implies_probability(loss):
            continue
        for z in (*rows(k), 300 * rows(k)[0] / np.abs(rows(k)[0]).max(), 1e4 * (np.arange(k) == 1.0)):
            p = told(loss, z)
            assert np.isfinite(p).all(), (loss, z)
            assert abs(p.sum() - 1) < 1e-9, (loss, z)


def test_the_probability_of_a_class_rises_with_its_own_raw_output():
    for _, loss, k in CLASSES:
        if implies_probability(loss) and k == 3:
            z = np.tile([0.1, -0.2, 0.05], (21, 1))
            z[:, 1] += np.linspace(-3, 3, 21)
            assert (np.diff(loss.predict(z)[:, 1]) >= -1e-9).all(), loss


@pytest.mark.parametrize(
    "cases", [YES_NO[::7], [case for case in CLASSES if case[2] == 3][::4]], ids=["yes/no", "classes"]
)
def test_the_true_probability_comes_back_at_the_best_raw_output(cases):
    found = [recover.judged(*case) for case in cases]
    told = [each for each in found if implies_probability(each.loss)]
    assert sum(each.found for each in told) > 50
    assert [each for each in told if each.back < each.found] == []


def test_a_raw_output_that_is_best_for_many_probabilities_tells_none():
    asymmetric = gm.losses.asymmetric
    for loss in (gm.losses.hinge(), asymmetric(gamma_negative=0.0), asymmetric(margin=0.999)):
        with pytest.raises(NoSuchReading):
            loss.predict([0.0])
    kinked = gm.losses.binary_cross_entropy() + gm.losses.hinge()
    assert not implies_probability(kinked)  # its odds rise, and leap where the hinge turns
    assert asymmetric().predict([-4.0, 40.0]) == pytest.approx([0.0, 0.9637], abs=1e-3)


def test_a_class_without_weight_leaves_no_probability():
    for loss in (gm.losses.cross_entropy(class_weight=(0.0, 1.0)), gm.losses.focal(class_weight=(1.0, 0.0, 1.0))):
        with pytest.raises(NoSuchReading):
            loss.predict(np.zeros((1, len(loss.class_weight))))


def test_many_classes_are_judged_by_a_few_that_stand_for_them():
    loss = gm.weighted(gm.losses.cross_entropy(smoothing=0.1), classes=np.linspace(1, 2, 500).tolist())
    assert implies_probability(loss)


@pytest.mark.parametrize("loss", [gm.losses.focal(gamma=1.0), gm.losses.poly(epsilon=-0.5)], ids=str)
def test_a_classifier_of_any_focus_is_about_as_right_as_one_of_cross_entropy(loss):
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    assert gm.LossClassifier(loss, alpha=0.01).fit(x, y).score(x, y) > 0.95


def test_logarithms_of_sizes_hold_for_every_sign_of_the_symbols():
    a, b = symbol("a"), symbol("b")
    formulas = [a * b - a, a + b, -(a - b), (a - 2) * b, a**2 - b, (a + b) / (b - 3)]
    for formula, low, high in product(formulas, (-2.0, 0.5), (-1.0, 3.0)):
        if low > high:
            continue
        values = {"a": np.linspace(low, high, 7), "b": np.linspace(high, low, 7)}
        boxes = {name: domains({name}, {name: (low, high)})[name] for name in values}
        logs, plain = on_arrays([log_size(formula, boxes), formula], values, values["a"])
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(logs, np.log(np.abs(plain)), rtol=1e-9, atol=1e-9)


def test_the_odds_are_those_of_the_two_pulls():
    z = np.linspace(-4, 4, 17) + 1e-3
    for _, loss, _ in YES_NO[::5]:
        if implies_probability(loss):
            away, toward = loss.gradient(np.zeros(17), z), -loss.gradient(np.ones(17), z)
            both = (away > 0) & (toward > 0)
            np.testing.assert_allclose(log_odds(loss, z[both]), np.log(away[both] / toward[both]), rtol=1e-7, atol=1e-9)


def shares(k: int) -> np.ndarray:
    """Rows of probabilities: any, nearly certain, with one class that is rare, and with classes that never happen."""
    rare = [1e-9, *([(1 - 1e-9) / (k - 1)] * (k - 1))]
    sure = [1 - 1e-12 * (k - 1), *([1e-12] * (k - 1))]
    return np.vstack([np.random.default_rng(0).dirichlet(np.ones(k), 5), rare, sure, np.eye(k)[0]])


@in_turn(CLASSES)
def test_raw_outputs_of_class_probabilities_stand_for_them(cases):
    for _, loss, k in cases:
        if set(loss.predictions) != {"p"} or not implies_probability(loss):
            continue
        p = shares(k)
        z = loss.raw(p)
        assert not np.isnan(z).any(), loss
        np.testing.assert_allclose(loss.predict(z[:-1]), p[:-1], atol=1e-9, err_msg=repr(loss))
        assert z[-1].argmax() == 0
        assert np.exp(z[-1] - z[-1].max())[1:].max() < 1e-9, "the others never happen"


def test_smoothing_is_undone_row_by_row_or_at_once():
    loss, p = gm.losses.cross_entropy(smoothing=0.1), shares(3)
    each = np.stack([loss.best_constant(row[None, :]) for row in p])
    np.testing.assert_allclose(loss.raw(p), each, atol=1e-6)


@pytest.mark.parametrize("name", ["squared_hinge", "smooth_hinge", "modified_huber", "exponential"])
def test_certain_no_is_the_mirror_of_certain_yes(name):
    loss = getattr(gm.losses, name)()
    no, yes = loss.raw(np.array([0.0, 1.0]))
    assert no == pytest.approx(-yes)


@pytest.mark.parametrize("definition", definitions(), ids=lambda definition: definition.name)
def test_the_raw_output_of_a_probability_is_its_own_whatever_stands_beside_it(definition):
    loss = definition()
    if not implies_probability(loss):
        return
    random = np.random.default_rng(0)
    p = random.dirichlet(np.ones(3), 12) if loss.is_classwise else random.random(12) ** 3
    together = loss.raw(p)
    for row, seen in zip(p, together, strict=True):
        np.testing.assert_array_equal(loss.raw(row[None])[0], seen)
