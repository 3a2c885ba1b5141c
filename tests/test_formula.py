"""Do formulas mean what they say: tracing, identities, derivatives, words, and writing them down?"""

import json
import math
import pickle
import random

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import goodmeasure as gm
from catalogue_losses import everything
from goodmeasure import words
from goodmeasure.deriving.in_books import language as language_of_books
from goodmeasure.errors import FormulaError
from goodmeasure.formulas.evaluation import evaluate, language, on_arrays
from goodmeasure.formulas.expression import Expr, derivative, expression, nodes, simplify, symbol, symbols
from goodmeasure.formulas.serialise import from_data, to_data

z = symbol("z")
RULES = [rule for word in words.vocabulary().values() for rule in word.rules]


def true_value(expr: Expr, values: dict[str, float]):
    with mp.workdps(60):
        return evaluate(
            [expr], {k: mp.mpf(v) for k, v in values.items()}, language_of_books(), mp.mpf, as_in_books=True
        )[0]


@pytest.mark.parametrize(("left", "right", "positive"), RULES, ids=[f"{left} = {right}" for left, right, _ in RULES])
def test_every_identity_is_exact(left, right, positive):
    picked, tried = random.Random(repr(left)), 0
    for _ in range(60):
        values = {name: picked.choice([1.0, picked.uniform(0.01, 3), picked.uniform(-3, 3)]) for name in symbols(left)}
        # One of them at zero at a time: 0**0 and its like are what the digits around them make of it.
        if picked.random() < 0.2:
            values[picked.choice(sorted(values))] = 0.0
        if any(values[name] <= 0 for name in positive):
            continue
        before = true_value(left, values)
        if isinstance(before, bool) or not mp.isfinite(before):
            continue
        tried += 1
        after = true_value(right, values)
        assert abs(after - before) <= abs(before) * mp.mpf(10) ** -45 + mp.mpf(10) ** -50, values
    assert tried >= 3


ONE_ARGUMENT = [w for w in words.vocabulary().values() if len(w.partials) == 1]
GRID = [0.0, 1e-300, 1e-9, 1e-4, 0.03, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0, 12.0, 17.0, 37.0, 60.0, 88.0, 300.0, 700.0]


# What is stepped up from near zero is a difference of numbers that are some units large.
STEPPED = {"lgamma": 16, "digamma": 3}


@pytest.mark.parametrize("word", [w for w in ONE_ARGUMENT if w.meaning or w.book], ids=lambda w: w.name)
def test_the_meaning_of_a_word_is_its_book_definition(word):
    grid = np.asarray([*GRID, *(-x for x in GRID)])
    xp = language(np)
    with np.errstate(all="ignore"):
        spelled_out = evaluate([word(z)], {"z": grid}, {k: v for k, v in xp.items() if k != word.name}, np.float64)[0]
    for x, found in zip(grid, np.broadcast_to(spelled_out, grid.shape), strict=True):
        with mp.workdps(800):
            truth = evaluate([word(z)], {"z": mp.mpf(x)}, language_of_books(), mp.mpf, as_in_books=True)[0]
            if not mp.isfinite(truth) or abs(truth) > np.finfo(float).max:
                continue
            bend = (
                0
                if x == -1
                else (
                    evaluate(
                        [word(z)],
                        {"z": mp.mpf(x) * (1 + mp.mpf(10) ** -60)},
                        language_of_books(),
                        mp.mpf,
                        as_in_books=True,
                    )[0]
                    - truth
                )
                * mp.mpf(10) ** 60
            )
            allowed = np.finfo(float).eps * (8 * abs(truth) + STEPPED.get(word.name, 0))
            allowed += abs(bend) * np.finfo(float).eps + np.finfo(float).tiny
            assert abs(mp.mpf(float(found)) - truth) <= allowed, (
                f"{word.name}({x}) = {found}, truth {mp.nstr(truth, 17)}"
            )


@pytest.mark.parametrize("word", [w for w in ONE_ARGUMENT if w.partials[0] is not None], ids=lambda w: w.name)
def test_the_derivative_of_a_word_is_its_slope(word):
    slope = derivative(word(z), "z")
    for x in (0.2, 0.9, 1.7, -0.4, -2.3):
        with mp.workdps(60):
            h = mp.mpf(10) ** -20
            up, down = (true_value(word(z), {"z": mp.mpf(x) + s * h}) for s in (1, -1))
            if not (mp.isfinite(up) and mp.isfinite(down)):
                continue
            assert abs((up - down) / (2 * h) - true_value(slope, {"z": x})) < mp.mpf(10) ** -15


RISING = [w for w in words.vocabulary().values() if w.rise is not None]


@pytest.mark.parametrize("word", RISING, ids=lambda w: w.name)
def test_the_rise_of_a_word_is_the_slope_of_its_argument_times_the_word(word):
    others = [symbol("a")] * (len(word.partials) - 1)
    plain = derivative(z, "z") * word(z, *others) + z * derivative(word(z, *others), "z")
    for x in (0.3, -1.7, 40.0):
        values = {"z": x, "a": 0.7}
        risen = true_value(word(z, *others) * word.rise(z, *others), values)
        assert abs(risen - true_value(plain, values)) <= abs(risen) * mp.mpf(10) ** -40


