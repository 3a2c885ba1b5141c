"""What the commands that read evidence have in common: what is asked of tables, and saved tallies."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from goodmeasure.engines import duckdb
from goodmeasure.engines.duckdb import shards
from goodmeasure.engines.request import Request
from goodmeasure.errors import Problem, UsageError
from goodmeasure.losses import catalogue
from goodmeasure.tallying.saved import Saved, Shard, is_saved, load

_CALL = re.compile(r"\s*([a-z_0-9]+)\s*(?:\(\s*(.*?)\s*\))?\s*")


def losses_from(given: Sequence[str]) -> tuple[Any, ...]:
    """Losses by their call in the catalogue: ``huber``, or ``pinball(level=0.9)``. Error: GM009."""
    return tuple(_loss(text) for text in given)


def _loss(text: str) -> Any:
    match = _CALL.fullmatch(text)
    name = match[1] if match else text
    if match is None or name not in catalogue():
        raise UsageError(f"there is no loss {text!r}", fix="goodmeasure losses")
    pairs = [part.partition("=") for part in (match[2] or "").split(",") if part.strip()]
    try:
        return catalogue()[name](**{key.strip(): float(value) for key, _, value in pairs})
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"--loss {text}: hyperparameters are numbers", fix=f"--loss '{name}(...=1)'") from error


def sorted_out(data: Sequence[str]) -> tuple[str | None, list[str]]:
    """The table among what was given (a path or a pattern), if there is one, and the saved tallies. Error: GM201."""
    tables, kept = [], []
    for source in data:
        files = shards(source)
        saved = [file for file in files if is_saved(file)]
        if saved and len(saved) < len(files):
            raise UsageError(f"{source} matches saved tallies and other files", fix="name the two apart")
        kept += saved
        tables += [] if saved else [source]
    if len(tables) > 1:
        raise UsageError(
            "several tables were given", seen=", ".join(tables[:5]), fix="one pattern in quotes, e.g. 'data/*.parquet'"
        )
    return (tables[0] if tables else None), kept


def question_of(scores: Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """What the options ask of a table, as plain values."""
    return {
        "scores": list(scores),
        "target": given["target"],
        "positive": given["positive"],
        "weights": given["weights"],
        "by": given["by"],
        "cluster": given["cluster"],
        "where": given["where"],
    }


def next_step(command: str, data: Sequence[str], kept: Sequence[str], asked: dict[str, Any]) -> str:
    """The line that asks the same of the other command; saved tallies know their columns, but not which model is meant."""
    words = [] if kept else ["--y", asked["target"]]
    if not kept and asked["positive"] is not None:
        words += ["--positive", asked["positive"]]
    if asked["scores"] and (not kept or command == "decide"):
        words += ["--p", asked["scores"][0]]
    return f"next: goodmeasure {shlex.join([command, *data, *words])}"


def request_of(losses: tuple[Any, ...], asked: dict[str, Any], *, raw: bool = False) -> Any:
    """What is asked of the table; a score is a column, or several joined by commas (one a class). Error: GM009."""
    for name, option in (("target", "--target"), ("scores", "--p")):
        if not asked[name]:
            raise UsageError(f"the option {option} is missing", fix=f"{option} COLUMN")
    return Request(
        losses,
        asked["target"],
        tuple((score, tuple(score.split(","))) for score in asked["scores"]),
        weight=asked["weights"],
        group=asked["by"],
        cluster=asked["cluster"],
        where=asked["where"],
        on_predictions=not raw,
        positive=asked["positive"],
    )


def tallied(data: str, request: Any, given: dict[str, Any]) -> Any:
    """The tally of the files, by the engine that was chosen."""
    if given["engine"] == "dask":
        from goodmeasure.engines import dask

        return dask.tally_files(data, request, scheduler=given["scheduler"])
    if given["scheduler"] is not None:
        raise UsageError("--scheduler goes with --engine dask", fix="--engine dask --scheduler tcp://host:8786")
    return duckdb.tally_files(data, request)


def evidence(
    table: str | None, kept: Sequence[str], ask: TallyQuestion, given: dict[str, Any], *, save: bool = False
) -> Any:
    """Saved tallies, and the table tallied with the question that they answer, all added up. Errors: GM720 to GM722.

    The table's files are told apart by their bytes if there is something to tell them from, or will be.
    """
    parts = [(path, load(path)) for path in kept]
    if parts:
        ask = _as_before(parts[0][1], ask)
    if table is not None:
        made = tallied(table, request_of(losses_from(ask.losses), ask.asked, raw=ask.raw), given)
        files = shards(table) if kept or save else []
        parts.append((table, Saved(made, ask.asked, tuple(sorted(map(Shard.of, files))))))
    total = parts[0][1]
    for name, part in parts[1:]:
        try:
            total = total + part
        except Problem as problem:
            problem.where = name
            raise
    return replace(total, tally=replace(total.tally, losses=losses_from(total.tally.schema.losses)))


class TallyQuestion(NamedTuple):
    """What the options ask: of which columns, by which losses, and whether scores are raw outputs."""

    asked: dict[str, Any]
    losses: tuple[str, ...]
    raw: bool = False


def _as_before(first: Any, ask: TallyQuestion) -> TallyQuestion:
    """The question of a saved tally; options that ask another are refused, those that were left out are known."""
    schema, known = first.tally.schema, first.question
    losses = tuple(map(repr, losses_from(ask.losses)))
    pairs = [(name, value, known[name]) for name, value in ask.asked.items()]
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


def plain(value: Any) -> Any:
    """Values that JSON has: infinities and NaN as null, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float) and value - value != 0:
        return None
    return value
