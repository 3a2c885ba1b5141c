"""How often an audit says that probabilities are far too sure of themselves, of those that are and of those that are not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.auditing.engine import examine
from goodmeasure.auditing.rule import all_rules
from simulations.sections import Row, Section

RULE = [rule for rule in all_rules() if rule.code == "GM526"]
TAILS = {"light": lambda rng, n: rng.normal(size=n), "heavy": lambda rng, n: rng.standard_t(3, size=n)}


def found(y: np.ndarray, p: np.ndarray) -> bool:
    """Whether the audit says so of these probabilities."""
    given = {"framework": "sklearn", "X": p, "y": y, "output": lambda _: p, "output_kind": "probability"}
    return bool(examine(given, RULE, 60.0).findings)


def said(runs: int = 200) -> Iterator[Row]:
    """Events whose log-odds rise by the slope for each 1 of what is said."""
    for tail, draw in TAILS.items():
        for centre in (0.0, -3.0):
            for n in (100, 300, 1000, 5000):
                shares = []
                for slope in (1.0, 0.5, 1 / 3, 0.2, 0.1):
                    rng = np.random.default_rng(0)
                    hits = 0
                    for _ in range(runs):
                        true = centre + draw(rng, n)
                        y = (rng.random(n) < 1 / (1 + np.exp(-true))).astype(int)
                        hits += found(y, 1 / (1 + np.exp(-(centre + (true - centre) / slope))))
                    shares.append(hits / runs)
                yield tail, f"{1 / (1 + np.exp(-centre)):.2f}", n, *shares


SECTIONS = (
    Section(
        "How often an audit calls probabilities far too sure of themselves, by the true slope of the log-odds",
        ("tails of the log-odds", "share of events", "n", "slope 1", "1/2", "1/3", "1/5", "1/10"),
        said,
    ),
)
