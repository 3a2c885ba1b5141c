"""Numbers that stand for a missing value: -999 among incomes, 99 among ages of children."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from goodmeasure.drawing.terminal import word
from goodmeasure.reading.conditions import only_where
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.sql import quoted, sql
from goodmeasure.reading.tables import ColumnKind, Table, Values

# Nines alone, with or without a sign, and the least whole numbers of 16 and 32 bits.
CODES = frozenset([-9.0, *(sign * (10.0**k - 1) for k in range(2, 10) for sign in (-1, 1)), -(2.0**15), -(2.0**31)])
# So many cells hold it at least: a single one may be a slip or a fact.
LEAST = 3


class CodeForMissing(Remark):
    """A number such as -999 stands in many cells of a column, far outside all others: it looks like a code for "not known".

    It was taken as the number that it is, which a linear model can hardly bear, and as a target it moves every mean. If it
    means that nothing is known, leave such cells empty.
    """

    code = "GM253"
    severity = "warning"


def codes_for_missing(table: Table, features: Iterable[str], target: str) -> tuple[Remark, ...]:
    """A remark on each column in which a code for missing stands apart from the numbers."""
    found = []
    for name in (target, *features):
        values = table[name]
        if ColumnKind.of(values) is ColumnKind.NUMBER and (code := _spike(values)) is not None:
            found.append(_remark(table, name, code, is_target=name == target))
    return tuple(found)


def _spike(values: Values) -> float | None:
    """The code that several cells hold, if it lies farther from all other numbers than those lie apart."""
    finite = values[np.isfinite(values)]
    if not len(finite) or CODES.isdisjoint((float(finite.min()), float(finite.max()))):
        return None  # as nearly always, and to sort a column takes a hundred times as long
    known, counts = np.unique(finite, return_counts=True)
    for code, count, others in ((known[:1], counts[:1], known[1:]), (known[-1:], counts[-1:], known[:-1])):
        if len(others) < 2 or count[0] < LEAST or float(code[0]) not in CODES:
            continue
        nearest = others[np.abs(others - code[0]).argmin()]
        if float(nearest) not in CODES and abs(nearest - code[0]) >= others[-1] - others[0]:
            return float(code[0])
    return None


def _remark(table: Table, name: str, code: float, *, is_target: bool) -> Remark:
    values = table[name]
    others = values[np.isfinite(values) & (values != code)]
    what = (
        f"column {name!r} holds {code:.0f} in {int((values == code).sum()):,} of {len(values):,} rows, and otherwise "
        f"{others.min():.6g} to {others.max():.6g}: a code for missing values?"
    )
    others_only = only_where(sql("{q} <> {code}", q=quoted(name), code=int(code)))
    fix = others_only if is_target else f"leave such cells empty, or --exclude {word(name)}"
    return CodeForMissing(what, fix=fix)
