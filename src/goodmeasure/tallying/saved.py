"""Tallies kept on disk, with the question that they answer and the files that they are of, to be added to later."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

from goodmeasure.errors import Problem
from goodmeasure.reading.documents import fields, row, sequence, text
from goodmeasure.reading.paths import STANDARD_INPUT
from goodmeasure.reading.paths import told as told_of
from goodmeasure.reading.writing import write_whole
from goodmeasure.tallying import soundness
from goodmeasure.tallying.serialise import sealed, told, unsealed
from goodmeasure.tallying.shards import ShardTwice
from goodmeasure.tallying.tally import DifferentTallies, Tally

MAGIC = b"goodmeasure saved tally\n"
SUFFIX = ".tally"


@dataclass(frozen=True, order=True)
class Shard:
    """A file that was tallied: the name under which it was read, and a digest of its bytes."""

    name: str
    digest: str

    @staticmethod
    def of(path: str, name: str = "") -> Shard:
        """The shard that a file is now, under its path or the name that its user knows."""
        with Path(path).open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        # What came in on standard input has no name of its own.
        return Shard(f"{name} {digest[:12]}" if name == STANDARD_INPUT else name or path, digest)


@dataclass(frozen=True)
class Saved:
    """A tally with what was asked of its files (columns, label, condition) as plain values, and which files they were.

    ``a + b`` is of the files of both; the same file twice, under its name or another, is refused.
    """

    tally: Tally
    question: dict[str, Any]
    shards: tuple[Shard, ...]

    def __add__(self, other: Saved) -> Saved:
        apart = [
            f"{name}: {self.question.get(name)} and {other.question.get(name)}"
            for name in sorted({*self.question, *other.question})
            if self.question.get(name) != other.question.get(name)
        ]
        if apart:
            raise DifferentTallies(
                "these tallies are of different questions",
                seen="; ".join(apart),
                fix="tally both with the same options",
            )
        self._disjoint(other)
        return Saved(self.tally + other.tally, self.question, tuple(sorted((*self.shards, *other.shards))))

    def _disjoint(self, other: Saved) -> None:
        names, digests = ({getattr(shard, each): shard for shard in self.shards} for each in ("name", "digest"))
        for shard in other.shards:
            if shard.digest in digests:
                raise ShardTwice(
                    f"the rows of {shard.name} would count twice",
                    seen=f"both tallies hold a file of these bytes ({digests[shard.digest].name} and {shard.name})",
                    fix="leave one of the two out",
                )
            if shard.name in names:
                raise ShardTwice(
                    f"{shard.name} is in both tallies, and not the same",
                    seen="the file has changed between them, so that its rows may count twice",
                    fix="give each file a name of its own, or tally it anew",
                )

    def to_bytes(self) -> bytes:
        """As bytes that depend on the question and the files alone, not on how they were put together."""
        header = {"question": self.question, "shards": [[shard.name, shard.digest] for shard in self.shards]}
        return sealed(MAGIC, header, self.tally.to_bytes())

    @staticmethod
    def from_bytes(data: bytes) -> Saved:
        """What these bytes hold; errors: GM720."""
        header, tally = unsealed(MAGIC, data)
        with told():
            _HEADER(header, "")
        made = Tally.from_bytes(tally)
        with told():
            soundness.fits(header["question"], made.schema, made.groups)
        return Saved(made, header["question"], tuple(Shard(name, digest) for name, digest in header["shards"]))


_HEADER = fields({"question": soundness.question, "shards": sequence(row(text(most=100_000), text(most=200)))})


def is_saved(path: str | PathLike[str]) -> bool:
    """Whether a file is a saved tally, by how it begins or is called. A pipe is none: to look into it is to empty it."""
    place = Path(path)
    return is_tally(place) or (place.suffix == SUFFIX and place.is_file())


def is_tally(path: str | PathLike[str]) -> bool:
    """Whether a file begins as a saved tally does, however it is called."""
    place = Path(path)
    with told_of(str(path)):
        if not place.is_file():
            return False
        with place.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC


def save(path: str | PathLike[str], saved: Saved) -> None:
    """Write a tally to a file, whole or not at all, in the place of a tally or of no file; errors: GM009, GM012."""
    write_whole({Path(path): saved.to_bytes()}, [MAGIC])


def load(path: str | PathLike[str]) -> Saved:
    """Read a tally that `save` wrote; errors: GM720, naming the file."""
    try:
        return Saved.from_bytes(_bytes(str(path)))
    except Problem as problem:
        problem.where = str(path)
        raise


def _bytes(path: str) -> bytes:
    with told_of(path):
        return Path(path).read_bytes()
