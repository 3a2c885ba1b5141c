"""All rows of the files of a study, where an engine reads them: its linear model is fitted to them, and not to a sample.

What is chosen (the loss, the encoding, the strength of the penalty, thresholds) is chosen on the rows that are in memory, and
the rows to report are among these; each shard of the others is coded where it is read, and sends sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.choosing.plan import Plan
from goodmeasure.deriving.arguments import check_targets
from goodmeasure.engines.shard import CLUSTERS, ENGINES, HERE, Partition, Shard, Shards
from goodmeasure.engines.summed_fits import Row, files_by, fit_rows, smooth
from goodmeasure.errors import UsageError, shorter
from goodmeasure.fitting.plain import PlainFit
from goodmeasure.fitting.scorers import LinearScorer
from goodmeasure.making.loss import Loss
from goodmeasure.reading.files import Reread
from goodmeasure.reading.footers import without_names
from goodmeasure.reading.tables import Table, UnreadableTable, Values, missing
from goodmeasure.statistics.row_arguments import Floats, OutOfRange
from goodmeasure.statistics.weights import MOST_WEIGHT, are_tame, check_weights
from goodmeasure.study.cases import Cases, Prepared, as_target, coded
from goodmeasure.study.encoding import Encoding
from goodmeasure.study.question import Question
from goodmeasure.study.rare import Rare
from goodmeasure.study.respelling import as_known

# Rows that are coded at a time: their matrix stays near the core that sums it.
_ROWS = 1 << 14
SMOOTH = "--loss log_cosh or another smooth loss; or leave --engine out"


class Engine(NamedTuple):
    """Who reads all rows of the files of a study, and where its cluster is: the program's own, or one on this machine."""

    name: str
    scheduler: str | None = None

    @staticmethod
    def of(name: Any, scheduler: Any) -> Engine | None:
        """The engine that was named; None where none was. Error: GM009."""
        if name is not None and (not isinstance(name, str) or name not in ENGINES):
            raise UsageError(f"engine={shorter(name)}", fix=f"engine={' or '.join(map(repr, ENGINES))}")
        if scheduler is not None and (name in (None, HERE) or not isinstance(scheduler, str)):
            raise UsageError(
                f"--scheduler goes with --engine {' or '.join(CLUSTERS)}",
                seen=shorter(scheduler),
                fix="--engine dask --scheduler tcp://host:8786",
            )
        return None if name is None else Engine(name, scheduler)

    def refuse(self, data: Any, questions: Sequence[Question]) -> None:
        """Refuse what is not fitted to all rows of files. Error: GM009."""
        if not isinstance(data, str | PathLike):
            raise UsageError(
                f"--engine {self.name} reads files, and the table is one in memory",
                fix="leave engine= out, or give a path or a pattern: gm.run('data/*.parquet', ...)",
            )
        if str(data) == "-" or Path(data).is_fifo():
            raise UsageError(
                f"--engine {self.name} reads all rows again and again, and {data} is read once",
                fix="write the table to a file, or leave --engine out",
            )
        for question in questions:
            why, instead = _not_at_large(question)
            if why:
                raise UsageError(f"--engine {self.name} {why}", fix=f"{instead}; or leave --engine out")


def _not_at_large(question: Question) -> tuple[str, str]:
    """Why a question is not answered by a model of all rows, and what could be asked; empty where it is."""
    if question.model != "linear":
        return f"fits linear models to all rows; {question.model} is trained on those in memory", "--model linear"
    if question.floors:
        return (
            "fits the model again after the rows to tune have chosen, and a floor is promised of the model that they saw",
            "leave --floor out",
        )
    if question.exposure is not None:
        return "knows no exposure", "leave --exposure out"
    if (question.prevalence, question.shift, question.like) != (None, (), None):
        return (
            "weighs rows as they are, and not as those of another place",
            "leave --prevalence, --shift and --like out",
        )
    return "", ""


class AllRows(NamedTuple):
    """All rows of the files behind a table, and who reads them; ``is_whole`` says that the rows to report are in other files."""

    engine: Engine
    table: Table
    where: str | None
    is_whole: bool

    def refuse_kinks(self, loss: Loss, given: Prepared) -> None:
        """Refuse a loss that is not smooth, before anything is trained. Error: GM009."""
        some = given.fit.y[:500]
        outputs = int(given.fit.y.max()) + 1 if loss.is_classwise else len(loss.activation)
        smooth(loss, some, outputs, fix=SMOOTH)

    def fit(
        self,
        given: Prepared,
        question: Question,
        loss: Loss,
        encoding: Encoding,
        cases: Cases,
        alpha: float,
        ratio: float,
    ) -> tuple[PlainFit, int]:
        """The linear model of all rows that may teach it, of which the cases are in memory, and how many these are.

        Errors: GM725, GM726, and those of rows.
        """
        self.refuse_kinks(loss, given)
        reread = Reread.of(self.table.source, self.table, self.where, question.weights)
        kept = None if self.is_whole or given.split.deals else Reported.of(given, question)
        rows = CodedRows(loss, encoding, reread, question, given.plan, given.rare, kept, {}, ratio)
        with files_by(self.table.source, *self.engine) as shards:
            found = fit_rows(shards, replace(rows, out=self._out(shards, reread, cases)), alpha)
        scorer = LinearScorer(found.slopes.T, found.constants)
        return PlainFit(scorer, found.certificate, ()), found.rows

    def _out(self, shards: Shards, reread: Reread, taught: Cases) -> dict[str, NDArray[np.intp]]:
        """By file the places of the rows that are in memory and do not teach. Error: GM202 where files have changed."""
        counts = shards.map(_counted, reread)
        if sum(counts) != self.table.rows_in_source:
            raise UnreadableTable(
                f"{self.table.source} has changed while it was read",
                seen=f"{self.table.rows_in_source:,} rows, and then {sum(counts):,}",
                fix="run again when nothing writes to it",
            )
        out = np.setdiff1d(_places(self.table), _places(taught.table))
        ends = np.cumsum(counts)
        parts = np.split(out, np.searchsorted(out, ends[:-1]))
        return {name: part - (end - n) for name, part, end, n in zip(reread.names, parts, ends, counts, strict=True)}


