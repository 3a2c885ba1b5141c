"""Costs of yes and no that columns hold row by row: missing a fraud costs its amount."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.decisions.costs import OUTCOMES, Costs, DegenerateCosts
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.conditions import only_where
from goodmeasure.reading.sql import Sql, plain, quoted, sql
from goodmeasure.reading.tables import ColumnKind, Table, Values, listed
from goodmeasure.statistics.row_arguments import Floats, place

COLUMN = "@"
ERRORS = OUTCOMES[:2]


class UnusableCost(Problem, ValueError):
    """A column that says what mistakes cost holds a cell that is no cost.

    What an error costs is a number in each row, finite and not negative; gains of right answers may be negative costs. A row
    whose cost is not known cannot be decided: fill the cell, or leave the row out with ``--where``.
    """

    code = "GM713"


@dataclass(frozen=True)
class ColumnCosts:
    """What the outcomes of a yes/no decision cost: each a number, or the name of a column that holds it row by row."""

    each: tuple[tuple[str, float | str], ...]
    ask: float | None = None

    @staticmethod
    def named(given: Mapping[str, float | str]) -> ColumnCosts:
        """Costs by the name of their outcome. Error: GM009."""
        strange = [
            name for name, value in given.items() if name not in OUTCOMES or not isinstance(value, str | int | float)
        ]
        if strange or not {*ERRORS} <= {*given}:
            raise UsageError(
                "costs by column are of yes and no",
                seen=f"costs of {listed([*given])}",
                fix="fn and fp; in Python costs={'false_negative': 'amount', 'false_positive': 5}",
            )
        return ColumnCosts(tuple((name, given[name]) for name in OUTCOMES if name in given))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that hold costs, each once."""
        return tuple(dict.fromkeys(value for _, value in self.each if isinstance(value, str)))

    def of(self, table: Table) -> Costs:
        """The costs of the rows of a table. Errors: GM203; GM710 and GM713, which name the first row by its index."""
        held = {name: _read(table[name], name, gains=name not in self._errors) for name in self.columns}
        four: dict[str, Any] = {name: held[v] if isinstance(v, str) else float(v) for name, v in self.each}
        try:
            return Costs(**four, ask=self.ask)
        except DegenerateCosts as problem:
            if found := re.fullmatch(r"row (\d+)", problem.where):
                problem.where = place(self.columns[0], int(found[1]), None)
                problem.fix = f"leave such rows out: {only_where(self._decides)}"
            raise

    @property
    def _decides(self) -> Sql:
        """The condition that the costs of a row leave something to decide."""
        each = {name: quoted(value) if isinstance(value, str) else plain(value) for name, value in self.each}
        miss, alarm = (
            sql("({error} - {right})", error=each[error], right=each[right]) if right in each else each[error]
            for error, right in zip(ERRORS, OUTCOMES[2:], strict=True)
        )
        return sql("{miss} >= 0 AND {alarm} >= 0 AND {miss} + {alarm} > 0", miss=miss, alarm=alarm)

    @property
    def _errors(self) -> set[float | str]:
        """What errors cost: none of it is a gain."""
        return {value for name, value in self.each if name in ERRORS}

    @property
    def rule(self) -> str:
        """When to act, in words."""
        told = {name: f"{value}" if isinstance(value, str) else f"{value:g}" for name, value in self.each}
        miss, alarm = (
            f"({told[error]} - {told[right]})" if right in told else told[error]
            for error, right in zip(ERRORS, OUTCOMES[2:], strict=True)
        )
        return f"act where p x {miss} is at least (1 - p) x {alarm}, row by row"

    def to_dict(self) -> dict[str, Any]:
        """The costs as plain values, ready for JSON: a column's name stands behind ``@``."""
        asking = {} if self.ask is None else {"ask": self.ask}
        return {name: COLUMN + value if isinstance(value, str) else value for name, value in self.each} | asking

    @staticmethod
    def from_dict(state: Mapping[str, Any]) -> ColumnCosts:
        """What `to_dict` described."""
        each = {name: value for name, value in state.items() if name != "ask"}
        read = {n: v.removeprefix(COLUMN) if isinstance(v, str) else float(v) for n, v in each.items()}
        return ColumnCosts(tuple(read.items()), state.get("ask"))


def _read(values: Values, name: str, *, gains: bool) -> Floats:
    """A column of costs. Error: GM713."""
    if ColumnKind.of(values) is not ColumnKind.NUMBER:
        raise UnusableCost(f"column {name!r} holds costs, and not all of it is numbers", fix="a column of numbers")
    costs = np.asarray(values, dtype=np.float64)
    for bad, what in ((np.isnan(costs), "missing"), (np.isinf(costs), "infinite"), (costs < 0, "negative")):
        if bad.any() and not (gains and what == "negative"):
            raise UnusableCost(
                f"a cost in column {name!r} is {what}",
                where=place(name, int(bad.argmax()), None),
                seen=f"{int(bad.sum()):,} of {len(costs):,} rows",
                fix=f"fill the cells, or leave these rows out: {only_where(usable(name, gains=gains))}",
            )
    return costs


def usable(name: str, *, gains: bool) -> Sql:
    """The condition that a row holds a cost in this column."""
    finite = sql("isfinite({q})", q=quoted(name))
    return finite if gains else sql("{q} >= 0 AND {finite}", q=quoted(name), finite=finite)
