"""What a rule costs a row, and how much more than another, from how often each kind of mistake occurs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from goodmeasure.decisions.costs import Acts, ClassCosts, Costs
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.keys import summed
from goodmeasure.statistics.multinomial import difference_of_few, mean_of_few
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.sample import Sample
from goodmeasure.statistics.weights import effective

LEAVE, ACT, ASK = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Policy:
    """What a rule does in each row, and what it can do in others.

    ``acts`` is (n,), or (models, n) where several models speak of each row. ``between`` holds the thresholds between which
    its own lies, ``only`` the one act that it ever chooses; where both are None any act is possible.
    """

    acts: Acts
    between: tuple[float, float] | None = None
    only: int | None = None

    @staticmethod
    def from_(threshold: float, p: Floats) -> Policy:
        """Act from a probability on."""
        return Policy(np.asarray(p >= threshold, dtype=np.intp), (threshold, threshold))

    @staticmethod
    def always(act: int, n: int) -> Policy:
        """The same act in each of n rows."""
        return Policy(np.full(n, act), only=act)

    def possible(self, acts: int) -> list[int]:
        """The acts that it can choose in some row, whether or not it did in these."""
        if self.only is not None:
            return [self.only]
        if self.between is None:
            return list(range(acts))
        low, high = self.between
        return [act for act, can in ((LEAVE, high > 0), (ACT, not math.isinf(low))) if can]

    def beside(self, other: Policy, acts: int) -> list[tuple[int, int]]:
        """The pairs of acts that the two can choose in one row."""
        pairs = [(a, b) for a in self.possible(acts) for b in other.possible(acts)]
        if self.between is None or other.between is None:
            return pairs
        never = {(ACT, LEAVE)} if self.between[0] >= other.between[1] else set()
        never |= {(LEAVE, ACT)} if self.between[1] <= other.between[0] else set()
        return [pair for pair in pairs if pair not in never]


@dataclass(frozen=True, eq=False)
class Prices:
    """Rows with what was true in each and what acts cost, by which rules are priced.

    Where the costs are the same in every row, the mean cost is a sum of shares of mistakes times what each costs, and
    its interval is put together from theirs: a mistake that is dear and was hardly seen counts with what it may be.
    """

    costs: Costs | ClassCosts
    truth: NDArray[np.intp]
    sample: Sample

    @property
    def _per_row(self) -> bool:
        return isinstance(self.costs, Costs) and self.costs.per_row

    @property
    def _acts(self) -> int:
        return 3 if self._per_row else self.costs.matrix.shape[1]

    def rows(self, rule: Policy) -> Floats:
        """What the rule costs in each row, by each model."""
        if not self._per_row:
            return np.asarray(self.costs.matrix[self.truth, rule.acts])
        assert isinstance(self.costs, Costs)
        happened = self.truth.astype(np.float64)
        acting, leaving = self.costs.of_acting(happened), self.costs.of_leaving(happened)
        asking = np.full(len(acting), math.nan if self.costs.ask is None else self.costs.ask)
        return np.choose(rule.acts, [leaving, acting, asking])

    def cost(self, rule: Policy, prefix: str = "") -> Estimate:
        """The mean cost a row, which says so where a kind of mistake was not seen once."""
        rows, unseen = self.rows(rule), self._unseen(rule)
        if self._per_row:
            found = self.sample.mean(_of_models(rows), prefix)
        else:
            found = mean_of_few(self.sample, rows, self.costs.matrix[:, rule.possible(self._acts)], prefix)
        return replace(found, cautions=(*found.cautions, *unseen))

    def extra(self, rule: Policy, other: Policy) -> Difference:
        """How much more the first costs than the second, row by row: only rows where they differ say anything."""
        rows = self.rows(rule) - self.rows(other)
        if self._per_row:
            return self.sample.difference(_of_models(rows))
        first, second = np.array(rule.beside(other, self._acts), dtype=np.intp).T
        return difference_of_few(self.sample, rows, self.costs.matrix[:, first] - self.costs.matrix[:, second])

    def _unseen(self, rule: Policy) -> tuple[str, ...]:
        return tuple(self._cautions(rule)) if isinstance(self.costs, Costs) else ()

    def _cautions(self, rule: Policy) -> Iterable[str]:
        """A sentence for each kind of mistake that this rule can make, that costs something, and that no row shows."""
        assert isinstance(self.costs, Costs)
        for label, act, extra, words in (
            (1, LEAVE, self.costs.miss, ("miss", "events")),
            (0, ACT, self.costs.alarm, ("false alarm", "other rows")),
        ):
            rows = self.truth == label
            if np.any(extra) and act in rule.possible(self._acts) and not (rule.acts[..., rows] == act).any():
                yield unseen(*words, self.sample.part(rows)) if rows.any() else f"no {words[1]} among these rows"


def _of_models(rows: Floats) -> Floats:
    """The mean over models of what each row costs."""
    return rows if rows.ndim == 1 else rows.mean(axis=0)


def unseen(mistake: str, among: str, rows: Sample) -> str:
    """What is said of a mistake that none of these rows shows."""
    if rows.together is None:
        return never_seen(mistake, f"{rows.n:,} {among}", rows.effective_n, rows.level)
    held = summed(rows.together, rows.weight)
    held = held[held > 0]
    whose = "groups" if rows.when is None else "stretches of time"
    return never_seen(mistake, f"the {among} of {len(held):,} {whose}", effective(held, np.ones(len(held))), rows.level)


def never_seen(mistake: str, among: str, independent: float, level: float) -> str:
    """What is said of a mistake that rows worth so many independent ones do not show: how often it may be made."""
    most = 1 - (1 - level) ** (1 / independent)
    return f"not one {mistake} among {among}: what it costs is not seen; at most {most:.2g} of them by these rows"
