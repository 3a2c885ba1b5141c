"""From a model and later rows to what may be said of them: files are read in parts, and add up over time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from typing import Any

from goodmeasure.errors import Problem, UsageError, shorter
from goodmeasure.formulas.domains import Level
from goodmeasure.monitoring import kept
from goodmeasure.monitoring.counts import Counts, counted
from goodmeasure.monitoring.monitored import Monitored, judged
from goodmeasure.reading.files import parts
from goodmeasure.reading.frames import table
from goodmeasure.reading.paths import Places, places_of
from goodmeasure.reading.sources import names_in_first
from goodmeasure.reading.tables import ColumnKind, Table
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.study.model import Model, load, to_dict
from goodmeasure.study.seen import SeenRows
from goodmeasure.tallying.saved import Shard
from goodmeasure.traits.sizes import extent


class NothingKept(Problem, ValueError):
    """The model keeps nothing of the rows it was made for, so that later rows can be held against nothing.

    Models of earlier releases do not, and none does whose reported rows cost infinity: train it again.
    """

    code = "GM283"


@strict_keywords
def monitor(
    model: Model | str | PathLike[str],
    data: Any,
    *,
    so_far: str | PathLike[str] | Sequence[str | PathLike[str]] | None = None,
    save: str | PathLike[str] | None = None,
    where: str | None = None,
    level: Level = 0.95,
) -> Monitored:
    """Hold later rows against those that a model was made for: its columns, its predictions, and what these cost.

    Targets need not be known: what rows are to cost is told by their predictions. Where some are known, their losses are
    held against the risk that was reported. Words are said falsely as rarely as the level says, however often one looks.

    Args:
        model: a `Model`, or the path of its model.json.
        data: a path (a pattern in quotes, any number of rows) or a frame, with the columns of the model; None where only
            ``so_far`` is to be read.
        so_far: files that ``save`` wrote of earlier rows, which are added; none unless given.
        save: where the counts of all these rows go; nowhere unless given.
        where: an SQL condition that rows of a file must fit.
        level: how often all intervals hold together.

    Returns:
        A `Monitored`: print it for what may be said.

    Raises:
        GM009: there are no rows to look at, or a file of another kind stands where ``save`` goes.
        GM201 to GM206: a file or a cell cannot be read, or a column is missing.
        GM241: an exposure is missing, not positive or not finite.
        GM270: the file is no model.
        GM283: the model keeps nothing to hold rows against.
        GM284: ``so_far`` is of another model, or damaged.
        GM703: a target is none of the model's labels.
        GM722: a file would count twice.

    Source:
        Ville 1939, Étude critique de la notion de collectif; Howard, Ramdas, McAuliffe and Sekhon 2021, Time-uniform,
        nonparametric, nonasymptotic confidence sequences; Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024,
        Time-uniform central limit theory and asymptotic confidence sequences.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> model = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").model
        >>> print(gm.monitor(model, {"hours": hours, "passed": passed}).word)
        no change shown
    """
    trained = model if isinstance(model, Model) else load(model)
    seen = _seen(trained)
    name = to_dict(trained)["checksum"]
    found = Counts.none(seen)
    for path in _paths(so_far):
        found = found + kept.load(path, seen, name)
    if data is not None:
        found = found + counts_of(trained, seen, data, where)
    if not found.rows:
        raise UsageError("there are no rows to look at", fix="name a table of later rows")
    if save is not None:
        kept.save(save, found, name)
    return judged(seen, found, level, extent(trained.loss))


def _paths(so_far: Any) -> list[Any]:
    """The files of earlier rows: none, one, or several."""
    found = [] if so_far is None else list(so_far) if isinstance(so_far, list | tuple) else [so_far]
    if not all(isinstance(path, str | PathLike) for path in found):
        raise UsageError(
            f"monitor takes no so_far={shorter(so_far)}", seen="files have paths", fix='so_far="counts.json"'
        )
    return found


def _seen(model: Model) -> SeenRows:
    if model.seen is None:
        raise NothingKept("the model keeps nothing of the rows it was made for", fix="train it again: goodmeasure run")
    return model.seen


def counts_of(model: Model, seen: SeenRows, data: Any, where: str | None) -> Counts:
    """The counts of the rows of a frame, or of files, which are read in parts."""
    if isinstance(data, str | PathLike | Places):
        with places_of(data) as places:
            found = Counts.none(seen)
            for part in _parts(model, places, where):
                found = found + counted(model, seen, part)
            return found.of(tuple(Shard.of(place.path, _shown(place.name)) for place in places.files))
    if where is not None:
        raise UsageError("where= is for files: a frame has rows of its own", fix="monitor(model, data[data.age >= 18])")
    texts = [name for name, kind in model.columns.items() if kind is ColumnKind.TEXT]
    held = [model.target] if model.labels else []
    return counted(model, seen, table(data, notations=model.notations, kept=[*texts, *held]))


def _shown(name: str) -> str:
    """The name of a file, which need not be UTF-8."""
    return name.encode(errors="replace").decode()


def _parts(model: Model, places: Places, where: str | None) -> Iterator[Table]:
    """The columns of the model, and its target where the files have it."""
    there = model.target in names_in_first(places)
    kinds = dict(model.columns)
    if there and not model.labels:
        kinds[model.target] = ColumnKind.NUMBER
    keep = [model.target] if there and model.labels else []
    yield from parts(places, kinds=kinds, keep=keep, where=where, notations=model.notations)
