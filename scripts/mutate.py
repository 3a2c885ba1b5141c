"""Change the source a little, and see whether a test notices: docs/mutations.md says what none did.

    python scripts/mutate.py record                      # which test runs which line; again after tests have changed
    python scripts/mutate.py run                         # 300 mutants, drawn alike from every room
    python scripts/mutate.py run tallying kernels --sample 60
    python scripts/mutate.py run statistics/exact_sums.py --sample 20
    python scripts/mutate.py show 3f2a91                 # the line of a mutant, before and after
    python scripts/mutate.py page                        # docs/mutations.md, of what has been tried

Runs for hours, so it is no part of ``make test``; ``pip install --group nightly`` brings what it needs. What was recorded and
tried is kept in ``build/mutations``: a mutant that was noticed is tried again when its module has changed, any other one
whenever it is drawn.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from mutations import page, recording, results, trying
from mutations.operators import Mutant, mutants
from mutations.recording import PACKAGE

ROOMS = ("statistics", "risks", "calibrating", "decisions", "tallying", "fitting", "kernels", "study")


def drawn(places: Sequence[str], sample: int, seed: int) -> list[Mutant]:
    """So many mutants, as many of each room (or module) as of the others while there are any."""
    ranked = [sorted(_of(place), key=lambda m: m.rank(seed)) for place in places]
    return [mutant for turn in zip_longest(*ranked) for mutant in turn if mutant is not None][:sample]


def _of(place: str) -> Iterator[Mutant]:
    path = PACKAGE / place
    for module in [path] if path.is_file() else sorted(path.rglob("*.py")):
        yield from mutants(str(module.relative_to(PACKAGE)), module.read_text(encoding="utf-8"))


def record(names: Sequence[str], anew: bool) -> None:
    """Record the files of tests that are named, or all that have changed."""
    files = [f for f in recording.test_files() if not names or f.stem.removeprefix("test_") in names]
    recording.record(f for f in files if anew or names or not recording.is_recorded(f))


def run(places: Sequence[str], sample: int, seed: int) -> None:
    """Try the mutants that are drawn, and keep what became of each."""
    stale = [f.stem for f in recording.test_files() if not recording.is_recorded(f)]
    if stale:
        print(f"not recorded since the last change, and so asked less well: {', '.join(stale)}", file=sys.stderr)
    record, known = recording.Record(), results.Results()
    chosen = [m for m in drawn(places, sample, seed) if not known.is_settled(m)]
    usual = trying.attempt(None, record, record.quickest(30))
    if usual.outcome != "survived":
        sys.exit(f"the source as it is does not pass: {usual.by or usual.outcome}")
    for k, mutant in enumerate(chosen, start=1):
        tried = trying.attempt(mutant, record)
        known.add(mutant, tried, seed)
        print(
            f"{k}/{len(chosen)} {tried.outcome} {tried.seconds:.0f} s {mutant.key} {mutant.name} {tried.by}", flush=True
        )


def show(keys: Sequence[str]) -> None:
    """Print mutants by the beginning of their keys, as lines before and after."""
    for mutant in (m for room in ROOMS for m in _of(room)):
        if mutant.key.startswith(tuple(keys)):
            before = (PACKAGE / mutant.module).read_text(encoding="utf-8")
            print(f"{mutant.key} {mutant.name}", *_changed(before, mutant.applied(before), mutant), sep="\n")


def _changed(before: str, after: str, mutant: Mutant) -> Iterator[str]:
    start = mutant.line - 1
    more = after.count("\n") - before.count("\n")
    yield from (f"- {line}" for line in before.splitlines()[start : mutant.last])
    yield from (f"+ {line}" for line in after.splitlines()[start : mutant.last + more])


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("record")
    asked.add_argument("names", nargs="*", help="files of tests without test_ and .py; without one, those that changed")
    asked.add_argument("--anew", action="store_true", help="those that did not change too")
    asked = commands.add_parser("run")
    asked.add_argument("places", nargs="*", help=f"rooms or modules; without one, {', '.join(ROOMS)}")
    asked.add_argument("--sample", type=int, default=300)
    asked.add_argument("--seed", type=int, default=0)
    asked = commands.add_parser("show")
    asked.add_argument("keys", nargs="+")
    commands.add_parser("page")
    given = parser.parse_args()
    try:
        _done(given)
    except recording.NothingRecorded as problem:
        sys.exit(str(problem))


def _done(given: Namespace) -> None:
    if given.command == "record":
        record(given.names, given.anew)
    elif given.command == "run":
        run(given.places or ROOMS, given.sample, given.seed)
    elif given.command == "show":
        show(given.keys)
    else:
        Path(page.PAGE).write_text(page.text(), encoding="utf-8")


if __name__ == "__main__":
    main()
