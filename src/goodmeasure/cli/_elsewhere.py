"""Scored rows that count as elsewhere: the tally, or the weights, that answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from goodmeasure.calibrating.base_rates import odds_shift, prior_shift
from goodmeasure.cli._places import NAMES
from goodmeasure.engines import duckdb
from goodmeasure.engines.duckdb import HeldRows, with_losses
from goodmeasure.engines.request import Request
from goodmeasure.engines.shard import HERE
from goodmeasure.errors import UsageError
from goodmeasure.reading.files import read
from goodmeasure.reading.paths import Places
from goodmeasure.reading.tables import Table
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.elsewhere import OtherPlace, Reweighed, Shift, as_table
from goodmeasure.tallying.accumulate import Accumulator, kind_of, schema_of
from goodmeasure.tallying.tally import Tally

# What a model's scores are called once they are turned to another share of yes.
TURNED = "{}, turned"


def plain(model: str) -> str:
    """The column that a model's scores stand in."""
    return model.removesuffix(TURNED.format(""))


class CountedElsewhere(NamedTuple):
    """A tally of rows that count as elsewhere, the rows and the scores of each model, and how the rows are weighed."""

    tally: Tally
    held: HeldRows
    scores: dict[str, Floats]
    reweighed: Reweighed


def refuse_without_rows(table: Places | None, kept: Sequence[str], given: Mapping[str, Any]) -> None:
    """Refuse to weigh rows that are not at hand. Error: GM009."""
    fits = table is not None and not kept and given["engine"] == HERE and table.bytes <= duckdb.MOST_BYTES
    if fits and not given.get("save"):
        return
    option = next(name for name in NAMES if given.get(name) not in (None, ()))
    why, fix = (
        ("a saved tally holds sums", "give the table")
        if kept or given.get("save")
        else ("these are too many", "a sample: --where")
    )
    raise UsageError(f"--{option} needs the rows, and {why}", fix=fix)


def weighed(table: Places, request: Request, asked: Mapping[str, Any], held: HeldRows, where: OtherPlace) -> Reweighed:
    """What each of the rows that count weighs elsewhere."""
    rows = _rows(table, request, asked, held)
    y = held.columns[request.target].astype(np.float64) if kind_of(request.losses[0]) == "outcome" else None
    weight = None if request.weight is None else held.columns[request.weight].astype(np.float64)
    taken = (request.target, request.weight, request.cluster)
    return where.reweighed(rows, [name for name in rows.columns if name not in taken], y, weight)


def place_of(given: Mapping[str, Any]) -> OtherPlace:
    """Where rows are to count as they do. Errors: GM009, and those of reading a table."""
    like = given.get("like")
    return OtherPlace(
        given.get("prevalence"), Shift.several(given.get("shift") or ()), None if like is None else as_table(like)
    )


def _rows(table: Places, request: Request, asked: Mapping[str, Any], held: HeldRows) -> Table:
    """All columns of the rows that count."""
    rows = read(table, where=asked["where"], weight=request.weight, written=request.written, most_cells=2**62)
    if len(rows) != held.rows.read:
        raise RuntimeError(f"{len(rows)} rows of a table that has {held.rows.read}")
    return rows.take(held.at)


def counted(table: Places, request: Request, asked: Mapping[str, Any], given: Mapping[str, Any]) -> CountedElsewhere:
    """The tally of rows as they count elsewhere; with a prevalence, beside each model its scores turned to that share."""
    held, where = duckdb.rows_of(table, request), place_of(given)
    found = weighed(table, request, asked, held, where)
    scores = {name: joined(held, columns) for name, columns in request.scores}
    y = held.columns[request.target]
    if where.prevalence is not None:
        scores |= _turned(scores, y, held, request, where.prevalence)
    how = (True, request.cluster is not None, request.on_predictions)
    made = Accumulator(request.losses, schema_of(request.losses, tuple(scores), next(iter(scores.values())), how))
    group, cluster = (None if name is None else held.columns[name] for name in (request.group, request.cluster))
    with held.pointing():
        made.add(y, scores, found.weight, group, cluster)
    return CountedElsewhere(with_losses(made.finish(), request, table.source), held, scores, found)


def joined(held: HeldRows, names: Sequence[str]) -> Floats:
    """The scores of one model: a column, or one for each class."""
    columns = [held.columns[name] for name in names]
    return columns[0] if len(columns) == 1 else np.column_stack(columns)


def _turned(
    scores: Mapping[str, Floats], y: Floats, held: HeldRows, request: Request, there: float
) -> dict[str, Floats]:
    """Each model's scores as they would be if its events were as common as there (Bayes)."""
    here = float(np.average(y, weights=None if request.weight is None else held.columns[request.weight]))
    if twice := [name for name in scores if TURNED.format(name) in scores]:
        raise UsageError(f"two columns would be called {TURNED.format(twice[0])!r}", fix="another name for one of them")
    with held.pointing():
        return {
            TURNED.format(name): prior_shift(each, trained_at=here, used_at=there)
            if request.on_predictions
            else each + odds_shift(trained_at=here, used_at=there)
            for name, each in scores.items()
        }


def told(found: Reweighed, given: Mapping[str, Any]) -> str:
    """As what the rows count, and as what the scores are taken."""
    if given.get("prevalence") is None:
        return str(found)
    turned = TURNED.format("NAME")
    return f"{found}; 'NAME' is a column as it stands, {turned!r} the same turned to that share of yes by Bayes' rule"
