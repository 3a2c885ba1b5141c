"""For whom a model is worse: groups of rows, by a few columns, that surely cost more than the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.terminal import printable
from goodmeasure.making.loss import Loss
from goodmeasure.reading.tables import ColumnKind, Table, Values, cell, missing
from goodmeasure.risks.least import least_losses
from goodmeasure.risks.outputs import row_losses
from goodmeasure.risks.segments import Segment, not_too_many, weak_segments
from goodmeasure.statistics.keys import MISSING
from goodmeasure.statistics.row_arguments import Floats, TooFewRows
from goodmeasure.statistics.texts import by_value
from goodmeasure.study.cases import Cases
from goodmeasure.study.dependence import LEVEL, parts
from goodmeasure.study.predicted import Predicted
from goodmeasure.study.verdict import interval, number

# Columns that nobody named are compared if they are few and have few values, on so many rows at most.
MOST_COLUMNS, MOST_TEXTS, MOST_NUMBERS, MOST_ROWS = 8, 20, 10, 5_000
# Named columns get more rows; numbers and dates of more values than these become ranges, each of as many rows.
MOST_ROWS_NAMED, RANGES = 50_000, 4
Names = NDArray[Any]


@dataclass(frozen=True)
class GroupsOf:
    """The groups by one column, the surely dearer first.

    Attributes:
        column: whose values make the groups.
        each: the groups; empty where the rows leave none to compare.
    """

    column: str
    each: tuple[Segment, ...]

    def to_dict(self) -> dict[str, Any]:
        """The groups as plain values, ready for JSON."""
        return {"column": self.column, "groups": [_plain(one) for one in self.each]}


@dataclass(frozen=True)
class Segments(Displayed):
    """The groups of the reported rows, by each of a few columns, with what they cost more than all other rows.

    A group is called "weak" falsely, in any of the columns, no oftener than the level allows. A group that costs more may be
    harder to predict, and not worse served. What a row costs is counted from what it would cost if its target had been
    predicted, where that is known: losses such as Poisson's are lower for large counts, however they are predicted.

    Attributes:
        by: the columns with their groups.
        rows: how many of the reported rows were compared.
        why_not: why no groups were compared, although columns were named; else empty.

    Source:
        Holm 1979, A simple sequentially rejective multiple test procedure; Janssen 1997, Studentized permutation tests.

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(800)]
        >>> place = ["north" if i % 3 else "south" for i in range(800)]
        >>> y = [a + (9 if p == "south" else 1) * ((i * 7 % 11) - 5) for i, (a, p) in enumerate(zip(x, place))]
        >>> study = gm.run({"x": x, "place": place, "y": y}, "y")
        >>> [(column, group.name) for column, group in study.segments.weak]
        [('place', 'south')]
    """

    by: tuple[GroupsOf, ...] = ()
    rows: int = 0
    why_not: str = ""

    @property
    def weak(self) -> list[tuple[str, Segment]]:
        """The groups that surely cost more than the other rows, with their columns."""
        return [(one.column, group) for one in self.by for group in one.each if group.verdict == "weak"]

    @property
    def sentences(self) -> tuple[str, ...]:
        """What may be said of the groups; nothing where none were looked at."""
        if self.why_not:
            return (self.why_not,)
        if found := self.weak:
            return tuple(_sentence(column, group) for column, group in found)
        known = [one.column for one in self.by if one.each]
        if not known:
            return ()
        return (f"no group by {_listed(known)} can be told to cost more than the other rows",)

    def _display(self) -> Display:
        rows = [
            (one.column, group.name, group.share_of_rows, group.share_of_loss, group.excess.interval, group.verdict)
            for one in self.by
            for group in one.each
        ]
        names = ("column", "group", "share_of_rows", "share_of_loss", "excess", "verdict")
        return Display("What groups cost more than the other rows", columns_of(names, rows), self.sentences)

    def to_dict(self) -> dict[str, Any]:
        """The groups as plain values, ready for JSON."""
        return {"rows": self.rows, "why_not": self.why_not, "by": [one.to_dict() for one in self.by]}


def _plain(one: Segment) -> dict[str, Any]:
    names = ("name", "share_of_rows", "share_of_loss", "p_value", "level", "verdict")
    return {**{name: getattr(one, name) for name in names}, "excess": one.excess.to_dict()}


def _sentence(column: str, group: Segment) -> str:
    return (
        f"where {column} is {group.name}, a row costs {number(group.excess.value)} {interval(group.excess)} more than others: "
        f"{group.share_of_rows:.0%} of the rows, {group.share_of_loss:.0%} of the loss"
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def segments(
    loss: Loss, said: Sequence[Predicted], report: Cases, features: Sequence[str], asked: Sequence[str], seed: int
) -> Segments:
    """The groups by the columns that were asked for, else by those of few values that the model learned from."""
    losses = _missed(loss, report.y, [one.settled for one in said])
    if not np.isfinite(losses).all():
        return Segments(why_not="groups are not compared: some rows cost infinity" if asked else "")
    grouped = dict(_groups(report.table, features, asked))
    taken = np.arange(len(report))
    if len(taken) > (most := MOST_ROWS_NAMED if asked else MOST_ROWS):
        taken = np.sort(np.random.default_rng(seed).permutation(len(taken))[:most])
    cluster, _ = parts(report)
    found = compared(
        losses[taken],
        {name: names[taken] for name, names in grouped.items()},
        None if report.weight is None else report.weight[taken],
        None if cluster is None else cluster[taken],
        seed,
    )
    return Segments(found, len(taken))


def _missed(loss: Loss, y: Floats, each: Sequence[Floats]) -> Floats:
    """What rows cost, on average over models, more than if their targets had been predicted, where that is known."""
    with np.errstate(all="ignore"):
        losses = np.mean([row_losses(loss, y, raw) for raw in each], axis=0)
    classes = each[0].shape[-1] if loss.is_classwise else None
    least = least_losses(loss, y, classes)
    return losses if least is None else np.asarray(np.maximum(losses - least, 0.0))


def compared(
    losses: Floats, grouped: Mapping[str, Names], weight: Floats | None, cluster: Names | None, seed: int
) -> tuple[GroupsOf, ...]:
    """The groups by each column; what is said of any of them is false no oftener than the level allows (Bonferroni)."""
    level = 1 - (1 - LEVEL) / max(len(grouped), 1)
    found = []
    for column, names in grouped.items():
        try:
            each = weak_segments(losses, names, sample_weight=weight, cluster=cluster, level=level, seed=seed)
        except TooFewRows:
            each = []
        found.append(GroupsOf(column, tuple(each)))
    return tuple(found)


def refuse_too_many(report: Cases, asked: Sequence[str]) -> None:
    """Refuse a column of more groups than can be told apart, before a model is trained. Error: GM009."""
    for name in asked:
        not_too_many(len(np.unique(grouping(report.table[name]))))


def _groups(table: Table, features: Sequence[str], asked: Sequence[str]) -> Iterator[tuple[str, Names]]:
    """Columns with the name of each row's group."""
    if asked:
        yield from ((name, grouping(table[name])) for name in dict.fromkeys(asked))
        return
    few = (name for name in features if _has_few_values(table[name]))
    yield from ((name, grouping(table[name])) for name, _ in zip(few, range(MOST_COLUMNS), strict=False))