@pytest.mark.parametrize("word", RISING, ids=lambda w: w.name)
@pytest.mark.parametrize(
    "inner",
    [lambda e: e - symbol("y"), lambda e: symbol("y") - e, lambda e: (e - symbol("y")) / 3, lambda e: 2 * e + 1],
)
def test_a_word_of_an_exponential_has_the_slope_that_the_chain_rule_gives_it(word, inner):
    others = [symbol("a")] * (len(word.partials) - 1)
    u = inner(words.exp(z))
    pull = simplify(5 * word(u, *others) * derivative(u, "z"))
    for at in (-1.0, 0.4, 3.0):
        values = {"z": at, "y": 1.9, "a": 0.7}
        with mp.workdps(60):
            step = mp.mpf(10) ** -20
            up, down = (true_value(pull, {**values, "z": mp.mpf(at) + way * step}) for way in (1, -1))
            assert abs((up - down) / (2 * step) - true_value(derivative(pull, "z"), values)) < mp.mpf(10) ** -15


leaf = st.sampled_from([symbol("z"), symbol("y"), expression(1), expression(2), expression(0), expression(0.5)])
unary = st.sampled_from([words.softplus, words.sigmoid, words.tanh, words.log_cosh, words.expm1])


def grow(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: p[0] + p[1]), pair.map(lambda p: p[0] - p[1]), pair.map(lambda p: p[0] * p[1]),
        inner.map(lambda a: -a), st.tuples(unary, inner).map(lambda p: p[0](p[1])),
        st.tuples(inner, inner, inner).map(lambda t: words.where(t[0] <= t[1], t[1], t[2])),
    )  # fmt: skip


formulas = st.recursive(leaf, grow, max_leaves=8)


@given(formulas, st.floats(-2, 2), st.floats(-2, 2))
def test_simplifying_keeps_the_value(formula, at, target):
    values = {"z": at, "y": target}
    before, after = true_value(formula, values), true_value(simplify(formula), values)
    assert abs(before - after) <= (1 + abs(before)) * mp.mpf(10) ** -40


@given(formulas)
def test_simplifying_twice_changes_nothing(formula):
    assert simplify(simplify(formula)) is simplify(formula)


@given(formulas)
def test_a_formula_survives_json_and_pickle_as_the_same_object(formula):
    assert from_data(json.loads(json.dumps(to_data(formula)))) is formula
    assert pickle.loads(pickle.dumps(formula)) is formula


def test_what_is_written_reads_back_in_python():
    scope = {**words.vocabulary(), "abs": words.abs, "z": z, "y": symbol("y")}
    for loss in everything():
        if not loss.is_classwise and loss.raw_names == ("z",):
            scope.update({node.args[0]: node for node in nodes(loss.composed) if node.is_symbol})
            assert eval(repr(loss.composed), scope) is loss.composed  # our own text, in a test


def test_common_parts_are_one_object():
    assert words.sigmoid(z) * 2 is words.sigmoid(symbol("z")) * 2
    assert expression(0.0) is not expression(-0.0)


def test_the_with_logits_forms_are_derived():
    y = symbol("y")
    cross = gm.losses.binary_cross_entropy()
    assert repr(cross.composed) == "either(y, softplus(-z), softplus(z))"
    assert repr(cross.signal[0]) == "either(y, -sigmoid(-z), sigmoid(z))"
    assert gm.losses.poisson().signal == (words.exp(z) - y,)
    assert repr(gm.losses.gamma().composed) == "y*exp(-z) + z"


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        (lambda y, mu: math.log(mu), "turned into a Python number"),
        (lambda y, mu: np.log(mu), "turned into a Python number|not a word"),
        (lambda y, mu: mu if mu > y else y, "whether"),
        (lambda y, mu: mu.clip(0, 1), "clip"),
        (lambda y, mu: "mu", "not a formula"),
        (lambda y, mu: 3.0, "not a formula"),
        (lambda y, mu: words.log(mu, y), "takes 1 arguments"),
        (lambda y, mu: mu + "1", "cannot stand"),
        (lambda y, mu: mu + np.ones(3), "cannot stand|not a formula|Python number"),
        (lambda q: q, "do not say its scale"),
        (lambda y, mu: mu + symbol("other"), "other"),
        (lambda y, mu: max(mu, y), "whether"),
        (lambda y, mu: undefined(mu), "undefined"),  # noqa: F821
    ],
)
def test_a_formula_that_leaves_the_vocabulary_says_which_word(formula, says):
    with pytest.raises((FormulaError, NameError), match=says):
        gm.loss(target=gm.Real)(formula)


def test_on_arrays_keeps_dtype_and_shape():
    for dtype in (np.float32, np.float64):
        like = np.linspace(-3, 3, 12, dtype=dtype).reshape(3, 4)
        found, one = on_arrays([words.softplus(z), expression(1)], {"z": like}, like)
        assert found.dtype == dtype == one.dtype
        assert found.shape == one.shape == (3, 4)
