"""Do the three kinds of rows keep apart what must be kept apart?"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodmeasure.reading.tables import Table
from goodmeasure.study.shared import SharedByChance, SharedRows, _mixed, row_keys, shared_rows
from goodmeasure.study.split import ONE_OF_BOTH, TooFewRowsToSplit, check, folded, split


@settings(max_examples=25, deadline=None)
@given(st.integers(60, 400), st.integers(0, 5))
def test_every_row_is_in_exactly_one_part(n: int, seed: int) -> None:
    found = split(n, seed=seed)
    rows = np.concatenate(list(found.parts.values()))
    assert sorted(rows.tolist()) == list(range(n))
    assert abs(len(found.fit) - 0.6 * n) <= 2
    again = split(n, seed=seed)
    assert all(np.array_equal(found.parts[k], again.parts[k]) for k in found.parts)


def test_every_part_has_its_share_of_each_class() -> None:
    classes = np.repeat(["a", "b", "c"], [600, 300, 30])
    found = split(len(classes), classes=classes)
    for label, total in (("a", 600), ("b", 300), ("c", 30)):
        counts = [int((classes[rows] == label).sum()) for rows in found.parts.values()]
        assert counts == pytest.approx([0.6 * total, 0.2 * total, 0.2 * total], abs=1)


@settings(max_examples=25, deadline=None)
@given(st.integers(3, 40), st.integers(0, 3))
def test_no_group_is_in_two_parts(groups: int, seed: int) -> None:
    group = np.random.default_rng(seed).integers(0, groups, 600)
    try:
        found = split(600, group=group, seed=seed)
    except TooFewRowsToSplit:
        return
    sets = [set(group[rows].tolist()) for rows in found.parts.values()]
    assert sum(map(len, sets)) == len(set().union(*sets))


def test_time_runs_from_fit_to_report_and_equal_times_stay_together() -> None:
    time = np.random.default_rng(0).integers(0, 30, 500)
    found = split(500, time=time)
    assert time[found.fit].max() < time[found.tune].min()
    assert time[found.tune].max() < time[found.report].min()


def test_with_time_and_group_no_group_meets_its_own_past() -> None:
    rng = np.random.default_rng(1)
    time = np.arange(600)
    group = time // 10 + rng.integers(0, 3, 600)
    found = split(600, time=time, group=group)
    sets = [set(group[rows].tolist()) for rows in found.parts.values()]
    assert sum(map(len, sets)) == len(set().union(*sets))
    assert found.remarks[0].code == "GM221"
    assert sum(map(len, found.parts.values())) < 600


def test_groups_that_are_there_at_all_times_are_told_from_too_few_rows() -> None:
    """Of a panel no group is left for the later parts: no more rows would mend it."""
    group, time = np.tile(np.arange(40), 30), np.repeat(np.arange(30), 40)
    with pytest.raises(TooFewRowsToSplit) as raised:
        split(1200, time=time, group=group)
    assert raised.value.fix == ONE_OF_BOTH
    for alone in ({"time": time}, {"group": group}):
        assert min(map(len, split(1200, **alone).parts.values())) > 200


def test_too_little_is_refused_with_the_numbers() -> None:
    with pytest.raises(TooFewRowsToSplit, match="25 usable rows"):
        split(25)
    with pytest.raises(TooFewRowsToSplit, match="2 groups"):
        split(100, group=np.arange(100) % 2)
    labels = np.array(["a"] * 98 + ["rare"] * 2)
    with pytest.raises(TooFewRowsToSplit, match="class rare"):
        check(split(100, classes=labels).parts, labels)


def equal_rows(*columns: np.ndarray, folds: bool = False) -> list[type]:
    """The kinds of remarks on the rows of these columns."""
    table = Table({f"x{k}": values for k, values in enumerate(columns)}, "", len(columns[0]))
    parts = folded(len(table)) if folds else split(len(table))
    return [type(remark) for remark in shared_rows((table,), tuple(table.columns), parts)]


@pytest.mark.parametrize("folds", [False, True])
def test_copies_across_the_split_are_noticed_and_chance_is_told_apart(folds: bool) -> None:
    numbers = np.arange(1000.0)
    twice = np.repeat(numbers[:500], 2)
    assert equal_rows(twice, -twice, folds=folds) == [SharedRows]
    assert equal_rows(numbers, folds=folds) == []
    for levels in (12, 100, 400):
        assert equal_rows(numbers % levels, 1.0 * (numbers % levels > levels / 2), folds=folds) == [SharedByChance]
    once = numbers.copy()
    once[split(1000).report[0]] = once[split(1000).fit[0]]
    assert set(equal_rows(once, folds=folds)) == {SharedByChance}
    few = np.random.default_rng(0).integers(0, 50, 1000) * 1.0
    assert equal_rows(few, folds=folds) == [SharedByChance]


def coded(n: int, levels: int, columns: int, together: float, rng: np.random.Generator) -> np.ndarray:
    """Columns of so many labels, which share a part of what moves them, and an answer that follows the first."""
    z = np.sqrt(together) * rng.normal(size=(n, 1)) + np.sqrt(1 - together) * rng.normal(size=(n, columns))
    x = np.digitize(z, np.linspace(-1, 1, levels + 1)[1:-1])
    return np.column_stack([x, rng.random(n) < (x[:, 0] + 1) / (levels + 1)]) * 1.0


@pytest.mark.parametrize("together", [0.0, 0.5])
@pytest.mark.parametrize(("levels", "columns"), [(2, 3), (4, 4), (3, 6), (5, 8)])
@pytest.mark.parametrize("n", [100, 300, 1000])
def test_cases_of_few_answers_are_no_copies(n: int, levels: int, columns: int, together: float) -> None:
    """Rows of questionnaires and codes are often equal; that is no reason to look first."""
    rng = np.random.default_rng(0)
    said = [equal_rows(*coded(n, levels, columns, together, rng).T) for _ in range(20)]
    assert sum(SharedRows in kinds for kinds in said) <= 1


@pytest.mark.parametrize("times", [2, 3, 4])
@pytest.mark.parametrize("n", [100, 300, 1000])
def test_copies_of_whole_cases_are_found_however_often_they_come(n: int, times: int) -> None:
    rng = np.random.default_rng(0)
    each = n // times
    for x in (rng.normal(size=(each, 3)), np.column_stack([rng.integers(0, 4, (each, 6)), rng.normal(size=each)])):
        assert equal_rows(*np.repeat(x, times, axis=0).T) == [SharedRows]


@pytest.mark.parametrize(
    "cells",
    [
        np.array([1.5, -0.0, 1.5, 0.0]),
        np.array(["a", "b", "a", "b"], dtype=object),
        np.array(["a", None, "a", None], dtype=object),
        np.array(["2024-01-01", "2024-01-02", "2024-01-01", "2024-01-02"], dtype="datetime64[s]"),
    ],
    ids=["numbers", "texts", "a text and none", "dates"],
)
def test_rows_are_equal_where_every_cell_is(cells: np.ndarray) -> None:
    """The first and third are, as are the second and fourth, whatever stands beside the cells."""
    same, other = np.ones(4), np.arange(4.0)
    for columns in ({"x": cells}, {"same": same, "x": cells}, {"x": cells, "same": same}):
        keys = row_keys([Table(columns, "", 4)], tuple(columns)).tolist()
        assert (keys[0] == keys[2], keys[1] == keys[3], keys[0] == keys[1]) == (True, True, False)
    mixed = row_keys([Table({"other": other, "x": cells}, "", 4)], ("other", "x"))
    assert len(set(mixed.tolist())) == 4


def test_keys_of_rows_are_mixed_by_the_published_finalizer() -> None:
    """The first numbers that SplitMix64 gives from the seed 0."""
    step = np.uint64(0x9E3779B97F4A7C15)
    found = _mixed(np.arange(3, dtype=np.uint64) * step)
    assert [hex(key) for key in found] == ["0xe220a8397b1dcdaf", "0x6e789e6aa1b965f4", "0x6c45d188009454f"]


def test_folds_without_which_too_little_is_left_are_refused() -> None:
    with pytest.raises(TooFewRowsToSplit, match="without one fold, 25 usable rows make 20 to fit, 5 to tune"):
        folded(30, classes=np.arange(30) % 5)


@pytest.mark.parametrize("rare", [0, 3])
@pytest.mark.parametrize("folds", [True, False])
def test_as_many_rows_as_the_error_asks_for_are_enough(rare: int, folds: bool) -> None:
    met = 0
    for n in range(3 * (rare or 1), 70):
        classes = np.arange(n) % rare if rare else None

        def parts(n: int, classes: np.ndarray | None) -> object:
            return folded(n, classes=classes, repeats=2) if folds else split(n, classes=classes)

        try:
            parts(n, classes)
        except TooFewRowsToSplit as error:
            if found := re.search(r"(\d+) usable rows in all are enough: bring (\d+) more", error.fix):
                needed = int(found[1])
                assert needed - n == int(found[2]) > 0
                parts(needed, np.resize(classes, needed) if rare else None)
                met += 1
            else:
                pytest.fail(error.fix)
    assert met
