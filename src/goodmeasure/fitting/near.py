"""The exact minimum of a sum of functions made of straight lines over many rows: only those near the plane are solved.

A part of the rows says on which side of the plane most rows lie; on one side a row is a straight line, and all of a side
are one row (Portnoy and Koenker 1997). Rows that turn out to lie on the other side are added, and the gap to the optimum is
proven on all rows.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from goodmeasure.fitting import design, interior
from goodmeasure.fitting.interior import Lines
from goodmeasure.fitting.sampled import spread
from goodmeasure.statistics.row_arguments import Floats

# A part is taken from so many rows on, if it is at most this share of them.
_MANY, _SHARE = 20_000, 1 / 3
# So often rows of the other side are added to those that are kept, which are as many as the part has at first.
_ROUNDS = 4


def minimise(
    lines: Lines, start: Floats, *, tol: float, max_iter: int, watch: Callable[[Floats], bool]
) -> tuple[Floats, float, int]:
    """The minimum, the proven gap to the optimum, and the number of steps, as `interior.minimise` finds them."""
    rows, width = lines.features.shape
    size = int((rows * width) ** (2 / 3))
    if rows < _MANY or size > _SHARE * rows or not ((lines.left < 0) & (lines.right > 0)).all():
        return interior.minimise(lines, start, tol=tol, max_iter=max_iter, watch=watch)
    part = lines.of(spread(rows, size), share=size / rows)
    w, _, steps = interior.minimise(part, start, tol=1e-4, max_iter=max_iter, watch=lambda w: False)
    beyond = lines.features @ w - lines.at
    far = np.abs(beyond)
    kept = far <= np.partition(far, size)[size]
    gap, right = np.inf, beyond > 0
    for _ in range(_ROUNDS):
        reduced = _reduced(lines, kept, right)
        point, _, more = interior.solved(reduced, w, tol=tol / 2, max_iter=max_iter - steps, watch=lambda w: False)
        w, steps = point.w, steps + more
        value, whole = lines.value(w), _whole(lines, kept, right, point.slope)
        gap = max(value - lines.bound(whole, w), 0.0)
        if watch(w) or gap <= tol * abs(value) or steps >= max_iter:
            return w, gap, steps
        kept |= (lines.features @ w > lines.at) != right
    return interior.minimise(lines, w, tol=tol, max_iter=max_iter - steps, watch=watch)


def _reduced(lines: Lines, kept: NDArray[np.bool_], right: NDArray[np.bool_]) -> Lines:
    """The rows that are kept, and all others of each side as one row, which counts as long as it lies on its side."""
    sides = [np.where(~kept & right, lines.right, 0.0), np.where(~kept & ~right, lines.left, 0.0)]
    return Lines(
        design.stacked(lines.features[kept], np.vstack([side @ lines.features for side in sides])),
        np.concatenate([lines.at[kept], [side @ lines.at for side in sides]]),
        np.concatenate([lines.left[kept], [0.0, 0.0]]),
        np.concatenate([lines.right[kept], [1.0, 1.0]]),
        lines.penalty,
    )


def _whole(lines: Lines, kept: NDArray[np.bool_], right: NDArray[np.bool_], slope: Floats) -> Floats:
    """A slope of each row's lines from those of the reduced rows: those of a side have the same share of theirs."""
    found: Floats = np.where(right, slope[-2] * lines.right, slope[-1] * lines.left)
    found[kept] = slope[:-2]
    return found
