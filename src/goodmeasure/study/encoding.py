"""Table columns as the numbers that a model takes: missing values, categories and dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import shorter
from goodmeasure.reading.notation import Numbers
from goodmeasure.reading.tables import VAST, BadCell, ColumnKind, Table, Values, missing
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.coding import Coding, coding
from goodmeasure.study.respelling import as_known
from goodmeasure.study.scaling import Scaling, scaling

DATE_PARTS = ("day", "month", "weekday")


@dataclass(frozen=True)
class Encoding:
    """How columns become a matrix; learned from the fitted rows alone, so that later rows teach it nothing.

    Encodings with ``scaling`` serve linear models: missing numbers take the median and a column that says so, numbers have
    mean 0 and spread 1, categories have a column each. Others serve trees, which split on missing values and categories as
    such. ``codings`` holds one coding for each column of texts.
    """

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    texts: tuple[str, ...]
    scaling: Scaling | None
    codings: tuple[Coding, ...]

    @property
    def scaled(self) -> bool:
        """Whether it serves linear models."""
        return self.scaling is not None

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are used."""
        return (*self.numbers, *self.dates, *self.texts)

    @cached_property
    def kinds(self) -> dict[str, ColumnKind]:
        """What each of them must hold."""
        pairs = ((self.numbers, ColumnKind.NUMBER), (self.dates, ColumnKind.DATE), (self.texts, ColumnKind.TEXT))
        return {name: kind for names, kind in pairs for name in names}

    @property
    def names(self) -> list[str]:
        """The name of each column of the matrix."""
        found = [*self.numbers, *(f"{name}: {part}" for name in self.dates for part in DATE_PARTS)]
        if self.scaling is None:
            return [*found, *self.texts]
        flags = [f"{found[k]} is missing" for k in self.scaling.flagged]
        texts = [f"{name} {each}" for name, c in zip(self.texts, self.codings, strict=True) for each in c.titles]
        return [*found, *flags, *texts]

    def columns_of(self, feature: str) -> list[int]:
        """The columns of the matrix that a column of the table became."""
        if feature in self.texts:
            place, start = self.texts.index(feature), width(self.numbers, self.dates, ())
            if self.scaling is None:
                return [start + place]
            start = len(self.scaling.centre) + sum(c.width for c in self.codings[:place])
            return [*range(start, start + self.codings[place].width)]
        if feature in self.numbers:
            found = [self.numbers.index(feature)]
        else:
            start = len(self.numbers) + len(DATE_PARTS) * self.dates.index(feature)
            found = [*range(start, start + len(DATE_PARTS))]
        flags = () if self.scaling is None else self.scaling.flagged
        return [*found, *(width(self.numbers, self.dates, ()) + flags.index(k) for k in found if k in flags)]

    @property
    def categorical(self) -> list[bool]:
        """Which columns of the matrix for trees hold category codes."""
        return [False] * (width(self.numbers, self.dates, ())) + [not c.steps for c in self.codings]

    def __call__(self, table: Table) -> Floats:
        """The matrix of these rows, one row an example. Error: GM206 where a column holds something else than it did."""
        cells = self.cells(table)
        numbers = _number_block(cells, self.numbers, self.dates, len(table))
        coded = [c.codes(cells[name]) for name, c in zip(self.texts, self.codings, strict=True)]
        if self.scaling is None:
            return np.column_stack([numbers, *(np.where(each < 0, np.nan, each) for each in coded)])
        blocks = [c.columns(each) for c, each in zip(self.codings, coded, strict=True)]
        return np.hstack([self.scaling(numbers), *blocks])

    def cells(self, table: Table) -> dict[str, Values]:
        """The columns as they were when the model was fitted: of the same kinds, with labels spelled alike. Error: GM206."""
        return {name: self._as_fitted(name, table[name]) for name in self.kinds}

    @cached_property
    def _coding_of(self) -> dict[str, Coding]:
        return dict(zip(self.texts, self.codings, strict=True))

    def _as_fitted(self, name: str, values: Values) -> Values:
        """A column as it was when the model was fitted: of the same kind, with the same spelling of its labels."""
        found = _as_fitted(name, values, self.kinds[name])
        if name not in self._coding_of:
            return found
        return as_known(found, self._coding_of[name].known)

    def strange(self, table: Table) -> dict[str, int]:
        """How many cells of each text column hold a category that the fitted rows did not."""
        cells = {name: self._as_fitted(name, table[name]) for name in self.texts}
        return {name: c.strange(cells[name]) for name, c in zip(self.texts, self.codings, strict=True)}


