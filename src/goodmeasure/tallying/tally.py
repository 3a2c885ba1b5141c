"""The tally: evidence about predictions that adds up exactly, made here and read by the methods below."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any

from numpy.typing import ArrayLike

from goodmeasure.calibrating.calibration import Calibration
from goodmeasure.calibrating.decomposition import book_form, point_loss
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import Curves
from goodmeasure.decisions.rules import Decision
from goodmeasure.deriving.record import Record
from goodmeasure.drawing.cells import Interval
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import Problem, UsageError
from goodmeasure.formulas.domains import Level, Seed
from goodmeasure.reading.rows_read import REASONS, RowsRead
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.weights import WeightsMean
from goodmeasure.strict.calls import strict_class
from goodmeasure.tallying import readings, serialise
from goodmeasure.tallying.counted import Reading, refuse_parts
from goodmeasure.tallying.rare import RareAnswer
from goodmeasure.tallying.schema import Schema, as_spelled_now, column, columns
from goodmeasure.tallying.state import ScoreCounts, State
from goodmeasure.traits.sizes import extent


class DifferentTallies(Problem, ValueError):
    """These two tallies count different things, so their sum would mean nothing.

    Tallies add when they are of the same losses, models, kind of target, weights and clusters, and saved ones when the
    same was asked (columns, label, condition). Make all of them with the same call on different rows.
    """

    code = "GM721"


@strict_class
@dataclass(frozen=True)
class Tally(Displayed):
    """What a set of rows says of predictions, in a form that adds up: tallies of parts give the tally of the whole.

    ``a + b`` is bit for bit the tally of both sets of rows, whatever the order and the partition. Readings are of all
    rows; ``tally[group]`` is the part of one group. Losses come back from bytes as names alone: give the objects to
    `from_bytes` for the readings that evaluate them (calibration). What weights mean is said to each reading.

    Attributes:
        schema: what is counted: losses, models, kind of target, weights, clusters.
        groups: what each group of rows contributed, by its name.
        losses: the losses, where they are at hand.

    Raises:
        GM009: there is no group of this name, in ``tally[group]``.
        GM721: two tallies count different things, in ``a + b``.

    Example:
        >>> import goodmeasure as gm
        >>> loss = gm.losses.binary_cross_entropy()
        >>> monday = gm.tally(loss, [0, 1, 1], [-1.0, 2.0, 0.5])
        >>> tuesday = gm.tally(loss, [0, 0, 1], [-2.0, 0.5, 1.0])
        >>> both = gm.tally(loss, [0, 1, 1, 0, 0, 1], [-1.0, 2.0, 0.5, -2.0, 0.5, 1.0])
        >>> (tuesday + monday).to_bytes() == both.to_bytes()
        True
    """

    schema: Schema
    groups: dict[str, State]
    losses: tuple[Any, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        if self.schema != other.schema:
            mine, theirs = asdict(self.schema), asdict(other.schema)
            apart = [f"{name}: {mine[name]} and {theirs[name]}" for name in mine if mine[name] != theirs[name]]
            raise DifferentTallies(
                "these tallies count different things",
                seen="; ".join(apart),
                fix="tally both with the same losses, models, weights and clusters",
            )
        groups = dict(self.groups)
        for key, state in other.groups.items():
            groups[key] = groups[key].merge(state) if key in groups else state
        return Tally(self.schema, groups, self.losses or other.losses)

    def __getitem__(self, group: str) -> Tally:
        if group not in self.groups:
            raise UsageError(f"there is no group {group!r}", fix=f"one of {', '.join(sorted(self.groups))}")
        return Tally(self.schema, {group: self.groups[group]}, self.losses)

    @property
    def state(self) -> State:
        """All groups together."""
        states = [self.groups[key] for key in sorted(self.groups)]
        total = State()
        for state in states:
            total = total.merge(state)
        return total

    @property
    def n(self) -> int:
        """How many rows were counted."""
        return sum(state.rows for state in self.groups.values())

    @property
    def excluded(self) -> dict[str, int]:
        """How many rows were left out, by reason."""
        return self.state.excluded

    @property
    def rows_read(self) -> RowsRead:
        """How many rows there were, how many of them count, and why the others do not."""
        lost = {reason: self.excluded[reason] for reason in REASONS if reason in self.excluded}
        return RowsRead(self.n + sum(lost.values()), lost)

    def to_bytes(self) -> bytes:
        """The tally as bytes that depend on the multiset of rows alone."""
        return serialise.pack(asdict(self.schema), self.groups)

    @staticmethod
    def from_bytes(data: bytes, losses: list[Record] | tuple[Record, ...] = ()) -> Tally:
        """Read a tally back from what `to_bytes` gave.

        Args:
            data: the bytes.
            losses: the losses that were tallied, for the readings that evaluate them.

        Returns:
            The same tally.

        Raises:
            GM720: the bytes are no whole tally of a version that is known.
            GM721: these are not the losses that were tallied.
        """
        written, groups = serialise.unpack(data)
        schema = replace(written, losses=tuple(map(as_spelled_now, written.losses)))
        if losses and tuple(map(repr, losses)) != schema.losses:
            raise DifferentTallies(
                "these are not the losses of this tally",
                seen=f"{[*map(repr, losses)]} and {[*schema.losses]}",
                fix="leave the losses out: they are known by their names",
            )
        return Tally(schema, groups, tuple(losses))

    def _display(self) -> Display:
        rows = [
            (group, chosen, name, self._mean_loss(state, chosen, at), state.rows)
            for group, state in sorted(self.groups.items())
            for chosen in self.schema.models
            for at, name in enumerate(self.schema.losses)
        ]
        columns = columns_of(("group", "model", "loss", "value", "n"), rows)
        excluded = [f"{count:,} rows left out: {reason}" for reason, count in self.excluded.items()]
        # A name that does not tell anything apart is for frames.
        aside = [name for name in ("group", "model") if len(set(columns[name])) < 2]
        return Display(f"Tally of {self.n:,} rows", columns, tuple(excluded), aside=tuple(aside))

    def _mean_loss(self, state: State, model: str, at: int) -> Interval:
        """The mean loss of a group with its interval; no number where no row was counted."""
        name = column(model, at)
        held = state.moments.get(name)
        if held is None or not held.n:
            return Interval(math.nan, math.nan, math.nan)
        how = Reading()
        rare = self._rare(state, how, at, model)
        return readings.mean_loss(state, name, self._columns(), how, self._limits(at), rare).interval

    def _which(self, loss: Any, model: str | None) -> tuple[int, str]:
        names = self.schema.losses
        wanted = names[0] if loss is None else repr(loss)
        chosen = self.schema.models[0] if model is None else model
        if wanted not in names:
            raise UsageError(f"{wanted} was not tallied", fix=f"one of {', '.join(names)}")
        if chosen not in self.schema.models:
            raise UsageError(f"there is no model {chosen!r}", fix=f"one of {', '.join(self.schema.models)}")
        return names.index(wanted), chosen

    def risk(
        self,
        loss: Any = None,
        model: str | None = None,
        *,
        level: Level = 0.95,
        weights_mean: WeightsMean = "importance",
    ) -> Estimate:
        """The mean loss with its interval, cluster-robust if clusters were tallied.

        Args:
            loss: one of the tallied losses; the first unless given.
            model: the name of one of the tallied models; the first unless given.
            level: how often the interval covers.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            The mean loss, in the unit of the loss.

        Raises:
            GM005: no rows were tallied.
            GM006: weights that are to count copies are no whole numbers.
            GM009: the loss or the model was not tallied.
        """
        at, chosen = self._which(loss, model)
        how = self._reading(level, weights_mean=weights_mean)
        state = self.state
        rare = self._rare(state, how, at, chosen)
        return readings.mean_loss(state, column(chosen, at), self._columns(), how, self._limits(at), rare)

    def _reading(self, level: Level = 0.95, seed: Seed = 0, weights_mean: WeightsMean = "importance") -> Reading:
        """How the tally is read. Errors: GM006, GM009."""
        how = Reading(level, seed, weights_mean)
        if how.copies and self.schema.weighted:
            refuse_parts(self.state)
        return how

    def _rare(self, state: State, how: Reading, at: int, *models: str) -> RareAnswer | None:
        """What is known of the rarer of two answers, where few rows have it."""
        if not all(model in state.scores for model in models):
            return None
        return RareAnswer.of([state.scores[model] for model in models], self.losses[at] if self.losses else None, how)

    def _limits(self, at: int) -> tuple[float, float]:
        """Between which numbers a loss lies; anything where only its name is known."""
        return extent(self.losses[at]) if self.losses else (-math.inf, math.inf)

    def compare(
        self,
        a: str,
        b: str,
        loss: Any = None,
        *,
        level: Level = 0.95,
        weights_mean: WeightsMean = "importance",
    ) -> Difference:
        """The paired difference of two models on the same rows, the first minus the second.

        Args:
            a: the name of the first model.
            b: the name of the second model.
            loss: one of the tallied losses; the first unless given.
            level: how often the interval covers.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            The difference of the mean losses; below zero the first model is better.

        Raises:
            GM005: no rows were tallied.
            GM006: weights that are to count copies are no whole numbers.
            GM009: the loss or a model was not tallied.

        Example:
            >>> import goodmeasure as gm
            >>> scores = {"old": [0.0] * 8, "new": [-1.0, 1.0] * 4}
            >>> gm.tally(gm.losses.binary_cross_entropy(), [0, 1] * 4, scores).compare("new", "old").verdict
            'better'
        """
        at, _ = self._which(loss, a)
        self._which(loss, b)
        # Each pair was tallied once, in the order of the models; the other way round changes its sign.
        turned = self.schema.models.index(a) > self.schema.models.index(b)
        models = (b, a) if turned else (a, b)
        how = self._reading(level, weights_mean=weights_mean)
        state, sign = self.state, -1 if turned else 1
        rare = self._rare(state, how, at, *models)
        return readings.difference(state, models, at, self._columns(), how, sign, rare)

    def calibration(
        self,
        loss: Any = None,
        model: str | None = None,
        *,
        level: Level = 0.95,
        seed: Seed = 0,
        weights_mean: WeightsMean = "importance",
    ) -> Calibration:
        """Tell whether the predictions mean what they say.

        Args:
            loss: one of the tallied losses; the first unless given. Where the tally was read from bytes without its
                losses, the Brier score is split.
            model: the name of one of the tallied models; the first unless given.
            level: how often the intervals cover.
            seed: for the resampled intervals and bands.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            The split, the errors and the curve, with what the grid can have moved.

        Raises:
            GM005: no rows were tallied.
            GM006: weights that are to count copies are no whole numbers.
            GM009: the loss or the model was not tallied, or the tally is of amounts.
            GM705: there are too few rows for the debiased error.
        """
        at, chosen = self._which(loss, model)
        held = self.losses[at] if self.losses else None
        if self.schema.kind == "amount":
            raise UsageError("amounts have a curve of bias here, not a split", fix="tally.bias()")
        how = self._reading(level, seed, weights_mean)
        if self.schema.kind == "classes":
            top = self.state.scores[f"{chosen}\ttop"]
            return self._as_rows(readings.calibration(top, point_loss(None), None, how))
        # What a loss that distorts probabilities costs on them is not what it costs on the raw outputs behind them.
        alike = held is not None and (not self.schema.on_predictions or book_form(held) is not None)
        exact = self.risk(loss, model, level=level, weights_mean=weights_mean) if alike else None
        return self._as_rows(readings.calibration(self.state.scores[chosen], point_loss(held), exact, how))

    def _as_rows(self, found: readings.Judged) -> readings.Judged:
        """The reading, which says so where rows go together: scores are not counted by cluster."""
        return found if self.state.clusters is None else readings.as_rows(found)

    def bias(
        self, model: str | None = None, *, level: Level = 0.95, weights_mean: WeightsMean = "importance"
    ) -> readings.Bias:
        """Tell whether predicted amounts are right on average, at each height of the prediction.

        Args:
            model: the name of one of the tallied models; the first unless given.
            level: how often each interval covers.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            The mean identification value by cell of the prediction: zero where the model is calibrated.

        Raises:
            GM006: weights that are to count copies are no whole numbers.
            GM009: the tally is not of amounts, or the model was not tallied.
            GM705: there are too few rows for the debiased error.
        """
        if self.schema.kind != "amount":
            raise UsageError("probabilities have a calibration curve", fix="tally.calibration().curve")
        how = self._reading(level, weights_mean=weights_mean)
        return self._as_rows(readings.bias(self.state.amounts[self._which(None, model)[1]], how))

    def decide(
        self,
        costs: Costs,
        model: str | None = None,
        *,
        level: Level = 0.95,
        seed: Seed = 0,
        weights_mean: WeightsMean = "importance",
    ) -> Decision:
        """Find the rule that these costs ask for, from counts alone.

        Args:
            costs: what right and wrong decisions cost, the same in every row.
            model: the name of one of the tallied models; the first unless given.
            level: how often the intervals cover.
            seed: for dealing the counted rows to folds.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            The decision. Its threshold is an edge of the grid; ``grid_error`` bounds what that can cost against rows.

        Raises:
            GM006: weights that are to count copies are no whole numbers.
            GM009: the tally is not of a yes/no target, or the model was not tallied.
            GM704: all tallied targets are the same.
            GM711: the costs differ from row to row.
        """
        how, clustered = self._reading(level, seed, weights_mean), self.state.clusters is not None
        return readings.decide(self._yes_no(model), costs, how, clustered=clustered)

    def curves(self, model: str | None = None, *, weights_mean: WeightsMean = "importance") -> Curves:
        """Read the ROC, precision-recall, cost, decision and Murphy curves, exact at the edges of the grid.

        Args:
            model: the name of one of the tallied models; the first unless given.
            weights_mean: "importance" if a weight says how much a row matters, "frequency" if it counts identical rows.

        Returns:
            All curves over the thresholds.

        Raises:
            GM006: weights that are to count copies are no whole numbers.
            GM009: the tally is not of a yes/no target, or the model was not tallied.
            GM704: all tallied targets are the same.
        """
        return readings.curves(self._yes_no(model), self._reading(weights_mean=weights_mean))

    def cost_curve(self, ratios: ArrayLike, model: str | None = None) -> Floats:
        """The mean cost of acting from p = c on, where a false alarm costs c and a miss 1 - c, for each ratio c.

        Args:
            ratios: cost ratios c in [0, 1], (m,).
            model: the name of one of the tallied models; the first unless given.

        Returns:
            Mean costs a row, (m,).

        Raises:
            GM009: a ratio lies outside [0, 1], the tally is not of a yes/no target, or the model was not tallied.
            GM704: all tallied targets are the same.
        """
        return self.curves(model).cost(ratios)

    def _yes_no(self, model: str | None) -> ScoreCounts:
        if self.schema.kind != "outcome":
            raise UsageError(
                f"this reading is for yes/no targets, the tally is of kind {self.schema.kind!r}",
                fix="tally a yes/no loss: gm.losses.binary_cross_entropy()",
            )
        return self.state.scores[self._which(None, model)[1]]

    def _columns(self) -> list[str]:
        return columns(self.schema)
