"""Rows to fit, rows to tune and rows to report: who learns from what, and what is judged by rows that nothing learned from."""

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

Indices = NDArray[np.intp]
SHARES = (0.6, 0.2, 0.2)
LEAST = 10
LEAST_OF_A_CLASS = 2
# Fewer equal rows than this part are chance; a table with fewer different rows than that has few features, not copies.
FEW = 0.02
MANY_ALIKE = 0.2


class TooFewRowsToSplit(Problem, ValueError):
    """There are fewer rows (groups, times, or rows of a class) than three parts need.

    Every part needs at least ten rows, and two of each class. Rows that tune or report must not have been fitted, so a
    smaller table cannot be judged this way.
    """

    code = "GM220"


class LeftOutOfSplit(Remark):
    """Rows of groups that an earlier part of the time already holds were left out of the later parts.

    When both a group and a time are named, later rows of a known group would let the model meet its own past.
    """

    code = "GM221"


class SharedRows(Remark):
    """Some rows of the later parts are equal, in every feature and the target, to rows that were fitted.

    If they are copies of the same case, the reported risk is too good: remove the copies, or name what a case is with
    ``--group``. If a few features describe many cases, equal rows are natural and no fault.
    """

    code = "GM222"
    severity = "warning"


class SharedByChance(Remark):
    """A few rows of the later parts are equal to rows that were fitted, no more than chance or few features explain.

    Where a table has many copies of the same case, this is a warning instead.
    """

    code = "GM223"


@dataclass(frozen=True)
class Split(Displayed):
    """Row numbers of the three parts, and how they were made.

    The rows to ``fit`` train the model; the rows to ``tune`` choose its settings, recalibrate it and set its threshold;
    the rows to ``report`` are used once, for the numbers that are printed.
    """

    fit: Indices
    tune: Indices
    report: Indices
    how: str
    remarks: tuple[Remark, ...] = ()

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
        part, how = _by_time(time, shares), "the earliest rows fit, the latest report"
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
    check(found.parts if shares[2] else {"fit": fit, "tune": tune})
    return found


def check(parts: Mapping[str, Indices], classes: NDArray[Any] | None = None) -> None:
    """Refuse parts that hold too few rows, or (where classes are given) too few of one of them."""
    total = sum(map(len, parts.values()))
    for name, rows in parts.items():
        if len(rows) < LEAST:
            raise TooFewRowsToSplit(
                f"{len(rows):,} rows to {name} are too few",
                seen=f"{total:,} usable rows make {', '.join(f'{len(r):,} to {k}' for k, r in parts.items())}",
                fix=f"at least {LEAST} rows are needed to {name}: bring more rows",
            )
    if classes is None:
        return
    for label in np.unique(classes):
        counts = {name: int((classes[rows] == label).sum()) for name, rows in parts.items()}
        for name, count in counts.items():
            if count < LEAST_OF_A_CLASS:
                raise TooFewRowsToSplit(
                    f"the rows to {name} hold {count} of class {label!s}",
                    seen=f"{sum(counts.values()):,} usable rows of that class: "
                    + ", ".join(f"{c:,} to {k}" for k, c in counts.items()),
                    fix="bring more rows of the class, or put rare classes together",
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
            f"{len(names)} groups cannot make three parts", seen=f"groups {', '.join(map(str, names))}"
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


def shared_rows(keys: NDArray[np.uint64], found: Split) -> tuple[Remark, ...]:
    """A remark on rows to tune or report whose key (a hash of the whole row) a fitted row has too."""
    later = np.concatenate([found.tune, found.report])
    again = int(np.isin(keys[later], keys[found.fit]).sum())
    if not again:
        return ()
    distinct = len(np.unique(keys))
    what = f"{again:,} of the {len(later):,} rows to tune or report equal rows to fit"
    seen = f"{len(keys):,} rows, {distinct:,} of them different"
    if again < FEW * len(later) or distinct < MANY_ALIKE * len(keys):
        return (SharedByChance(what, seen=seen),)
    fix = "remove copies of the same case, or keep each case in one part: --group COLUMN"
    return (SharedRows(what, seen=seen, fix=fix),)
