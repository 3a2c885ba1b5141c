"""Are tables in columns between blanks read as what they are, where every line says so, and otherwise left alone?"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from goodmeasure.reading.files import read

RNG = np.random.default_rng(2)
N = 300
FRAME = pd.DataFrame(
    {
        "wage": RNG.normal(20, 5, N).round(2),
        "region": RNG.choice(["north", "New York", "s"], N),
        "kids": RNG.integers(0, 4, N),
    }
)
PLAIN = FRAME.assign(region=FRAME.region.str.replace(" ", "_"))


def fixed(frame: pd.DataFrame, left: bool) -> str:
    """Cells below one another, at the left or the right of their column."""
    texts = {name: [name, *map(str, frame[name])] for name in frame}
    pad = str.ljust if left else str.rjust
    widths = {name: max(map(len, cells)) + 2 for name, cells in texts.items()}
    rows = zip(*([pad(cell, widths[name]) for cell in cells] for name, cells in texts.items()), strict=True)
    return "\n".join("".join(row).rstrip() for row in rows) + "\n"


WAYS: dict[str, tuple[Callable[[], bytes], pd.DataFrame]] = {
    "single blanks": (lambda: PLAIN.to_csv(sep=" ", index=False).encode(), PLAIN),
    "quotes": (lambda: FRAME.to_csv(sep=" ", index=False, quoting=2).encode(), FRAME),
    "as pandas prints": (lambda: PLAIN.to_string(index=False).encode(), PLAIN),
    "at the left": (lambda: fixed(FRAME, left=True).encode(), FRAME),
    "at the right": (lambda: fixed(FRAME, left=False).encode(), FRAME),
    "lines of Windows": (lambda: fixed(FRAME, left=True).replace("\n", "\r\n").encode(), FRAME),
    "a byte order mark": (lambda: fixed(FRAME, left=True).encode("utf-8-sig"), FRAME),
    "UTF-16": (lambda: fixed(FRAME, left=False).encode("utf-16"), FRAME),
    "gzip": (lambda: gzip.compress(fixed(FRAME, left=True).encode()), FRAME),
    "beyond the first part": (lambda: fixed(pd.concat([FRAME] * 20), left=True).encode(), pd.concat([FRAME] * 20)),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_read_and_said(way: str, tmp_path: Path) -> None:
    make, frame = WAYS[way]
    (tmp_path / "t.txt").write_bytes(make())
    found = read(str(tmp_path / "t.txt"))
    assert "GM213" in {remark.code for remark in found.remarks}
    assert {name: found[name].tolist() for name in found.columns} == {name: frame[name].tolist() for name in frame}


@pytest.mark.parametrize(
    "text",
    [
        "full name\nAnn Lee\nBo Rye\nCy Fox\n",  # one column of texts
        "a,b c\n1,2 3\n4,5 6\n7,8 9\n",
        "first day\n2024-01-01 10:00\n2024-01-02 11:00\n2024-01-03 12:00\n",
        "value\n1\n2\n3\n",
        "x y\n1 2\n",
    ],
)
def test_other_tables_are_left_alone(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    found = read(str(tmp_path / "t.csv"))
    assert not {"GM213"} & {remark.code for remark in found.remarks}
    assert len(found.columns) == text.splitlines()[0].count(",") + 1


@pytest.mark.parametrize("line", ["21.5 north", "21.5 north 3 4"])
def test_a_line_that_does_not_fit_makes_it_unsure(line: str, tmp_path: Path) -> None:
    lines = PLAIN.to_csv(sep=" ", index=False).splitlines()
    (tmp_path / "t.txt").write_text("\n".join([*lines[:200], line, *lines[200:]]))
    assert list(read(str(tmp_path / "t.txt")).columns) == [lines[0]]
