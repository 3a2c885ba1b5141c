"""Table columns as the numbers that a model takes: missing values, categories and dates, by scikit-learn."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import shorter
from goodmeasure.reading.notation import Numbers
from goodmeasure.reading.tables import BadCell, ColumnKind, Table, Values, missing
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.respelling import as_known

ABSENT = "(missing)"
MOST_CATEGORIES = 40
LEAST_OF_A_CATEGORY = 5
# Histogram trees hold at most this many categories.
MOST_TREE_CATEGORIES = 250
# Numbers of this size are taken for missing, as infinite ones are: their squares, and so a column's spread, are no numbers.
MOST = 1e150
DATE_PARTS = ("day", "month", "weekday")


@dataclass(frozen=True)
class Encoding:
    """How columns become a matrix; learned from the fitted rows alone, so that later rows teach it nothing.

    ``scaled`` encodings serve linear models: missing numbers take the median and a column that says so, numbers have mean
    0 and spread 1, categories have a column each. Others serve trees, which split on missing values and categories as such.
    """

    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    texts: tuple[str, ...]
    scaled: bool
    steps: dict[str, Any]

    @property
    def features(self) -> tuple[str, ...]:
        """The columns of the table that are used."""
        return (*self.numbers, *self.dates, *self.texts)

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        """What each of them must hold."""
        pairs = ((self.numbers, ColumnKind.NUMBER), (self.dates, ColumnKind.DATE), (self.texts, ColumnKind.TEXT))
        return {name: kind for names, kind in pairs for name in names}

    @property
    def names(self) -> list[str]:
        """The name of each column of the matrix."""
        raw = [*self.numbers, *(f"{name}: {part}" for name in self.dates for part in DATE_PARTS)]
        found = raw
        if "numbers" in self.steps and self.scaled:
            found = [_plain_indicator(n) for n in self.steps["numbers"].get_feature_names_out(raw)]
        if "texts" in self.steps:
            found = [*found, *(self._category_names() if self.scaled else self.texts)]
        return found

    def _category_names(self) -> list[str]:
        encoder = self.steps["texts"]
        names: list[str] = []
        for full in encoder.get_feature_names_out([f"{i}" for i in range(len(self.texts))]):
            place, _, category = str(full).partition("_")
            shown = "(rare)" if category == "infrequent_sklearn" else category
            names.append(f"{self.texts[int(place)]} = {shown}")
        return names

    @property
    def categorical(self) -> list[bool]:
        """Which columns of the matrix for trees hold category codes."""
        return [False] * self._number_count + [True] * len(self.texts)

    @property
    def _number_count(self) -> int:
        return len(self.numbers) + len(DATE_PARTS) * len(self.dates)

    def __call__(self, table: Table) -> Floats:
        """The matrix of these rows, one row an example. Error: GM206 where a column holds something else than it did."""
        rows = len(table)
        table = replace(table, columns={name: self._as_fitted(name, table[name]) for name in self.kinds})
        blocks = []
        if self._number_count:
            block = _number_block(table, self.numbers, self.dates)
            blocks.append(self.steps["numbers"].transform(block) if self.scaled else block)
        if self.texts:
            blocks.append(quietly(self.steps["texts"].transform, _text_block(table, self.texts)))
        return np.hstack(blocks) if blocks else np.zeros((rows, 0))

    def _as_fitted(self, name: str, values: Values) -> Values:
        """A column as it was when the model was fitted: of the same kind, with the same spelling of its labels."""
        found = _as_fitted(name, values, self.kinds[name])
        if name not in self.texts:
            return found
        return as_known(found, self.steps["texts"].categories_[self.texts.index(name)].tolist())

    def unknown(self, table: Table) -> dict[str, int]:
        """How many cells of each text column hold a category that the fitted rows did not."""
        counts = {}
        for name, known in zip(self.texts, self.steps["texts"].categories_ if self.texts else (), strict=True):
            cells = table.only([name])
            cells = replace(cells, columns={name: self._as_fitted(name, cells[name])})
            strange = ~np.isin(_text_block(cells, (name,))[:, 0].astype(str), known.astype(str))
            if strange.any():
                counts[name] = int(strange.sum())
        return counts


def width(numbers: Sequence[str], dates: Sequence[str], texts: Sequence[str]) -> int:
    """How many columns the matrix for trees has."""
    return len(numbers) + len(DATE_PARTS) * len(dates) + len(texts)


def encoding(table: Table, features: Sequence[str], *, scaled: bool = True) -> Encoding:
    """Learn from the fitted rows how these columns become a matrix."""
    kinds = table.kinds
    of = {kind: tuple(f for f in features if kinds[f] is kind) for kind in ColumnKind}
    numbers, dates, texts = of[ColumnKind.NUMBER], of[ColumnKind.DATE], of[ColumnKind.TEXT]
    steps: dict[str, Any] = {}
    if (numbers or dates) and scaled:
        steps["numbers"] = _scaler().fit(_number_block(table, numbers, dates))
    if texts:
        steps["texts"] = (_one_hot() if scaled else _codes()).fit(_text_block(table, texts))
    return Encoding(numbers, dates, texts, scaled, steps)


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
        return np.array([np.nan if cell is None else float(cell) for cell in values])
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


def _as_texts(values: Values) -> Values:
    """Numbers or dates as the texts that a file would hold; those that are missing as None."""
    cells = [int(cell) if isinstance(cell, float) and cell.is_integer() else cell for cell in values.tolist()]
    lost = missing(values)
    return np.array([None if gone else str(cell) for cell, gone in zip(cells, lost, strict=True)], dtype=object)


_PLAIN = Numbers()


def _scaler() -> Any:
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    return make_pipeline(imputer, StandardScaler())


def _one_hot() -> Any:
    from sklearn.preprocessing import OneHotEncoder

    return OneHotEncoder(
        drop="if_binary",
        handle_unknown="infrequent_if_exist",
        min_frequency=LEAST_OF_A_CATEGORY,
        max_categories=MOST_CATEGORIES,
        sparse_output=False,
    )


def _codes() -> Any:
    from sklearn.preprocessing import OrdinalEncoder

    return OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=MOST_TREE_CATEGORIES)


def _number_block(table: Table, numbers: Sequence[str], dates: Sequence[str]) -> Floats:
    columns = [np.where(np.abs(table[name]) < MOST, table[name], np.nan) for name in numbers]
    for name in dates:
        columns += list(date_parts(table[name]).values())
    return np.column_stack(columns)


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


def _text_block(table: Table, texts: Sequence[str]) -> NDArray[Any]:
    columns = []
    for name in texts:
        values = table[name].copy()
        values[missing(values)] = ABSENT
        columns.append(values)
    return np.column_stack(columns)


def _plain_indicator(name: str) -> str:
    prefix = "missingindicator_"
    return f"{name[len(prefix) :]} is missing" if name.startswith(prefix) else name


def quietly(transform: Any, block: NDArray[Any]) -> Floats:
    """Unknown categories are counted and reported by `unknown`, not warned of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Found unknown categories", category=UserWarning)
        return np.asarray(transform(block), dtype=np.float64)
