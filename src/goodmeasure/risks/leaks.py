"""What a split lets through: rows, groups and times that stand on both sides of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import ShapeMismatch

Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class Leaks(Displayed):
    """How many held-out rows also stand among the training rows, share a group with them, or lie before their end.

    ``cautions`` are sentences to print with every number of the held-out rows: pass them to ``goodmeasure.risk``.
    """

    rows: int
    duplicates: int
    shared_groups: int
    rows_in_shared_groups: int
    before_training_ends: int

    @property
    def cautions(self) -> tuple[str, ...]:
        """What the split lets through, in words; empty if nothing."""
        found = []
        if self.duplicates:
            found.append(f"{self.duplicates:,} of {self.rows:,} rows also stand in the training rows ({self._share()})")
        if self.shared_groups:
            found.append(f"{self.rows_in_shared_groups:,} rows are of {self.shared_groups:,} groups seen in training")
        if self.before_training_ends:
            found.append(f"{self.before_training_ends:,} rows lie before the last training row in time")
        return tuple(f"the split leaks: {each}; the interval is not of unseen rows" for each in found)

    def _display(self) -> Display:
        title = f"Split with {self.rows:,} held-out rows"
        rows = [(name.replace("_", " "), count) for name, count in vars(self).items()]
        return Display(title, columns_of(("what", "count"), rows), self.cautions or ("no leak was found",))

    def _share(self) -> str:
        return f"{self.duplicates / self.rows:.2%}"

    def __bool__(self) -> bool:
        return bool(self.cautions)


def row_hashes(*columns: ArrayLike) -> Hashes:
    """A 64-bit hash of each row of these columns (arrays of one or two dimensions), the same on every machine.

    Hashes of parts can be made apart and joined, so a split can be audited where no machine holds it.
    """
    parts = [_columns(np.asarray(column)) for column in columns]
    lengths = {len(part) for part in parts}
    if len(lengths) != 1:
        raise ShapeMismatch(
            "the columns have different numbers of rows",
            seen=f"{sorted(lengths)}",
            fix="give each column one cell a row",
        )
    rows = np.concatenate(parts, axis=1)
    digests = (
        hashlib.blake2b("\x1f".join(row).encode(errors="surrogatepass"), digest_size=8).digest()
        for row in rows.tolist()
    )
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def _columns(values: NDArray[Any]) -> NDArray[np.str_]:
    """The cells of a column as texts that are equal where the cells are."""
    table = values.reshape(len(values), -1)
    return (table + 0 if table.dtype.kind in "biuf" else table).astype(str)


def leaks(
    train: Hashes,
    held_out: Hashes,
    *,
    groups: tuple[ArrayLike, ArrayLike] | None = None,
    times: tuple[ArrayLike, ArrayLike] | None = None,
) -> Leaks:
    """Audit a split by the hashes of its rows, and by the groups and times of both sides where they are given."""
    shared = in_shared = before = 0
    if groups is not None:
        theirs, ours = np.asarray(groups[0]), np.asarray(groups[1])
        both = np.intersect1d(theirs, ours)
        shared, in_shared = len(both), int(np.isin(ours, both).sum())
    if times is not None:
        before = int((np.asarray(times[1]) <= np.asarray(times[0]).max()).sum())
    return Leaks(len(held_out), int(np.isin(held_out, train).sum()), shared, in_shared, before)
