"""Kill programs, fill disks and cut rows into parts, many times, and write what was found into docs/reliability.md.

python scripts/nightly_faults.py                # everything: about an hour
python scripts/nightly_faults.py partitions 60  # one of kills, disks, partitions, and how often
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import goodmeasure as gm
from goodmeasure.keeping.unfinished import NAME

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
START, END = "<!-- written by scripts/nightly_faults.py -->", "<!-- end of what it wrote -->"
Row = tuple[object, ...]
PROGRAM = "from goodmeasure.cli import main; main()"
# What each command is asked, and then for another answer.
SCORED = ("t.csv", "--y", "y", "--p", "p")
WORK: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    name: (first, (*first, *more))
    for name, first, more in (
        ("run", ("run", "t.csv", "--target", "y", "--out", "out"), ("--exclude", "p")),
        ("score --save", ("score", *SCORED, "--save", "out/kept.tally"), ("--where", "x > 0")),
        ("predict --out", ("predict", "model.json", "t.csv", "--out", "out/predicted.csv"), ("--where", "x > 0")),
        ("report", ("report", *SCORED, "--out", "out/page.html"), ("--where", "x > 0")),
    )
} | {"export": (("export", "model.json", "out/model.sql"), ("export", "second.json", "out/model.sql"))}


def goodmeasure(place: Path, *words: str, **more: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), **more}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=place,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def status(place: Path, *words: str, **more: str) -> int:
    """The exit status of a command; a fault of the program is an error here."""
    running = goodmeasure(place, *words, **more)
    said = running.communicate()[1].decode()
    if running.returncode == 70 or "Traceback" in said:
        raise AssertionError(said)
    return running.returncode


@contextmanager
def folder() -> Iterator[Path]:
    """A directory with a table and a model of it."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        rng = np.random.default_rng(0)
        x = rng.normal(size=2000)
        p = 1 / (1 + np.exp(-x))
        rows = zip(x, p, rng.random(2000) < p, strict=True)
        (place / "t.csv").write_text("x,p,y\n" + "".join(f"{a:.4f},{b:.4f},{c:d}\n" for a, b, c in rows))
        for left_out, name in (("x", "second.json"), ("p", "model.json")):
            assert status(place, "run", "t.csv", "--target", "y", "--exclude", left_out, "--out", ".") == 0
            (place / "model.json").rename(place / name)
        (place / "out").mkdir()
        yield place


def held(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir() if path.is_file()}


def answers(place: Path, name: str) -> tuple[dict[str, bytes], dict[str, bytes], float]:
    """What a command writes the first and the second time, and how long it takes; the first stands there afterwards."""
    first, second_words = WORK[name]
    start = time.perf_counter()
    assert status(place, *second_words) == 0
    seconds, second = time.perf_counter() - start, held(place / "out")
    assert status(place, *first) == 0
    return held(place / "out"), second, seconds


def same(name: str, data: bytes, *whole: dict[str, bytes]) -> bool:
    """Whether a file is one of the whole ones; what a run writes holds times, so that it is whole if it can be read."""
    if name.endswith(".json"):
        return bool(json.loads(data))
    if name.endswith(".html"):
        return data.rstrip().endswith(b"</html>")
    return data in [each[name] for each in whole]


def kills(count: int) -> Iterator[Row]:
    """Real processes, killed at a moment that is chosen at random."""
    yield (
        "killed while it ran",
        "times",
        "old file stands",
        "new one whole",
        "neither",
        "left beside, at most",
        "at the end",
    )
    random.seed(0)
    for name, (first, other) in WORK.items():
        with folder() as place:
            old, new, seconds = answers(place, name)
            tally, most = {"old": 0, "new": 0, "neither": 0}, 0
            for _ in range(count):
                running = goodmeasure(place, *other)
                time.sleep(random.uniform(0, 1.1 * seconds))
                running.send_signal(signal.SIGKILL)
                running.communicate()
                found = held(place / "out")
                beside = sum(file.startswith(NAME) for file in found)
                most = max(most, beside)
                whole = {file: data for file, data in found.items() if not file.startswith(NAME)}
                right = whole.keys() == old.keys() and all(same(each, whole[each], old, new) for each in whole)
                kind = "neither" if not right else "old" if whole == old else "new"
                tally[kind] += 1
                if kind != "old":
                    for file, data in old.items():
                        (place / "out" / file).write_bytes(data)
            assert status(place, *first) == 0
            left = sum(file.startswith(NAME) for file in held(place / "out"))
            yield name, count, *tally.values(), most, left
    with folder() as place:
        cache = place / "cache"
        for _ in range(count):
            running = goodmeasure(place, *WORK["score --save"][0], GOODMEASURE_CACHE_DIR=str(cache))
            time.sleep(random.uniform(0.5, 4))
            running.send_signal(signal.SIGKILL)
            running.communicate()
        # There is no directory yet where all were killed before anything was compiled.
        kept = [path.name for path in cache.glob("kernels/*")]
        most = sum(name.startswith(NAME) for name in kept)
        right = status(place, *WORK["score --save"][0], GOODMEASURE_CACHE_DIR=str(cache)) == 0
        yield "compiling, from an empty cache on", count, "-", count if right else "-", 0 if right else count, most, 0


