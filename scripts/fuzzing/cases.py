"""One input: the files of a directory, the words that are typed there, and what kind of harm they try."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

import goodmeasure as gm
from fuzzing import commands, damage, tables
from goodmeasure.cli import status_of

PIPE, FOLDER = b"a pipe", b"a folder"
PROGRAM = b"""
import torch
from torch import nn

def build():
    torch.manual_seed(0)
    x, y = torch.randn(16, 4), torch.randint(0, 2, (16, 1)).float()
    return {"model": nn.Linear(4, 1), "loss": nn.BCEWithLogitsLoss(), "inputs": x, "targets": y}
"""


@dataclass(frozen=True)
class Case:
    """Files by name, what comes through a pipe, and the words of a command."""

    kind: str
    words: list[str]
    files: dict[str, bytes] = field(default_factory=dict)
    pipes: dict[str, bytes] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


@cache
def model() -> bytes:
    """A saved model of the plain table."""
    cells = {name: values for name, values in tables.table().items() if name not in ("p", "z")}
    return gm.run(cells, "yes").model.to_json().encode()


@cache
def tally() -> bytes:
    """The bytes of a tally of the plain table."""
    plain = tables.table()
    return gm.tally(
        gm.losses.binary_cross_entropy(), np.array(plain["yes"]), prediction=np.array(plain["p"])
    ).to_bytes()


def plain(command: str, more: list[str], kind: str) -> Case:
    """A command on the plain table."""
    return Case(kind, commands.line(command, "t.csv", more), {"t.csv": tables.as_csv(tables.table()), **_beside()})


def _beside() -> dict[str, bytes]:
    return {"model.json": model(), "program.py": PROGRAM}


def _reader(chance: random.Random) -> str:
    return chance.choice([*commands.READERS, "choose", "score", "decide", "predict"])


def options(chance: random.Random) -> Case:
    """One option of one command, with any value."""
    command, more = chance.choice(_sweep())
    if command in commands.SLOW and chance.random() < 0.7:
        command, more = chance.choice(_quick())
    return plain(command, more, "options")


@cache
def _sweep() -> list[tuple[str, list[str]]]:
    return list(commands.sweep())


@cache
def _quick() -> list[tuple[str, list[str]]]:
    return [each for each in _sweep() if each[0] not in commands.SLOW]


def many_options(chance: random.Random) -> Case:
    command = _reader(chance)
    return plain(command, commands.some(command, chance), "several options")


WRITTEN: dict[str, Callable[[tables.Cells], bytes]] = {
    "t.csv": tables.as_csv,
    "t.parquet": tables.as_parquet,
    "t.csv.gz": lambda cells: tables.as_gzip(tables.as_csv(cells)),
    "t.jsonl": tables.as_json_lines,
}


def damaged_file(chance: random.Random) -> Case:
    """A table whose bytes were changed or cut short."""
    name = chance.choice(["t.csv", "t.csv", *WRITTEN])
    data = WRITTEN[name](tables.table())
    data = data[: chance.randrange(len(data))] if chance.random() < 0.3 else damage.mutated(data, chance)
    return Case(f"damaged {name}", commands.line(_reader(chance), name, []), {name: data, **_beside()})


def strange_cells(chance: random.Random) -> Case:
    """A table in which a few cells hold what they should not."""
    cells = {name: list(values) for name, values in tables.table().items()}
    for _ in range(chance.choice((1, 2, 10))):
        column = chance.choice(list(cells))
        cells[column][chance.randrange(tables.ROWS)] = chance.choice(damage.CELLS + damage.TEXTS)
    more = chance.choice(([], ["--by", "region"], ["--weights", "w"]))
    command = _reader(chance)
    more = more if command in ("score", "decide") else []
    return Case("strange cells", commands.line(command, "t.csv", more), {"t.csv": tables.as_csv(cells), **_beside()})


def strange_columns(chance: random.Random) -> Case:
    """A column under a name that a terminal, a database or a page might take for something else."""
    odd = chance.choice([text for text in damage.TEXTS if text])
    old = chance.choice(["yes", "p", "region"])
    cells = {(odd if name == old else name): values for name, values in tables.table().items()}
    words = [odd if word == old else word for word in commands.line(_reader(chance), "t.csv", [])]
    data = tables.as_csv(cells)
    return Case("names of columns", words, {"t.csv": data, **_beside()})


def strange_labels(chance: random.Random) -> Case:
    """A target of yes and no under labels of any kind, and a group of them."""
    odd = chance.choice(damage.TEXTS)
    cells = tables.table()
    cells["yes"] = [odd if one else "plain" for one in cells["yes"]]
    cells["region"] = [odd if one == "north" else one for one in cells["region"]]
    command = _reader(chance)
    more = [] if command == "predict" else commands.given(command, _positive(command), odd)
    more += ["--by", "region"] if command in ("score", "decide") else []
    return Case("labels", commands.line(command, "t.csv", more), {"t.csv": tables.as_csv(cells), **_beside()})


def _positive(command: str) -> commands.click.Parameter:
    return next(each for each in commands.options(command) if each.name == "positive")


def strange_files(chance: random.Random) -> Case:
    """A file under a name that few would choose, or one that is a folder, a pipe, or nothing."""
    odd = chance.choice([t for t in damage.TEXTS if t and "\0" not in t and "/" not in t and len(t) < 200 and t != "-"])
    name = f"./{odd}.csv" if odd.startswith("-") else f"{odd}.csv"
    data = tables.as_csv(tables.table())
    command = _reader(chance)
    how = chance.choice(("file", "file", "folder", "pipe", "nothing", "empty"))
    words = commands.line(command, name, [])
    files = {name: data if how == "file" else b""} if how in ("file", "empty") else {}
    pipes = {name: data} if how == "pipe" else {}
    return Case("names of files", words, {**files, **_beside()}, pipes, (name,) if how == "folder" else ())


def forged_model(chance: random.Random) -> Case:
    """A model with a part that it cannot have, or with other bytes."""
    data = damage.forged(model(), chance) if chance.random() < 0.7 else damage.mutated(model(), chance)
    words = commands.line("predict", "t.csv", commands.some("predict", chance) if chance.random() < 0.2 else [])
    return Case("forged models", words, {"t.csv": tables.as_csv(tables.table()), "model.json": data})


def forged_tally(chance: random.Random) -> Case:
    """A saved tally with other bytes, under a checksum that fits or not."""
    data = (damage.resealed if chance.random() < 0.7 else damage.mutated)(saved_tally(), chance)
    words = commands.line(chance.choice(("score", "decide")), "so_far.tally", [])
    return Case("forged tallies", words, {"so_far.tally": data})


@cache
def saved_tally() -> bytes:
    """What ``score --save`` keeps."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(place)
        try:
            Path("t.csv").write_bytes(tables.as_csv(tables.table()))
            assert status_of(commands.line("score", "t.csv", ["--save", "so_far.tally"])) == 0
            return Path("so_far.tally").read_bytes()
        finally:
            os.chdir(here)


