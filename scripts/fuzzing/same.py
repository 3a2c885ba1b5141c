"""The same table, written otherwise: every command must give the same numbers."""

from __future__ import annotations

import csv
import json
import math
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from fuzzing import tables
from fuzzing.cases import Case
from fuzzing.trial import Said, _inside, _put, here

Way = tuple[str, Callable[[tables.Cells], bytes]]
EXACT: dict[str, Way] = {
    "as Parquet": ("t.parquet", tables.as_parquet),
    "under gzip": ("t.csv.gz", lambda cells: tables.as_gzip(tables.as_csv(cells))),
    "with every cell in quotes": ("t.csv", lambda cells: tables.as_csv(cells, quoting=csv.QUOTE_ALL)),
    "with semicolons": ("t.csv", lambda cells: tables.as_csv(cells, ";")),
    "with tabs": ("t.csv", lambda cells: tables.as_csv(cells, "\t")),
    "with the ends of lines of Windows": ("t.csv", lambda cells: tables.as_csv(cells, end="\r\n")),
    "in UTF-16": ("t.csv", lambda cells: tables.as_csv(cells).decode().encode("utf-16")),
    "with a byte order mark": ("t.csv", lambda cells: b"\xef\xbb\xbf" + tables.as_csv(cells)),
    "with its columns turned round": ("t.csv", lambda cells: tables.as_csv(tables.turned(cells))),
}
QUESTIONS: tuple[list[str], ...] = (
    ["score", "{}", "--y", "yes", "--p", "p", "--json"],
    ["score", "{}", "--y", "yes", "--p", "p", "--by", "region", "--weights", "w", "--json"],
    ["score", "{}", "--y", "yes", "--p", "p", "--cluster", "day", "--json"],
    ["score", "{}", "--y", "yes", "--p", "z", "--raw", "--json"],
    ["score", "{}", "--y", "amount", "--p", "mu", "--loss", "squared_error", "--json"],
    ["decide", "{}", "--y", "yes", "--p", "p", "--cost", "fn=4", "--cost", "fp=1", "--json"],
    ["decide", "{}", "--y", "amount", "--p", "mu", "--cost", "under=4", "--cost", "over=1", "--json"],
    ["choose", "{}", "--target", "amount", "--json"],
    ["choose", "{}", "--target", "yes", "--weights", "w", "--json"],
    ["score", "{}", "--y", "yes", "--p", "p", "--where", "p > 0.2", "--json"],
)
# A run deals rows to parts by their place and takes seconds: it is asked of the first tables alone.
TOLD = {"seconds", "file", "files", "source", "bytes", "digest", "made", "time"}
RUN = ["run", "{}", "--target", "yes", "--exclude", "p", "--exclude", "z", "--out", "out", "--json"]


def differing(seed: int, index: int) -> tuple[int, list[str]]:
    """How many pairs of answers were held against each other, and what differed."""
    chance = random.Random(f"same {seed} {index}")
    cells = tables.table(chance.randrange(10**6), rows=chance.choice((60, 200)))
    words = RUN if index < 1 else chance.choice(QUESTIONS)
    plain = answer(words, "t.csv", tables.as_csv(cells))
    found = [f"{' '.join(words)} on the plain table: exit {plain.status} {plain.err}"] if plain.status > 1 else []
    for name, (file, write) in EXACT.items():
        if words is RUN and "turned" in name:
            continue  # which column comes first moves the last digits of a fit
        found += _apart(f"{' '.join(words)} {name}", plain, answer(words, file, write(cells)), 0.0)
    count = len(EXACT)
    if words[0] not in ("run", "decide"):  # they deal rows to folds by their place
        shuffled = tables.as_csv(tables.permuted(cells, chance))
        found += _apart(
            f"{' '.join(words)} with its rows in another order", plain, answer(words, "t.csv", shuffled), 1e-9
        )
        count += 1
    return count, found


def answer(words: list[str], file: str, data: bytes) -> Said:
    """What a command says of a file."""
    case = Case("the same", [file if word == "{}" else word for word in words], {file: data})
    with tempfile.TemporaryDirectory() as place, _inside(Path(place)):
        _put(case)
        return here(case.words)


def _apart(title: str, a: Said, b: Said, slack: float) -> Iterator[str]:
    if a.status != b.status:
        yield f"{title}: exit {a.status} and {b.status} {b.err[:300]}"
        return
    if a.status > 1:
        return
    left, right = _numbers(json.loads(a.out)), _numbers(json.loads(b.out))
    if left.keys() != right.keys():
        yield f"{title}: other fields, {sorted(left.keys() ^ right.keys())[:5]}"
        return
    for path, value in left.items():
        if not math.isclose(value, right[path], rel_tol=slack, abs_tol=slack) and value == value:
            yield f"{title}: {path} is {value!r} and {right[path]!r}"
            return


def _numbers(part: Any, path: str = "") -> dict[str, float]:
    """Every number of an answer by its path; times and sizes of files are not of the table."""
    if isinstance(part, dict):
        return {
            k: v for name, each in part.items() if name not in TOLD for k, v in _numbers(each, f"{path}.{name}").items()
        }
    if isinstance(part, list):
        return {k: v for i, each in enumerate(part) for k, v in _numbers(each, f"{path}[{i}]").items()}
    return {path: float(part)} if isinstance(part, int | float) and not isinstance(part, bool) else {}
