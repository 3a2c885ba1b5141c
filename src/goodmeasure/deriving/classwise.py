"""Numbers of losses of K classes: the chain rule through the row statistics (see `class_statistics`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from goodmeasure.deriving import class_statistics
from goodmeasure.deriving.arguments import Examples
from goodmeasure.deriving.record import Record
from goodmeasure.formulas.evaluation import Array, on_arrays
from goodmeasure.formulas.expression import symbols


def numbers(loss: Record, given: Examples, order: int) -> list[Array]:
    """Value (and, of order 1, signal) of checked examples, one an example, in the dtype of computing."""
    slopes = class_statistics.by_statistic(loss.composed)
    values, signals = [], []
    formulas = [loss.composed, *slopes.values()]
    for share, row in _each_class(loss, given):
        with np.errstate(all="ignore"):
            found = on_arrays(formulas, _known(loss, row, symbols(*formulas)), row.pick(given.z))
            values.append((share, found[0]))
            if order:
                signals.append((share, _chained(row, dict(zip(slopes, found[1:], strict=True)))))
    return [_kept_lost(given, _mixed(table, given.xp)) for table in (values, signals)[: order + 1]]


def _kept_lost(given: Examples, table: Array) -> Array:
    """The table with NaN for every row that holds one, also where a formula looks only at the others."""
    lost = given.xp.any(given.xp.isnan(given.z), axis=-1)
    while lost.ndim < table.ndim:
        lost = lost[..., None]
    return given.xp.where(lost, given.xp.asarray(given.xp.nan, dtype=table.dtype), table)


def signal(loss: Record, given: Examples) -> Array:
    """The signal of checked examples."""
    return numbers(loss, given, 1)[1]


def second_derivatives(loss: Record, given: Examples, *, full: bool) -> Array:
    """Second derivatives of checked examples: the diagonal, or every pair of raw outputs."""
    xp, count = given.xp, given.z.shape[-1]
    eye, parts = xp.eye(count, dtype=xp.bool), []
    for share, row in _each_class(loss, given):
        with np.errstate(all="ignore"):
            column = _columns(loss, row)
            found = (column(xp.broadcast_to(eye[j, :], given.z.shape)) for j in range(count))
            diagonal = [each if full else each[..., j] for j, each in enumerate(found)]
            parts.append((share, xp.stack(diagonal, axis=-1)))
    return _kept_lost(given, _mixed(parts, xp))


def _columns(loss: Record, row: class_statistics.Row) -> Callable[[Array], Array]:
    """The derivative of every class's signal by one raw output (a one-hot table); what no raw output changes is made once."""
    xp, slopes = row.xp, class_statistics.by_statistic(loss.composed)
    pairs = [(a, b, bend) for a, slope in slopes.items() for b, bend in class_statistics.by_statistic(slope).items()]
    formulas = [*slopes.values(), *(bend for _, _, bend in pairs)]
    found = on_arrays(formulas, _known(loss, row, symbols(*formulas)), row.pick(row.z))
    known = class_statistics.statistics()
    moves = {name: known[name].slope(row) for a, b, _ in pairs for name in (a, b)}

    def column(j: Array) -> Array:
        total = xp.zeros_like(row.z)
        for name, number in zip(slopes, found, strict=False):
            total = total + number[..., None] * known[name].second_derivative(row, j)
        for (a, b, _), number in zip(pairs, found[len(slopes) :], strict=True):
            moved = xp.sum(xp.where(j, moves[b], xp.zeros_like(row.z)), axis=-1)[..., None]
            total = total + number[..., None] * moves[a] * moved
        return total

    return column


def _each_class(loss: Record, given: Examples) -> list[tuple[Array | None, class_statistics.Row]]:
    """The class that happened; or every class with its share, where targets are probability rows."""
    xp, k = given.xp, given.z.shape[-1]
    classes = xp.arange(k)
    if given.y.ndim < given.z.ndim:
        return [(None, class_statistics.Row(given.z, classes == given.y[..., None], loss.class_weight))]
    one_hot = [xp.broadcast_to(classes == j, given.z.shape) for j in range(k)]
    return [(given.y[..., j], class_statistics.Row(given.z, of, loss.class_weight)) for j, of in enumerate(one_hot)]


def _known(loss: Record, row: class_statistics.Row, names: set[str]) -> dict[str, Any]:
    """What the formulas speak of: the row's statistics, the hyperparameters, and the weight of what happened."""
    weight: Any = 1.0
    if loss.class_weight:
        weight = row.pick(row.xp.broadcast_to(row.counts, row.z.shape))
    return {**class_statistics.row_values(row, names), **loss.values, class_statistics.WEIGHT: weight}


def _mixed(parts: list[tuple[Array | None, Array]], xp: Any) -> Array:
    """The sum of share times table over the classes that have a share."""
    total = None
    for share, table in parts:
        if share is None:
            return table
        part = share
        while part.ndim < table.ndim:
            part = part[..., None]
        with np.errstate(invalid="ignore"):
            term = xp.where(part > 0, part * table, xp.zeros_like(table))
        total = term if total is None else total + term
    return total


def _chained(row: class_statistics.Row, slopes: dict[str, Array]) -> Array:
    total = None
    for name, slope in slopes.items():
        moves = class_statistics.statistics()[name].slope(row)
        # Where a statistic does not move, an infinite slope must not make a NaN.
        term = row.xp.where(moves == 0, row.xp.zeros_like(moves), slope[..., None] * moves)
        total = term if total is None else total + term
    return row.xp.zeros_like(row.z) if total is None else total
