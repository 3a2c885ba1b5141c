"""Which columns are a model's predictions, and which class each of several belongs to."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from goodmeasure.engines.duckdb import labels_of
from goodmeasure.errors import UsageError
from goodmeasure.reading.connection import Reader
from goodmeasure.reading.inspection import filtered, refuse_unknown, weighed
from goodmeasure.reading.paths import Places
from goodmeasure.reading.recognition import Written
from goodmeasure.reading.sources import together
from goodmeasure.statistics.row_arguments import UnknownLabel

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Models:
    """Models by the text that names them, each with its columns: one, or one a class in the order of ``labels``."""

    columns: dict[str, tuple[str, ...]]
    labels: Labels = ()

    @property
    def classes(self) -> int:
        """How many columns each model has."""
        return len(next(iter(self.columns.values())))

    @property
    def codes(self) -> Labels:
        """The labels, unless they are the codes 0, 1, 2 and so on."""
        return () if self.labels == _codes(len(self.labels)) else self.labels

    def by_label(self) -> dict[str, dict[str, str]]:
        """For each model the column of each label."""
        return {text: dict(zip(self.labels, names, strict=True)) for text, names in self.columns.items()}

    def told(self) -> list[str]:
        """Which column is whose, in words."""
        pairs = [", ".join(f"{label} = {name}" for label, name in of.items()) for of in self.by_label().values()]
        return [f"classes: {said}" for said in pairs]


def models(given: Sequence[str], known: Collection[str] = ()) -> Models:
    """The models that options name: a column, or columns joined by commas (in quotes where a name holds one).

    Raises:
        GM009: a model has no column or one twice, or models have different numbers of them
    """
    found = {text: _columns(text, known) for text in given}
    counts = {len(names) for names in found.values()}
    if len(counts) > 1:
        seen = ", ".join(f"{text}: {len(names)}" for text, names in found.items())
        raise UsageError("the models have different numbers of columns", seen=seen, fix="as many columns in each --p")
    for text, names in found.items():
        if len(set(names)) < len(names) or not all(names):
            raise UsageError(f"--p {text} names a column twice, or none", fix="--p p_cat,p_dog,p_fox")
    return Models(found)


def _columns(text: str, known: Collection[str]) -> tuple[str, ...]:
    if text in known:
        return (text,)
    try:
        parts = next(csv.reader(io.StringIO(text, newline="")), [""])
    except csv.Error:
        return (text,)
    return tuple(name if name in known else name.strip() for name in parts)


def with_labels(found: Models, chosen: Sequence[str] | None, there: Sequence[str]) -> Models:
    """The models with the label of each column, each model's columns in one order of the labels.

    Args:
        found: The models, of several columns each.
        chosen: The labels as the user or an earlier tally names them, in the order of the columns; None to go by names.
        there: The labels that the target holds.

    Raises:
        GM009: the labels do not go with the columns, or it cannot be told which is whose
        GM703: the target holds another label
    """
    if chosen is None:
        return _by_names(found, there) or _by_order(found, there)
    labels = tuple(chosen)
    if len(set(labels)) != len(labels) or len(labels) != found.classes:
        raise UsageError(
            f"--classes names {len(labels)} labels for {found.classes} columns",
            seen=", ".join(labels),
            fix="one label for each column of --p, in their order",
        )
    strange = [label for label in there if label not in labels]
    if strange:
        raise UnknownLabel(
            f"the target holds {strange[0]!r}, which is none of the classes",
            seen=", ".join(labels),
            fix=f"a column for it too, and --classes {','.join([*labels, *strange[:1]])}; or leave its rows out with --where",
        )
    named = _by_names(found, labels)
    if named is not None and named.labels != labels:
        raise UsageError(
            "--classes has another order than the names of the columns say",
            seen=f"{', '.join(labels)} for {', '.join(next(iter(found.columns.values())))}",
            fix=f"--classes {','.join(named.labels)}",
        )
    return named or replace(found, labels=labels)


def _by_names(found: Models, labels: Sequence[str]) -> Models | None:
    """The models with labels that the names of their columns end in, behind what all of them begin with."""
    ends = {text: _ends(names, labels) for text, names in found.columns.items()}
    first = next(iter(ends.values()))
    if first is None:
        return None
    ordered = {}
    for text, names in found.columns.items():
        end = ends[text]
        if end is None or set(end) != set(first):
            return None
        ordered[text] = tuple(names[end.index(label)] for label in first)
    return Models(ordered, first)


def _ends(names: tuple[str, ...], labels: Sequence[str]) -> Labels | None:
    """What names end in, if what they have in common can be cut off in one way so that every label is an end."""
    shared = sum(1 for _ in takewhile(lambda letters: len({*letters}) == 1, zip(*names, strict=False)))
    cuts = range(shared + 1)
    found = {ends for cut in cuts if set(labels) <= set(ends := tuple(name[cut:] for name in names)) and all(ends)}
    return found.pop() if len(found) == 1 else None


def _by_order(found: Models, labels: Sequence[str]) -> Models:
    """The models with the codes 0, 1, 2, ... as labels, if the target holds no others."""
    codes = _codes(found.classes)
    if not set(labels) <= set(codes):
        raise UsageError(
            "it cannot be told which column is of which class",
            seen=f"labels {', '.join(labels[:12])}; columns {', '.join(next(iter(found.columns.values()))[:12])}",
            fix="the label of each column of --p, in their order: --classes LABEL,LABEL,...",
        )
    return replace(found, labels=codes)


def _codes(count: int) -> Labels:
    return tuple(map(str, range(count)))


def labels_there(
    table: Places, target: str, known: Sequence[str], where: str | None, weight: str | None, written: Written
) -> list[str]:
    """The labels that the target holds in the rows that count, as they are known where they are."""
    with Reader(table.paths) as reader:
        files = together(reader, table)
        refuse_unknown([target], files)
        return labels_of(filtered(weighed(files, weight, written), where), target, known)
