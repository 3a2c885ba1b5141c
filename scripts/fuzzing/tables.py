"""Small tables that every command can use, as bytes of a file."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 60
Cells = Mapping[str, Sequence[object]]


def table(seed: int = 7, rows: int = ROWS) -> dict[str, list[object]]:
    """A target of yes and no, a probability, a raw output, an amount with its prediction, a weight and two keys."""
    rng = np.random.default_rng(seed)
    z = rng.normal(size=rows)
    p = 1 / (1 + np.exp(-z))
    mu = rng.normal(size=rows) * 10
    found: dict[str, list[object]] = {
        "yes": [int(one) for one in rng.random(rows) < p],
        "p": [round(float(one), 6) for one in p],
        "z": [round(float(one), 6) for one in z],
        "amount": [round(float(one), 4) for one in mu + rng.normal(size=rows)],
        "mu": [round(float(one), 4) for one in mu],
        "w": [int(one) for one in rng.integers(1, 4, rows)],
        "region": [("north", "south", "west")[i] for i in rng.integers(0, 3, rows)],
        "day": [i // 3 for i in range(rows)],
    }
    return found


def as_csv(cells: Cells, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\n") -> bytes:
    out = io.StringIO()
    lines = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)  # type: ignore[arg-type]
    lines.writerow(cells)
    lines.writerows(zip(*cells.values(), strict=True))
    return out.getvalue().encode("utf-8", "surrogateescape")


def as_parquet(cells: Cells) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({name: list(values) for name, values in cells.items()}), out)
    return out.getvalue()


def as_json_lines(cells: Cells) -> bytes:
    rows = zip(*cells.values(), strict=True)
    return "".join(json.dumps(dict(zip(cells, row, strict=True))) + "\n" for row in rows).encode()


def as_gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def permuted(cells: Cells, chance: random.Random) -> dict[str, list[object]]:
    """The same rows in another order."""
    order = list(range(len(next(iter(cells.values())))))
    chance.shuffle(order)
    return {name: [values[i] for i in order] for name, values in cells.items()}


def turned(cells: Cells) -> dict[str, list[object]]:
    """The same columns in another order."""
    return {name: list(cells[name]) for name in reversed(cells)}
