"""How like the rows of another table each row is, and whether two tables hold rows of one kind: a classifier tells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem, UsageError
from goodmeasure.fitting.objective import Objective
from goodmeasure.fitting.plain import linear_model
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.losses import find
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import ColumnKind, Table, Values, missing
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import scaled
from goodmeasure.study.encoding import encoding
from goodmeasure.study.respelling import as_known

FOLDS = 5
# What keeps the odds of few rows and many columns from running away, in rows: it pulls all of them to one.
PENALTY = 1.0
# So many rows of the other table may be unlike every row here; with fewer effective rows here nothing is judged.
MOST_BEYOND, LEAST_EFFECTIVE = 0.1, 30
# Of rows to tell apart, each table gives at most so many: more would take longer than a study.
MOST_TOLD = 20_000
# How often tables of one kind are said to be of two, and from how many rows on they are tried.
FALSELY, LEAST_TOLD = 0.01, 20


class NotAlike(Problem, ValueError):
    """The rows here can say nothing of the rows one cares about: too few of them are like those.

    Rows are weighed by how much more often such rows occur there than here. Where rows there have values that no row here
    has, or only a handful of rows here would carry all weight, no weights can help: bring rows that are like them.
    """

    code = "GM281"


class OtherKind(Remark):
    """Rows of the table to report are not of the kind of those that were fitted: a classifier tells which is which.

    Its report is right of rows like these. Where the rows to come are like those that were fitted, it is not right of them.
    Of tables of one kind this is said once in a hundred runs. Nothing is tried where rows go together, or follow each other
    in time: such rows can be told apart though they are of one kind.
    """

    code = "GM282"


@dataclass(frozen=True)
class Likeness:
    """The logarithm of how many times as often such rows occur there as here, by models that did not see the row.

    ``here`` has one for each row here, (n,), and ``there`` one for each row of the other table, (m,).
    """

    here: Floats
    there: Floats

    @property
    def beyond(self) -> float:
        """The share of the rows there that are less like the rows here than any of these is."""
        return float(np.mean(self.there > self.here.max()))


def compared(here: Table, there: Table, names: Sequence[str]) -> tuple[Table, Table]:
    """Two tables of the columns by which rows are compared: without dates. Error: GM009 where one holds another kind of cells.

    Dates tell when rows were gathered, by which any two tables can be told apart.
    """
    taken = []
    for name in names:
        kinds = here.kinds[name], there.kinds[name]
        if ColumnKind.DATE in kinds:
            continue
        if kinds[0] is not kinds[1]:
            raise UsageError(
                f"column {name!r} holds {kinds[0].value}s in {here.source} and {kinds[1].value}s in {there.source}",
                fix="write it alike in both tables, or leave it out of one",
            )
        taken.append(name)
    return here.only(taken), _spelled(there.only(taken), here)


def _spelled(there: Table, here: Table) -> Table:
    """The table, with labels spelled as the other one does."""
    texts = [name for name, kind in there.kinds.items() if kind is ColumnKind.TEXT]
    known = {name: sorted(set(here[name][~missing(here[name])].tolist())) for name in texts}
    return replace(there, columns={**there.columns, **{name: as_known(there[name], known[name]) for name in texts}})


def likeness(here: Table, there: Table, weight: Floats | None = None, *, seed: int = 0) -> Likeness:
    """Tell rows of two tables apart by a logistic model of their columns and the squares of their numbers, in five folds."""
    matrix, kind = _matrix(here, there), np.repeat([0.0, 1.0], [len(here), len(there)])
    w = np.concatenate([np.ones(len(here)) if weight is None else weight / weight.mean(), np.ones(len(there))])
    fold, found = _folds(kind, seed), np.empty(len(kind))
    for k in range(FOLDS):
        rest, held = fold != k, fold == k
        odds = math.log(float(w[rest & (kind == 1)].sum() / w[rest & (kind == 0)].sum()))
        found[held] = _telling(matrix[rest], kind[rest], w[rest])(matrix[held]) - odds
    return Likeness(found[: len(here)], found[len(here) :])


def factors(found: Likeness, source: str) -> Floats:
    """What each row here counts for, so that together they are like the rows there; the mean is one. Error: GM281."""
    height = np.exp(found.here - found.here.max())
    if found.beyond > MOST_BEYOND:
        raise NotAlike(
            f"{found.beyond:.0%} of the rows of {source} are less like the rows here than any of these is",
            seen=f"{len(found.here):,} rows here, {len(found.there):,} there",
            fix="bring rows that are like them; columns that only name rows are not to stand in both tables",
        )
    effective = float(height.sum() ** 2 / (height @ height))
    if effective < LEAST_EFFECTIVE:
        raise NotAlike(
            f"weighed to be like {source}, {len(found.here):,} rows are worth {effective:.0f}",
            seen=f"{LEAST_EFFECTIVE} are asked for",
            fix="bring rows that are like them; columns that only name rows are not to stand in both tables",
        )
    return np.asarray(height / height.mean())


def chance_of_one_kind(here: Table, there: Table, *, seed: int = 0) -> tuple[float, float]:
    """How often rows of one kind would be told apart as well as these, and how well these are (the area under the curve).

    A classifier learns from one half of the rows and is tried on the other, so that its ranks there owe nothing to what it
    learned: the test has its size whatever the columns (Lopez-Paz and Oquab 2017; Mann and Whitney 1947).
    """
    rng = np.random.default_rng(seed)
    here, there = (_some(table, rng) for table in (here, there))
    matrix, kind = _matrix(here, there), np.repeat([0.0, 1.0], [len(here), len(there)])
    learn = _folds(kind, seed, 2) == 0
    said = _telling(matrix[learn], kind[learn], np.ones(int(learn.sum())))(matrix[~learn])
    return _mann_whitney(said, kind[~learn] == 1)


def told_apart(fitted: Table, reported: Table, names: Sequence[str]) -> tuple[OtherKind, ...]:
    """A remark where the reported rows are not of the kind of those that were fitted."""
    here, there = compared(fitted, reported, names)
    if not here.columns or min(len(here), len(there)) < LEAST_TOLD:
        return ()
    chance, area = chance_of_one_kind(here, there)
    if not chance < FALSELY:
        return ()
    what = (
        f"rows of {reported.source} are not of the kind of those that were fitted: a classifier tells which of two is which "
        f"in {area:.0%} of pairs"
    )
    seen = f"chance of as much if they were of one kind: {chance:.2g}"
    return (OtherKind(what, seen=seen, fix="the report is right of rows like these, whatever the others are"),)


def _some(table: Table, rng: np.random.Generator) -> Table:
    if len(table) <= MOST_TOLD:
        return table
    return table.take(np.sort(rng.choice(len(table), MOST_TOLD, replace=False)))


def _mann_whitney(values: Floats, there: NDArray[np.bool_]) -> tuple[float, float]:
    """The one-sided chance that ranks are as far up by luck, with ties, and the area under the curve."""
    _, cell, alike = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(alike) - (alike - 1) / 2)[cell]
    m, n = int(there.sum()), int((~there).sum())
    area = (float(ranks[there].sum()) - m * (m + 1) / 2) / (m * n)
    spread = float(np.var(ranks, ddof=1)) * n / (m * (n + m))  # of the mean rank of m of all
    if spread == 0:
        return 1.0, 0.5
    lift = float(ranks[there].mean()) - (m + n + 1) / 2
    return 0.5 * math.erfc(lift / math.sqrt(2 * spread)), area


def _matrix(here: Table, there: Table) -> Floats:
    """The rows of both tables as numbers, encoded together, with the squares of numbers: spreads can differ too."""
    both = Table({name: _joined(here[name], there[name]) for name in here.columns}, here.source, len(here) + len(there))
    coded = encoding(both, list(here.columns))
    found = coded(both)
    numbers = found[:, [k for name in coded.numbers for k in coded.columns_of(name)[:1]]]
    return np.hstack([found, np.minimum(numbers**2, 9.0)])


def _joined(here: Values, there: Values) -> Values:
    return np.concatenate([here, there])


def _telling(matrix: Floats, kind: Floats, weight: Floats) -> LinearScorer:
    """A logistic model of the kind, lightly penalised."""
    return linear_model(
        Objective(find("binary_cross_entropy")(), matrix, kind, scaled(weight), alpha=PENALTY / len(kind))
    ).scorer


def _folds(kind: Floats, seed: int, count: int = FOLDS) -> NDArray[np.intp]:
    """A fold for each row, the rows of each kind dealt evenly."""
    rng, fold = np.random.default_rng(seed), np.empty(len(kind), dtype=np.intp)
    for each in np.unique(kind):
        rows = np.flatnonzero(kind == each)
        fold[rng.permutation(rows)] = np.arange(len(rows)) % count
    return fold
