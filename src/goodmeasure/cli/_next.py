"""The next step that a command prints: a line that can be typed as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goodmeasure.cli import _places
from goodmeasure.cli._tally_options import LEVEL
from goodmeasure.drawing.terminal import word
from goodmeasure.engines.shard import HERE


def line(*words: str) -> str:
    """A command, in words that a shell reads as they are meant."""
    return f"goodmeasure {' '.join(map(word, words))}"


def next_line(*words: str) -> str:
    """The last line that a command prints: what to type next."""
    return f"\nnext: {line(*words)}"


def is_spent(data: Sequence[str]) -> bool:
    """Whether something that was read cannot be read once more: standard input, or a pipe."""
    return any(source == "-" or Path(source).is_fifo() for source in data)


def again(asked: dict[str, Any], data: Sequence[str], kept: Sequence[str], given: dict[str, Any]) -> list[str]:
    """The words that name the same rows once more; saved tallies know their columns."""
    level = [] if given["level"] == LEVEL else ["--level", f"{given['level']:.15g}"]
    engine = {"--engine": None if given["engine"] == HERE else given["engine"], "--scheduler": given["scheduler"]}
    if kept:
        return [*data, *_pairs(engine), *level]
    names = {
        "target": "--y",
        "positive": "--positive",
        "where": "--where",
        "decimal": "--decimal",
        "weights": "--weights",
        "cluster": "--cluster",
        "by": "--by",
    }
    found = {option: asked[name] for name, option in names.items()} | engine
    return [*data, *_pairs(found), *_places.words(given), *level]


def _pairs(found: dict[str, Any]) -> list[str]:
    """Options with their values, of those that were given."""
    return [part for option, value in found.items() if value is not None for part in (option, value)]


def columns(question: dict[str, Any], losses: Sequence[str], *, raw: bool) -> list[str]:
    """The words that name what is asked of the rows: all models, by the losses that were named."""
    pairs = [("--p", score) for score in question["scores"]] + [("--loss", loss) for loss in losses]
    pairs += [("--classes", ",".join(question["classes"]))] if question["classes"] else []
    return [*(part for pair in pairs for part in pair), *(["--raw"] if raw else [])]
