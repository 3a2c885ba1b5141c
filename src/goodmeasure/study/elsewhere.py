"""Rows that one cares about and does not have: each row at hand counts as often as such rows occur there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.terminal import printable
from goodmeasure.errors import Problem, UsageError, nearest, shorter
from goodmeasure.reading.files import read
from goodmeasure.reading.frames import table
from goodmeasure.reading.tables import ColumnKind, Table, Values, listed, missing
from goodmeasure.statistics.estimate import each_estimate, widened
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.statistics.tilting import tilted
from goodmeasure.statistics.weights import effective
from goodmeasure.strict.calls import strict_class, strict_keywords
from goodmeasure.study.counting import weights_in
from goodmeasure.study.likeness import NotAlike, compared, factors, likeness
from goodmeasure.study.names import names_of, plain_label

# Weights that leave fewer rows than this tell nothing.
LEAST_EFFECTIVE = 10
# Why intervals are wider where a table of other rows tells the weights.
WEIGHED = "weighed as a sample of other rows"


class OutOfReach(Problem, ValueError):
    """No weights make these rows what was asked for: a mean beyond all values, or a share of a label that no row has.

    Rows are weighed up and down, never made up. A share of zero or one, and shares that leave nothing for the labels that are
    not named, would weigh rows with nothing: leave such rows out instead.
    """

    code = "GM280"


@dataclass(frozen=True)
class Shift:
    """What a column is elsewhere: its mean, or the shares of some of its labels."""

    column: str
    mean: float | None = None
    shares: tuple[tuple[str, float], ...] = ()

    @staticmethod
    def of(text: str) -> Shift:
        """Read "age=45", or "region=north:0.3,south:0.7". Error: GM009."""
        column, _, said = (part.strip() for part in text.partition("="))
        pairs = [part.rpartition(":") for part in said.split(",")]
        try:
            mean = float(said) if ":" not in said else None
            shares = () if mean is not None else tuple((label.strip(), float(share)) for label, _, share in pairs)
        except ValueError:
            raise UsageError(f"{text!r} is no shift", fix="age=45, or region=north:0.3,south:0.7") from None
        return Shift(column, mean, shares)

    @staticmethod
    def several(given: Any) -> tuple[Shift, ...]:
        """Shifts from a dictionary of means and of shares by label, or from texts. Error: GM009."""
        if isinstance(given, Mapping):
            return tuple(Shift._named(str(name), said) for name, said in given.items())
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list | tuple) or not all(isinstance(each, str | Shift) for each in texts):
            raise UsageError(f"shift={shorter(given)} names no column", fix="shift={'age': 45}")
        return tuple(each if isinstance(each, Shift) else Shift.of(each) for each in texts)

    @staticmethod
    def _named(name: str, said: Any) -> Shift:
        if isinstance(said, Mapping):
            return Shift(name, None, tuple((plain_label(label), float(share)) for label, share in said.items()))
        return Shift(name, float(said))

    def __post_init__(self) -> None:
        shares = [share for _, share in self.shares]
        if self.mean is not None and not math.isfinite(self.mean):
            raise UsageError(f"a mean of {self.mean} is no number", fix=f"{self.column}=45")
        if not all(0 < share < 1 for share in shares) or sum(shares) > 1 + 1e-9:
            raise UsageError(
                f"shares of {self.column} lie between 0 and 1, and add up to one at most",
                seen=self.said,
                fix="leave rows of a share of 0 out: --where",
            )
        if len({label for label, _ in self.shares}) < len(self.shares):
            raise UsageError(f"a label of {self.column} has two shares", seen=self.said, fix="name each label once")

    @property
    def said(self) -> str:
        """The mean, or the shares."""
        if self.mean is not None:
            return f"{self.mean:.15g}"
        return ",".join(f"{label}:{share:.15g}" for label, share in self.shares)

    def __str__(self) -> str:
        return f"{self.column}={self.said}"

    def gaps(self, values: Values) -> Floats:
        """What must be zero on average, one column a number that was given; cells that are missing say nothing."""
        known = ~missing(values)
        if self.mean is not None:
            self._refuse_out_of_reach(values[known])
            return np.where(known, values.astype(np.float64) - self.mean, 0.0)[:, None]
        labels = _labels(values)
        self._refuse_strange(sorted(set(labels[known].tolist())))
        return np.column_stack([np.where(known, (labels == label) - share, 0.0) for label, share in self.shares])

    def _refuse_out_of_reach(self, values: Values) -> None:
        if ColumnKind.of(values) is not ColumnKind.NUMBER:
            raise UsageError(
                f"column {self.column!r} holds {ColumnKind.of(values).value}s, which have no mean",
                fix=f"--shift {self.column}=LABEL:0.3,LABEL:0.7",
            )
        if not (len(values) and values.min() < self.mean < values.max()):
            seen = f"its values lie between {values.min():g} and {values.max():g}" if len(values) else "it has none"
            raise OutOfReach(
                f"no weights make {self.mean:g} the mean of {self.column}", seen=seen, fix="a mean between those"
            )

    def _refuse_strange(self, known: Sequence[str]) -> None:
        named = [label for label, _ in self.shares]
        for label in named:
            if label not in known:
                close = nearest(label, known)
                raise OutOfReach(
                    f"no row has {label!r} in {self.column}",
                    seen=f"it holds {listed(known)}",
                    fix=f"did you mean {close[0]!r}?" if close else "shares of labels that it holds",
                )
        left, others = 1 - sum(share for _, share in self.shares), set(known) - set(named)
        if bool(others) != (left > 1e-9):
            raise OutOfReach(
                f"the shares of {self.column} leave {max(left, 0.0):.3g} for {listed(sorted(others)) or 'no other label'}",
                seen=self.said,
                fix="shares of all labels that add up to one, or of some that leave something for the others",
            )


def _labels(values: Values) -> Values:
    return np.array([plain_label(value) for value in values.tolist()], dtype=object)


@dataclass(frozen=True)
class OtherPlace:
    """Where the rows are that one cares about: another share of yes, columns that are shifted, or a table of such rows."""

    prevalence: float | None = None
    shifts: tuple[Shift, ...] = ()
    like: Table | None = None

    def __post_init__(self) -> None:
        if self.prevalence is not None and not 0 < self.prevalence < 1:
            raise UsageError(
                f"a prevalence lies strictly between 0 and 1, not {self.prevalence:g}",
                fix="prevalence=0.1, the share of yes where the rows are that you care about",
            )
        if self.like is not None and (self.prevalence is not None or self.shifts):
            raise UsageError(
                "a table of such rows says itself how common they are", fix="leave prevalence and shift out, or like"
            )

    @property
    def asked(self) -> bool:
        """Whether the rows one cares about are others than those there are."""
        return self.prevalence is not None or bool(self.shifts) or self.like is not None

    def reweighed(
        self, rows: Table, names: Sequence[str], yes: Floats | None, weight: Floats | None, seed: int = 0
    ) -> Reweighed:
        """What each row counts for; ``names`` are the columns that may tell how alike rows are. Errors: GM009, GM280, GM281."""
        base = np.ones(len(rows)) if weight is None else weight
        if self.like is not None:
            return self._like(self.like, rows, names, base, seed)
        gaps = [shift.gaps(rows[shift.column]) for shift in self.shifts]
        if self.prevalence is not None:
            gaps.append(_of_yes(yes, self.prevalence))
        found = tilted(np.column_stack(gaps), base)
        if found is None:
            raise OutOfReach(
                f"no weights make the rows so: {self._aims}",
                seen=f"{len(rows):,} rows",
                fix="shifts that go with one another",
            )
        made = Reweighed(base * found, self._told(base, rows, yes))
        if made.effective_n < LEAST_EFFECTIVE:
            raise NotAlike(
                f"weighed so that {self._aims}, {len(rows):,} rows are worth {made.effective_n:.0f}",
                seen=f"{LEAST_EFFECTIVE} are asked for",
                fix="bring rows that are like those",
            )
        return made

    def _like(self, other: Table, rows: Table, names: Sequence[str], base: Floats, seed: int) -> Reweighed:
        here, there = compared(rows, other, [name for name in names if name in other.columns])
        if not here.columns:
            raise UsageError(
                f"{other.source} shares no column with the table by which rows are compared",
                seen=f"its columns are {listed(other.columns)}",
                fix="a table with the same columns",
            )
        found = base * factors(likeness(here, there, base, seed=seed), other.source)
        told = (
            f"rows count as such rows do among the {len(there):,} of {other.source}, by {listed(here.columns, most=6)}"
        )
        return Reweighed(found, told, len(there))

    @property
    def _aims(self) -> str:
        share = [] if self.prevalence is None else [f"{self.prevalence:.3g} of them are yes"]
        return " and ".join([*share, *map(str, self.shifts)])

    def _told(self, base: Floats, rows: Table, yes: Floats | None) -> str:
        parts = []
        if self.prevalence is not None and yes is not None:
            parts.append(f"{self.prevalence:.3g} are yes (here {np.average(yes, weights=base):.3g})")
        for shift in self.shifts:
            values = rows[shift.column]
            known = ~missing(values)
            if shift.mean is not None:
                here = np.average(values[known], weights=base[known])
                parts.append(f"the mean of {shift.column} is {shift.mean:.6g} (here {here:.6g})")
                continue
            labels = _labels(values)
            shares = [
                f"{label} {share:.3g} (here {np.average(labels[known] == label, weights=base[known]):.3g})"
                for label, share in shift.shares
            ]
            parts.append(f"{shift.column} is {listed(shares)}")
        return f"rows count as where {' and '.join(parts)}"


def _of_yes(yes: Floats | None, prevalence: float) -> Floats:
    if yes is None or not np.isin(yes, (0, 1)).all():
        raise UsageError(
            "a prevalence is a share of yes, and the target is not yes or no",
            fix="shares of its labels: --shift TARGET=LABEL:0.3,LABEL:0.7",
        )
    if (yes == yes[0]).all():
        raise OutOfReach(
            f"no weights make {prevalence:g} the share of yes",
            seen="all rows are alike",
            fix="bring rows of both kinds",
        )
    return np.asarray(yes, dtype=np.float64)[:, None] - prevalence


@strict_class
@dataclass(frozen=True)
class Reweighed(Displayed):
    """What each row counts for, so that together they are like the rows that one cares about.

    Attributes:
        weight: the weight of each row, (n,).
        told: what the rows are made like, in a sentence.
        there: how many rows there are of those, where a table of them was given; else None, as what was asked for is known
            exactly.

    Example:
        >>> import goodmeasure as gm
        >>> rows = {"paid": ["yes"] * 40 + ["no"] * 60}
        >>> print(gm.reweigh(rows, prevalence=0.1, target="paid", positive="yes"))
        rows count as where 0.1 are yes (here 0.4); 100 rows are worth 73
    """

    weight: Floats = field(repr=False)
    told: str
    there: int | None = None

    @property
    def effective_n(self) -> float:
        """How many rows that count alike tell as much."""
        return effective(self.weight, np.ones(len(self.weight)))

    @property
    def widening(self) -> float:
        """How much longer intervals are because the table of such rows is itself a sample: never too little.

        The mean loss there varies with the rows there at most as the mean of as many losses does.
        """
        return 1.0 if self.there is None else math.sqrt(1 + self.effective_n / self.there)

    def wide(self, found: Any) -> Any:
        """A result whose intervals are as long as weights from a sample of other rows ask for.

        Args:
            found: an estimate, or a record that holds some.

        Returns:
            The same; as it is where what was asked for is known exactly.
        """
        if self.widening == 1:
            return found
        return each_estimate(found, lambda one: widened(one, self.widening, WEIGHED))

    def __str__(self) -> str:
        return printable(f"{self.told}; {len(self.weight):,} rows are worth {self.effective_n:,.0f}")

    def to_dict(self) -> dict[str, Any]:
        """What was done as plain values, ready for JSON; the weights are not among them."""
        return {
            "told": self.told,
            "rows": len(self.weight),
            "effective_n": self.effective_n,
            "there": self.there,
            "widening": self.widening,
        }

    def _display(self) -> Display:
        rows = [(len(self.weight), self.effective_n, float(self.weight.max() / self.weight.mean()))]
        return Display(
            "Rows as they count elsewhere", columns_of(("rows", "effective_n", "heaviest"), rows), (str(self),)
        )


@strict_keywords
def reweigh(
    data: Any,
    *,
    prevalence: float | None = None,
    target: str | None = None,
    positive: Any = None,
    shift: Any = (),
    like: Any = None,
    weights: str | None = None,
    exclude: str | Sequence[str] = (),
    seed: int = 0,
) -> Reweighed:
    """Weigh the rows of a table so that together they are like the rows that you care about.

    Give the weights to `risk`, `compare`, `calibration` or `decide` as ``sample_weight``. They rest on an assumption each:
    with a prevalence, that rows of one label look alike in both places; else that rows which look alike turn out alike.

    Args:
        data: a path or a frame, as `run` takes it.
        prevalence: the share of yes there; as here unless given.
        target: the column of labels, for a prevalence.
        positive: the label that means yes; 1 unless given.
        shift: what columns are there, by name: a mean, or a dictionary of shares by label; as here unless given.
        like: a table of such rows, in place of the others: columns that both have tell how alike rows are.
        weights: the column that says how much each row counts here; all count alike unless given.
        exclude: columns that are not to tell how alike rows are.
        seed: for dealing rows to the folds of the classifier that tells the two tables apart.

    Returns:
        A `Reweighed`: the weights, (n,), and how many rows they are worth.

    Raises:
        GM006: a weight is negative or missing.
        GM009: nothing was asked for, or what was does not go together.
        GM201: there is no such file.
        GM203: a column is missing.
        GM280: no weights make the rows so.
        GM281: the rows here are too unlike those of ``like``.

    Source:
        Shimodaira 2000, Improving predictive inference under covariate shift; Hainmueller 2012, Entropy balancing for
        causal effects; Elkan 2001, The foundations of cost-sensitive learning.

    Example:
        >>> import goodmeasure as gm
        >>> rows = {"y": [0, 1] * 50, "p": [0.2, 0.7] * 50, "old": [0, 0, 1, 1] * 25}
        >>> found = gm.reweigh(rows, shift={"old": 0.8})
        >>> round(found.effective_n, 1)
        73.5
        >>> brier = gm.losses.binary_brier()
        >>> print(gm.risk(brier, rows["y"], prediction=rows["p"], sample_weight=found.weight))
        0.065 [0.05915, 0.07085] · n=100
    """
    rows = as_table(data)
    where = OtherPlace(prevalence, Shift.several(shift), None if like is None else as_table(like))
    if not where.asked:
        raise UsageError("reweigh was told of no other place", fix="prevalence=0.1, shift={'age': 45} or like=TABLE")
    yes = None if target is None else _yes_in(rows, target, positive)
    left_out = names_of(exclude, "reweigh")
    names = [name for name in rows.columns if name not in (target, weights, *left_out)]
    return where.reweighed(rows, names, yes, weights_in(rows, weights), seed)


def as_table(data: Any) -> Table:
    """The table behind a path or a frame."""
    return read(data) if isinstance(data, str | PathLike) else table(data)


def _yes_in(rows: Table, target: str, positive: Any) -> Floats:
    """1 where the target is yes. Error: GM009 where that is not known."""
    values = rows[target]
    if positive is None:
        if ColumnKind.of(values) is not ColumnKind.NUMBER:
            raise UsageError(f"{target} holds labels: which means yes?", fix=f"positive={_labels(values)[0]!r}")
        return values
    found = _labels(values) == plain_label(positive)
    if not found.any():
        raise OutOfReach(
            f"no row of {target} is {positive!r}",
            seen=f"it holds {listed(sorted(set(_labels(values))))}",
            fix="another label",
        )
    return np.asarray(found, dtype=np.float64)
