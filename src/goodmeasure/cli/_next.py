"""The next step that a command prints: a line that can be typed as it stands."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any


def next_line(*words: str) -> str:
    """The last line that a command prints: what to type next, in words that a shell reads as they are meant."""
    return f"\nnext: goodmeasure {' '.join(map(word, words))}"


def word(text: str) -> str:
    """A text as a word of a shell, without characters that steer a terminal."""
    if text.isprintable():
        return shlex.quote(text)
    return f"$'{''.join(map(_escaped, text))}'"


def _escaped(letter: str) -> str:
    """A character between $' and '."""
    if letter in "\\'":
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    if "\ud800" <= letter <= "\udfff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return "".join(f"\\x{byte:02x}" for byte in letter.encode())


def again(asked: dict[str, Any], data: Sequence[str], kept: Sequence[str], given: dict[str, Any]) -> list[str]:
    """The words that name the same rows once more; saved tallies know their columns."""
    if kept:
        return [*data]
    names = {
        "target": "--y",
        "positive": "--positive",
        "where": "--where",
        "weights": "--weights",
        "cluster": "--cluster",
    }
    found = [(option, asked[name]) for name, option in names.items()]
    found += [("--engine", "dask" if given["engine"] == "dask" else None), ("--scheduler", given["scheduler"])]
    return [*data, *(part for option, value in found if value is not None for part in (option, value))]
