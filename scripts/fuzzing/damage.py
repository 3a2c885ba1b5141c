"""Damage to bytes and documents, and texts that a careless program would run, print or cut short."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

from goodmeasure.tallying.serialise import DIGEST

LONG = "x" * 10_000
TEXTS = (
    "",
    " ",
    "<script>alert(1)</script>",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "two\nlines",
    "carriage\rreturn",
    "\u202egnp.exe",
    "\u2066\u200f\u061c",
    "nul\x00byte",
    'a "quoted" one',
    "it's",
    "'; DROP TABLE t; --",
    "1=1)); COPY (SELECT 1) TO 't.csv' (FORMAT csv); --",
    "=cmd|' /C calc'!A0",
    "{}",
    "%s%n",
    "../../etc/passwd",
    "/dev/full",
    "/dev/null",
    "~",
    "*",
    "t*.csv",
    "[",
    "-",
    "--help",
    "-1",
    "0",
    "1e400",
    "nan",
    "inf",
    "-inf",
    "9" * 400,
    "0x10",
    "1,5",
    "é",
    "e\u0301",
    "\udce9",
    "日本語",
    LONG,
)
CELLS = (
    "",
    "NA",
    "nan",
    "inf",
    "-inf",
    "1e308",
    "-1e308",
    "1e-320",
    "1e400",
    "9" * 400,
    "yes",
    "0x1p3",
    "1 000",
    "\x00",
)
MARKS = (
    b'"',
    b'""',
    b",",
    b";",
    b"\t",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"PAR1",
    b"\x1f\x8b",
)
TOKENS = (*MARKS, *(each.encode("utf-8", "surrogateescape") for each in (*CELLS, *TEXTS[:12])))
VALUES: tuple[Any, ...] = (None, True, -1, 0, 7.5, 10**30, 1e308, "", "x", "inf", [], {}, [[1.0]], TEXTS[3], LONG)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes with a few changes: bits, pieces that are lost, doubled or moved, and tokens that mean something."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 4, 16))):
        at = chance.randrange(len(found) + 1)
        chance.choice(CHANGES)(found, at, chance)
    return bytes(found)


def _flip(data: bytearray, at: int, chance: random.Random) -> None:
    if data:
        data[at % len(data)] ^= 1 << chance.randrange(8)


def _cut(data: bytearray, at: int, chance: random.Random) -> None:
    del data[at : at + chance.choice((1, 2, 7, 100, 5000))]


def _double(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = data[at : at + chance.choice((1, 8, 200))]


def _insert(data: bytearray, at: int, chance: random.Random) -> None:
    data[at:at] = chance.choice(TOKENS)


def _truncate(data: bytearray, at: int, _: random.Random) -> None:
    del data[at:]


CHANGES = (_flip, _cut, _double, _insert, _insert, _insert, _truncate)


def places(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything stands in a document."""
    yield path
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    for key, each in inside:
        yield from places(each, (*path, key))


def forged(document: bytes, chance: random.Random) -> bytes:
    """A saved model with one part changed, and a checksum that fits where it had one."""
    state = json.loads(document)
    path = chance.choice([place for place in places(state) if place and place[0] != "checksum"])
    found = copy.deepcopy(state)
    part = found
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = chance.choice(VALUES)
    if chance.random() < 0.5:
        found.pop("checksum", None)
    return json.dumps(found).encode("utf-8", "surrogatepass")


def resealed(tally: bytes, chance: random.Random) -> bytes:
    """Bytes of a tally, damaged anywhere, under a checksum that is right again."""
    body = mutated(tally[:-DIGEST], chance)
    return body + hashlib.blake2b(body, digest_size=DIGEST).digest()
