"""What a rule costs a row, and how much more than another, from how often each kind of mistake occurs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.decisions.costs import Acts, ClassCosts, Costs
from goodmeasure.statistics.estimate import Difference, Estimate, within
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
        return self._in_rows(self.truth, rule.acts)

    def cost(self, rule: Policy, prefix: str = "") -> Estimate:
        """The mean cost a row, which says so where a kind of mistake was not seen once."""
        rows, unseen = self.rows(rule), self._unseen(rule)
        if self._per_row:
            found = within(self.sample.mean(_of_models(rows), prefix), *self.possible(rule))
        else:
            found = mean_of_few(self.sample, rows, self.costs.matrix[:, rule.possible(self._acts)], prefix)
        return replace(found, cautions=(*found.cautions, *unseen))

    def extra(self, rule: Policy, other: Policy) -> Difference:
        """How much more the first costs than the second, row by row: only rows where they differ say anything."""
        rows = self.rows(rule) - self.rows(other)
        if self._per_row:
            return within(self.sample.difference(_of_models(rows)), *self.possible(rule, other))
        first, second = np.array(rule.beside(other, self._acts), dtype=np.intp).T
        return difference_of_few(self.sample, rows, self.costs.matrix[:, first] - self.costs.matrix[:, second])

    def possible(self, rule: Policy, other: Policy | None = None) -> tuple[float, float]:
        """The least and the largest that a row can cost under the rule, or can cost more than under the other one."""
        table = self._table()
        if other is None:
            cost = table[:, rule.possible(self._acts)]
        else:
            first, second = np.array(rule.beside(other, self._acts), dtype=np.intp).T
            cost = table[:, first] - table[:, second]
        return float(np.nanmin(cost)), float(np.nanmax(cost))

    def _table(self) -> Floats:
        """What each act costs under each label, (K, A), or in each row where that differs, (2, 3, n)."""
        if not self._per_row:
            return self.costs.matrix
        by_act = [[self._in_rows(np.full(len(self.truth), k), act) for act in (LEAVE, ACT, ASK)] for k in (0, 1)]
        return np.array(by_act)

    def _in_rows(self, truth: NDArray[np.intp], acts: Acts | int) -> Floats:
        """What acts cost in each row, by its own costs."""
        assert isinstance(self.costs, Costs)
        happened = truth.astype(np.float64)
        acting, leaving = self.costs.of_acting(happened), self.costs.of_leaving(happened)
        asking = np.full(len(acting), math.nan if self.costs.ask is None else self.costs.ask)
        return np.choose(acts, [leaving, acting, asking])

    def _unseen(self, rule: Policy) -> tuple[str, ...]:
        return tuple(self._cautions(rule)) if isinstance(self.costs, Costs) else ()

    def _cautions(self, rule: Policy) -> Iterable[str]:
        """A sentence for each kind of mistake that this rule can make, that costs something, and that no row shows."""
        assert isinstance(self.costs, Costs)
        for one in mistakes(self.costs):
            rows = self.truth == one.label
            can = np.any(one.extra) and one.act in rule.possible(self._acts)
            if can and not (rule.acts[..., rows] == one.act).any():
                yield unseen(one, self.sample.part(rows)) if rows.any() else f"no {one.among} among these rows"


def _of_models(rows: Floats) -> Floats:
    """The mean over models of what each row costs."""
    return rows if rows.ndim == 1 else rows.mean(axis=0)


class Mistake(NamedTuple):
    """A kind of mistake: the act that is wrong under a label, what it costs more than the right one, and its words."""

    label: int
    act: int
    extra: float | Floats
    name: str
    among: str


def mistakes(costs: Costs) -> tuple[Mistake, Mistake]:
    """The two kinds of mistake that a decision between acting and leaving can make."""
    return (
        Mistake(1, LEAVE, costs.miss, "miss", "events"),
        Mistake(0, ACT, costs.alarm, "false alarm", "other rows"),
    )


def unseen(mistake: Mistake, rows: Sample) -> str:
    """What is said of a mistake that none of these rows shows."""
    if rows.together is None:
        return never_seen(mistake, f"{rows.n:,} {mistake.among}", rows.effective_n, rows.level)
    held = summed(rows.together, rows.weight)
    held = held[held > 0]
    parts = "groups" if rows.when is None else "stretches of time"
    among = f"the {mistake.among} of {len(held):,} {parts}"
    return never_seen(mistake, among, effective(held, np.ones(len(held))), rows.level)


def never_seen(mistake: Mistake, among: str, independent: float, level: float) -> str:
    """What is said of a mistake that rows worth so many independent ones do not show: how often it may be made."""
    most = 1 - (1 - level) ** (1 / independent)
    return f"not one {mistake.name} among {among}: what it costs is not seen; at most {most:.2g} of them by these rows"
