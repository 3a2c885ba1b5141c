"""How much of the target one column explains by itself, on rows that it was not learned from."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.reading.tables import ColumnKind, Table, Values, missing
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.encoding import encoding

# A curve of so many steps misses a thousandth of what a straight line explains.
MOST_STEPS = 32
# A feature that tells every other event tells so many one after another in one table of sixteen.
LEAST_MISTAKES = 4
_Cut = tuple[float, int, int, int]


def explained_alone(table: Table, y: NDArray[Any], classes: bool) -> dict[str, float]:
    """What part of the target each column explains on the second half of the rows, by steps learned on the first.

    Of classes it is the part of the mistakes that whoever always says the commonest class makes. Of amounts it is the part of
    their variance and of that of their ranks, the lesser of the two, for one vast amount can be most of a variance; or the
    square of the rank correlation where that is more. Where few amounts are not the commonest one it is nothing. A column
    along which each class fills one stretch explains all of them: steps learned on half of few rows miss where they meet.
    """
    half = len(y) // 2
    if not classes and np.sum(y[half:] != _commonest(y)) < LEAST_MISTAKES:
        return dict.fromkeys(table.columns, 0.0)
    every = (y[:, None] == np.unique(y)).astype(np.float64) if classes else _to_size(y)[:, None]
    ways = [every] if classes else [every, _ranks(y)[:, None]]
    found = {}
    for name in table.columns:
        one = table.only([name])
        learn = one.take(np.arange(half))
        matrix = encoding(learn, [name], scaled=False)
        parts = [*zip(matrix(learn).T, matrix(one.take(np.arange(half, len(y)))).T, strict=True)]
        skill = min(
            max(_skill(_by_steps(*part, shown[:half]), shown[half:], shown[:half]) for part in parts) for shown in ways
        )
        found[name] = max(skill, (_in_stretches if classes else _in_step)(table[name], y))
    return found


def _commonest(y: NDArray[Any]) -> Any:
    values, counts = np.unique(y, return_counts=True)
    return values[counts.argmax()]


def _to_size(y: NDArray[Any]) -> Floats:
    """Amounts so small that their squares are numbers."""
    return np.asarray(y / (np.abs(y).max() or 1.0), dtype=np.float64)


def _skill(guess: Floats, truth: Floats, learned: Floats) -> float:
    """What part of the mistakes of the best constant is not made; of few mistakes none may be made by luck."""
    constant = learned.mean(axis=0)
    wrong, base = _mistakes(guess, truth), _mistakes(np.broadcast_to(constant, truth.shape), truth)
    enough = base > 0 and (truth.shape[1] == 1 or base * len(truth) > LEAST_MISTAKES - 0.5)
    return 1 - wrong / base if enough else 0.0


def _mistakes(guess: Floats, truth: Floats) -> float:
    """Of shares of classes how often the largest is another's, of amounts the mean squared miss."""
    if truth.shape[1] > 1:
        return float(np.mean(guess.argmax(axis=1) != truth.argmax(axis=1)))
    return float(np.mean((guess - truth) ** 2))


def _by_steps(x: Floats, later: Floats, shown: Floats) -> Floats:
    """The mean of what was shown with ``x`` on each step, read off at later places; missing ones are the highest of all."""
    values, place = np.unique(x, return_inverse=True)
    sizes = np.bincount(place).astype(np.float64)
    sums = np.zeros((len(values), shown.shape[1]))
    np.add.at(sums, place, shown)
    cuts = _cuts(sizes, sums)
    heights = np.add.reduceat(sums, [0, *cuts]) / np.add.reduceat(sizes, [0, *cuts])[:, None]
    return np.asarray(heights[np.searchsorted(values[cuts], later, side="right")])


def _cuts(sizes: Floats, sums: Floats) -> list[int]:
    """Where steps begin: again and again the cut is made that lowers the squares around the means most."""
    reached = np.concatenate([[0.0], np.cumsum(sizes)]), np.concatenate([sums[:1] * 0, np.cumsum(sums, axis=0)])
    waiting, found = [_best_cut(*reached, 0, len(sizes))], list[int]()
    while len(found) < MOST_STEPS - 1 and waiting[0][0] < 0:
        _, start, end, cut = heappop(waiting)
        found.append(cut)
        heappush(waiting, _best_cut(*reached, start, cut))
        heappush(waiting, _best_cut(*reached, cut, end))
    return sorted(found)


def _best_cut(sizes: Floats, sums: Floats, start: int, end: int) -> _Cut:
    """What the best cut of a stretch adds to the squares, the stretch, and the cut; nothing where there is none to make."""
    if end - start < 2:
        return 0.0, start, end, start
    inner = slice(start + 1, end)
    kept = _explained(sizes[inner] - sizes[start], sums[inner] - sums[start])
    kept += _explained(sizes[end] - sizes[inner], sums[end] - sums[inner])
    cut = int(kept.argmax())
    whole = _explained(sizes[end] - sizes[start], sums[end] - sums[start])
    return float(whole - kept[cut]), start, end, start + 1 + cut


def _explained(sizes: Any, sums: Floats) -> Any:
    return (sums**2).sum(axis=-1) / sizes


def _in_stretches(values: Values, y: NDArray[Any]) -> float:
    """1 where the rows of each class stand together along a column of numbers or dates, and others than the most are enough."""
    if ColumnKind.of(values) is ColumnKind.TEXT or missing(values).any():
        return 0.0
    counts = np.unique(y, return_counts=True)[1]
    if counts.sum() - counts.max() < LEAST_MISTAKES or counts.min() < 2:
        return 0.0
    order = np.lexsort((y, values))
    ordered, labels = values[order], y[order]
    changes = labels[1:] != labels[:-1]
    apart = changes.sum() == len(counts) - 1 and (ordered[1:] != ordered[:-1])[changes].all()
    return float(apart)


def _in_step(values: Values, y: NDArray[Any]) -> float:
    """How nearly a column of numbers orders the rows as the target does: the square of the rank correlation."""
    if ColumnKind.of(values) is not ColumnKind.NUMBER or (known := ~np.isnan(values)).sum() < len(values) / 2:
        return 0.0
    ranks = np.array([_ranks(values[known]), _ranks(y[known])])
    spread = ranks.std(axis=1)
    return float(np.corrcoef(ranks)[0, 1] ** 2) if (spread > 0).all() else 0.0


def _ranks(values: Values) -> Floats:
    """The rank of each value; equal ones share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[place])