def disks(count: int) -> Iterator[Row]:
    """Small file systems in memory, each with room for less than what is written. Only root may mount them."""
    yield "a disk too small", "times", "exit status 3, old file stands", "written whole", "neither"
    if os.geteuid() != 0:
        yield "not tried: only root may mount", 0, "-", "-", "-"
        return
    for name, (_, other) in WORK.items():
        with folder() as place:
            old, new, _ = answers(place, name)
            needed = sum(map(len, new.values()))
            tally = {"old": 0, "new": 0, "neither": 0}
            for step in range(count):
                room = sum(map(len, old.values())) + needed * (step + 1) // count
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={room}", "none", place / "out"], check=True)
                try:
                    for file, data in old.items():
                        (place / "out" / file).write_bytes(data)
                    ended, found = status(place, *other), held(place / "out")
                    if ended == 3 and found == old:
                        tally["old"] += 1
                    elif ended == 0 and all(same(each, found[each], new) for each in found):
                        tally["new"] += 1
                    else:
                        tally["neither"] += 1
                finally:
                    subprocess.run(["umount", place / "out"], check=True)
            yield name, count, *tally.values()


def partitions(count: int) -> Iterator[Row]:
    """Rows with weights, groups, clusters and several scores, cut into parts at random and added in any order."""
    yield "rows cut into parts", "times", "parts, at most", "the bytes of one pass", "other bytes"
    rng = np.random.default_rng(0)
    losses = (gm.losses.binary_cross_entropy(), gm.losses.binary_brier())
    found, most = [0, 0], 0
    for _ in range(count):
        n = int(rng.integers(2, 200))
        z = rng.normal(0, 4, n)
        y = (rng.random(n) < 1 / (1 + np.exp(-z))) * 1.0
        columns = {"w": rng.integers(0, 5, n) / 2, "g": rng.integers(0, 4, n), "c": rng.integers(0, 30, n)}

        def counted(
            at: np.ndarray, z: np.ndarray = z, y: np.ndarray = y, columns: dict[str, np.ndarray] = columns
        ) -> gm.Tally:
            scores = {"a": z[at], "b": z[at] / 2, "c": -z[at]}
            given = {name: values[at] for name, values in columns.items()}
            return gm.tally(losses, y[at], scores, sample_weight=given["w"], group=given["g"], cluster=given["c"])

        pieces = int(rng.integers(1, min(n, 12)))
        cuts = np.sort(rng.integers(0, n + 1, pieces - 1))
        parts = [counted(at) for at in np.split(rng.permutation(n), cuts)]
        while len(parts) > 1:  # any two are added
            one = parts.pop(int(rng.integers(len(parts))))
            other = int(rng.integers(len(parts)))
            parts[other] = parts[other] + one
        found[parts[0].to_bytes() != counted(np.arange(n)).to_bytes()] += 1
        most = max(most, pieces)
    yield "weights, groups, clusters, three scores, two losses", count, most, *found


TABLES: dict[str, tuple[Callable[[int], Iterator[Row]], int]] = {
    "kills": (kills, 200),
    "disks": (disks, 20),
    "partitions": (partitions, 1000),
}


def table(rows: list[Row]) -> str:
    lines = [
        "| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row) + " |" for row in rows
    ]
    return "\n".join([lines[0], "|---|" + "---:|" * (len(rows[0]) - 1), *lines[1:]])


def main(name: str, count: int) -> None:
    """Make one table, print it, and put it in its place in the page."""
    text = table([*TABLES[name][0](count)])
    print(text, flush=True)
    page = PAGE.read_text(encoding="utf-8")
    head, rest = page.split(START)
    body, tail = rest.split(END)
    kept = dict(re.findall(r"<!-- (\w+) -->\n\n(.*?)\n(?=\n<!-- |\n*\Z)", body, flags=re.DOTALL))
    kept[name] = text
    tables = "".join(f"\n<!-- {each} -->\n\n{kept[each]}\n" for each in TABLES if each in kept)
    PAGE.write_text(f"{head}{START}\n{tables}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    asked = sys.argv[1:]
    for each in [asked[0]] if asked else TABLES:
        main(each, int(asked[1]) if len(asked) > 1 else TABLES[each][1])
