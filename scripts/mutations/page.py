"""docs/mutations.md: what was tried, by room and by operator, and every change that no test noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from mutations.operators import mutants
from mutations.recording import PACKAGE, ROOT
from mutations.results import Results

PAGE = ROOT / "docs" / "mutations.md"
HEAD = """# Changes of the source that tests notice

Written by `scripts/mutate.py page` of what `scripts/mutate.py run` has tried: small changes of the source, drawn by a seed, each
run on the tests that run its lines. Killed: a test failed. Timeout: a test went on for more than five times its time. Equivalent:
no test can notice, for the reason that stands in `scripts/mutations/equivalent.toml`. Noticed: killed or timed out, of those that
are not equivalent. When first tried: noticed before tests were written for what was missed, as may be expected of changes that
nobody has looked at.
"""
OUTCOMES = ("killed", "timeout", "survived", "equivalent")


def text() -> str:
    """The page."""
    held = list(_tried())
    parts = [HEAD, _samples(held), _table("room", held, lambda each: each["module"].split("/")[0])]
    parts += [_table("operator", held, lambda each: each["operator"]), _survivors(held)]
    return "\n".join(parts)


def _tried() -> Iterator[dict[str, Any]]:
    """What became of the mutants that the source still has."""
    known = Results()
    for module in sorted({str(each["module"]) for each in known.held.values()} | _modules(known)):
        path = PACKAGE / module
        for mutant in mutants(module, path.read_text(encoding="utf-8")) if path.exists() else ():
            found: dict[str, Any] = {"operator": mutant.operator, "module": module, "seconds": 0.0, "name": mutant.name}
            found |= {"seed": 0, **known.held.get(mutant.name, {})}
            if mutant.name in known.equivalent:
                found["outcome"] = "equivalent"
            if "outcome" in found:
                yield found


def _modules(known: Results) -> set[str]:
    return {name.split(" ")[0] for name in known.equivalent}


def _table(head: str, held: list[dict[str, Any]], by: Callable[[dict[str, Any]], str]) -> str:
    lines = [f"| {head} | drawn | killed | timeout | survived | equivalent | noticed | seconds |", "|---" * 8 + "|"]
    lines += [_row(name, [each for each in held if by(each) == name]) for name in sorted({by(each) for each in held})]
    return "\n".join([*lines, _row("all", held), ""])


def _samples(held: list[dict[str, Any]]) -> str:
    lines = ["| sample, by its seed | drawn | equivalent | noticed when first tried | noticed |", "|---" * 5 + "|"]
    for seed in sorted({each["seed"] for each in held}):
        drawn = [each for each in held if each["seed"] == seed]
        counts = [each for each in drawn if each["outcome"] != "equivalent"]
        shares = (_share(counts, by) for by in ("first", "outcome"))
        lines.append(f"| {seed} | {len(drawn)} | {len(drawn) - len(counts)} | {' | '.join(shares)} |")
    return "\n".join([*lines, ""])


def _share(held: list[dict[str, Any]], by: str) -> str:
    """The share that was noticed, of all that could be."""
    noticed = sum(each[by] in ("killed", "timeout") for each in held)
    return f"{noticed / len(held):.0%}" if held else ""


def _row(name: str, held: list[dict[str, Any]]) -> str:
    count = Counter(each["outcome"] for each in held)
    share = _share([each for each in held if each["outcome"] != "equivalent"], "outcome")
    seconds = sum(each["seconds"] for each in held)
    return f"| {name} | {len(held)} | {' | '.join(str(count[o]) for o in OUTCOMES)} | {share} | {seconds:.0f} |"


def _survivors(held: list[dict[str, Any]]) -> str:
    names = [each["name"] for each in held if each["outcome"] == "survived"]
    return "\n".join(["## Not noticed", "", *(f"- `{name}`" for name in names), ""])
