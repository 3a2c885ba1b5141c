"""A tally as bytes and back: versioned, checksummed, and the same bytes for the same rows however they were split."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem
from goodmeasure.reading.documents import Mismatch, must
from goodmeasure.statistics.exact_sums import ExactSums
from goodmeasure.tallying import soundness
from goodmeasure.tallying.grid import AMOUNT_CELLS, SCORE_CELLS
from goodmeasure.tallying.schema import Schema
from goodmeasure.tallying.state import AmountSums, ClusterSums, Moments, ScoreCounts, State

MAGIC = b"goodmeasure tally\n"
VERSION = 1
DIGEST = 16
Arrays = dict[str, NDArray[Any]]


class StateUnreadable(Problem, ValueError):
    """These bytes are not a whole tally of a version that this release reads.

    A state carries a checksum over all of its bytes, so that one cut short by a full disk or a broken copy is refused
    rather than read as a smaller sample. Make it again from its shard, or copy it again.
    """

    code = "GM720"


def pack(schema: dict[str, Any], groups: dict[str, State]) -> bytes:
    """Schema and states as bytes: a header in JSON, the arrays in little-endian order, and a checksum."""
    arrays: Arrays = {}
    described = {key: _describe(state, f"{i}", arrays) for i, (key, state) in enumerate(sorted(groups.items()))}
    layout = [[name, array.dtype.str, list(array.shape)] for name, array in arrays.items()]
    header = {"schema": schema, "groups": described, "arrays": layout}
    return sealed(MAGIC, header, b"".join(array.tobytes() for array in arrays.values()))


def unpack(data: bytes) -> tuple[Schema, dict[str, State]]:
    """Schema and states from bytes, held against what they must be; errors: GM720."""
    header, body = unsealed(MAGIC, data)
    with told():
        soundness.header(header, "")
        names = {name: tuple(header["schema"][name]) for name in ("losses", "models")}
        schema = Schema(**{each.name: header["schema"][each.name] for each in fields(Schema)} | names)
        soundness.kind(schema)
        soundness.room(header, len(data))
        arrays = _read_arrays(body, header["arrays"])
        groups = {key: _build(one, arrays) for key, one in header["groups"].items()}
        for key, state in groups.items():
            soundness.state(state, schema, f"groups[{key!r}]")
    return schema, groups


@contextmanager
def told() -> Iterator[None]:
    """What is wrong with what was read, as the error for a tally; errors: GM720."""
    try:
        yield
    except (Mismatch, KeyError) as error:
        raise StateUnreadable(
            "the tally does not hold what its header says", seen=str(error), fix="tally the table anew"
        ) from error


def sealed(magic: bytes, header: dict[str, Any], payload: bytes) -> bytes:
    """A header in JSON with its version, and bytes behind it, under a checksum of all of it."""
    text = json.dumps(header | {"version": VERSION}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        errors="surrogatepass"
    )
    body = magic + len(text).to_bytes(8, "little") + text + payload
    return body + _checksum(body)


def unsealed(magic: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the bytes that `sealed` put together; errors: GM720."""
    body, digest = data[:-DIGEST], data[-DIGEST:]
    if not data.startswith(magic):
        raise StateUnreadable(
            "these bytes are not a tally",
            seen=f"they begin with {data[:16]!r}",
            fix="name a file that --save or Tally.to_bytes wrote",
        )
    if len(data) < len(magic) + 8 + DIGEST or _checksum(body) != digest:
        raise StateUnreadable(
            "the tally is damaged or cut short",
            seen=f"{len(data):,} bytes, and the checksum does not fit",
            fix="copy it again, or tally the table anew",
        )
    start = len(magic) + 8
    end = start + int.from_bytes(body[len(magic) : start], "little")
    try:
        header = json.loads(body[start:end])
    except (ValueError, RecursionError) as error:
        raise StateUnreadable(
            "the header of the tally is not JSON", seen=str(error)[:100], fix="tally the table anew"
        ) from error
    version = header.get("version") if isinstance(header, dict) else None
    if version != VERSION:
        raise StateUnreadable(f"the tally has version {version}, this release reads {VERSION}", fix="make it again")
    return header, body[end:]


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST).digest()


