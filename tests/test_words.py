"""Is every word found that is written, spelled in every language, and what its book says?"""

import ast
import builtins
import inspect
import math
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest
from scipy import special, stats

import goodmeasure as gm
from goodmeasure import formulas, words
from goodmeasure.deriving import in_books as truth
from goodmeasure.errors import FormulaError
from goodmeasure.formulas import evaluation, interval_arithmetic, special_words
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import Word, derivative, expression, released, simplify, spelled, symbol
from goodmeasure.formulas.interval_arithmetic import Box, bounds
from goodmeasure.formulas.words import vocabulary
from goodmeasure.kernels import printer

VOCABULARY = vocabulary()
ROOM = Path(inspect.getfile(formulas)).parent


def languages():
    """Every language of formulas, by its name, with the words that it spells by itself."""
    found = {
        "NumPy": evaluation.language(np),
        "kernels of float32": printer.known("float32"),
        "kernels of float64": printer.known("float64"),
        "intervals": interval_arithmetic.language(),
    }
    for host in ("torch_formulas", "jax", "keras", "polars", "sql"):
        with suppress(ModuleNotFoundError):
            found[host] = import_module(f"goodmeasure.frameworks.{host}").SPELLING
    return found


LANGUAGES = languages()


def applied(word):
    return word(*(symbol(f"x{i}") for i in range(len(word.partials))))


# --- nothing that is written is lost ---


def written():
    """The name of each row ``Word("name", ...)`` of the room, as often as it is written."""
    for path in sorted(ROOM.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Word" and node.args:
                yield ast.literal_eval(node.args[0])


def test_every_word_that_is_written_is_found_and_written_once():
    assert sorted(written()) == sorted(VOCABULARY)


def test_a_row_is_found_without_being_listed(monkeypatch):
    monkeypatch.setattr(special_words, "just_written", Word("just_written", (None,)), raising=False)
    assert "just_written" in vocabulary.__wrapped__()


def test_two_words_of_one_name_are_an_error(monkeypatch):
    monkeypatch.setattr(special_words, "another", Word("softplus", (None,)), raising=False)
    with pytest.raises(FormulaError, match="two words are named softplus"):
        vocabulary.__wrapped__()


def test_the_door_shows_words_and_nothing_else():
    handed = {}
    exec("from goodmeasure.words import *", handed)
    assert sorted(dir(words)) == sorted(VOCABULARY)
    assert all(getattr(words, name) is VOCABULARY[name] for name in VOCABULARY)
    pythons = {name for name in VOCABULARY if hasattr(builtins, name)}
    assert handed.keys() - {"__builtins__"} == set(words.__all__) == VOCABULARY.keys() - pythons
    assert all(handed[name] is VOCABULARY[name] for name in words.__all__)
    # What a star leaves to Python is the same word in a formula, and a number of numbers.
    assert pythons == {"abs"}
    assert abs(symbol("x")) is words.abs(symbol("x"))
    assert eval("abs(-2)", handed) == 2


# --- every word has what it is held to ---


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda w: w.name)
def test_every_language_spells_a_word_or_what_it_means(word, language):
    spelled(applied(word), LANGUAGES[language])  # the error names the word


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda w: w.name)
def test_books_define_every_word(word):
    assert word.book is not None or word.name in truth.language(), f"{word.name} has no book"
    spelled(applied(word), truth.language(), as_in_books=True)


@pytest.mark.parametrize("word", VOCABULARY.values(), ids=lambda w: w.name)
def test_a_meaning_is_there_only_where_a_book_is_not_enough(word):
    if word.meaning is not None and word.book is not None:
        leaves = applied(word).args
        assert expression(word.meaning(*leaves)) is not expression(word.book(*leaves)), f"{word.name}: leave it out"


def test_a_word_that_a_language_cannot_say_is_named():
    bare = Word("bare", (None,))
    with pytest.raises(FormulaError, match="the word bare has no meaning"):
        on_arrays([bare(symbol("z"))], {"z": np.ones(1)}, np.ones(1))
    with pytest.raises(FormulaError, match="the word bare has no book"):
        truth.in_books([bare(symbol("z"))], {"z": mp.mpf(1)})


# --- words of several arguments: those of one are tried in test_formula.py ---

SEVERAL = [w for w in VOCABULARY.values() if len(w.partials) > 1]
FIRST = [0.0, 1e-9, 1e-4, 0.3, 0.7, 1.0, 1.5, 3.0, 17.0, 300.0]
SECOND = [-2.0, -0.5, 1e-3, 0.25, 0.5, 1.0, 2.5]


