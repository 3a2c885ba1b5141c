"""A section of the page of simulations, and what several simulations ask."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

Row = tuple[object, ...]


@dataclass(frozen=True)
class Section:
    """One table of the page: what it shows, the names of its columns, and the simulation that gives its rows."""

    title: str
    head: Row
    rows: Callable[[], Iterator[Row]]

    def text(self) -> str:
        """The section as it is printed, simulated now."""
        lines = [f"## {self.title}", "", _line(self.head), "|" + "---|" * len(self.head), *map(_line, self.rows())]
        return "\n".join([*lines, ""])


def _line(cells: Iterable[object]) -> str:
    return "| " + " | ".join(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells) + " |"


def calibrated(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(10_000 + seed)
    p = rng.random(n)
    return (rng.random(n) < p) * 1.0, p


def covered(found: Iterable[tuple[float, float]], truth: float) -> float:
    return float(np.mean([low <= truth <= high for low, high in found]))


def share(inside: list[bool]) -> tuple[str, int]:
    """How often, with the standard error that the number of runs leaves."""
    found = float(np.mean(inside))
    return f"{found:.3f} ± {math.sqrt(found * (1 - found) / len(inside)):.3f}", len(inside)
