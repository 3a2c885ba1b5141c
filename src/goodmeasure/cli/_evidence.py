"""What the commands that read evidence have in common: what is asked of tables, and saved tallies."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from goodmeasure.cli import _elsewhere, _places
from goodmeasure.cli._elsewhere import CountedElsewhere
from goodmeasure.cli._models import Models, labels_there, models, with_labels
from goodmeasure.cli._streams import aside, tell
from goodmeasure.drawing.terminal import printable, word
from goodmeasure.engines import duckdb
from goodmeasure.engines.request import Request, of_several
from goodmeasure.engines.shard import CLUSTERS, HERE
from goodmeasure.errors import HyperparameterError, Problem, UsageError
from goodmeasure.losses import find
from goodmeasure.making.definition import Definition
from goodmeasure.making.introspection import CLASS_WEIGHT
from goodmeasure.reading.inspection import remarks_on
from goodmeasure.reading.paths import Places, names_of, places_of
from goodmeasure.reading.recognition import Written
from goodmeasure.reading.sources import names_in_first
from goodmeasure.reading.tables import refuse_none
from goodmeasure.reading.writing import csv_line
from goodmeasure.statistics.keys import called
from goodmeasure.statistics.row_arguments import OutOfRange
from goodmeasure.tallying.accumulate import kind_of
from goodmeasure.tallying.saved import Saved, Shard, is_saved, load
from goodmeasure.tallying.schema import Schema
from goodmeasure.tallying.serialise import StateUnreadable

_CALL = re.compile(r"\s*([\w .-]+?)\s*(?:\(\s*(.*?)\s*\))?\s*")


def losses_from(given: Sequence[str]) -> tuple[Any, ...]:
    """Losses by their call in the catalogue, or by what people call them: ``huber``, ``pinball(level=0.9)``,
    ``quantiles(0.1, 0.5, 0.9)``.

    Where a name means something close, how it differs is said on standard error. Errors: GM009, GM011.
    """
    return tuple(_loss(text) for text in given)


def _loss(text: str) -> Any:
    match = _CALL.fullmatch(text)
    if match is None:
        raise UsageError(f"there is no loss {text!r}", fix="goodmeasure losses")
    definition = find(match[1])
    if definition.note:
        aside(printable(f"--loss {text}: {definition.note}"))
    given = _given(match[2] or "", definition)
    fix = f"--loss {word(_with_defaults(definition, given))}"
    if CLASS_WEIGHT.name in given:
        raise UsageError(f"--loss {text}: weights of classes are not given here", fix=f"--loss {definition.name}")
    try:
        values = {key: _number_or_several(value) for key, value in given.items()}
    except ValueError as error:
        raise UsageError(f"--loss {text}: hyperparameters are numbers", fix=fix) from error
    try:
        return definition(**values)
    except HyperparameterError as problem:
        raise UsageError(f"--loss {text}: {problem.what}", seen=problem.seen, fix=fix) from problem


def _given(text: str, definition: Definition) -> dict[str, str]:
    """What stands between the brackets of a call, by name; numbers alone are those of which a loss takes several."""
    parts = [part.strip() for part in re.split(r",(?![^()]*\))", text) if part.strip()]
    several = [name for name, default in definition.defaults if isinstance(default, tuple)]
    if several and not any("=" in part for part in parts):
        return {several[0]: f"({','.join(parts)})"} if parts else {}
    pairs = [part.partition("=") for part in parts]
    return {key.strip(): value.strip() for key, _, value in pairs}


def _number_or_several(text: str) -> float | tuple[float, ...]:
    """A number, or several in brackets."""
    if not text.startswith("("):
        return float(text)
    return tuple(float(part) for part in text.strip("()").split(",") if part.strip())


def _with_defaults(definition: Definition, given: Collection[str]) -> str:
    """The call of a loss with the defaults of what was given, or of all that can be."""
    parameters = definition.__signature__.parameters
    named = [name for name in parameters if name in given] or [name for name, _ in definition.defaults]
    defaults = ((name, parameters[name].default) for name in named if name != CLASS_WEIGHT.name)
    values = ", ".join(f"{name}={_as_typed(default)}" for name, default in defaults)
    return f"{definition.name}({values})" if values else definition.name


def _as_typed(default: Any) -> str:
    return str(default) if isinstance(default, tuple) else f"{default:.16g}"


@contextmanager
def sorted_out(data: Sequence[str]) -> Iterator[tuple[Places | None, list[str]]]:
    """The table among what was given (a path, a pattern or ``-``), if there is one, and the saved tallies. Error: GM201."""
    tables, kept = [], []
    for source in data:
        files = [] if source == "-" else names_of(source)
        saved = [file for file in files if is_saved(file)]
        if saved and len(saved) < len(files):
            raise UsageError(f"{source} matches saved tallies and other files", fix="name the two apart")
        kept += saved
        tables += [] if saved else [source]
    if len(tables) > 1:
        raise UsageError(
            "several tables were given", seen=", ".join(tables[:5]), fix="one pattern in quotes, e.g. 'data/*.parquet'"
        )
    with places_of(tables[0]) if tables else nullcontext() as places:
        yield places, kept


def fits_in_memory(table: Places | None, kept: Sequence[str], given: dict[str, Any]) -> bool:
    """Whether the rows can be held in memory: there is a table alone, and it is not too large."""
    return table is not None and not kept and given["engine"] == HERE and table.bytes <= duckdb.MOST_BYTES


def question_of(scores: Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """What the options ask of a table, as plain values."""
    classes = given.get("classes")
    for name in scores:
        if scores.count(name) > 1:
            others = [part for each in dict.fromkeys(scores) for part in ("--p", word(each))]
            raise UsageError(f"--p {word(name)} was given {scores.count(name)} times", fix=" ".join(others))
    return {
        "scores": list(scores),
        "target": given["target"],
        "positive": given["positive"],
        "classes": None if classes is None else [label.strip() for label in classes.split(",")],
        "weights": given["weights"],
        "by": given["by"],
        "cluster": given["cluster"],
        "where": given["where"],
        "decimal": given["decimal"],
    }


PROBABILITY, PREDICTION = "probability_", "prediction"


def with_predictions(asked: dict[str, Any], table: Places | None) -> dict[str, Any]:
    """The question, of the columns that `goodmeasure predict` writes where no other was named.

    Of yes and no, the name of the column says which label means yes.
    """
    if table is None:
        return asked
    names = names_in_first(table) if not asked["scores"] else []
    shares = [name for name in names if name.startswith(PROBABILITY)]
    if shares or PREDICTION in names:
        asked = asked | {"scores": [csv_line(shares) if shares else PREDICTION]}
    one = asked["scores"][0] if len(asked["scores"]) == 1 else ""
    if asked["positive"] is None and asked["classes"] is None and one.startswith(PROBABILITY) and "," not in one:
        asked = asked | {"positive": one.removeprefix(PROBABILITY)}
    return asked


def columns_asked(asked: dict[str, Any], table: Places) -> Models:
    """The columns of each model, with their labels if there are several a model.

    Raises:
        GM009: an option is missing, or does not go with the number of columns
        GM703: the target holds a label that is none of the classes
    """
    for name, option in (("target", "--y"), ("scores", "--p")):
        if not asked[name]:
            raise UsageError(f"the option {option} is missing", fix=f"{option} COLUMN")
    found = models(asked["scores"], names_in_first(table))
    if found.classes == 1 and asked["classes"] is not None:
        raise UsageError(
            "--classes goes with several columns a model", fix="--p p_cat,p_dog,p_fox --classes cat,dog,fox"
        )
    if found.classes == 1:
        return found
    if asked["positive"] is not None:
        raise UsageError(
            "--positive goes with one column a model",
            seen=f"--p {asked['scores'][0]}",
            fix="one column: --p COLUMN; or leave --positive out, with a column for each label of the target",
        )
    known, how = asked["classes"], (asked["where"], asked["weights"], written_in(asked))
    return with_labels(found, known, labels_there(table, asked["target"], known or (), *how))


def written_in(asked: dict[str, Any]) -> Written:
    """What was said of how cells are written."""
    return Written(asked.get("decimal"))


def request_of(losses: tuple[Any, ...], asked: dict[str, Any], found: Models, *, raw: bool = False) -> Request:
    """What is asked of the table."""
    return Request(
        losses,
        asked["target"],
        tuple(found.columns.items()),
        weight=asked["weights"],
        group=asked["by"],
        cluster=asked["cluster"],
        where=asked["where"],
        on_predictions=not raw,
        positive=asked["positive"],
        classes=found.codes,
        written=written_in(asked),
    )


def settled(request: Request, table: Places) -> Request:
    """The request held against the table; labels that are written in several ways are told of on standard error."""
    found = duckdb.settled(request, table)
    for label, *others in found.ways:
        if others:
            aside(printable(f"note: {', '.join(map(repr, others))} in {found.target} is taken for {label!r}"))
    return found


def groups_of(held: dict[str, Any], by: str | None) -> dict[str, Any]:
    """The places of all rows, and of those of each group."""
    found: dict[str, Any] = {"": slice(None)}
    if by:
        names = {str(key): key for key in np.unique(held[by])}
        found |= {called(name, names): np.flatnonzero(held[by] == key) for name, key in names.items()}
    return found


def parts_of(made: Any, by: str | None) -> dict[str, Any]:
    """A tally, and that of each of its groups of which some row counts."""
    groups = {called(key, made.groups): made[key] for key in sorted(made.groups)} if by else {}
    return {"": made} | {key: part for key, part in groups.items() if part.n}


def tallied(data: Places, request: Request, given: dict[str, Any], *, ends: bool) -> Any:
    """The tally of the files, by the engine that was chosen; if it ``ends`` here, vast and tiny weights get a unit of its own."""
    try:
        return _by_engine(data, request, given)
    except OutOfRange as problem:
        if request.weight is None:
            raise
        within = duckdb.in_one_unit(request, data)
        if within.weight_unit == 1:
            raise
        if not ends:
            problem.fix = (
                f"leave --save and saved tallies out; or write the weights divided by {within.weight_unit:.0e}"
            )
            raise
        return _by_engine(data, within, given)


def _by_engine(data: Places, request: Request, given: dict[str, Any]) -> Any:
    if given["engine"] in CLUSTERS:
        engine = import_module(f"goodmeasure.engines.{given['engine']}")
        return engine.tally_files(data, request, scheduler=given["scheduler"])
    if given["scheduler"] is not None:
        raise UsageError(
            f"--scheduler goes with --engine {' or '.join(CLUSTERS)}", fix="--engine dask --scheduler tcp://host:8786"
        )
    return duckdb.tally_files(data, request)


def evidence(
    table: Places | None, kept: Sequence[str], ask: TallyQuestion, given: dict[str, Any], *, save: bool = False
) -> tuple[Saved, CountedElsewhere | None]:
    """Saved tallies, and the table tallied with the question that they answer, all added up. Errors: GM720 to GM722.

    The table's files are told apart by their bytes if there is something to tell them from, or will be. Beside it stands how
    rows were weighed that count as elsewhere.
    """
    if table is not None and _places.asks(given):
        return _as_elsewhere(table, ask, given)
    parts = [(path, _loaded(path)) for path in kept]
    if parts:
        ask = _as_before(parts[0][1], ask)
    if table is not None:
        parts.append((table.source, _of_table(table, ask, given, hashed=bool(kept) or save)))
    total = parts[0][1]
    for name, part in parts[1:]:
        try:
            total = total + part
        except Problem as problem:
            problem.where = name
            raise
    refuse_none(total.tally.rows_read, ", ".join(name for name, _ in parts))
    return total, None


def _as_elsewhere(table: Places, ask: TallyQuestion, given: dict[str, Any]) -> tuple[Saved, CountedElsewhere]:
    """The tally of rows that count as elsewhere."""
    found, request = _requested(table, ask)
    made = _elsewhere.counted(table, request, ask.asked, given)
    refuse_none(made.tally.rows_read, table.source)
    return Saved(made.tally, ask.asked | {"classes": [*found.codes] or None}, ()), made


def _loaded(path: str) -> Saved:
    """A saved tally with its losses, which are of the catalogue and fit what it counts. Error: GM720."""
    saved = load(path)
    schema = saved.tally.schema
    try:
        losses = losses_from(schema.losses)
    except Problem as problem:
        raise StateUnreadable(
            "the tally is of a loss that is not known",
            where=path,
            seen=problem.what,
            fix="tally the table anew, with a loss that goodmeasure losses lists",
        ) from problem
    if kind_of(losses[0]) != schema.kind:
        raise StateUnreadable(
            f"the tally is of {schema.kind}, and its losses are not", where=path, fix="tally the table anew"
        )
    return replace(saved, tally=replace(saved.tally, losses=losses))


def _of_table(table: Places, ask: TallyQuestion, given: dict[str, Any], *, hashed: bool) -> Saved:
    """The tally of a table, with the files that it is of if they were hashed."""
    found, request = _requested(table, ask)
    made = tallied(table, request, given, ends=not hashed)
    shards = (
        tuple(sorted(Shard.of(place.path, place.name.encode(errors="replace").decode()) for place in table.files))
        if hashed
        else ()
    )
    return Saved(made, ask.asked | {"classes": [*found.codes] or None}, shards)


def _requested(table: Places, ask: TallyQuestion) -> tuple[Models, Request]:
    """The models that are asked of, and the request held against the table."""
    for loss in losses_from(ask.losses):
        _refuse_several(loss, ask.asked, table)
    found = columns_asked(ask.asked, table)
    losses = losses_from(ask.losses or _usual(found))
    request = settled(request_of(losses, ask.asked, found, raw=ask.raw), table)
    for said in duckdb.mistaken(table, request) if ask.raw else ():
        aside(printable(f"note: {said}"))
    return found, request


def _refuse_several(loss: Any, asked: dict[str, Any], table: Places) -> None:
    """Refuse a loss of several predictions a row before columns are taken for those of classes. Error: GM009."""
    if loss.is_classwise or len(loss.activation) == 1 or not asked["scores"] or not asked["target"]:
        return
    # A label that means yes goes with no loss of amounts, however many it predicts.
    if asked.get("positive") is not None:
        return
    known = names_in_first(table)
    columns = models(asked["scores"], known).columns[asked["scores"][0]]
    there = (
        labels_there(table, asked["target"], (), asked["where"], asked["weights"], written_in(asked))
        if loss.is_graded
        else []
    )
    raise of_several(loss, columns[0], max(len(there), len(loss.activation) + 1))


def _usual(found: Models) -> tuple[str, ...]:
    return ("cross_entropy", "brier") if found.classes > 1 else ("binary_cross_entropy", "binary_brier")


def tell_remarks(table: Places | None, asked: dict[str, Any]) -> None:
    """Say on standard error what must be known of how the columns of the question were read."""
    if table is None:
        return
    named = [asked["target"], asked["weights"], *models(asked["scores"], names_in_first(table)).columns.values()]
    columns = [name for each in named if each is not None for name in ([each] if isinstance(each, str) else each)]
    tell(remarks_on(table, columns, asked["weights"], written_in(asked))[:8])


def classes_of(question: dict[str, Any], schema: Schema) -> Models | None:
    """Which column of a tally is of which class, if it is of classes."""
    if schema.kind != "classes":
        return None
    found = models(question["scores"])
    labels = question.get("classes") or [str(code) for code in range(found.classes)]
    return with_labels(found, labels, labels)


class TallyQuestion(NamedTuple):
    """What the options ask: of which columns, by which losses, and whether scores are raw outputs."""

    asked: dict[str, Any]
    losses: tuple[str, ...]
    raw: bool = False


def _as_before(first: Any, ask: TallyQuestion) -> TallyQuestion:
    """The question of a saved tally; options that ask another are refused, those that were left out are known."""
    schema, known = first.tally.schema, first.question
    losses = tuple(map(repr, losses_from(ask.losses)))
    pairs = [(name, value, known.get(name)) for name, value in ask.asked.items()]
    for name, wanted, there in [*pairs, ("loss", losses, schema.losses), ("raw", ask.raw, not schema.on_predictions)]:
        if wanted and wanted != there:
            option = {"scores": "--p", "target": "--y"}.get(name, f"--{name}")
            raise UsageError(
                f"{option} asks something else than the saved tally answers",
                seen=f"asked {_words(wanted)}, saved with {_words(there) or 'none'}",
                fix=f"leave {option} out, or tally the table anew",
            )
    return TallyQuestion(known, schema.losses, not schema.on_predictions)


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else "" if value is None else str(value)
