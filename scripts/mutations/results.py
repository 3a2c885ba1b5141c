"""What became of the mutants that were tried, and those that no test can notice, written down by hand."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import asdict
from functools import cache
from pathlib import Path

from mutations.operators import Mutant
from mutations.recording import PACKAGE, STATE
from mutations.trying import Tried

FILE = STATE / "results.json"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


class Results:
    """The outcome of each mutant by its name, with the state of the module that it was tried on."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, object]] = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
        self.equivalent = equivalent()

    def is_settled(self, mutant: Mutant) -> bool:
        """Whether trying a mutant again would tell nothing new."""
        held = self.held.get(mutant.name, {})
        noticed = held.get("outcome") in ("killed", "timeout") and held["state"] == _state(mutant.module)
        return noticed or mutant.name in self.equivalent

    def add(self, mutant: Mutant, tried: Tried, seed: int) -> None:
        """Keep what became of a mutant, and of what sample it was and what became of it when it was first drawn."""
        told = {"module": mutant.module, "operator": mutant.operator, "key": mutant.key, "state": _state(mutant.module)}
        drawn = {"seed": seed, "first": tried.outcome}
        before = self.held.get(mutant.name, {})
        drawn |= {name: before[name] for name in drawn if name in before}
        self.held[mutant.name] = {**told, **drawn, **asdict(tried)}
        FILE.write_text(json.dumps(self.held, indent=1), encoding="utf-8")


def equivalent() -> dict[str, str]:
    """The mutants that compute the same as the source, by name, each with the reason."""
    return {each["mutant"]: each["why"] for each in tomllib.loads(EQUIVALENT.read_text("utf-8")).get("equivalent", ())}


@cache
def _state(module: str) -> str:
    return hashlib.sha256((PACKAGE / module).read_bytes()).hexdigest()[:16]