def wide(chance: random.Random) -> Case:
    """A table of a hundred thousand columns."""
    cells = {**tables.table(), **{f"c{i}": [i] * tables.ROWS for i in range(100_000)}}
    data = tables.as_csv({name: values[:6] for name, values in cells.items()})
    words = commands.line(chance.choice(("score", "choose")), "t.csv", [])
    return Case("100,000 columns", words, {"t.csv": data, **_beside()})


def damaged_program(chance: random.Random) -> Case:
    """A program to audit that does not parse, or does something else."""
    files = {"program.py": damage.mutated(PROGRAM, chance)}
    return Case("programs", commands.line("audit", "", commands.some("audit", chance)), files)


# How often each kind comes, of a hundred; a table of 100,000 columns takes seconds, so there are few.
KINDS: dict[Callable[[random.Random], Case], float] = {
    options: 34,
    many_options: 10,
    damaged_file: 16,
    strange_cells: 8,
    strange_columns: 6,
    strange_labels: 6,
    strange_files: 6,
    forged_model: 6,
    forged_tally: 5,
    damaged_program: 2.8,
    wide: 0.2,
}


def case(seed: int, index: int) -> Case:
    """The input of this number: the same for the same seed."""
    chance = random.Random(f"{seed} {index}")
    (make,) = chance.choices(list(KINDS), list(KINDS.values()))
    return make(chance)


def key(found: Case) -> str:
    """What tells an input from others."""
    return json.dumps(
        [found.words, {name: data.hex() for name, data in found.files.items()}, sorted(found.pipes), found.folders]
    )
