"""Which columns a model may learn from: not those with a role, not identifiers, not what never changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import VAST, ColumnKind, Table, Values, cell, listed, missing
from goodmeasure.statistics.texts import different
from goodmeasure.study.alone import explained_alone
from goodmeasure.study.question import Question

# A text column with more different values than this part of its rows names the rows rather than describes them.
UNIQUE = 0.5
LEAST_UNIQUE = 20
LEAST_EVEN = 50
NEARLY_PERFECT = 0.98
MOST_ROWS_TO_PROBE = 4000
MOST_FEATURES_TO_PROBE = 300
_NAMED_ID = re.compile(
    r"(^|[_\s.-])(id|ids|uuid|guid|key|index|rownum|rowname|rownames|rowid|row|seqno|caseid)$"
    r"|^(id|uuid|guid|index|unnamed)([_\s:.-]|$)",
    re.I,
)


class NothingToLearnFrom(Problem, ValueError):
    """No column is left to learn from, after the target, the columns with a role, identifiers and constant columns."""

    code = "GM231"


class IdentifierLeftOut(Remark):
    """A column names its rows (every value is different), so nothing learned from it holds for a new row.

    It was left out. If each value does say something (a measurement that happens to be unique is kept), turn it into the
    columns that say it.
    """

    code = "GM232"


class ConstantLeftOut(Remark):
    """A column has one value (or none) in all rows to fit, so there is nothing to learn from it."""

    code = "GM233"


class InfiniteAsMissing(Remark):
    """Infinite numbers in a feature count as missing: a linear model would otherwise predict nothing else."""

    code = "GM234"
    severity = "warning"


class KnowsTheAnswer(Remark):
    """One feature alone predicts the target almost perfectly.

    Such a column is often written after the target is known (a discharge code, a closing date, a copy of the target), and
    will not be there when the model is used. Judge whether it is known in time; if not, leave it out with ``--exclude``.
    """

    code = "GM235"
    severity = "warning"


class MissingInLaterRows(Remark):
    """The rows to predict lack values, or hold categories, that the fitted rows did not show; they count as missing."""

    code = "GM236"
    severity = "warning"


@dataclass(frozen=True)
class Columns:
    """The columns to learn from, and the others with the reason why not."""

    features: tuple[str, ...]
    left_out: dict[str, str]
    remarks: tuple[Remark, ...]


class Vast(NamedTuple):
    """How many numbers of a column are infinite or nearly so, how many of these are infinite, and how many cells there are."""

    large: int
    infinite: int
    rows: int

    @staticmethod
    def of(values: Values) -> Vast:
        """Of a column of numbers."""
        return Vast(int((np.abs(values) >= VAST).sum()), int(np.isinf(values).sum()), len(values))

    def __add__(self, other: tuple[int, ...]) -> Vast:  # type: ignore[override]
        return Vast(*(a + b for a, b in zip(self, other, strict=True)))

    def remark(self, name: str) -> InfiniteAsMissing:
        """What is said of a column that holds some."""
        what = "infinite numbers" if self.large == self.infinite else f"numbers of {VAST:g} and more"
        return InfiniteAsMissing(f"{what} in column {name!r} ({self.large:,} of {self.rows:,}) count as missing")


def finite(table: Table, names: Sequence[str]) -> tuple[Table, tuple[Remark, ...]]:
    """The table with numbers without end, or nearly, in these columns as missing, and a remark on each such column."""
    changed: dict[str, Values] = {}
    remarks = []
    for name in names:
        values = table.columns[name]
        if ColumnKind.of(values) is ColumnKind.NUMBER and (found := Vast.of(values)).large:
            remarks.append(found.remark(name))
            changed[name] = np.where(np.abs(values) < VAST, values, np.nan)
    return replace(table, columns={**table.columns, **changed}), tuple(remarks)


def usable(table: Table, question: Question, fit: NDArray[np.intp]) -> Columns:
    """What the rows to fit show about each column."""
    learned = question.time if question.learn_time else None
    roles = {name: role for role, name in question.roles.items() if name not in (None, learned)}
    left_out = {name: f"is the {role}" for name, role in roles.items()}
    left_out |= dict.fromkeys(question.exclude, "was excluded")
    remarks: list[Remark] = []
    for name, values in table.columns.items():
        if name not in left_out and name != learned and (found := _unusable(name, values, fit)):
            left_out[name], remark = found
            remarks.append(remark)
    features = tuple(name for name in table.columns if name not in left_out)
    if not features:
        reasons = listed(f"{name!r} {why}" for name, why in left_out.items())
        raise NothingToLearnFrom(
            "no column is left to learn from", seen=reasons, fix="bring columns that describe the rows"
        )
    return Columns(features, left_out, tuple(remarks))


def _unusable(name: str, whole: Values, fit: NDArray[np.intp]) -> tuple[str, Remark] | None:
    """Why nothing can be learned from a column, and the remark that says so; what names rows is seen in all of them."""
    values = whole[fit]
    known = values[~missing(values)]
    if not len(known):
        why = "is empty in the rows to fit"
        return why, ConstantLeftOut(f"column {name!r} {why} and was left out")
    if len(known) == len(values) and (known == known[0]).all():
        why = f"is always {cell(known[0])} in the rows to fit"
        return why, ConstantLeftOut(f"column {name!r} {why} and was left out")
    known = whole[~missing(whole)]
    if len(known) >= LEAST_UNIQUE and _names_rows(name, known):
        why = f"names the rows ({len(different(known)):,} different values in {len(known):,} rows)"
        return why, IdentifierLeftOut(
            f"column {name!r} {why} and was left out", seen=f"{listed(map(cell, known[:3]))}, ..."
        )
    return None


def _names_rows(name: str, known: Values) -> bool:
    kind = ColumnKind.of(known)
    if kind is ColumnKind.TEXT:
        return len(different(known)) > UNIQUE * len(known)
    # To tell values apart takes longer than all else that is asked of a column, and of most it need not be asked.
    if kind is ColumnKind.DATE or (known != np.round(known)).any() or len(np.unique(known)) < len(known):
        return False
    return bool(_NAMED_ID.search(name)) or _are_too_even(known)


def _are_too_even(known: Values) -> bool:
    """Whether different whole numbers stand so close that amounts would hold some number twice.

    Of n numbers drawn from a range of r, none comes twice with probability exp(-n**2 / 2r) at most: here less than exp(-10).
    Rows that were drawn from a table keep its numbers of rows, with gaps.
    """
    return bool(len(known) > LEAST_EVEN and np.ptp(known) <= len(known) ** 2 / 20)


def nearly_perfect(table: Table, features: Sequence[str], y: NDArray[Any], classes: bool, seed: int) -> list[Remark]:
    """A remark on each feature that alone predicts the target almost perfectly on rows that it was not learned from."""
    rows = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS_TO_PROBE]
    if len(rows) < 40:
        return []
    probed = table.only(features[:MOST_FEATURES_TO_PROBE]).take(rows)
    return [
        KnowsTheAnswer(
            f"column {name!r} alone predicts the target almost perfectly",
            seen=f"on its own it explains {skill:.1%} of what there is to explain",
            fix=f"if it is not known when you predict: --exclude {name!r}",
        )
        for name, skill in explained_alone(probed, y[rows], classes).items()
        if skill >= NEARLY_PERFECT
    ]
