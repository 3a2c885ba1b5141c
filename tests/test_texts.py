"""Are columns of few different texts told apart as a sort of all rows would tell them, and each text asked about once?"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodmeasure.reading.tables import counted, missing
from goodmeasure.statistics.texts import _texts, by_value, coded_texts, different, factorised
from goodmeasure.study.respelling import as_known
from goodmeasure.study.shared import _found_in

WORDS = st.text(alphabet="aB\0 é\U0001f600", max_size=3)
COLUMNS = [
    np.array(["b", "a", "b", ""], dtype=object),
    np.array(["b", "a", "b\0", "b"]),
    np.array([3, 1, 3], dtype=object),
    np.array([2.5, np.nan, 1.0, np.nan]),
    np.array([True, False, True]),
    np.array(["2024-01-02", "NaT", "2023-01-01"], dtype="datetime64[D]"),
    np.array([], dtype=object),
    np.array([np.str_("b"), "a", "b"], dtype=object),
]


@pytest.mark.parametrize("values", COLUMNS, ids=lambda values: f"{values.dtype}, {len(values)}")
def test_every_type_of_column_is_told_apart_as_by_a_sort(values):
    names, codes = factorised(values)
    expected, places = np.unique(values, return_inverse=True)
    np.testing.assert_array_equal(names, expected)
    np.testing.assert_array_equal(codes, places)
    np.testing.assert_array_equal(different(values), expected)
    assert names.dtype == expected.dtype


@given(st.lists(WORDS, max_size=30))
def test_any_texts_are_told_apart_as_by_a_sort(cells):
    values = np.array(cells, dtype=object)
    names, codes = factorised(values)
    assert names.tolist() == sorted(set(cells))
    assert names[codes].tolist() == cells


def test_objects_without_an_order_are_refused_as_by_a_sort():
    with pytest.raises(TypeError):
        factorised(np.array(["a", 1], dtype=object))


def test_each_value_is_asked_about_once():
    asked = Counter()

    def answer(value):
        asked[value] += 1
        return len(value)

    found = by_value(answer, np.array(["ab", "c", "ab", "ab"], dtype=object), np.intp)
    assert found.tolist() == [2, 1, 2, 2]
    assert set(asked.values()) == {1}


@given(st.lists(st.none() | WORDS, max_size=20))
def test_missing_texts_are_found_and_not_counted(cells):
    values = np.array([*cells, None], dtype=object)[:-1]
    assert missing(values).tolist() == [cell is None for cell in cells]
    assert counted(values) == Counter(cell for cell in cells if cell is not None)


@given(st.lists(st.none() | WORDS, max_size=20), st.sets(WORDS, min_size=1, max_size=4))
def test_cells_are_spelled_as_the_known_categories(cells, known):
    values = np.array([*cells, None], dtype=object)[:-1]
    found = as_known(values, known)
    assert all(new == old for old, new in zip(cells, found, strict=True) if old is None or old in known)
    assert all(new in known or new == old for old, new in zip(cells, found, strict=True))


@given(st.lists(st.integers(0, 9), max_size=20), st.lists(st.integers(0, 9), max_size=20))
def test_rows_that_were_seen_before_are_counted(known, asked):
    keys = [np.array(each, dtype=np.uint64) for each in (known, asked)]
    assert _found_in(*keys) == np.isin(keys[1], keys[0]).sum()


def test_what_only_equals_a_text_is_none_wherever_it_stands() -> None:
    class Word(str):
        __slots__ = ()

    for order in (["a", Word("a")], [Word("a"), "a"]):
        keys = np.array(order, dtype=object)
        assert _texts(keys) is None
        assert coded_texts(keys) is None
    codes, names = coded_texts(np.array(["b", "a", "b"], dtype=object))
    assert (codes.tolist(), names) == ([0, 1, 0], ["b", "a"])
