"""Rows to fit, rows to tune and rows to report, or folds: who learns from what, and what is judged by rows that nothing learned
from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import Problem
from goodmeasure.reading.remarks import Remark
from goodmeasure.statistics.texts import different

Indices = NDArray[np.intp]
SHARES = (0.6, 0.2, 0.2)
FIT_AND_TUNE = (0.75, 0.25, 0.0)
FOLDS = 10
LEAST = 10
LEAST_OF_A_CLASS = 2
# Below these a fifth of the rows tells little: 100 rows, 20 of the rarer label, 10 groups.
FEW_ROWS, FEW_OF_A_LABEL, FEW_GROUPS = 500, 100, 50
# More rows than this are not fitted again and again; fewer groups make no folds.
MOST_FOLDED, LEAST_GROUPS = 20_000, 5
# Where the same groups have rows at all times, no group is left for the later parts.
ONE_OF_BOTH = "the same groups have rows early and late: say --time alone, or --group alone"


class TooFewRowsToSplit(Problem, ValueError):
    """There are fewer rows (groups, times, or rows of a class) than three parts need.

    Every part needs at least ten rows, and two of each class. Rows that tune or report must not have been fitted, so a
    smaller table cannot be judged this way. Where rows are judged by folds, the rows outside each fold are split again, to
    fit and to tune, and must be as many: the error says how many rows in all are enough.
    """

    code = "GM220"


class LeftOutOfSplit(Remark):
    """Rows of groups that an earlier part of the time already holds were left out of the later parts.

    When both a group and a time are named, later rows of a known group would let the model meet its own past.
    """

    code = "GM221"


@dataclass(frozen=True)
class Split(Displayed):
    """Row numbers of the three parts, and how they were made.

    The rows to ``fit`` train the model; the rows to ``tune`` choose its settings, recalibrate it and set its threshold;
    the rows to ``report`` are used once, for the numbers that are printed. With ``deals`` all rows are reported, each by
    models that did not see it: a deal holds the number of each row's fold. Intervals are ``wider`` by a factor where what rows
    weigh is itself known from a sample.
    """

    fit: Indices
    tune: Indices
    report: Indices
    how: str
    remarks: tuple[Remark, ...] = ()
    deals: tuple[Indices, ...] = ()
    wider: float = 1.0

    @property
    def folds(self) -> int:
        """Into how many folds a deal puts the rows; 0 where rows are held out."""
        return len(np.unique(self.deals[0])) if self.deals else 0

    @property
    def protocol(self) -> dict[str, Any]:
        """How the model is judged, as plain values."""
        if not self.deals:
            return {"name": "holdout"}
        return {"name": "folds", "folds": self.folds, "repeats": len(self.deals)}

    @property
    def parts(self) -> dict[str, Indices]:
        """The parts by name."""
        return {"fit": self.fit, "tune": self.tune, "report": self.report}

    def _display(self) -> Display:
        rows = [(name, len(rows)) for name, rows in self.parts.items()]
        return Display(
            "Rows of a study", columns_of(("part", "rows"), rows), (self.how, *(r.what for r in self.remarks))
        )

    def __str__(self) -> str:
        if self.deals:
            return f"{len(self.report):,}, {self.how}"
        return ", ".join(f"{len(rows):,} to {name}" for name, rows in self.parts.items()) + f"; {self.how}"


def split(
    n: int,
    *,
    classes: NDArray[Any] | None = None,
    group: NDArray[Any] | None = None,
    time: NDArray[Any] | None = None,
    shares: tuple[float, ...] = SHARES,
    seed: int = 0,
) -> Split:
    """Three parts of ``n`` rows: at random, with equal shares of each class; whole groups; or, with a time, in its order.

    With a time the report is of the latest rows, as in use. With both, rows of groups that an earlier part holds are left
    out of the later ones. A third share of 0 makes no rows to report, for those who bring their own. Error: GM220.
    """
    remarks: tuple[Remark, ...] = ()
    if time is not None:
        part, how = _by_time(time, shares), f"the earliest rows fit, the latest {'report' if shares[2] else 'tune'}"
        if group is not None:
            part, remarks = _first_part_of_group(part, group)
            how += ", no group in two parts"
    elif group is not None:
        part, how = _by_group(group, shares, seed), "at random by whole groups"
    else:
        part = _by_class(np.zeros(n, dtype=np.intp) if classes is None else classes, shares, seed)
        how = f"at random{'' if classes is None else ' within each class'} (seed {seed})"
    fit, tune, report = (np.flatnonzero(part == k) for k in range(3))
    found = Split(fit, tune, report, how, remarks)
    needed = least_rows(n, classes if group is None and time is None else None, shares)
    enough = ONE_OF_BOTH if remarks and needed <= n else _more_rows(n, needed)
    check(found.parts if shares[2] else {"fit": fit, "tune": tune}, enough=enough)
    return found


def few(n: int, classes: NDArray[Any] | None, group: NDArray[Any] | None) -> str:
    """Why folds tell more than held-out rows would; empty where they do not, or cannot be made."""
    groups = n if group is None else len(np.unique(group))
    if n > MOST_FOLDED or groups < LEAST_GROUPS:
        return ""
    if n < FEW_ROWS:
        return f"fewer than {FEW_ROWS} rows"
    if groups < FEW_GROUPS:
        return f"fewer than {FEW_GROUPS} groups"
    counts = np.unique(classes, return_counts=True)[1] if classes is not None else np.array([n])
    return f"fewer than {FEW_OF_A_LABEL} rows of a label" if len(counts) == 2 and counts.min() < FEW_OF_A_LABEL else ""


def folded(
    n: int,
    *,
    classes: NDArray[Any] | None = None,
    group: NDArray[Any] | None = None,
    seed: int = 0,
    repeats: int = 1,
    why: str = "",
) -> Split:
    """All rows to report, dealt ``repeats`` times to folds: at random with equal shares of each class, or by whole groups.

    The rows to fit and to tune are those of the model that is handed over. Error: GM220.
    """
    try:
        whole = split(n, classes=classes, group=group, shares=FIT_AND_TUNE, seed=seed)
    except TooFewRowsToSplit as error:
        raise _too_few_for_folds(n, classes, group, error.seen) from error
    deals = tuple(_deal(n, classes, group, seed + 1 + repeat) for repeat in range(repeats))
    for fold in deals:
        _refuse_small_folds(fold, classes, group, seed)
    times = "" if repeats == 1 else f", dealt {repeats} times"
    because = f", because there are {why}" if why else ""
    how = (
        f"each judged by models that did not see it: {len(np.unique(deals[0]))} folds{times}, {whole.how}{because}; the "
        "model that is handed over is fitted to all of them"
    )
    return Split(whole.fit, whole.tune, np.arange(n), how, deals=deals)


def _refuse_small_folds(fold: Indices, classes: NDArray[Any] | None, group: NDArray[Any] | None, seed: int) -> None:
    """Refuse folds without one of which the rest is too small to fit and tune. Error: GM220."""
    n = len(fold)
    for k in np.unique(fold):
        rest = np.flatnonzero(fold != k)
        some = [None if each is None else each[rest] for each in (classes, group)]
        try:
            split(len(rest), classes=some[0], group=some[1], shares=FIT_AND_TUNE, seed=seed)
        except TooFewRowsToSplit as error:
            raise _too_few_for_folds(n, classes, group, f"without one fold, {error.seen}") from error


def _too_few_for_folds(
    n: int, classes: NDArray[Any] | None, group: NDArray[Any] | None, seen: str
) -> TooFewRowsToSplit:
    needed = least_rows(n, None if group is not None else classes, FIT_AND_TUNE, folds=True)
    return TooFewRowsToSplit(f"{n:,} usable rows are too few for folds", seen=seen, fix=_more_rows(n, needed))


def least_rows(n: int, classes: NDArray[Any] | None, shares: tuple[float, ...], *, folds: bool = False) -> int:
    """How many rows, with classes as they are now, surely make parts of these shares; with folds, without one of them."""
    labels = np.zeros(n, dtype=np.intp) if classes is None else np.unique(classes, return_inverse=True)[1]
    most = n
    while min(_sizes(np.bincount(np.resize(labels, most)), shares, folds=folds)) < LEAST:
        most += 1
    return most


def _sizes(counts: Indices, shares: tuple[float, ...], *, folds: bool) -> list[int]:
    """How many rows each part gets, of so many of each class."""
    left = counts - -(-counts // FOLDS) if folds else counts
    parts = sum(np.bincount(_cut(int(count), shares), minlength=len(shares)) for count in left)
    return [int(size) for size, share in zip(np.asarray(parts).tolist(), shares, strict=True) if share]


def _more_rows(n: int, needed: int) -> str:
    if needed <= n:  # groups or times are too uneven
        return "more rows in more groups, or in more different times"
    return f"{needed:,} usable rows in all are enough: bring {needed - n:,} more"


def _deal(n: int, classes: NDArray[Any] | None, group: NDArray[Any] | None, seed: int) -> Indices:
    """The fold of each row."""
    if group is None:
        return _by_class(np.zeros(n, dtype=np.intp) if classes is None else classes, (1.0,) * FOLDS, seed)
    count = min(FOLDS, len(np.unique(group)))
    return np.unique(_by_group(group, (1.0,) * count, seed), return_inverse=True)[1].astype(np.intp)


def check(
    parts: Mapping[str, Indices],
    classes: NDArray[Any] | None = None,
    *,
    enough: str = "bring more rows",
    of_class: str = "bring more rows of the class",
) -> None:
    """Refuse parts that hold too few rows, or (where classes are given) too few of one; ``of_class`` says what to do then."""
    total = sum(map(len, parts.values()))
    for name, rows in parts.items():
        if len(rows) < LEAST:
            raise TooFewRowsToSplit(
                f"{len(rows):,} rows to {name} are too few",
                seen=f"{total:,} usable rows make {', '.join(f'{len(r):,} to {k}' for k, r in parts.items())}",
                fix=enough,
            )
    if classes is None:
        return
    for label in different(classes):
        counts = {name: int((classes[rows] == label).sum()) for name, rows in parts.items()}
        for name, count in counts.items():
            if count < LEAST_OF_A_CLASS:
                raise TooFewRowsToSplit(
                    f"the rows to {name} hold {count} of class {label!s}",
                    seen=f"{sum(counts.values()):,} usable rows of that class: "
                    + ", ".join(f"{c:,} to {k}" for k, c in counts.items()),
                    fix=of_class,
                )


def _cut(count: int, shares: tuple[float, ...]) -> NDArray[np.intp]:
    """Where the parts of ``count`` things in order end."""
    ends = np.rint(np.cumsum(shares) / sum(shares) * count).astype(np.intp)
    return np.searchsorted(ends, np.arange(count), side="right").astype(np.intp)


def _by_class(classes: NDArray[Any], shares: tuple[float, ...], seed: int) -> NDArray[np.intp]:
    rng = np.random.default_rng(seed)
    part = np.empty(len(classes), dtype=np.intp)
    for label in np.unique(classes):
        rows = np.flatnonzero(classes == label)
        part[rng.permutation(rows)] = _cut(len(rows), shares)
    return part


def _by_group(group: NDArray[Any], shares: tuple[float, ...], seed: int) -> NDArray[np.intp]:
    """Whole groups in random order, cut where the rows reach their shares."""
    names, code = np.unique(group, return_inverse=True)
    if len(names) < 3:
        raise TooFewRowsToSplit(
            f"{len(names)} groups cannot make three parts",
            seen=f"groups {', '.join(map(str, names))}",
            fix="rows of at least three groups",
        )
    order = np.random.default_rng(seed).permutation(len(names))
    size = np.bincount(code)[order]
    middle = (np.cumsum(size) - size / 2) / size.sum()
    part = np.empty(len(names), dtype=np.intp)
    part[order] = np.searchsorted(np.cumsum(shares) / sum(shares), middle, side="right").clip(max=len(shares) - 1)
    return part[code]


def _by_time(time: NDArray[Any], shares: tuple[float, ...]) -> NDArray[np.intp]:
    """Rows in order of time; equal times stay together, in the part where the first of them falls."""
    order = np.argsort(time, kind="stable")
    first = np.searchsorted(time[order], time, side="left")
    return _cut(len(time), shares)[first]


def _first_part_of_group(part: NDArray[np.intp], group: NDArray[Any]) -> tuple[NDArray[np.intp], tuple[Remark, ...]]:
    names, code = np.unique(group, return_inverse=True)
    first = np.full(len(names), len(part), dtype=np.intp)
    np.minimum.at(first, code, part)
    kept = np.where(part == first[code], part, -1)
    lost = int((kept < 0).sum())
    if not lost:
        return kept, ()
    what = f"{lost:,} rows were left out: an earlier part of the time holds other rows of their groups"
    return kept, (LeftOutOfSplit(what, seen=f"{len(names):,} groups"),)
