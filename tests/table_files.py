"""Files as users bring them, each with what every command must say of it: one table for all commands that read."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 90
Cells = dict[str, list[str]]


def columns() -> Cells:
    """A table that every command can use: a target, a probability, and two features."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=ROWS)
    p = 1 / (1 + np.exp(-x))
    yes = rng.random(ROWS) < p
    return {
        "churned": ["yes" if one else "no" for one in yes],
        "p": [f"{one:.6f}" for one in p],
        "x": [f"{one:.6f}" for one in x],
        "région": ["north" if i % 3 else "söuth" for i in range(ROWS)],
    }


def text(cells: Cells | None = None, delimiter: str = ",", end: str = "\n") -> str:
    """Columns as CSV."""
    found = columns() if cells is None else cells
    out = io.StringIO()
    lines = csv.writer(out, delimiter=delimiter, lineterminator=end)
    lines.writerow(found)
    lines.writerows(zip(*found.values(), strict=True))
    return out.getvalue()


def parquet(names: list[str], arrays: list[pa.Array]) -> bytes:
    """Columns as Parquet; names may occur twice."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=names), out)
    return out.getvalue()


def typed(**types: pa.DataType) -> bytes:
    """The table as Parquet, with columns of these types."""
    found = columns()
    kinds = {"churned": pa.string(), "p": pa.float64(), "x": pa.float64(), "région": pa.string()} | types
    plain = {
        name: pa.array([float(c) for c in found[name]]) if name in "px" else pa.array(found[name]) for name in kinds
    }
    return parquet(list(kinds), [plain[name].cast(kind, safe=False) for name, kind in kinds.items()])


def with_cell(name: str, row: int, cell: str) -> Cells:
    """The table with one cell changed."""
    found = columns()
    found[name][row] = cell
    return found


def renamed(**names: str) -> Cells:
    """The table with columns under other names."""
    return {names.get(name, name): cells for name, cells in columns().items()}


@dataclass(frozen=True)
class Right:
    """A way to write the table: every command must say of it what it says of the plain one."""

    name: str
    make: Callable[[], bytes | dict[str, bytes]]
    source: str = "t.csv"
    """What is typed: a file, or a pattern for several."""


def halves() -> list[str]:
    """The rows of the table in two texts, each with the header."""
    head, *lines = text().splitlines()
    return ["\n".join([head, *part, ""]) for part in (lines[:40], lines[40:])]


def objects() -> list[dict[str, str]]:
    """The rows of the table by the names of their columns."""
    found = columns()
    return [dict(zip(found, cells, strict=True)) for cells in zip(*found.values(), strict=True)]


def turned() -> dict[str, bytes]:
    """Two files of one table whose columns stand in another order, behind another delimiter and in another encoding."""
    first, second = halves()
    rows = [line.split(",") for line in second.splitlines()]
    backwards = "\n".join(";".join(reversed(row)) for row in rows)
    return {"a.csv": first.encode(), "b.csv": backwards.encode("utf-16")}


def mixed() -> dict[str, bytes]:
    """Two files of one table, one CSV and one Parquet."""
    first, second = halves()
    rows = list(csv.DictReader(io.StringIO(second)))
    names = list(rows[0])
    arrays = [pa.array([float(row[n]) if n in "px" else row[n] for row in rows]) for n in names]
    return {"a.csv": first.encode(), "b.parquet": parquet(names, arrays)}


RIGHT = [
    Right("semicolons", lambda: text(delimiter=";").encode()),
    Right("tabs", lambda: text(delimiter="\t").encode()),
    Right("bars", lambda: text(delimiter="|").encode()),
    Right("line ends of Windows", lambda: text(end="\r\n").encode()),
    Right("line ends of old", lambda: text(end="\r").encode()),
    Right("a byte order mark", lambda: text().encode("utf-8-sig")),
    Right("UTF-16", lambda: text().encode("utf-16")),
    Right("UTF-16, big end first", lambda: b"\xfe\xff" + text().encode("utf-16-be")),
    Right("Latin-1", lambda: text().encode("latin-1")),
    Right("gzip", lambda: gzip.compress(text().encode()), "t.csv.gz"),
    Right("gzip under a plain name", lambda: gzip.compress(text().encode())),
    Right("plain under the name of gzip", lambda: text().encode(), "t.csv.gz"),
    Right("gzip of UTF-16", lambda: gzip.compress(text().encode("utf-16"))),
    Right("no line end at the end", lambda: text().rstrip("\n").encode()),
    Right("empty lines between", lambda: text().replace("\n", "\n\n", 5).replace("\n\n", "\n", 1).encode()),
    Right("blanks around numbers", lambda: text({**columns(), "p": [f" {c} " for c in columns()["p"]]}).encode()),
    Right(
        "quotes around all",
        lambda: "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in text().split()).encode(),
    ),
    Right("a line that names the separator", lambda: b"sep=;\n" + text(delimiter=";").encode()),
    Right("a rare separator, named", lambda: b"\xef\xbb\xbfSEP=:\r\n" + text(delimiter=":", end="\r\n").encode()),
    Right("lines of JSON", lambda: "\n".join(map(json.dumps, objects())).encode(), "t.jsonl"),
    Right("lines of JSON, packed", lambda: gzip.compress("\n".join(map(json.dumps, objects())).encode())),
    Right("a list of JSON", lambda: json.dumps(objects(), indent=1).encode(), "t.json"),
    Right("numbers of JSON", lambda: json.dumps([r | {n: float(r[n]) for n in "px"} for r in objects()]).encode()),
    Right("Parquet", typed, "t.parquet"),
    Right("Parquet under another name", typed, "t.data"),
    Right("Parquet with a dictionary", lambda: typed(churned=pa.dictionary(pa.int8(), pa.string())), "t.parquet"),
    Right(
        "Parquet with numbers as texts",
        lambda: parquet([*columns()], [pa.array(c) for c in columns().values()]),
        "t.parquet",
    ),
    Right("a name with a bracket", lambda: text().encode(), "t[1].csv"),
    Right("a name with quotes", lambda: text().encode(), 'it\'s "t".csv'),
    Right("a name with a line break", lambda: text().encode(), "t\n.csv"),
    Right("a name that steers terminals", lambda: text().encode(), "\x1b[31m\u202et.csv"),
    Right("a name that is not UTF-8", lambda: text().encode(), "\udcff.csv"),
    Right("a name as long as it may be", lambda: text().encode(), "t" * 251 + ".csv"),
    Right("two files", lambda: dict(zip(("a.csv", "b.csv"), (h.encode() for h in halves()), strict=True)), "?.csv"),
    Right("two files, written otherwise", turned, "?.csv"),
    Right("two files, one Parquet", mixed, "?.*"),
]


@dataclass(frozen=True)
class Wrong:
    """A file that no command can read: the code that every command says, and how it goes on after the name."""

    name: str
    make: Callable[[], bytes | dict[str, bytes] | None]
    code: str
    told: str
    source: str = "t.csv"


def _cut(data: bytes, share: float = 0.5) -> bytes:
    return data[: int(len(data) * share)]


def _hollow() -> bytes:
    """Parquet of which the beginning and the description of the columns are left."""
    data = typed()
    kept = int.from_bytes(data[-8:-4], "little") + 8
    return data[:4] + bytes(len(data) - 4 - kept) + data[-kept:]


WRONG = [
    Wrong("no such file", lambda: None, "GM201", "there is no file"),
    Wrong("a directory", lambda: {"t.csv/a.csv": b"a\n1\n"}, "GM201", "is a directory"),
    Wrong("a pattern without match", lambda: None, "GM201", "no file matches", "*.parquet"),
    Wrong("a device", lambda: None, "GM201", "is not a file", "/dev/null"),
    Wrong("a name beyond all length", lambda: None, "GM202", "cannot be read", "t" * 10_000 + ".csv"),
    Wrong("empty", lambda: b"", "GM205", "has not even a header"),
    Wrong("nothing but a byte order mark", lambda: b"\xff\xfe", "GM205", "has not even a header"),
    Wrong("gzip of nothing", lambda: gzip.compress(b""), "GM205", "has not even a header"),
    Wrong("a header alone", lambda: text({name: [] for name in columns()}).encode(), "GM205", "has no rows"),
    Wrong(
        "Parquet without rows",
        lambda: parquet([*columns()], [pa.array([], pa.string())] * 4),
        "GM205",
        "has no rows",
        "t.parquet",
    ),
    Wrong("an empty first line", lambda: b"\n" + text().encode(), "GM202", "begins with an empty line"),
    Wrong("columns of one name", lambda: text().replace("x,", "p,", 1).encode(), "GM204", "several columns named 'p'"),
    Wrong(
        "columns of one name in Parquet",
        lambda: parquet(["churned", "p", "p", "x"], [pa.array(columns()[n]) for n in ("churned", "p", "p", "x")]),
        "GM204",
        "several columns named 'p'",
        "t.parquet",
    ),
    Wrong(
        "a line too long", lambda: text().replace("\nno", "\nno,1", 3).encode(), "GM202", "cannot be read as a table"
    ),
    Wrong("a line too short", lambda: text().encode() + b"no,1\n", "GM202", "cannot be read as a table"),
    Wrong("a quote that never ends", lambda: text().encode() + b'no,1,2,"x\n', "GM202", "cannot be read as a table"),
    Wrong(
        "a line of JSON that is none",
        lambda: "\n".join([*map(json.dumps, objects()), '{"p": ']).encode(),
        "GM202",
        "cannot be read as a table",
    ),
    Wrong("bytes of no text", lambda: bytes(range(256)) * 9, "GM202", "is not a text file"),
    Wrong("a name with a NUL", lambda: text().replace("région", "x\0y").encode(), "GM202", "holds a NUL"),
    Wrong(
        "a name with a NUL in Parquet",
        lambda: parquet(["churned", "p", "x", "x\0y"], [pa.array(cells) for cells in columns().values()]),
        "GM202",
        "holds a NUL",
        "t.parquet",
    ),
    Wrong("UTF-16 that breaks off", lambda: text().encode("utf-16") + b"\x00", "GM202", "begins like UTF-16"),
    Wrong("gzip that breaks off", lambda: _cut(gzip.compress(text().encode())), "GM202", "compressed and damaged"),
    Wrong("gzip with a wrong sum", lambda: gzip.compress(text().encode())[:-8] + bytes(8), "GM202", ""),
    Wrong("Parquet that breaks off", lambda: _cut(typed()), "GM202", "cannot be read as a table", "t.parquet"),
    Wrong("Parquet without a middle", _hollow, "GM202", "cannot be read", "t.parquet"),
    Wrong("called Parquet", lambda: text().encode(), "GM202", "is called Parquet, and is not", "t.parquet"),
    Wrong(
        "no column that is asked for",
        lambda: text(renamed(churned="left", x="z", p="q")).encode(),
        "GM203",
        "has no column",
    ),
    Wrong(
        "two files of different columns",
        lambda: {"a.csv": text().encode(), "b.csv": text(renamed(churned="left", x="z", p="q")).encode()},
        "GM724",
        "has other columns than",
        "?.csv",
    ),
    Wrong(
        "two files, one damaged",
        lambda: {"a.parquet": typed(), "b.parquet": _cut(typed())},
        "GM202",
        "b.parquet",
        "?.parquet",
    ),
]