def _counted(shard: Shard, reread: Reread) -> int:
    return reread.count(_file(shard))


def _file(shard: Shard) -> str:
    assert not isinstance(shard, Partition), "a study reads files"
    return shard


def _places(table: Table) -> Values:
    if table.places is None:
        assert len(table) == table.rows_in_source, "rows that were left out leave the places of the others"
        return np.arange(len(table))
    return table.places


@dataclass(frozen=True)
class Reported:
    """What rows that were not in memory must not have, so that the reported ones stay unseen: their groups, and their times."""

    groups: frozenset[Any] = frozenset()
    since: Any = None

    @staticmethod
    def of(given: Prepared, question: Question) -> Reported:
        """Of the rows to report."""
        report = given.report
        groups = () if question.group is None else report.table[question.group].tolist()
        since = None if report.when is None else report.when.min()
        return Reported(frozenset(each for each in groups if each is not None and each == each), since)

    def apart(self, table: Table, question: Question) -> NDArray[np.bool_]:
        """Which rows of a table have neither. A row without a time is of no known one."""
        free = np.ones(len(table), dtype=bool)
        if self.since is not None:
            free &= table[str(question.time)] < self.since
        if self.groups:
            free &= np.array([each not in self.groups for each in table[str(question.group)].tolist()], dtype=bool)
        return free


@dataclass(frozen=True)
class CodedRows:
    """Rows of a file as the numbers that a linear model takes, as `goodmeasure.study.cases` makes them of a table."""

    loss: Loss
    encoding: Encoding
    reread: Reread
    question: Question
    plan: Plan
    rare: Rare | None
    reported: Reported | None
    out: Mapping[str, NDArray[np.intp]]
    ratio: float

    @property
    def width(self) -> int:
        return len(self.encoding.names)

    @property
    def intercept(self) -> bool:
        return True

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        asked, reported = self.question, self.reported
        beside = (None, None) if reported is None else (asked.group, asked.time)
        named = (*self.encoding.features, asked.target, asked.weights, *beside)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    def of(self, shard: Shard) -> Iterator[Row]:
        """The rows of a file that teach, coded. Errors: those of rows."""
        name = _file(shard)
        for part in self.reread.parts(name, self._columns, _ROWS):
            taught = self._counting(part, self.out[name])
            if len(taught):
                cases = self._cases(taught)
                if len(cases):
                    yield self.encoding(cases.table), self._targets(cases.y), self._weights(cases)

    def _counting(self, part: Table, out: NDArray[np.intp]) -> Table:
        """The rows that teach: of those that were not in memory, the ones apart from reported rows."""
        low, high = np.searchsorted(out, [_places(part)[0], _places(part)[-1] + 1])
        keep = ~np.isin(_places(part), out[low:high]) & ~missing(part[self.question.target])
        if self.reported is not None:
            keep &= self.reported.apart(part, self.question)
        if self.question.weights is not None:
            weight = part[self.question.weights]
            check_weights(weight)
            keep &= weight > 0
        return without_names(part.take(keep))[0] if keep.any() else part.take(keep)

    def _cases(self, part: Table) -> Cases:
        target, labels = self.question.target, self.plan.labels
        if labels and part[target].dtype == object:
            columns = {**part.columns, target: as_known(part[target], map(str, labels))}
            part = replace(part, columns=columns)
        part = part if self.rare is None else self.rare.applied(part)[0]
        # Whether texts are numbers was told from all of them.
        texts = any(isinstance(label, str) for label in labels)
        raw = part[target] if texts else as_target(part, target)
        weight = None if self.question.weights is None else part[self.question.weights]
        return Cases(part, coded(raw, self.plan), weight)

    def _targets(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.loss.is_classwise:
            return y.astype(np.intp)
        targets = y.astype(np.float64)
        check_targets(targets, targets, self.loss.target, None, self.loss)
        return targets

    def _weights(self, cases: Cases) -> Floats:
        if not are_tame(cases.weights):
            raise OutOfRange(
                f"weights of rows that are read in parts lie between {1 / MOST_WEIGHT:g} and {MOST_WEIGHT:g}",
                where=f"column {self.question.weights!r}",
                seen=f"weights from {cases.weights.min():g} to {cases.weights.max():g}",
                fix="divide the column by its mean",
            )
        return cases.weights * np.where(cases.y == 1, self.ratio, 1.0)
