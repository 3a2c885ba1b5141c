"""Rows that are no cases: a last one of totals, and the names of the columns once more."""

from __future__ import annotations

import numpy as np

from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import ColumnKind, Table, Values, missing

# Fewer rows may add up to the last one by chance.
LEAST = 5


class TotalLeftOut(Remark):
    """The last row holds the sums of the columns above it, as spreadsheets end, and is no case: it was left out."""

    code = "GM249"
    severity = "warning"


class NamesAgain(Remark):
    """Rows hold the names of the columns once more, as files do that were put together from several; they were left out."""

    code = "GM254"
    severity = "warning"


def without_names(table: Table) -> tuple[Table, tuple[Remark, ...]]:
    """The table without rows in which every text is the name of its column, and no number or date stands."""
    texts = {name: v for name, v in table.columns.items() if ColumnKind.of(v) is ColumnKind.TEXT}
    if not texts:
        return table, ()
    again = np.all([values == name for name, values in texts.items()], axis=0)
    if again.any():
        again &= np.all([missing(v) for name, v in table.columns.items() if name not in texts] or [again], axis=0)
    if not again.any():
        return table, ()
    what = f"rows that hold the names of the columns again ({int(again.sum()):,}) were left out"
    return table.take(~again), (NamesAgain(what, where=table.at(int(np.argmax(again)))),)


def without_total(table: Table) -> tuple[Table, tuple[Remark, ...]]:
    """The table without a last row of totals: each of its numbers is missing, a sum or a mean, and one at least is a sum."""
    if len(table) <= LEAST or table.rows_in_source != len(table):
        return table, ()
    numbers = {name: v for name, v in table.columns.items() if ColumnKind.of(v) is ColumnKind.NUMBER}
    others = [v for name, v in table.columns.items() if name not in numbers]
    if not any(_is_sum(v) for v in numbers.values()) or not all(map(_fits, numbers.values())):
        return table, ()
    if sum(not missing(v[-1:]).any() for v in others) > 1:  # a word such as Total stands in one column
        return table, ()
    sums = ", ".join(f"{name} {v[-1]:.6g}" for name, v in numbers.items() if _is_sum(v))
    what = f"the last row holds the totals of the others and was left out: {sums}"
    return table.take(np.arange(len(table) - 1)), (TotalLeftOut(what, where=f"{table.source}, the last row"),)


def _is_sum(values: Values) -> bool:
    above = values[:-1][np.isfinite(values[:-1])]
    with np.errstate(over="ignore"):  # a sum beyond numbers is no total
        return bool(np.count_nonzero(above) > 1 and np.isclose(values[-1], above.sum(), rtol=1e-6, atol=0))


def _fits(values: Values) -> bool:
    above = values[:-1][np.isfinite(values[:-1])]
    with np.errstate(over="ignore"):
        mean = above.mean() if len(above) else np.nan
    return bool(np.isnan(values[-1]) or _is_sum(values) or np.isclose(values[-1], mean, rtol=1e-3))
