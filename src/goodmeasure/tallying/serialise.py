"""A tally as bytes and back: versioned, checksummed, and the same bytes for the same rows however they were split."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.errors import Problem
from goodmeasure.statistics.exact_sums import ExactSums
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


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, State]]:
    """Schema and states from bytes; errors: GM720."""
    header, body = unsealed(MAGIC, data)
    try:
        arrays = _read_arrays(body, header["arrays"])
        return header["schema"], {key: _build(one, arrays) for key, one in header["groups"].items()}
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise StateUnreadable("the tally does not hold what its header says", seen=str(error)) from error


def sealed(magic: bytes, header: dict[str, Any], payload: bytes) -> bytes:
    """A header in JSON with its version, and bytes behind it, under a checksum of all of it."""
    text = json.dumps(header | {"version": VERSION}, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    body = magic + len(text).to_bytes(8, "little") + text + payload
    return body + _checksum(body)


def unsealed(magic: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
    """The header and the bytes that `sealed` put together; errors: GM720."""
    body, digest = data[:-DIGEST], data[-DIGEST:]
    if not data.startswith(magic):
        raise StateUnreadable("these bytes are not a tally", seen=f"they begin with {data[:16]!r}")
    if len(data) < len(magic) + 8 + DIGEST or _checksum(body) != digest:
        raise StateUnreadable(
            "the tally is damaged or cut short", seen=f"{len(data):,} bytes, and the checksum does not fit"
        )
    start = len(magic) + 8
    end = start + int.from_bytes(body[len(magic) : start], "little")
    header = json.loads(body[start:end])
    if header["version"] != VERSION:
        raise StateUnreadable(
            f"the tally has version {header['version']}, this release reads {VERSION}", fix="make it again"
        )
    return header, body[end:]


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=DIGEST).digest()


def _read_arrays(body: bytes, layout: list[Any]) -> Arrays:
    arrays: Arrays = {}
    at = 0
    for name, dtype, shape in layout:
        kind = np.dtype(dtype)
        count = math.prod(shape)
        arrays[name] = np.frombuffer(body, dtype=kind, count=count, offset=at).reshape(shape).copy()
        at += count * kind.itemsize
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

    def exact(described: list[Any]) -> ExactSums:
        cells, first, held, limbs = described
        full = np.zeros((cells, arrays[limbs].shape[1] if len(arrays[held]) else 0), dtype=np.int64)
        full[arrays[held]] = arrays[limbs]
        return ExactSums(cells, first, full)

    def counted(described: list[Any]) -> NDArray[np.int64]:
        shape, at, values = described
        table = np.zeros(math.prod(shape), dtype=np.int64)
        table[arrays[at]] = arrays[values]
        return table.reshape(shape)

    clusters = one["clusters"]
    return State(
        one["rows"],
        dict(one["excluded"]),
        {name: Moments(w, n, infinite, exact(sums)) for name, (w, n, infinite, sums) in one["moments"].items()},
        {name: ScoreCounts(w, counted(n), counted(p), exact(sums)) for name, (w, n, p, sums) in one["scores"].items()},
        {name: AmountSums(counted(n), exact(sums)) for name, (n, sums) in one["amounts"].items()},
        None if clusters is None else ClusterSums(clusters[0], arrays[clusters[1]], exact(clusters[2])),
    )
