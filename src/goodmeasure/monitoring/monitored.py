"""What may be said of later rows beside those that a model was made for: words that are false as rarely as the level says."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goodmeasure.drawing.display import Display, columns_of
from goodmeasure.drawing.displayed import Displayed
from goodmeasure.drawing.plain_values import plain_values
from goodmeasure.monitoring.counts import Counts
from goodmeasure.statistics.anytime import share_sequence
from goodmeasure.statistics.estimate import Difference, Estimate, within
from goodmeasure.statistics.intervals import clopper_pearson, confidence_sequence, normal_quantile
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.study.seen import Distribution, SeenRows
from goodmeasure.study.verdict import interval, number

# With fewer rows whose target is known, no interval of their mean loss is given.
LEAST_LABELLED = 30
ANYWHERE = (-math.inf, math.inf)


@dataclass(frozen=True)
class MarkShare:
    """The share of rows with one mark of a column, later and at the fit, each with its interval.

    All intervals of a monitor hold together, those of later rows at any time.
    """

    name: str
    later: tuple[float, float, float]
    fitted: tuple[float, float, float]

    @property
    def moved(self) -> bool:
        """Whether the two surely differ: their intervals do not meet."""
        return self.later[1] > self.fitted[2] or self.later[2] < self.fitted[1]

    @property
    def apart(self) -> float:
        """How far the intervals are from one another; below zero where they meet."""
        return max(self.later[1] - self.fitted[2], self.fitted[1] - self.later[2])

    def __str__(self) -> str:
        now, then = (f"{share:.1%} [{low:.1%}, {high:.1%}]" for share, low, high in (self.later, self.fitted))
        return f"{self.name} in {now}, at the fit {then}"


@dataclass(frozen=True)
class LaterColumn:
    """A column of later rows beside the same one at the fit.

    Attributes:
        name: the column, or "what it predicts".
        marks: the shares of rows with each mark, later and at the fit, the one that moved farthest first.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> model = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").model
        >>> gm.monitor(model, {"hours": [h % 4 for h in hours]}).columns[0].verdict
        'moved'
    """

    name: str
    marks: tuple[MarkShare, ...]

    @property
    def verdict(self) -> str:
        """Whether the column surely is distributed otherwise."""
        return "moved" if self.marks[0].moved else "not shown to have moved"

    @property
    def sentence(self) -> str:
        """The verdict, with what moved farthest."""
        return f"{self.name} {self.verdict}: {self.marks[0]}"

    def to_dict(self) -> dict[str, Any]:
        """The column as plain values, ready for JSON."""
        names = ("share", "low", "high")
        marks = [
            {
                "mark": mark.name,
                "later": dict(zip(names, mark.later, strict=True)),
                "fitted": dict(zip(names, mark.fitted, strict=True)),
            }
            for mark in self.marks
        ]
        return {"column": self.name, "verdict": self.verdict, "marks": marks}


@dataclass(frozen=True)
class Monitored(Displayed):
    """Later rows of a model beside those it was made for.

    Attributes:
        columns: each column beside the same one at the fit.
        predictions: what the model says of the rows, beside what it said of those that judged it.
        expected: what the rows are to cost a row on average, by what predictions like theirs cost before.
        risk: what the rows cost whose target is known, with an interval that holds at any time; None of few such rows.
        versus: that minus what was reported; None of few such rows.
        reported: the mean loss that was reported of the model.
        rows: how many later rows there are.
        labelled: of how many of them the target is known.
        files: the files that were counted.
        counts: what was counted, to be added to.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> model = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes").model
        >>> found = gm.monitor(model, {"hours": [h % 4 for h in hours]})
        >>> found.word
        'moved'
        >>> print(found.columns[0].sentence)
        hours moved: at most 3 in 100.0% [95.9%, 100.0%], at the fit 33.3% [23.9%, 43.8%]
    """

    columns: tuple[LaterColumn, ...]
    predictions: LaterColumn
    expected: Estimate
    risk: Estimate | None
    versus: Difference | None
    reported: Estimate
    rows: int
    labelled: int
    files: tuple[str, ...]
    counts: Counts = field(repr=False)

    @property
    def moved(self) -> tuple[LaterColumn, ...]:
        """The columns that surely moved, and the predictions if they did."""
        return tuple(one for one in (*self.columns, self.predictions) if one.verdict == "moved")

    @property
    def word(self) -> str:
        """What is shown: that the model costs more ("worse"), that something "moved", or nothing."""
        if self.versus is not None and self.versus.verdict == "worse":
            return "worse"
        return "moved" if self.moved else "no change shown"

    @property
    def sentences(self) -> tuple[str, ...]:
        """What may be said of the columns, the predictions, what they are to cost, and what they cost."""
        moved = [one for one in self.columns if one.verdict == "moved"]
        count = f"{len(moved)} of {len(self.columns)} columns moved" if moved else "no column is shown to have moved"
        return (
            "; ".join([count, *(one.sentence for one in moved)]),
            self.predictions.sentence,
            f"by their predictions they are to cost {number(self.expected.value)} {interval(self.expected)} a row; reported was "
            f"{number(self.reported.value)} {interval(self.reported)}",
            self._cost,
        )

    @property
    def _cost(self) -> str:
        if self.risk is None or self.versus is None:
            return (
                f"of {later(self.labelled)} the target is known: {LEAST_LABELLED} are asked for, to say what they cost"
            )
        head = f"{self.labelled:,} rows with a target cost {number(self.risk.value)} {interval(self.risk)} a row"
        if self.versus.verdict in ("worse", "better"):
            low, high = sorted((abs(self.versus.low), abs(self.versus.high)))
            size = f"{number(abs(self.versus.value))} [{number(low)}, {number(high)}]"
            return f"{head}: {self.versus.verdict} than reported, by {size}"
        return f"{head}: {self.versus.verdict}"

    def __str__(self) -> str:
        return "\n".join([f"{self.word}: {later(self.rows)}", *self.sentences])

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON."""
        found: dict[str, Any] = plain_values(
            {
                "format": "goodmeasure record of later rows",
                "version": 1,
                "word": self.word,
                "sentences": list(self.sentences),
                "rows": self.rows,
                "labelled": self.labelled,
                "files": list(self.files),
                "columns": [one.to_dict() for one in self.columns],
                "predictions": self.predictions.to_dict(),
                "expected": self.expected.to_dict(),
                "risk": None if self.risk is None else self.risk.to_dict(),
                "versus": None if self.versus is None else self.versus.to_dict(),
                "reported": self.reported.to_dict(),
            }
        )
        return found

    def _display(self) -> Display:
        each = (*self.columns, self.predictions)
        rows = [
            (one.name, one.verdict, one.marks[0].name, one.marks[0].later[0], one.marks[0].fitted[0]) for one in each
        ]
        return Display(
            str(self.word), columns_of(("column", "verdict", "mark", "later", "fitted"), rows), self.sentences
        )


