"""Partial tallies with the name of the shard that each was made of, so that none is counted twice or lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import add

from goodmeasure.errors import NothingToAverage, Problem
from goodmeasure.tallying.tally import Tally


class ShardTwice(Problem, ValueError):
    """The same shard came back twice with different contents, or with another number of rows.

    A part is a pure function of its shard, so a task that a cluster runs twice gives the same bytes and is counted
    once. Different bytes under one name mean that the file changed while it was read, or that names are not unique.

    Saved tallies that are added up are told apart by their files, each known by its name and its bytes: a file that is in
    two of them, under its name or another, would count twice, and the sum is refused.
    """

    code = "GM722"


class ShardMissing(Problem, ValueError):
    """Some shards were asked for and did not come back, so the sum would silently be of a smaller sample.

    Run the missing shards again, or leave them out on purpose by naming only the others.
    """

    code = "GM723"


@dataclass(frozen=True)
class Part:
    """The tally of one shard as bytes, with the shard's name and how many rows were read."""

    shard: str
    rows: int
    data: bytes


def collect(parts: Iterable[Part], expected: Iterable[str]) -> Tally:
    """The sum of the parts of the expected shards, each counted once; errors: GM722, GM723."""
    wanted, found = list(expected), dict[str, Part]()
    for part in parts:
        known = found.setdefault(part.shard, part)
        if known != part:
            raise ShardTwice(
                f"shard {part.shard} came back twice and not the same",
                seen=f"{known.rows:,} and {part.rows:,} rows, {len(known.data):,} and {len(part.data):,} bytes",
                fix="tally again while nothing writes to the files",
            )
    missing = [shard for shard in wanted if shard not in found]
    strange = sorted(set(found) - set(wanted))
    if missing or strange:
        raise ShardMissing(
            f"{len(missing)} of {len(wanted)} shards are missing"
            if missing
            else f"shard {strange[0]} was not asked for",
            seen=", ".join((missing or strange)[:5]),
            fix="tally those that are missing, and collect all of them",
        )
    if not wanted:
        raise NothingToAverage("there are no shards", fix="name at least one shard")
    return reduce(add, (Tally.from_bytes(found[shard].data) for shard in sorted(wanted)))