def width(numbers: Sequence[str], dates: Sequence[str], texts: Sequence[str]) -> int:
    """How many columns the matrix for trees has."""
    return len(numbers) + len(DATE_PARTS) * len(dates) + len(texts)


def encoding(table: Table, features: Sequence[str], *, scaled: bool = True) -> Encoding:
    """Learn from the fitted rows how these columns become a matrix."""
    kinds = table.kinds
    of = {kind: tuple(f for f in features if kinds[f] is kind) for kind in ColumnKind}
    numbers, dates, texts = of[ColumnKind.NUMBER], of[ColumnKind.DATE], of[ColumnKind.TEXT]
    learned = scaling(_number_block(table.columns, numbers, dates, len(table))) if scaled else None
    codings = tuple(coding(table[name], table.orders.get(name, ()), scaled=scaled) for name in texts)
    return Encoding(numbers, dates, texts, learned, codings)


def _as_fitted(name: str, values: Values, kind: ColumnKind) -> Values:
    """A column as the kind that it was when the model was fitted. Error: GM206."""
    if ColumnKind.of(values) is kind:
        return values
    if kind is ColumnKind.TEXT:
        return _as_texts(values)
    lost = missing(values)
    if kind is ColumnKind.NUMBER and all(
        map(_PLAIN.matches, values[~lost].tolist() if values.dtype == object else [""])
    ):
        return np.array([None if cell is None else _PLAIN.rewritten(cell) for cell in values], dtype=np.float64)
    if kind is ColumnKind.DATE and (read := _as_moments(values)) is not None:
        return read
    if not lost.all():
        needed = "a number" if kind is ColumnKind.NUMBER else "a date"
        raise BadCell(
            f"column {name!r} holds {shorter(values[~lost][0])} where {needed} is needed",
            where=name,
            seen=f"{int((~lost).sum()):,} cells of another kind than in the table that the model was fitted to",
            fix=f"a column of {kind.value}s, with None where one is missing",
        )
    return (
        np.full(len(values), np.nan) if kind is ColumnKind.NUMBER else np.full(len(values), np.datetime64("NaT", "us"))
    )


def _as_moments(values: Values) -> Values | None:
    """Texts as moments in UTC, as a file of such texts is read; None where one is no date of ISO 8601."""
    try:
        read = [None if cell is None else datetime.fromisoformat(cell) for cell in values.tolist()]
    except (TypeError, ValueError):
        return None
    zoned = [at.astimezone(UTC).replace(tzinfo=None) if at is not None and at.tzinfo else at for at in read]
    return np.array(zoned, dtype="datetime64[us]")


def _number_block(cells: Mapping[str, Values], numbers: Sequence[str], dates: Sequence[str], rows: int) -> Floats:
    found = np.empty((rows, width(numbers, dates, ())))
    for k, name in enumerate(numbers):
        found[:, k] = np.where(np.abs(cells[name]) < VAST, cells[name], np.nan)
    parts = [part for name in dates for part in date_parts(cells[name]).values()]
    for k, part in enumerate(parts, len(numbers)):
        found[:, k] = part
    return found


def _as_texts(values: Values) -> Values:
    """Numbers or dates as the texts that a file would hold; those that are missing as None."""
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in values.tolist()]
    lost = missing(values)
    return np.array([None if gone else str(cell) for cell, gone in zip(cells, lost, strict=True)], dtype=object)


_PLAIN = Numbers()


def date_parts(dates: NDArray[Any]) -> dict[str, Floats]:
    """A date as numbers: days since 1970, the month from 1, the weekday from Monday as 0."""
    days = dates.astype("datetime64[D]")
    lost = np.isnat(dates)
    whole = days.astype(np.int64)
    months = dates.astype("datetime64[M]").astype(np.int64)
    parts = (
        (dates - np.datetime64("1970-01-01")) / np.timedelta64(1, "D"),
        months % 12 + 1,
        (whole + 3) % 7,
    )
    return {name: np.where(lost, np.nan, part.astype(float)) for name, part in zip(DATE_PARTS, parts, strict=True)}