def _read_arrays(body: bytes, layout: list[Any]) -> Arrays:
    arrays: Arrays = {}
    at = 0
    for name, dtype, shape in layout:
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        must(name not in arrays and at + size <= len(body), f"arrays[{name!r}]", "in the bytes that follow the header")
        arrays[name] = np.frombuffer(body[at : at + size], dtype=kind).reshape(shape).copy()
        at += size
    must(at == len(body), "arrays", "all of the bytes that follow the header")
    return arrays


def _describe(state: State, prefix: str, arrays: Arrays) -> dict[str, Any]:
    """A state as plain values, its arrays put aside under names."""

    def keep(name: str, array: NDArray[Any]) -> str:
        place = f"{prefix}/{name}"
        arrays[place] = array.astype(array.dtype.newbyteorder("<"))
        return place

    def exact(name: str, sums: ExactSums) -> list[Any]:
        form = sums.canonical()
        held = np.flatnonzero(form.limbs.any(axis=1))
        return [form.cells, form.first, keep(f"{name}/cells", held), keep(f"{name}/limbs", form.limbs[held])]

    def counted(name: str, table: NDArray[np.int64]) -> list[Any]:
        held = np.flatnonzero(table)
        return [list(table.shape), keep(f"{name}/at", held), keep(f"{name}/values", table.ravel()[held])]

    return {
        "rows": state.rows,
        "excluded": {reason: count for reason, count in sorted(state.excluded.items()) if count},
        "moments": {
            name: [one.weighted, one.n, one.infinite, exact(f"m{i}", one.sums)]
            for i, (name, one) in enumerate(sorted(state.moments.items()))
        },
        "scores": {
            name: [
                one.weighted,
                counted(f"s{i}/n", one.counts),
                counted(f"s{i}/p", one.places),
                exact(f"s{i}/w", one.sums),
            ]
            for i, (name, one) in enumerate(sorted(state.scores.items()))
        },
        "amounts": {
            name: [counted(f"a{i}/n", one.counts), exact(f"a{i}/w", one.sums)]
            for i, (name, one) in enumerate(sorted(state.amounts.items()))
        },
        "clusters": None
        if state.clusters is None
        else [state.clusters.columns, keep("c/keys", state.clusters.keys), exact("c/w", state.clusters.sums)],
    }


def _build(one: dict[str, Any], arrays: Arrays) -> State:
    """A state from what ``_describe`` wrote."""

    def exact(described: list[Any], most: int) -> ExactSums:
        cells, first, held, limbs = described
        at, table = arrays[held], arrays[limbs]
        must(cells <= most, held, f"of at most {most:,} sums")
        soundness.limbs(table, first, limbs)
        soundness.places(at, table, cells, held)
        full = np.zeros((cells, table.shape[1] if len(at) else 0), dtype=np.int64)
        full[at] = table
        return ExactSums(cells, first, full)

    def counted(described: list[Any], shape: tuple[int, ...]) -> NDArray[np.int64]:
        said, held, values = described
        must(tuple(said) == shape, held, f"of the grid {shape}")
        table = np.zeros(math.prod(shape), dtype=np.int64)
        soundness.places(arrays[held], arrays[values], len(table), held)
        must(arrays[values].ndim == 1, values, "one count a place")
        table[arrays[held]] = arrays[values]
        return table.reshape(shape)

    def clustered(columns: int, keys: str, sums: list[Any]) -> ClusterSums:
        return ClusterSums(columns, arrays[keys], exact(sums, arrays[keys].size * (columns + 1)))

    yes_no, amounts = (SCORE_CELLS, 2), (AMOUNT_CELLS,)
    clusters = one["clusters"]
    return State(
        one["rows"],
        dict(one["excluded"]),
        {name: Moments(w, n, infinite, exact(sums, 6)) for name, (w, n, infinite, sums) in one["moments"].items()},
        {
            name: ScoreCounts(w, counted(n, yes_no), counted(p, yes_no), exact(sums, 6 * SCORE_CELLS))
            for name, (w, n, p, sums) in one["scores"].items()
        },
        {
            name: AmountSums(counted(n, amounts), exact(sums, 7 * AMOUNT_CELLS))
            for name, (n, sums) in one["amounts"].items()
        },
        None if clusters is None else clustered(*clusters),
    )