def points(word):
    """Values for each argument: misses of both signs, then a power or a scale (above zero), then whatever is chosen."""
    for first in (*FIRST, *(-x for x in FIRST)):
        for second in SECOND:
            if second > 0 or not word.name.startswith("crps"):
                yield dict(zip(("x0", "x1", "x2"), (first, second, 0.75), strict=True))


def true_value(root, values, digits=400):
    with mp.workdps(digits):
        found = truth.in_books([root], {name: mp.mpf(value) for name, value in values.items()})[0]
        return found if isinstance(found, bool) or mp.isfinite(found) else None


@pytest.mark.parametrize("word", [w for w in SEVERAL if w.meaning or w.book], ids=lambda w: w.name)
def test_a_word_of_several_arguments_is_computed_as_its_book_says(word):
    root, slopes = applied(word), [derivative(applied(word), f"x{i}") for i in range(len(word.partials))]
    tried = list(points(word))
    arrays = {name: np.asarray([values[name] for values in tried]) for name in tried[0]}
    found = on_arrays([root], arrays, arrays["x0"])[0]
    for values, seen in zip(tried, found, strict=True):
        true = true_value(root, values)
        if true is None or abs(true) > np.finfo(float).max:
            continue
        moved = sum(abs((true_value(s, values) or 0) * values[f"x{i}"]) for i, s in enumerate(slopes))
        allowed = (8 * abs(true) + moved) * np.finfo(float).eps + np.finfo(float).tiny
        assert abs(mp.mpf(float(seen)) - true) <= allowed, f"{word.name} at {values}: {seen}, {mp.nstr(true, 17)}"


@pytest.mark.parametrize("word", SEVERAL, ids=lambda w: w.name)
def test_the_slopes_of_a_word_of_several_arguments_are_its_derivatives(word):
    chosen_by = 0 if word.name in ("where", "either", "times") else None  # a condition or a target, which nobody varies
    for i, partial in enumerate(word.partials):
        if i == chosen_by or (partial is None and word.slope is None):
            continue
        slope, step = derivative(applied(word), f"x{i}"), mp.mpf(10) ** -40
        for values in ({"x0": 0.3, "x1": 0.8, "x2": 1.7}, {"x0": 2.3, "x1": 0.4, "x2": -0.6}):
            with mp.workdps(200):
                up, down = (
                    truth.in_books([applied(word)], {**values, f"x{i}": mp.mpf(values[f"x{i}"]) + way * step})[0]
                    for way in (1, -1)
                )
                assert abs((up - down) / (2 * step) - true_value(slope, values)) < mp.mpf(10) ** -15, (word, values)


# --- intervals ---


@pytest.mark.parametrize("word", [w for w in VOCABULARY.values() if len(w.partials) == 1], ids=lambda w: w.name)
def test_the_bounds_of_a_word_hold_inside_a_box(word):
    low = np.concatenate([np.linspace(-30, 30, 301), np.linspace(-2, 2, 301)])
    box = Box(low, low + np.repeat([0.3, 1.1], 301))
    found = bounds(word(symbol("u")), {"u": box}, {})
    for part in (0.0, 0.1, 0.5, 0.9, 1.0):
        inside = box.low + part * (box.high - box.low)
        seen = on_arrays([word(symbol("u"))], {"u": inside}, inside)[0]
        slack = 1e-12 * (1 + np.abs(seen))
        assert (np.isnan(seen) | ((found.low - slack <= seen) & (seen <= found.high + slack))).all()


def test_a_word_turns_where_its_bounds_say():
    (low,) = bounds(words.lgamma(symbol("u")), {"u": Box(np.asarray([1.4]), np.asarray([1.5]))}, {}).low
    assert low == pytest.approx(math.lgamma(1.4616321449683622), rel=1e-12)


# --- a mixture ---


def _mixture_plain(y, mu):
    near, far = -((y - mu) ** 2) / 2, -((y - mu - 3) ** 2) / 8
    return -words.log(0.7 * words.exp(near) + 0.15 * words.exp(far))


def _mixture_in_words(y, mu):
    near, far = -((y - mu) ** 2) / 2, -((y - mu - 3) ** 2) / 8
    return -words.logaddexp(math.log(0.7) + near, math.log(0.15) + far)


