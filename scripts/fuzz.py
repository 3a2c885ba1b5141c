"""Bring the command line inputs that nobody should bring, and write docs/fuzz.md.

    python scripts/fuzz.py --write                  # 3,000 inputs, and the page
    python scripts/fuzz.py --seed 1 --inputs 300    # others
    python scripts/fuzz.py --seconds 600            # as many as there is time for
    python scripts/fuzz.py --only 17                # one input again, with all that was said

The rule: never exit 70, never a traceback, never a character that steers the terminal, never a file harmed, and never
another number for the same table.
"""

from __future__ import annotations

import collections
import functools
import hashlib
import itertools
import multiprocessing
import os
import sys
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

from fuzzing import cases, same, trial

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fuzz.md"
# Of so many inputs one is given to a process of its own, as a shell starts it; of so many, one table is written otherwise.
APART, SAME = 40, 20


class Outcome(NamedTuple):
    """What came of one input."""

    index: int
    kind: str
    key: str
    status: str
    broken: list[str]


def tried(index: int, seed: int) -> Outcome:
    """One input in this process, or in one of its own."""
    found = cases.case(seed, index)
    apart = index % APART == 0
    wrong = trial.broken(found, apart=apart)
    digest = hashlib.sha256(cases.key(found).encode("utf-8", "surrogatepass")).hexdigest()
    return Outcome(index, found.kind, digest, "apart" if apart else "here", wrong)


def everything(asked: Namespace) -> tuple[list[Outcome], list[tuple[int, list[str]]]]:
    """All inputs, and all tables that are written otherwise."""
    cases.model(), cases.saved_tally()  # made once, before processes part
    with multiprocessing.get_context("fork").Pool(asked.jobs, maxtasksperchild=200) as pool:
        alike = pool.starmap(same.differing, [(asked.seed, index) for index in range(-(-asked.inputs // SAME))], 1)
        of_inputs = pool.imap_unordered(functools.partial(tried, seed=asked.seed), range(asked.inputs), 5)
        outcomes = [_told(outcome) for outcome in itertools.takewhile(lambda _: time.time() < asked.until, of_inputs)]
    return outcomes, alike


def _told(outcome: Outcome) -> Outcome:
    for wrong in outcome.broken:
        print(f"input {outcome.index} ({outcome.kind}): {wrong}", file=sys.stderr, flush=True)
    return outcome


def command(asked: Namespace) -> str:
    """The command that asks for the same."""
    stop = [f"--seconds {asked.seconds:g}"] if asked.seconds < float("inf") else []
    return " ".join(["python scripts/fuzz.py --write", f"--seed {asked.seed} --inputs {asked.inputs}", *stop])


def page(outcomes: list[Outcome], alike: list[tuple[int, list[str]]], asked: Namespace, seconds: float) -> str:
    """The figures as Markdown."""
    kinds = collections.Counter(outcome.kind for outcome in outcomes)
    wrong = collections.Counter(outcome.kind for outcome in outcomes if outcome.broken)
    lines = [
        "# Inputs that nobody should bring",
        "",
        f"Written by `{command(asked)}` in {seconds:.0f} s. An input is a",
        "command line with the files that it meets. A rule is broken by an exit status other than 0 to 3, a traceback, an",
        "error without a code, a character that steers the terminal, a file that was there and is not as it was, or no",
        f"answer in {trial.SECONDS} s. One in {APART} runs in a process of its own. The same table written otherwise",
        "(Parquet, gzip, quotes, delimiters, encodings, order of columns, order of rows) must give the same numbers.",
        "",
        "| what is tried | inputs | that break a rule |",
        "|---|---|---|",
        *(f"| {kind} | {count:,} | {wrong[kind]:,} |" for kind, count in sorted(kinds.items())),
        f"| the same table written otherwise | {sum(n for n, _ in alike):,} | {sum(len(found) for _, found in alike):,} |",
        f"| **all** | {len(outcomes) + sum(n for n, _ in alike):,} | {sum(wrong.values()) + sum(len(f) for _, f in alike):,} |",
        "",
        f"{len({outcome.key for outcome in outcomes}):,} of the {len(outcomes):,} inputs are distinct.",
        "",
    ]
    return "\n".join(lines)


def again(asked: Namespace) -> int:
    """One input with all that was said of it."""
    found = cases.case(asked.seed, asked.only)
    print(found.kind, found.words, sep="\n")
    wrong = trial.broken(found, apart=False)
    print(*wrong, sep="\n")
    return len(wrong)


def parser() -> ArgumentParser:
    found = ArgumentParser(description="Try inputs that nobody should bring.")
    found.add_argument("--seed", type=int, default=0)
    found.add_argument("--inputs", type=int, default=3000)
    found.add_argument("--jobs", type=int, default=2)
    found.add_argument("--seconds", type=float, default=float("inf"), help="when to stop, finished or not")
    found.add_argument("--write", action="store_true", help="write docs/fuzz.md")
    found.add_argument("--only", type=int, help="one input of this seed, by its number")
    return found


def main() -> int:
    asked = parser().parse_args()
    if asked.only is not None:
        return again(asked)
    start = time.time()
    asked.until = start + asked.seconds
    outcomes, alike = everything(asked)
    found = page(outcomes, alike, asked, time.time() - start)
    if asked.write:
        PAGE.write_text(found, encoding="utf-8")
    print(found, *(line for _, lines in alike for line in lines), sep="\n")
    return int(any(outcome.broken for outcome in outcomes) or any(lines for _, lines in alike))


if __name__ == "__main__":
    sys.exit(main())
