"""Rows as a sample: what they weigh, which of them go together, and the estimates that rest on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from goodmeasure.statistics.estimate import TAKEN_AS_INDEPENDENT as TAKEN_AS_INDEPENDENT
from goodmeasure.statistics.estimate import Difference, Estimate, as_difference
from goodmeasure.statistics.intervals import bootstrap, mean_estimate, parts_of, resampling, times_of
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.row_arguments import Floats, PresentRows
from goodmeasure.statistics.serial import blocks_for
from goodmeasure.statistics.weights import counted, effective, equal_parts, squares

# A spread that fewer clusters or blocks tell is itself known badly.
FEW = 10
# So few points in time do not show how long they remember: of 20 that do for five, one interval in five misses the truth.
FEW_TIMES = 50
TELL_HOW_SURE = "tell how sure this is: the interval can be too short"


@dataclass(frozen=True, eq=False)
class Sample:
    """What an interval needs to know of the rows it rests on.

    ``copies`` says how many rows each stands for, ``together`` is the code of each one's cluster or block, and ``name`` says
    in an estimate's method how rows depend on each other. ``when`` is the code of each one's time, where that is how they
    do: a mean has blocks as long as its own values remember.
    """

    weight: Floats
    copies: Floats
    together: NDArray[np.intp] | None = None
    name: str = "normal"
    level: float = 0.95
    when: NDArray[np.intp] | None = None

    @staticmethod
    def of(rows: PresentRows, level: float) -> Sample:
        """The rows that count, with their columns ``cluster`` or ``time`` as what goes together."""
        together, name = parts_of(rows)
        when = None if rows["time"] is None else times_of(rows["time"], len(rows), at=rows.at)
        return Sample(rows.weight, rows.copies, together, name, level, when)

    @property
    def n(self) -> int:
        """How many rows these are, with their copies."""
        return counted(self.copies)

    @property
    def effective_n(self) -> float:
        """How many independent rows of equal weight carry as much information."""
        return effective(self.weight, self.copies)

    @property
    def square(self) -> Floats:
        """The sum of the squared weights of each row's copies."""
        return squares(self.weight, self.copies)

    @property
    def is_counted(self) -> bool:
        """Whether rows are independent and all count alike, by whole numbers of copies."""
        each = self.weight / self.copies
        whole = bool((self.copies == np.round(self.copies)).all())
        return self.together is None and whole and bool((each == each[0]).all())

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Sample:
        """Some of the rows."""
        together, when = (None if each is None else _recoded(each[chosen]) for each in (self.together, self.when))
        return replace(self, weight=self.weight[chosen], copies=self.copies[chosen], together=together, when=when)

    def together_for(self, values: Floats) -> NDArray[np.intp] | None:
        """The code of each row's cluster, or of its block of time: as long as these values remember."""
        if self.when is None or not np.isfinite(values).all():
            return self.together
        when = np.unique(self.when, return_inverse=True)[1]
        return blocks_for(values, when, self.weight)

    def independent(self, values: Floats) -> float:
        """How many independent parts of equal weight these rows are: rows, clusters, or stretches of time."""
        together = self.together_for(values)
        if together is None:
            return self.effective_n
        return self.equal_parts(together)

    def few(self, together: NDArray[np.intp] | None) -> tuple[str, ...]:
        """What is said where few clusters or blocks tell the spread."""
        if together is None:
            return ()
        if self.when is not None and (times := len(np.unique(self.when))) < FEW_TIMES:
            return (f"only {times} points in time {TELL_HOW_SURE}",)
        parts = "groups" if self.when is None else "stretches of time"
        return few_parts(len(np.unique(together)), self.equal_parts(together), parts)

    def equal_parts(self, together: NDArray[np.intp]) -> float:
        """How many clusters or blocks of equal weight tell a spread as well as these."""
        return equal_parts(summed(together, self.weight))

    def mean(self, values: Floats, prefix: str = "", *, corrected: bool = True) -> Estimate:
        """The mean of a number a row; ``corrected`` says whether its interval is to know of skewness."""
        together = self.together_for(values)
        found = mean_estimate(
            values,
            self.weight,
            together=together,
            method=prefix + self.name,
            level=self.level,
            copies=self.copies,
            corrected=corrected,
        )
        return replace(found, cautions=(*found.cautions, *self.few(together)))

    def difference(self, values: Floats) -> Difference:
        """The mean of a paired difference, able to give a verdict."""
        return as_difference(self.mean(values, "paired, "))

    def bootstrap(self, statistic: Callable[[Floats], float], replicates: int = 999) -> tuple[float, float, float]:
        """The percentile interval and standard error of a statistic of what each row weighs."""
        return bootstrap(
            statistic,
            self.weight,
            together=self.together,
            copies=self.copies,
            replicates=replicates,
            level=self.level,
        )

    def drawing(self) -> Callable[[np.random.Generator], Floats]:
        """What each row weighs in a sample with replacement."""
        return resampling(self.weight, self.together, self.copies)


def few_parts(count: int, alike: float, parts: str) -> tuple[str, ...]:
    """What is said where so many parts, worth ``alike`` of equal size, are few to tell a spread by."""
    if alike >= FEW:
        return ()
    those = f"only {count:,} {parts}" if count < FEW else f"{count:,} {parts}, worth {alike:.2g} of equal size,"
    return (f"{those} {TELL_HOW_SURE}",)


def _recoded(code: NDArray[np.intp]) -> NDArray[np.intp]:
    """The same parts numbered from 0, so that sums over the parts of few rows are as short as these."""
    return np.unique(code, return_inverse=True)[1].astype(np.intp, copy=False)
