"""Groups by several columns of a study: how often any of them is named."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from goodmeasure.study.segmenting import compared
from simulations.sections import Row, Section
from simulations.segments import skewed, unequal


def of_several_columns() -> Iterator[Row]:
    """Columns of two to five groups each, and in the first of them a group of losses twice as large."""
    for kind in ("lognormal, sd 1.5", "cross-entropy, 5 % events"):
        for n, counts, runs in ((100, (2, 8), 60), (300, (2, 8), 60), (1000, (2, 8), 40), (5000, (8,), 20)):
            for count in counts:
                rng, named, found = np.random.default_rng(0), 0, 0
                for _ in range(runs):
                    grouped = {f"c{k}": unequal(2 + k % 4, n, rng) for k in range(count)}
                    losses = skewed(kind, n, rng)
                    said = compared(losses, grouped, None, None, 0)
                    named += any(group.verdict == "weak" for of in said for group in of.each)
                    dear = np.where(grouped["c0"] == 1, 2, 1) * losses
                    worst = compared(dear, grouped, None, None, 0)[0].each[0]
                    found += worst.verdict == "weak" and worst.name == "1"
                yield kind, n, count, named / runs, found / runs, runs


SECTIONS = (
    Section(
        "Weak segments by several columns of a study: how often any is named where all are alike, and where one of two groups "
        "costs twice as much",
        ("losses", "n", "columns", "falsely weak", "found", "runs"),
        of_several_columns,
    ),
)
