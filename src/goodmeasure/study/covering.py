"""What conformal prediction promises of quantiles: how many new rows they hold, and where that is no promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from goodmeasure.statistics.conformal import conformal_rank, least_rows
from goodmeasure.strict.calls import strict_class

# Rows that are not exchangeable with new ones, or not all of one model: what then holds is shown by simulation alone.
DOUBTS = {
    "folds": "the rows were judged by models of folds, and the one that is handed over is fitted to all of them",
    "time": "later rows may be others",
    "groups": "rows of one group go together",
    "weights": "rows do not count alike",
}
# Of so many models like this one, all but one in twenty have such a share.
LEVEL = 0.95


@strict_class
@dataclass(frozen=True)
class Coverage:
    """How far quantiles were moved by rows that their model never saw, and what may be said of new rows for it.

    Each raw output is moved by what its quantile misses on those rows: of asymmetric split conformal prediction the bound of
    its level. New rows that come as those did then lie between the outer two at least as often as the levels say, whatever
    the model and however targets are distributed. That is an average over all rows, not over those of each group.

    Attributes:
        levels: the level of each quantile.
        moves: what was added to each raw output; None where there were too few rows to say.
        rows: how many rows, as many of equal weight, it rests on.
        as_fitted: the share of them between the outer two quantiles before they were moved.
        doubts: why it is no promise: "folds", "time", "groups" or "weights".

    Source:
        Romano, Patterson and Candes 2019, Conformalized quantile regression, Theorem 2.

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(1000)]
        >>> y = [2 * a + (i * 7 % 11) - 5 for i, a in enumerate(x)]
        >>> print(gm.run({"x": x, "y": y}, "y", ask="quantiles=0.05,0.95").model.coverage.claim)
        at least 90 % of new rows like the 200 reported ones lie from the 0.05 to the 0.95 quantile
    """

    levels: tuple[float, ...]
    moves: tuple[float | None, ...]
    rows: int
    as_fitted: float
    doubts: tuple[str, ...] = ()

    @property
    def claim(self) -> str:
        """What may be said of new rows, in words; empty where there were too few rows to say anything."""
        (low, below), (high, above) = ((self.levels[k], self.moves[k]) for k in (0, -1))
        much, of = "about" if self.doubts else "at least", f"of new rows like the {self.rows:,} reported ones lie"
        low_is, high_is = below is not None and low < 0.5, above is not None and high > 0.5
        if low_is and high_is:
            return f"{much} {_percent(high - low)} {of} from the {low:g} to the {high:g} quantile"
        if high_is:
            return f"{much} {_percent(high)} {of} at or below the {high:g} quantile"
        if low_is:
            return f"{much} {_percent(1 - low)} {of} at or above the {low:g} quantile"
        return ""

    @property
    def least(self) -> float | None:
        """The share of new rows from the lowest to the highest quantile that all but one of twenty models like this hold.

        None where nothing is promised of it. Equal targets make the share larger.
        """
        if self.doubts or not self.levels[0] < 0.5 < self.levels[-1] or None in (self.moves[0], self.moves[-1]):
            return None
        from scipy.special import betaincinv

        upper, lower = (conformal_rank(self.rows, error) for error in (1 - self.levels[-1], self.levels[0]))
        held = upper + lower - self.rows - 1
        return float(betaincinv(held, self.rows + 1 - held, 1 - LEVEL))

    @property
    def sentence(self) -> str:
        """The claim, how it came about, and what it does not say."""
        of = "groups" if "groups" in self.doubts else "rows"
        kept = [
            f"the {level:g} quantile stays as it was fitted, for {self._why_kept(level, of)}"
            for level, move in zip(self.levels, self.moves, strict=True)
            if move is None
        ]
        if not self.claim:
            return "; ".join(kept) or f"no quantile is moved outwards: all levels are one half of {self.rows:,} rows"
        told = [f"by conformal prediction {self.claim} ({_percent(self.as_fitted)} between the outer two as fitted)"]
        if (least := self.least) is not None:
            told.append(f"of models like this one 19 in 20 hold {_percent(least)} or more")
        told += [f"not promised: {DOUBTS[doubt]}" for doubt in self.doubts]
        return "; ".join([*told, *kept])

    def _why_kept(self, level: float, of: str) -> str:
        """Why a quantile was not moved: rows are too few, or the targets that it would be moved to have no finite raw output."""
        least = least_rows(level)
        if "groups" in self.doubts or self.rows < least:
            return f"{least} {of} would tell"
        end = "low" if level < 0.5 else "high"
        return f"too many targets lie at the {end} end of what it can predict for a move to reach them"

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, ready for JSON."""
        return asdict(self)

    @staticmethod
    def from_dict(state: Mapping[str, Any]) -> Coverage:
        """What `to_dict` described."""
        moves = tuple(None if move is None else float(move) for move in state["moves"])
        levels = tuple(map(float, state["levels"]))
        return Coverage(levels, moves, int(state["rows"]), float(state["as_fitted"]), tuple(state["doubts"]))


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