def judged(seen: SeenRows, counts: Counts, level: float, limits: tuple[float, float] = ANYWHERE) -> Monitored:
    """What the counts of later rows say, by intervals that together hold as often as ``level`` says.

    ``limits`` are the ends beyond which no mean of the loss lies.
    """
    error = 1 - level
    marks = sum(1 + len(one.shares) for one in (*seen.columns.values(), seen.predictions))
    each = error / (2 * marks)
    columns = tuple(_column(name, one, counts.columns[name], counts.rows, each) for name, one in seen.columns.items())
    risk = _risk(seen, counts, level)
    reported = Estimate(
        seen.loss, seen.low, seen.high, round(sum(seen.costing.rows)), sum(seen.costing.rows), "as reported", seen.level
    )
    return Monitored(
        columns,
        _column("what it predicts", seen.predictions, counts.predictions, counts.rows, each),
        within(_expected(seen, counts, level), *limits),
        None if risk is None else within(risk, *limits),
        None if risk is None else _versus(seen, counts, level),
        reported,
        counts.rows,
        counts.labelled,
        tuple(shard.name for shard in counts.shards),
        counts,
    )


def _column(name: str, fitted: Distribution, hits: Floats, rows: int, error: float) -> LaterColumn:
    """A column by its marks; each of the two intervals of one mark is wrong as rarely as ``error`` says."""
    shares = fitted.all_shares
    then = clopper_pearson(shares * fitted.rows, np.full(len(shares), fitted.rows), 1 - error)
    now = share_sequence(hits, rows, error)
    marks = [
        MarkShare(each, (hit / rows, low, high), (share, at_least, at_most))
        for each, hit, low, high, share, at_least, at_most in zip(fitted.names, hits, *now, shares, *then, strict=True)
    ]
    return LaterColumn(name, tuple(sorted(marks, key=_nearness)))


