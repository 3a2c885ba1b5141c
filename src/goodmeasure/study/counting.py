"""Which rows of a table count: those that are cases, have a weight, and, of these, a target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.choosing.choose import choose
from goodmeasure.deriving.arguments import check_targets
from goodmeasure.errors import Problem, TargetOutsideDomain, WeightError
from goodmeasure.formulas.domains import Domain, OrderDomain, OutcomeDomain
from goodmeasure.making.loss import Loss
from goodmeasure.reading.conditions import only_where
from goodmeasure.reading.footers import without_names, without_total
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.rows_read import NO_TARGET, NO_WEIGHT, RowsRead
from goodmeasure.reading.sql import Sql, all_hold, plain, quoted, sql
from goodmeasure.reading.tables import ColumnKind, Table, missing
from goodmeasure.statistics.row_arguments import CELL, Floats
from goodmeasure.statistics.weights import tame


class NoTargetInRow(Remark):
    """Rows without a target teach and judge nothing; they were left out.

    If a missing target says something (a customer who has not answered yet), leaving these rows out makes the risk one of
    the others only.
    """

    code = "GM240"
    severity = "warning"


class WeightlessRow(Remark):
    """Rows of weight zero count for nothing, neither in training nor in judging; they were left out."""

    code = "GM243"


@contextmanager
def in_table(table: Table) -> Iterator[None]:
    """Problems with a cell that is told by its index name the table, and the row of its source."""
    try:
        yield
    except Problem as problem:
        if (found := CELL.fullmatch(problem.where)) and found[1] in table.columns:
            problem.where = table.at(int(found[2]), found[1])
        raise


def checked(table: Table, name: str, y: NDArray[Any], loss: Loss) -> None:
    """Refuse targets that the loss cannot measure. Error: GM004, which names the first, and a condition for the others."""
    try:
        with in_table(table):
            check_targets(y, y, loss.target, None, loss, name)
    except TargetOutsideDomain as problem:
        if ColumnKind.of(table[name]) is ColumnKind.NUMBER and not isinstance(loss.target, OutcomeDomain | OrderDomain):
            problem.fix = f"mend them, or leave such rows out: {only_where(_inside(name, loss.target))}"
        raise


def _inside(name: str, domain: Domain) -> Sql:
    """The condition that a cell lies in a domain."""
    q, low, high = quoted(name), plain(domain.low), plain(domain.high)
    parts = [sql("isfinite({q})", q=q)]
    if np.isfinite(domain.low):
        parts.append(sql("{q} > {low}", q=q, low=low) if domain.low_open else sql("{q} >= {low}", q=q, low=low))
    if np.isfinite(domain.high):
        parts.append(sql("{q} < {high}", q=q, high=high) if domain.high_open else sql("{q} <= {high}", q=q, high=high))
    if domain.whole:
        parts.append(sql("{q} = round({q})", q=q))
    return all_hold(parts)


@dataclass(frozen=True)
class CountingRows:
    """The rows of a table that count, how many there are, and what must be known of the others."""

    table: Table
    rows: RowsRead
    remarks: tuple[Remark, ...]


def counting(table: Table, target: str, weights: str | None) -> CountingRows:
    """The rows that teach and judge; a row of weight zero is not there, whatever it lacks besides.

    Raises:
        GM004: a target is infinite
        GM006: a weight is missing, negative or not finite, or all are zero
        GM601: no row has a target
    """
    rows = RowsRead(table.rows_in_source).without(table.rows_in_source - len(table), "not in the sample")
    named, again = without_names(table)
    cases, totals = without_total(named)
    weighed, weightless = _with_weight(cases, weights)
    found, dropped = _with_target(weighed, target)
    rows = rows.without(len(table) - len(named), "names of the columns again")
    rows = rows.without(len(named) - len(cases), "totals of the others")
    rows = rows.without(len(cases) - len(weighed), NO_WEIGHT).without(len(weighed) - len(found), NO_TARGET)
    return CountingRows(found, rows, (*again, *totals, *weightless, *dropped))


def _with_target(table: Table, target: str) -> tuple[Table, tuple[Remark, ...]]:
    values = table[target]
    if values.dtype.kind == "f" and np.isinf(values).any():
        first = int(np.argmax(np.isinf(values)))
        raise TargetOutsideDomain(
            f"{target} is infinite in {int(np.isinf(values).sum()):,} of {len(values):,} rows",
            where=table.at(first, target),
            fix=f"leave such rows out: {only_where(sql('isfinite({q})', q=quoted(target)))}",
        )
    lost = missing(values)
    if not lost.any():
        return table, ()
    if lost.all():
        choose(values, name=target)  # says what is wrong with an empty target
    what = f"rows without {target} ({int(lost.sum()):,} of {len(lost):,}) were left out"
    return table.take(~lost), (NoTargetInRow(what),)


def _with_weight(table: Table, weights: str | None) -> tuple[Table, tuple[Remark, ...]]:
    weight = weights_in(table, weights)
    if weight is None or (weight > 0).all():
        return table, ()
    if not (weight > 0).any():
        raise WeightError("all weights are zero", where=f"column {weights!r}", fix="name another column, or none")
    what = f"rows of weight zero ({int((weight == 0).sum()):,} of {len(weight):,}) were left out"
    return table.take(weight > 0), (WeightlessRow(what),)


def weights_in(table: Table, name: str | None) -> Floats | None:
    """The weight of each row; None where no column is named. Error: GM006."""
    if name is None:
        return None
    values = table[name]
    numbers = ColumnKind.of(values) is ColumnKind.NUMBER
    bad = ~(np.isfinite(values) & (values >= 0)) if numbers else np.ones(len(values), dtype=bool)
    if bad.any():
        first = int(np.argmax(bad))
        raise WeightError(
            f"{int(bad.sum()):,} of {len(values):,} weights are missing, negative or not finite numbers",
            where=table.at(first, name),
            seen=f"{values[first]}",
            fix=f"leave such rows out: {only_where(sql('isfinite({q}) AND {q} >= 0', q=quoted(name)))}",
        )
    return tame(values)
