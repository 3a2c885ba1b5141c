"""Is every word found that is written, spelled in every language, and what its book says?"""

import ast
import inspect
import math
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import formulas, words
from goodmeasure.deriving import in_books as truth
from goodmeasure.errors import FormulaError
from goodmeasure.formulas import evaluation, interval_arithmetic, special_words
from goodmeasure.formulas.evaluation import on_arrays
from goodmeasure.formulas.expression import Word, derivative, expression, spelled, symbol
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
    assert sorted(dir(words)) == sorted(words.__all__) == sorted(VOCABULARY)
    assert all(getattr(words, name) is VOCABULARY[name] is handed[name] for name in VOCABULARY)
    assert handed.keys() - {"__builtins__"} == VOCABULARY.keys()


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


def test_logaddexp_of_infinite_terms_is_the_limit():
    a = np.asarray([np.inf, -np.inf, np.inf, -np.inf, 0.0, -np.inf])
    b = np.asarray([np.inf, -np.inf, 0.0, 2.0, -np.inf, np.inf])
    found = on_arrays([applied(words.logaddexp)], {"x0": a, "x1": b}, a)[0]
    assert np.array_equal(found, np.logaddexp(a, b))