def _has_few_values(values: Values) -> bool:
    """Whether a column of texts, or of numbers that are codes, makes groups by itself."""
    kind = ColumnKind.of(values)
    if kind is ColumnKind.DATE:
        return False
    known = values[~missing(values)]
    if kind is ColumnKind.TEXT:
        return 1 < len(set(known.tolist())) <= MOST_TEXTS
    return 1 < len(np.unique(known)) <= MOST_NUMBERS


def grouping(values: Values) -> Names:
    """The name of each row's group: its value, or the range of numbers or dates in which it lies where they are many."""
    lost, kind = missing(values), ColumnKind.of(values)
    found = np.full(len(values), MISSING, dtype=object)
    known = values[~lost]
    if kind is ColumnKind.TEXT:
        found[~lost] = by_value(lambda value: printable(str(value)), known)
    elif len(np.unique(known)) <= MOST_NUMBERS:
        found[~lost] = [cell(value) for value in known]
    else:
        found[~lost] = _ranges(known)
    return found.astype(str)


def _ranges(known: Values) -> list[str]:
    """Numbers or dates as ranges that hold about as many rows each."""
    ordered = np.sort(known)
    cuts = np.unique(ordered[[len(ordered) * k // RANGES for k in range(1, RANGES)]])
    above = ordered > ordered[0]
    # Where most rows hold the least value, these are a range of their own.
    cuts = cuts[cuts > ordered[0]] if (cuts > ordered[0]).any() else ordered[above][:1]
    ends = [f"below {cell(cuts[0])}"]
    ends += [f"{cell(a)} to {cell(b)}" for a, b in pairwise(cuts)]
    ends += [f"{cell(cuts[-1])} or more"]
    return [ends[k] for k in np.searchsorted(cuts, known, side="right").tolist()]