@pytest.mark.parametrize("formula", [_mixture_plain, _mixture_in_words], ids=["as a book writes it", "with logaddexp"])
def test_a_mixture_of_two_normals_is_right_far_out(formula):
    mixture = gm.loss(target=gm.Real)(formula)()
    for dtype in (np.float32, np.float64):
        for y in (50.0, -50.0, 1000.0):
            found = mixture.value(np.asarray([y], dtype), np.zeros(1, dtype))[0]
            truth_there = true_value(_mixture_in_words(symbol("y"), symbol("mu")), {"y": y, "mu": 0.0}, 4000)
            assert found == pytest.approx(float(truth_there), rel=8 * float(np.finfo(dtype).eps))
            assert np.isfinite(mixture.gradient(np.asarray([y], dtype), np.zeros(1, dtype))[0])
    assert gm.check(mixture, seconds=60.0).passed


@pytest.mark.parametrize("y", [50.0, -50.0, 1e4, -1e4])
def test_a_mixture_of_three_is_right_far_out_and_so_is_what_it_pulls(y):
    def formula(y, mu):
        parts = [math.log(w) - (y - mu - m) ** 2 / 2 for w, m in ((0.2, -3.0), (0.5, 0.0), (0.3, 4.0))]
        return -words.logaddexp(parts[0], words.logaddexp(parts[1], parts[2]))

    mixture = gm.loss(target=gm.Real)(formula)()
    near = 4.0 if y > 0 else -3.0  # only the nearest part is left of the mixture
    weight = 0.3 if y > 0 else 0.2
    for dtype in (np.float32, np.float64):
        at = np.asarray([y], dtype), np.zeros(1, dtype)
        eps = 8 * float(np.finfo(dtype).eps)
        assert mixture.value(*at)[0] == pytest.approx((y - near) ** 2 / 2 - math.log(weight), rel=eps)
        assert mixture.gradient(*at)[0] == pytest.approx(near - y, rel=eps)
        assert mixture.hessian(*at)[0] == pytest.approx(1.0, rel=eps)


# --- the scaled Bessel functions ---