def _nearness(mark: MarkShare) -> tuple[bool, float]:
    """Marks that surely moved come first, those farthest apart before others."""
    return not mark.moved, -mark.apart if mark.moved else -abs(mark.later[0] - mark.fitted[0])


def _expected(seen: SeenRows, counts: Counts, level: float) -> Estimate:
    """What rows are to cost: by their own probabilities, and what rows of such predictions cost beyond that before.

    The interval holds what these rows cost on average once their targets are known, if rows that are predicted alike cost
    alike: it knows how few rows told it, and that targets fall by chance.
    """
    n, share = counts.rows, counts.bins / counts.rows
    excess, variance, rows = (
        np.array(column) for column in (seen.costing.excess, seen.costing.variance, seen.costing.rows)
    )
    value = counts.expected / n + float(share @ excess)
    error = math.sqrt(float((share**2 / rows) @ variance + share @ variance / n))
    half = normal_quantile(level) * error
    return Estimate(
        value,
        value - half,
        value + half,
        n,
        float(n),
        "by what such predictions cost before",
        level,
        standard_error=error,
    )


def _moments(seen: SeenRows, counts: Counts) -> tuple[float, float]:
    """The mean loss and the variance of one loss, which is at least that of the reported rows.

    Where dear mistakes are rare, the first later rows may hold none of them, and would seem to vary next to nothing.
    """
    n = counts.labelled
    mean = counts.total / n
    error = (seen.high - seen.low) / (2 * normal_quantile(seen.level))
    return mean, max(max(counts.squares - n * mean**2, 0.0) / (n - 1), error**2 * sum(seen.costing.rows))


def _risk(seen: SeenRows, counts: Counts, level: float) -> Estimate | None:
    """The mean loss of rows whose target is known, with an interval that holds at any time; None of too few."""
    n = counts.labelled
    if n < LEAST_LABELLED:
        return None
    if counts.infinite:
        return Estimate(math.inf, -math.inf, math.inf, n, float(n), "some rows cost infinity", level)
    mean, variance = _moments(seen, counts)
    low, high = confidence_sequence(mean, variance, n, level)
    return Estimate(mean, low, high, n, float(n), "at any time", level, standard_error=math.sqrt(variance / n))


def _versus(seen: SeenRows, counts: Counts, level: float) -> Difference:
    """What later rows cost more than was reported: half of the error is for each of the two."""
    half = 1 - (1 - level) / 2
    risk = _risk(seen, counts, half)
    assert risk is not None
    wider = normal_quantile(half) / normal_quantile(seen.level)
    least, most = seen.loss - wider * (seen.loss - seen.low), seen.loss + wider * (seen.high - seen.loss)
    return Difference(
        risk.value - seen.loss,
        risk.low - most,
        risk.high - least,
        risk.n,
        risk.effective_n,
        "unpaired, at any time",
        level,
        standard_error=risk.standard_error,
    )


def later(rows: int) -> str:
    """So many later rows, in words."""
    return f"{rows:,} later {'row' if rows == 1 else 'rows'}"


def lines(found: Monitored) -> Iterator[tuple[str, str]]:
    """What a terminal prints: a label and a sentence each."""
    yield from zip(("inputs", "predictions", "expected", "risk"), found.sentences, strict=True)
    yield "verdict", found.word
