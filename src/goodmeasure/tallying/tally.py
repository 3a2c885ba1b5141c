"""The tally: evidence about predictions that adds up exactly, made here and read by the methods below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from goodmeasure.calibrating.calibration import Calibration
from goodmeasure.calibrating.decomposition import point_loss
from goodmeasure.decisions.costs import Costs
from goodmeasure.decisions.curves import Curves
from goodmeasure.decisions.rules import Decision
from goodmeasure.drawing.cells import Interval
from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.errors import Problem, UsageError
from goodmeasure.statistics.estimate import Difference, Estimate
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.tallying import readings, serialise
from goodmeasure.tallying.schema import Schema, column, columns
from goodmeasure.tallying.state import ScoreCounts, State


class DifferentTallies(Problem, ValueError):
    """These two tallies count different things, so their sum would mean nothing.

    Tallies add when they are of the same losses, models, kind of target, weights and clusters, and saved ones when the
    same was asked (columns, label, condition). Make all of them with the same call on different rows.
    """

    code = "GM721"


@dataclass(frozen=True)
class Tally(Displayed):
    """Mergeable evidence: ``a + b`` is the tally of both sets of rows, bit for bit, whatever the order and the
    partition.

    Readings are of all rows; ``tally[group]`` is the part of one group. Losses come back from bytes as names alone:
    give the objects to ``from_bytes`` for the readings that evaluate them (calibration).
    """

    schema: Schema
    groups: dict[str, State]
    losses: tuple[Any, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        if self.schema != other.schema:
            mine, theirs = asdict(self.schema), asdict(other.schema)
            apart = [f"{name}: {mine[name]} and {theirs[name]}" for name in mine if mine[name] != theirs[name]]
            raise DifferentTallies("these tallies count different things", seen="; ".join(apart))
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

    def to_bytes(self) -> bytes:
        """The tally as bytes that depend on the multiset of rows alone."""
        return serialise.pack(asdict(self.schema), self.groups)

    @staticmethod
    def from_bytes(data: bytes, losses: Sequence[Any] = ()) -> Tally:
        """The tally that these bytes hold; errors: GM720, and GM721 if ``losses`` are not those that were tallied."""
        plain, groups = serialise.unpack(data)
        plain["losses"], plain["models"] = tuple(plain["losses"]), tuple(plain["models"])
        schema = Schema(**plain)
        if losses and tuple(map(repr, losses)) != schema.losses:
            raise DifferentTallies(
                "these are not the losses of this tally", seen=f"{[*map(repr, losses)]} and {[*schema.losses]}"
            )
        return Tally(schema, groups, tuple(losses))

    def _display(self) -> Display:
        rows = [
            (group, chosen, name, self._mean_loss(state, column(chosen, at)), state.rows)
            for group, state in sorted(self.groups.items())
            for chosen in self.schema.models
            for at, name in enumerate(self.schema.losses)
        ]
        columns = columns_of(("group", "model", "loss", "value", "n"), rows)
        excluded = [f"{count:,} rows left out: {reason}" for reason, count in self.excluded.items()]
        # A name that does not tell anything apart is for frames.
        aside = [name for name in ("group", "model") if len(set(columns[name])) < 2]
        return Display(f"Tally of {self.n:,} rows", columns, tuple(excluded), aside=tuple(aside))

    def _mean_loss(self, state: State, name: str) -> Interval:
        """The mean loss of a group with its interval; no number where no row was counted."""
        held = state.moments.get(name)
        if held is None or not held.n:
            return Interval(math.nan, math.nan, math.nan)
        return readings.risk(state, name, self._columns(), 0.95).interval

    def _which(self, loss: Any, model: str | None) -> tuple[int, str]:
        names = self.schema.losses
        wanted = names[0] if loss is None else repr(loss)
        chosen = self.schema.models[0] if model is None else model
        if wanted not in names:
            raise UsageError(f"{wanted} was not tallied", fix=f"one of {', '.join(names)}")
        if chosen not in self.schema.models:
            raise UsageError(f"there is no model {chosen!r}", fix=f"one of {', '.join(self.schema.models)}")
        return names.index(wanted), chosen

    def risk(self, loss: Any = None, model: str | None = None, *, level: float = 0.95) -> Estimate:
        """The mean loss with its interval, cluster-robust if clusters were tallied."""
        at, chosen = self._which(loss, model)
        return readings.risk(self.state, column(chosen, at), self._columns(), level)

    def compare(self, a: str, b: str, loss: Any = None, *, level: float = 0.95) -> Difference:
        """The paired difference of two models, the first minus the second."""
        at, _ = self._which(loss, a)
        self._which(loss, b)
        turned = self.schema.models.index(a) > self.schema.models.index(b)
        first, second = (b, a) if turned else (a, b)
        name = column(f"{first} - {second}", at)
        return readings.difference(self.state, name, self._columns(), level, -1 if turned else 1)

    def calibration(
        self, loss: Any = None, model: str | None = None, *, level: float = 0.95, seed: int = 0
    ) -> Calibration:
        """Whether the predictions mean what they say; needs the loss objects (see ``from_bytes``) unless it is
        Brier."""
        at, chosen = self._which(loss, model)
        held = self.losses[at] if self.losses else None
        if self.schema.kind == "amount":
            raise UsageError("amounts have a curve of bias here, not a split", fix="tally.bias()")
        name = chosen if self.schema.kind == "outcome" else f"{chosen}\ttop"
        exact = self.risk(loss, model, level=level) if held is not None and self.schema.kind == "outcome" else None
        loss_of = point_loss(held) if self.schema.kind == "outcome" else point_loss(None)
        return readings.calibration(self.state.scores[name], loss_of, exact, (level, seed))

    def bias(self, model: str | None = None, *, level: float = 0.95) -> readings.Bias:
        """For amounts: the mean identification value by cell of the prediction, zero where the model is
        calibrated."""
        if self.schema.kind != "amount":
            raise UsageError("probabilities have a calibration curve", fix="tally.calibration().curve")
        return readings.bias(self.state.amounts[self._which(None, model)[1]], level)

    def decide(self, costs: Costs, model: str | None = None, *, level: float = 0.95, seed: int = 0) -> Decision:
        """The rule that these costs ask for; the threshold is on the grid, its loss against rows bounded by
        grid_error."""
        return readings.decide(self._yes_no(model), costs, (level, seed))

    def curves(self, model: str | None = None) -> Curves:
        """ROC, precision-recall, cost, decision and Murphy curves, exact at the edges of the grid."""
        return readings.curves(self._yes_no(model))

    def cost_curve(self, ratios: ArrayLike, model: str | None = None) -> Floats:
        """The mean cost of acting from p = c on, where a false alarm costs c and a miss 1 - c, for each ratio c."""
        return self.curves(model).cost(ratios)

    def _yes_no(self, model: str | None) -> ScoreCounts:
        if self.schema.kind != "outcome":
            raise UsageError(f"this reading is for yes/no targets, the tally is of kind {self.schema.kind!r}")
        return self.state.scores[self._which(None, model)[1]]

    def _columns(self) -> list[str]:
        return columns(self.schema)