BESSEL = [w for w in VOCABULARY.values() if w.name.startswith(("i0e", "i1e"))]
SIZES = np.concatenate([np.geomspace(1e-9, 1e-2, 15), np.linspace(0.03, 20, 200), np.geomspace(21, 1e15, 40)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("word", BESSEL, ids=lambda w: w.name)
def test_the_scaled_bessel_functions_are_true_to_a_few_ulps(word, dtype):
    x = np.concatenate([-SIZES, SIZES]).astype(dtype)
    seen = on_arrays([word(symbol("x0"))], {"x0": x}, x)[0]
    slope = derivative(word(symbol("x0")), "x0") if word.partials[0] is not None else None
    kind = np.finfo(dtype)
    for at, found in zip(x.tolist(), seen.tolist(), strict=True):
        true = true_value(word(symbol("x0")), {"x0": at}, 120)
        # Where slopes and bends pass through zero, an ulp of the place is all that can be asked.
        moved = 0 if slope is None or not word.name.startswith("i1e") else abs(true_value(slope, {"x0": at}, 120) * at)
        allowed = (8 * abs(true) + moved) * float(kind.eps) + float(kind.tiny)
        if word.name == "i1e_bend":
            allowed += float(kind.eps) * 2 / (1 + abs(at)) ** 2.5
        assert abs(found - true) <= allowed, (at, found, mp.nstr(true, 12))


def test_the_scaled_bessel_functions_are_those_of_scipy():
    x = np.linspace(-30, 30, 601)
    for name in ("i0e", "i1e"):
        np.testing.assert_allclose(
            on_arrays([VOCABULARY[name](symbol("x"))], {"x": x}, x)[0], getattr(special, name)(x), rtol=2e-15
        )


def test_a_von_mises_likelihood_is_true_and_its_pulls_are_those_of_its_mean_resultant():
    @gm.loss(target=gm.Real, activation=("linear", "exp"))
    def von_mises_nll(y, mean, concentration):
        """The surprise of a von Mises distribution."""
        return concentration * words.versin(y - mean) + words.log(words.i0e(concentration)) + math.log(2 * math.pi)

    loss = von_mises_nll()
    report = gm.check(loss, seconds=300.0)
    assert report.passed, str(report)
    assert not report.left_out
    y, z = np.asarray([0.3, -2.0, 3.0]), np.asarray([[0.1, -3.0], [0.4, 1.0], [-2.5, 8.0]])
    kappa = np.exp(z[:, 1])
    value = -stats.vonmises.logpdf(y, kappa, loc=z[:, 0])
    np.testing.assert_allclose(loss.value(y, z), value, rtol=1e-12)
    resultant = special.i1e(kappa) / special.i0e(kappa)
    np.testing.assert_allclose(loss.gradient(y, z)[:, 1], kappa * (resultant - np.cos(y - z[:, 0])), rtol=1e-9)


# --- what a signal takes for a constant ---


@gm.loss(target=gm.Outcome)
def held_focal(p, *, gamma: gm.NonNegative = 2.0):
    """Surprise, weighted by how bad the prediction is: a weight that is not learned from."""
    return -words.stop_gradient((1 - p) ** gamma) * words.log(p)


@gm.loss(target=gm.Real)
def held_pull(y, mu):
    """The squared miss, weighted down by its own size: a weight that is not learned from."""
    return words.stop_gradient(1 / (1 + abs(y - mu))) * (y - mu) ** 2


HELD = [held_focal(), held_focal.binary(gamma=0.5), held_pull()]


@pytest.mark.parametrize("loss", HELD, ids=repr)
def test_what_is_held_passes_the_battery(loss):
    report = gm.check(loss, seconds=300.0)
    assert report.passed, str(report)
    assert not report.left_out


def test_the_signal_takes_what_is_held_for_a_constant():
    y, z = np.asarray([1.0, 0.0, 1.0]), np.asarray([-30.0, 2.0, 0.5])
    p = 1 / (1 + np.exp(-z))
    weight = np.where(y == 1, 1 - p, p) ** 2
    loss = held_focal.binary()
    np.testing.assert_allclose(loss.value(y, z), gm.losses.binary_focal().value(y, z), rtol=1e-15)
    np.testing.assert_allclose(loss.gradient(y, z), weight * (p - y), rtol=1e-14)
    np.testing.assert_allclose(loss.hessian(y, z), weight * p * (1 - p), rtol=1e-13)


def test_identities_reach_into_what_is_held():
    p, z = symbol("p"), symbol("z")
    held = words.stop_gradient(words.log(p) + words.stop_gradient(p))
    assert str(simplify(held, {"p": words.exp(z)})) == "stop_gradient(z) + exp(stop_gradient(z))"
    assert released(simplify(held, {"p": words.exp(z)})) is z + words.exp(z)
    assert simplify(words.stop_gradient(expression(2.0))).number == 2.0
    assert derivative(held, "p").number == 0


def test_jax_and_torch_hold_it_in_second_derivatives_too():
    jax, torch = pytest.importorskip("jax"), pytest.importorskip("torch")
    for loss in HELD[1:]:
        y, z = np.asarray([1.0, 0.0, 1.0], np.float32), np.asarray([-3.0, 2.0, 0.5], np.float32)
        summed = gm.to_jax(loss, reduction="sum")
        once = jax.grad(summed)
        twice = jax.grad(lambda raw, once=once, y=y: once(raw, y).sum())(z)
        np.testing.assert_allclose(twice, loss.hessian(y, z), rtol=1e-5)
        raw = torch.tensor(z, requires_grad=True)
        total = gm.to_torch(loss, reduction="sum")(raw, torch.tensor(y))
        (once,) = torch.autograd.grad(total, raw, create_graph=True)
        np.testing.assert_allclose(once.detach(), loss.gradient(y, z), rtol=1e-5)
        np.testing.assert_allclose(torch.autograd.grad(once.sum(), raw)[0], loss.hessian(y, z), rtol=1e-5)


def test_claims_and_constants_are_of_the_value_and_no_linear_model_is_trained_on_it():
    loss, plain = held_focal.binary(), gm.losses.binary_focal()
    shape = ("convex", "Lipschitz", "smooth")
    told = [str(t) for t in loss.card().traits if t.name in shape]
    assert told == [str(t) for t in plain.card().traits if t.name in shape]
    assert loss.best_constant([1, 1, 0]) == plain.best_constant([1, 1, 0])
    # The probability is where the signal is balanced: what is held distorts nothing but the weights of both outcomes.
    z = np.linspace(-3, 3, 13)
    away, toward = np.exp(-3 * np.logaddexp(0, -z)), np.exp(-3 * np.logaddexp(0, z))
    np.testing.assert_allclose(loss.predict(z), away / (away + toward), rtol=1e-12)
    for model in (gm.LossClassifier(loss), gm.LossRegressor(held_pull())):
        with pytest.raises(gm.errors.UsageError, match="nothing is least where the signal"):
            model.fit(np.arange(6.0)[:, None], [0, 1, 0, 1, 1, 0])


def test_logaddexp_of_infinite_terms_is_the_limit():
    a = np.asarray([np.inf, -np.inf, np.inf, -np.inf, 0.0, -np.inf])
    b = np.asarray([np.inf, -np.inf, 0.0, 2.0, -np.inf, np.inf])
    found = on_arrays([applied(words.logaddexp)], {"x0": a, "x1": b}, a)[0]
    assert np.array_equal(found, np.logaddexp(a, b))
