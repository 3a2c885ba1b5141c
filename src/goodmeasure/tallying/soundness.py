"""What a tally that was read from bytes must be: its header before anything is made of it, and its numbers to one another."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.documents import (
    Check,
    distinct,
    exactly,
    fields,
    mapping,
    must,
    optional,
    row,
    sequence,
    text,
    truth,
    whole,
)
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.statistics.limbs import LIMB, LIMBS, LOWEST
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import MOST_WEIGHT
from goodmeasure.tallying.grid import AMOUNT_CELLS, QUANTUM, SCORE_CELLS
from goodmeasure.tallying.schema import MOST_CLASSES, Kind, Schema, columns
from goodmeasure.tallying.state import AmountSums, ClusterSums, Moments, ScoreCounts, State

_MOST_ROWS = 1 << 53
NEARLY = 1 + 1e-9  # what rounding may add
_LOST = 1e-100  # what is left of a number whose square is too small to be one
# Empty cells are not kept in a file. Groups of one row each, with weights of every size, grow by less than this.
_MOST_GROWTH, _ALWAYS_ALLOWED = 2_000, 1 << 30
_NAME = text(most=1_000_000)
_NAMES = distinct(sequence(_NAME, least=1, most=1000))
_EXACT = row(whole(0), whole(0, LIMBS + 2), _NAME, _NAME)
_COUNTED = row(sequence(whole(0), least=1, most=2), _NAME, _NAME)
_STATE = fields(
    {
        "rows": whole(0, _MOST_ROWS),
        "excluded": mapping(whole(0, _MOST_ROWS)),
        "moments": mapping(row(truth(), whole(0, _MOST_ROWS), whole(0, _MOST_ROWS), _EXACT)),
        "scores": mapping(row(truth(), _COUNTED, _COUNTED, _EXACT)),
        "amounts": mapping(row(_COUNTED, _EXACT)),
        "clusters": optional(row(whole(1, 10_000_000), _NAME, _EXACT)),
    }
)
_SCHEMA = fields(
    {
        "losses": _NAMES,
        "models": _NAMES,
        "kind": exactly(*get_args(Kind)),
        "classes": whole(0, 10_000_000),
        "weighted": truth(),
        "clustered": truth(),
        "on_predictions": truth(),
    }
)
_ARRAY = row(_NAME, exactly("<i8", "<u8"), sequence(whole(0, _MOST_ROWS), least=1, most=2))
header: Check = fields({"schema": _SCHEMA, "groups": mapping(_STATE), "arrays": sequence(_ARRAY, most=10_000_000)})
"""The check of a header."""

question: Check = fields(
    {
        "scores": _NAMES,
        "target": _NAME,
        "positive": optional(_NAME),
        "classes": optional(distinct(sequence(_NAME, least=2))),
        "weights": optional(_NAME),
        "by": optional(_NAME),
        "cluster": optional(_NAME),
        "where": optional(_NAME),
    },
    optional=("classes",),
)
"""The check of the question that a saved tally answers."""


def kind(schema: Schema) -> None:
    """Refuse classes where there are none, and a target of classes without."""
    must(
        schema.classes >= 2 if schema.kind == "classes" else schema.classes == 0, "schema.classes", "as its kind needs"
    )


def fits(asked: dict[str, Any], schema: Schema, groups: dict[str, State]) -> None:
    """Refuse a saved tally that counts something else than its question asks."""
    must(tuple(asked["scores"]) == schema.models, "question.scores", "the models that were counted")
    must((asked["weights"] is not None) == schema.weighted, "question.weights", "said where weights were counted")
    must((asked["cluster"] is not None) == schema.clustered, "question.cluster", "said where clusters were counted")
    must(asked["by"] is not None or set(groups) <= {""}, "question.by", "said where groups were counted")
    classes = asked.get("classes")
    must(classes is None or len(classes) == schema.classes, "question.classes", "one label a class")
    must(asked["positive"] is None or schema.kind == "outcome", "question.positive", "said of yes and no alone")


# --- arrays ---


def room(header: dict[str, Any], size: int) -> None:
    """Refuse a file of ``size`` bytes whose tables would fill the memory once their empty cells are made."""
    widths = {name: shape[-1] for name, _, shape in header["arrays"]}
    needed = 0
    used: list[str] = []
    for one in header["groups"].values():
        sums = [part[-1] for kind in ("moments", "scores", "amounts") for part in one[kind].values()]
        sums += [one["clusters"][-1]] if one["clusters"] else []
        used += [limbs for *_, limbs in sums]
        needed += sum(cells * widths.get(limbs, 0) for cells, _, _, limbs in sums)
        needed += 4 * SCORE_CELLS * len(one["scores"]) + AMOUNT_CELLS * len(one["amounts"])
    must(len({*used}) == len(used), "groups", "with numbers of their own")
    must(8 * needed <= max(_ALWAYS_ALLOWED, _MOST_GROWTH * size), "groups", "of a size that such a file can hold")


def places(at: NDArray[Any], values: NDArray[Any], cells: int, where: str) -> None:
    """Refuse places that lie outside of their table, or not one for each of their values."""
    must(at.ndim == 1 and at.dtype.kind == "i" and values.dtype.kind == "i", where, "a list of places")
    must(len(at) == len(values), where, "one place for each value")
    must(bool((np.diff(at) > 0).all()) and (not len(at) or 0 <= at[0] <= at[-1] < cells), where, "places in order")


def limbs(table: NDArray[Any], first: int, where: str) -> None:
    """Refuse sums that are no numbers of double precision."""
    must(table.ndim == 2 and first + table.shape[1] <= LIMBS + 2, where, "sums of doubles")
    most = (1 << 62) + (1 << 33)  # the last limb holds what does not fill another
    must(not table.size or -most < table.min() <= table.max() < most, where, "limbs of sums")


# --- states ---


def state(one: State, schema: Schema, where: str) -> None:
    """Refuse a state whose parts are not those of its schema, or count different rows."""
    models = len(schema.models)
    count = len(schema.losses) * models * (models + 1) // 2 if one.rows else 0
    must(len(one.moments) == count, f"{where}.moments", "those of its models and losses")
    wanted = set(columns(schema)) if one.rows else set()
    must(set(one.moments) == wanted, f"{where}.moments", "those of its models and losses")
    for name, part in one.moments.items():
        _moments(part, schema, one.rows, f"{where}.moments[{name!r}]")
    must(set(one.scores) == (_score_names(schema) if one.rows else set()), f"{where}.scores", "those of its models")
    for name, counts in one.scores.items():
        _scores(counts, schema, one.rows, f"{where}.scores[{name!r}]")
    amounts = set(schema.models) if one.rows and schema.kind == "amount" else set()
    must(set(one.amounts) == amounts, f"{where}.amounts", "those of its models")
    for name, sums in one.amounts.items():
        _amounts(sums, one.rows, f"{where}.amounts[{name!r}]")
    must((one.clusters is not None) == bool(schema.clustered and one.rows), f"{where}.clusters", "there if asked for")
    if one.clusters is not None:
        _clusters(one.clusters, len(wanted), one.rows, f"{where}.clusters")
    _of_the_same_rows(one, where)


def _of_the_same_rows(one: State, where: str) -> None:
    """Refuse parts that say different things of the rows that all of them count: their targets, and what they weigh."""
    yes: dict[str, int] = {}
    for name, counts in one.scores.items():
        told = int(counts.counts[:, 1].sum())
        # Of classes the name ends with the class, of which all models say the same; the likeliest class is each model's own.
        _, _, of = name.partition("\t")
        must(
            of == "top" or yes.setdefault(of, told) == told, f"{where}.scores[{name!r}]", "of the targets of the others"
        )
    classes = [count for of, count in yes.items() if of]
    must(not classes or sum(classes) == one.rows, f"{where}.scores", "of one class a row")
    weights = [part.totals().w for part in one.moments.values() if not part.infinite]
    if one.clusters is not None:
        weights += [float(_nearly(one.clusters.sums).reshape(len(one.clusters.keys), -1)[:, 0].sum())]
    must(not weights or max(weights) <= min(weights) * NEARLY, f"{where}.moments", "of rows of one weight")


def _score_names(schema: Schema) -> set[str]:
    if schema.kind == "outcome":
        return set(schema.models)
    if schema.kind == "amount":
        return set()
    each = [str(k) for k in range(schema.classes if schema.classes <= MOST_CLASSES else 0)]
    return {f"{model}\t{k}" for model in schema.models for k in ("top", *each)}


def _of_one_set(w: Any, w2: Any, n: Any, where: str) -> None:
    """Refuse a sum of weights, and of their squares, that no n weights have."""
    must(bool(np.all(np.asarray(w2) <= np.square(w) * NEARLY)), where, "squares of its weights")
    _square_of(w, n, w2, where)


def _square_of(sums: Any, first: Any, second: Any, where: str) -> None:
    """Refuse sums of products that are larger than the sums of both squares allow (Cauchy and Schwarz)."""
    with np.errstate(over="ignore"):
        most = np.sqrt(np.maximum(first, 0)) * np.sqrt(np.maximum(second, 0))
    allowed = np.all(np.asarray(second) >= 0) and np.all(np.abs(sums) <= most * NEARLY + _LOST)
    must(bool(allowed), where, "sums of squares")


def _moments(part: Moments, schema: Schema, rows: int, where: str) -> None:
    must(part.weighted == schema.weighted, where, "weighted as the others")
    must(part.n == rows and part.infinite <= rows, where, "of the rows of its group")
    # Five sums were kept of weighted rows before copies were told.
    must(part.sums.cells in ((5, 6) if part.weighted else (2,)), where, "of so many sums")
    totals, finite = part.totals(), rows - part.infinite
    must(all(one is None or np.isfinite(one) for one in totals), where, "finite sums")
    must(not finite or finite / MOST_WEIGHT <= totals.w <= finite * MOST_WEIGHT, where, "weights of its rows")
    _of_one_set(totals.w, totals.w2, finite, where)
    _square_of(totals.w2v, totals.w2, totals.w2v2, where)
    if totals.wv2 is not None:
        _square_of(totals.wv, totals.w, totals.wv2, where)


def _scores(part: ScoreCounts, schema: Schema, rows: int, where: str) -> None:
    must(part.weighted == schema.weighted, where, "weighted as the others")
    must(part.counts.shape == part.places.shape == (SCORE_CELLS, 2), where, "on the grid")
    _counts(part.counts, rows, where)
    most = part.counts.astype(np.float64) / QUANTUM
    must(bool(((part.places >= 0) & (part.places <= most)).all()), where, "scores from 0 to 1")
    must(part.sums.cells in ((4 * SCORE_CELLS, 6 * SCORE_CELLS) if part.weighted else (0,)), where, "of so many sums")
    if not part.weighted:
        return
    w, w2, *scores = part.sums.totals().reshape(-1, SCORE_CELLS, 2)
    must(bool(np.isfinite([w, w2, *scores]).all() and (w >= 0).all()), where, "sums of weights")
    must(bool(((w > 0) == (part.counts > 0)).all()), where, "weights where there are rows")
    _of_one_set(w, w2, part.counts, where)
    for each in scores:
        must(bool(((each >= 0) & (each <= w * NEARLY)).all()), where, "scores from 0 to 1")


def _counts(counts: NDArray[np.int64], rows: int, where: str) -> None:
    # Forged counts may add up to more than 64 bits hold, where a sum of NumPy begins again.
    must(int(counts.min()) >= 0 and sum(counts.ravel().tolist()) == rows, where, "counts of the rows of its group")


def _amounts(part: AmountSums, rows: int, where: str) -> None:
    must(part.counts.shape == (AMOUNT_CELLS,), where, "on the grid")
    _counts(part.counts, rows, where)
    must(part.sums.cells in (6 * AMOUNT_CELLS, 7 * AMOUNT_CELLS), where, "of so many sums")
    w, w2, _, wv, w2v, w2v2, *wv2 = totals = part.table()
    must(bool(np.isfinite(totals).all()), where, "finite sums")
    must(bool(((w > 0) == (part.counts > 0)).all()), where, "weights where there are rows")
    _of_one_set(w, w2, part.counts, where)
    _square_of(w2v, w2, w2v2, where)
    for each in wv2:
        _square_of(wv, w, each, where)


def _clusters(part: ClusterSums, columns: int, rows: int, where: str) -> None:
    must(part.columns == columns, where, "of the columns of its group")
    must(part.keys.ndim == 1 and part.keys.dtype.kind == "u", where, "known by hashes")
    must(0 < len(part.keys) <= rows, where, "at most one cluster a row")
    must(bool((part.keys[1:] > part.keys[:-1]).all()), where, "clusters in order")
    must(part.sums.cells == len(part.keys) * (columns + 1), where, "of so many sums")
    totals = _nearly(part.sums).reshape(len(part.keys), columns + 1)
    must(bool(np.isfinite(totals).all() and (totals[:, 0] > 0).all()), where, "weights above zero")


def _nearly(sums: ExactSums) -> Floats:
    """Sums that are rounded more than once, and all at once: there may be millions of clusters."""
    exponents = LIMB * (sums.first + np.arange(sums.limbs.shape[1])) - LOWEST
    with np.errstate(over="ignore"):
        return np.asarray(np.ldexp(sums.limbs.astype(np.float64), exponents).sum(axis=1))
