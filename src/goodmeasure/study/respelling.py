"""One label that was typed in several ways: with blanks around it, or in other capitals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from goodmeasure.choosing.affirming import ALIKE, apart
from goodmeasure.choosing.spelling import spellings
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.tables import ColumnKind, Table, Values, counted, listed
from goodmeasure.statistics.texts import by_value


class LabelsPutTogether(Remark):
    """Labels of a column that differ in capitals or blanks alone were taken for one: ``yes``, ``Yes`` and ``yes `` are alike.

    The most common way to write it stands for all. Where nothing but capitals tells all labels of a column apart, as in
    ``AA``, ``Aa`` and ``aa``, they are left as they are.
    """

    code = "GM245"


def one_spelling(table: Table, names: Iterable[str]) -> tuple[Table, tuple[Remark, ...]]:
    """The table with one way to write each label of these columns, and a remark on each column that had several."""
    changed: dict[str, Values] = {}
    remarks = []
    for name in names:
        values = table.columns[name]
        if ColumnKind.of(values) is ColumnKind.TEXT and (spelled := spellings(counted(values))):
            changed[name] = respelled(values, spelled)
            pairs = listed((f"{old!r} -> {new!r}" for old, new in spelled.items()), most=3)
            remarks.append(LabelsPutTogether(f"labels of column {name!r} that are one were put together: {pairs}"))
    return (replace(table, columns={**table.columns, **changed}) if changed else table), tuple(remarks)


def respelled(values: Values, spelled: Mapping[str, str]) -> Values:
    """Cells, with another label in place of some."""
    return by_value(lambda value: spelled.get(value, value), values)


def as_known(values: Values, categories: Iterable[str]) -> Values:
    """Cells in the spelling of known categories, where theirs differs in capitals or blanks alone."""
    known = set(categories)
    if known.union([None]).issuperset(values.tolist()):
        return values
    way = ALIKE[apart(known)]
    spelled = {way(label): label for label in known}
    return by_value(lambda value: value if value is None or value in known else spelled.get(way(value), value), values)
