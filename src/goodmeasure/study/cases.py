"""From a table to cases: coded targets, weights, exposures, features, and the three kinds of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from goodmeasure.choosing.affirming import affirmative
from goodmeasure.choosing.functionals import refuse_another
from goodmeasure.choosing.observed import InOrder, read_as_numbers
from goodmeasure.choosing.overruling import with_loss
from goodmeasure.choosing.plan import Plan
from goodmeasure.decisions.costs import Costs
from goodmeasure.errors import Problem, UsageError
from goodmeasure.making.loss import Loss
from goodmeasure.reading.conditions import only_where
from goodmeasure.reading.moments import refuse_texts
from goodmeasure.reading.remarks import Remark
from goodmeasure.reading.rows_read import RowsRead
from goodmeasure.reading.sql import quoted, sql
from goodmeasure.reading.tables import ColumnKind, Table, Values, listed, missing
from goodmeasure.statistics.row_arguments import Floats, UnknownLabel
from goodmeasure.statistics.texts import factorised
from goodmeasure.study.columns import Columns, finite, usable
from goodmeasure.study.counting import checked, counting, in_table, weights_in
from goodmeasure.study.elsewhere import OtherPlace, Reweighed
from goodmeasure.study.label_costs import planned
from goodmeasure.study.likeness import told_apart
from goodmeasure.study.question import Question
from goodmeasure.study.rare import Rare, rare_in, ways_out
from goodmeasure.study.respelling import as_known, one_spelling
from goodmeasure.study.shared import shared_rows
from goodmeasure.study.spikes import codes_for_missing
from goodmeasure.study.split import FIT_AND_TUNE, SHARES, Split, check, few, folded, split

Together = NDArray[np.intp]
# How often rows are dealt to folds: trees and networks take long to train.
REPEATS, REPEATS_OF_SLOW = 3, 1


class GuessedYes(Remark):
    """Which of two labels means yes was not said, and neither is a word that is known to mean it.

    The later label in order was taken. The model is as good either way round; its probabilities are those of that label.
    """

    code = "GM244"


class ReportedBeforeFitted(Remark):
    """Rows of the table to report are not later than those that were fitted, so the report does not tell how the future goes.

    Rows in order of time are meant to be judged by what comes after them. Bring a table to report that begins where the other
    ends.
    """

    code = "GM248"
    severity = "warning"


class BadExposure(Problem, ValueError):
    """An exposure says how much of something (time, area, sums insured) a count or amount belongs to: it is above zero."""

    code = "GM241"


class NoTimeInRow(Problem, ValueError):
    """A row has no time, so it has no place in the order of time; or no group, so nothing says what it belongs with."""

    code = "GM242"


@dataclass(frozen=True)
class Cases:
    """Rows with everything that is needed to learn from them and to judge: ``y`` is coded as the loss takes it.

    ``together`` is the code of each row's group, where groups were named; ``when`` its time; ``costs`` what mistakes cost in it,
    where that is not the same in all.
    """

    table: Table
    y: NDArray[Any]
    weight: Floats | None = None
    exposure: Floats | None = None
    together: Values | None = None
    when: Values | None = None
    costs: Costs | None = None

    def __len__(self) -> int:
        return len(self.y)

    def take(self, rows: NDArray[Any]) -> Cases:
        """These rows."""
        parts = (self.weight, self.exposure, self.together, self.when)
        costs = None if self.costs is None else self.costs.of_rows(np.arange(len(self))[rows], len(self))
        taken = Cases(self.table.take(rows), self.y[rows], *(None if p is None else p[rows] for p in parts))
        return replace(taken, costs=costs)

    @property
    def weights(self) -> Floats:
        """The weight of each row: one where none are given."""
        return np.ones(len(self)) if self.weight is None else self.weight

    @property
    def events(self) -> int:
        """How many rows have any label but the most common one: of yes and no, the rarer."""
        return len(self) - int(np.unique(self.y, return_counts=True)[1].max())

    @property
    def dependence(self) -> dict[str, Values]:
        """What `risk` must know of rows that go together: groups, or else times."""
        if self.together is not None:
            return {"cluster": self.together}
        return {} if self.when is None else {"time": self.when}


@dataclass(frozen=True)
class Prepared:
    """The plan, the columns, and the cases to fit, to tune and to report.

    ``fitted`` are those that the model which is handed over is fitted to, when all is chosen. ``reweighed`` says how the
    rows to report are weighed, where those one cares about are others; else None. ``rare`` are the classes that were put
    together or left out, if some were.
    """

    plan: Plan
    columns: Columns
    split: Split
    fit: Cases
    tune: Cases
    report: Cases
    fitted: Cases
    remarks: tuple[Remark, ...]
    rows: RowsRead
    reweighed: Reweighed | None = None
    rare: Rare | None = None


def prepared(
    table: Table,
    question: Question,
    test: Table | None = None,
    like: Table | None = None,
    trained: Sequence[Loss | None] = (None,),
) -> Prepared:
    """The cases of a table for a question; with a test table, its rows are the ones to report, and rows
    weigh as those that the question cares about, of which ``like`` may be a table. Targets are such as each of the losses takes
    that are ``trained``, where None is the one that is chosen.

    Errors: GM203 for names, GM220 where three parts cannot be made, GM231 where no feature is left, GM240 to GM242, those
    of `choose` for the target.
    """
    question.checked(table)
    if test is not None and question.protocol == "folds":
        raise UsageError("a table of its own is reported, so no folds are made", fix="leave out --protocol folds")
    rows = _counting(table, question)
    table, question = rows.table, rows.question
    found = _split(rows.target, table, question, rows.plan, own_report=test is None)
    read = rows.read.without(len(table) - _placed(found), "of groups in an earlier part")
    plan = _planned(rows, found)
    columns = usable(table, question, found.fit)
    cases = _cases(table, question, plan, trained)
    if test is None:
        reported = _held_out(cases, found, (*columns.features, question.target))
    else:
        others = _test_cases(test, question, plan, columns, rows.rare, trained)
        reported = _of_its_own(*others, cases, found, question, columns, test.source)
    remarks = [
        *table.remarks,
        *rows.counted,
        *_guessed(plan, question),
        *rows.respelled,
        *rows.gathered,
        *found.remarks,
        *columns.remarks,
        *codes_for_missing(table, columns.features, question.target),
        *reported.remarks,
    ]
    report, found, counts = reported.cases, reported.split, None
    where = OtherPlace(question.prevalence, question.shift, like)
    if where.asked:
        weighing = _Weighing(columns.features, plan, question.seed)
        cases, report, counts = _counting_as(where, cases, report, found, weighing)
        found = replace(found, wider=counts.widening)
    fit, tune = cases.take(found.fit), cases.take(found.tune)
    handed = report if found.deals else _fitted(cases, fit, found, question)
    return Prepared(plan, columns, found, fit, tune, report, handed, tuple(remarks), read, counts, rows.rare)


class _Counting(NamedTuple):
    """The rows that count, each label spelled in one way, with the question as rare classes leave it, and what is said of them.

    ``plan`` is that of all rows.
    """

    table: Table
    question: Question
    target: Values
    plan: Plan
    rare: Rare | None
    read: RowsRead
    counted: Sequence[Remark]
    respelled: Sequence[Remark]
    gathered: Sequence[Remark]


def _counting(table: Table, question: Question) -> _Counting:
    counted = counting(table, question.target, question.weights)
    kept = (*question.roles.values(), *question.cost_columns)
    table, infinite = finite(counted.table, [n for n in table.columns if n not in kept])
    table, alike = one_spelling(table, [n for n in table.columns if n not in (*question.exclude, question.group)])
    target = as_target(table, question.target)
    plan = _chosen(target, table, question)
    rare = _rare(target, plan, question)
    gathered: Sequence[Remark] = ()
    if rare is not None:
        table, gathered = rare.applied(table)
        target = as_target(table, question.target)
        question = replace(question, represents=rare.left_of(question.represents, ordered=plan.loss.is_graded))
        plan = _chosen(target, table, question)
    read = counted.rows.without(len(counted.table) - len(table), "of rare classes")
    return _Counting(table, question, target, plan, rare, read, counted.remarks, (*infinite, *alike), gathered)


def _rare(target: Values, plan: Plan, question: Question) -> Rare | None:
    """The classes that are put together or left out, where that is asked and some are rare."""
    if not question.rare_classes or len(plan.labels) < 3:
        return None
    return rare_in(target, question.target, question.rare_classes, ordered=plan.loss.is_graded)


def _planned(rows: _Counting, found: Split) -> Plan:
    """The plan of the rows to fit, which know as little of the others as they can: the labels, and what the target means."""
    plan = _chosen(rows.target[found.fit], rows.table.take(found.fit), rows.question)
    alike = plan.labels == rows.plan.labels and plan.meaning == rows.plan.meaning
    plan = plan if alike else rows.plan
    return replace(plan, notes=(*plan.notes, *(remark.what for remark in rows.gathered)))


def _placed(found: Split) -> int:
    """How many rows have a place in a part."""
    return len(np.unique(np.concatenate(list(found.parts.values()))))


class _Reported(NamedTuple):
    """The rows to report, the split as they make it, and what is said of them."""

    cases: Cases
    split: Split
    remarks: Sequence[Remark]


def _held_out(cases: Cases, found: Split, compared: Sequence[str]) -> _Reported:
    """Rows of the table itself."""
    return _Reported(cases.take(found.report), found, shared_rows((cases.table,), compared, found))


def _of_its_own(
    report: Cases,
    remarks: Sequence[Remark],
    cases: Cases,
    found: Split,
    question: Question,
    columns: Columns,
    source: str,
) -> _Reported:
    """Rows of a table that is used for nothing else."""
    n = len(cases)
    joined = replace(found, report=np.arange(n, n + len(report)))
    compared = (*columns.features, question.target)
    said = [
        *remarks,
        *_too_early(cases, report, question, source),
        *shared_rows((cases.table, report.table), compared, joined),
        *(() if cases.dependence else told_apart(cases.table, report.table, columns.features)),
    ]
    return _Reported(report, replace(joined, how=f"{found.how}; rows to report from {source}"), said)


def _fitted(cases: Cases, fit: Cases, found: Split, question: Question) -> Cases:
    """The rows that teach the model which is handed over, where others are held out: those to fit and to tune.

    What a floor promises is promised of the scores that chose its threshold, so that their model stays as it is.
    """
    return fit if question.floors else cases.take(np.sort(np.concatenate([found.fit, found.tune])))


# --- rows that count as elsewhere ---


@dataclass(frozen=True)
class _Weighing:
    """What must be known to weigh rows: the columns that may tell how alike they are, the labels, and a seed."""

    features: tuple[str, ...]
    plan: Plan
    seed: int

    def __call__(self, where: OtherPlace, cases: Cases) -> Reweighed:
        yes = cases.y.astype(np.float64) if len(self.plan.labels) == 2 else None
        return where.reweighed(cases.table, self.features, yes, cases.weight, self.seed)


def _counting_as(
    where: OtherPlace, cases: Cases, report: Cases, split: Split, weighing: _Weighing
) -> tuple[Cases, Cases, Reweighed]:
    """The cases and those to report, each row weighed as such rows occur elsewhere.

    Rows to report are weighed by themselves: where they are later ones, or of another table, they are not like the others.
    """
    if split.deals:
        found = weighing(where, cases)
        return replace(cases, weight=found.weight), replace(report, weight=found.weight), found
    learned, weight = np.concatenate([split.fit, split.tune]), cases.weights.copy()
    weight[learned] = weighing(where, cases.take(learned)).weight
    found = weighing(where, report)
    return replace(cases, weight=weight), replace(report, weight=found.weight), found


# --- the target ---


def as_target(table: Table, name: str) -> Values:
    """A target column as `choose` reads it: texts that all are numbers as such, unless an order makes them labels, and whole
    numbers as integers."""
    values = table[name]
    if name in table.orders:
        return values
    if values.dtype.kind == "O" and not np.isnan(read := read_as_numbers(values)).any():
        values = read
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.round(values)).all():
        return values.astype(np.int64) if np.abs(values).max(initial=0) < 2**53 else values
    return values


def _chosen(raw: Values, table: Table, question: Question) -> Plan:
    given = question.activation
    if question.loss is not None:
        refuse_another(question.ask, question.loss)
    with in_table(table):
        plan = planned(
            InOrder(raw, table.orders[question.target]) if question.target in table.orders else raw,
            question.costs_of(table) or question.costs,
            question.positive,
            ask=question.ask,
            represents=question.represents,
            activation=given if question.loss is None else None,
            outliers=question.outliers,
            sample_weight=weights_in(table, question.weights),
            name=question.target,
        )
    if question.loss is None:
        return plan
    return with_loss(plan, question.loss if given is None else question.loss.with_activation(given))


def coded(raw: Values, plan: Plan) -> NDArray[Any]:
    """The target as the loss takes it: 0 and 1, the code of a class, or the number. Error: GM703 for a new label."""
    if not plan.labels or (raw.dtype.kind == "f" and plan.meaning == "binary"):
        return raw.astype(np.float64)
    place = {label: code for code, label in enumerate(plan.labels)}
    strange = [value for value in raw.tolist() if value not in place]
    if strange:
        raise UnknownLabel(
            f"{plan.name} holds {strange[0]!r}, which no row to fit holds",
            seen=f"{len(strange):,} of {len(raw):,} rows; the labels are {listed(plan.labels)}",
            fix="leave these rows out with --where, or put rare labels together",
        )
    codes = np.array([place[value] for value in raw.tolist()])
    return codes if plan.loss.is_classwise else codes.astype(np.float64)


def _too_early(cases: Cases, report: Cases, question: Question, source: str) -> tuple[Remark, ...]:
    """A remark where rows of a table to report are earlier than rows that are fitted or tune."""
    if cases.when is None or report.when is None:
        return ()
    refuse_texts(report.when, str(question.time))
    early = int((report.when < cases.when.max()).sum())
    if not early:
        return ()
    what = f"{early:,} of {len(report):,} rows of {source} are earlier than rows that were fitted or tune"
    return (ReportedBeforeFitted(what, fix="a table to report that begins where the other ends"),)


def _guessed(plan: Plan, question: Question) -> tuple[Remark, ...]:
    """A remark where it was guessed which label means yes."""
    if len(plan.labels) != 2 or question.positive is not None or affirmative(plan.labels) is not None:
        return ()
    no, yes = plan.labels
    what = f"that {yes!r} means yes and {no!r} no is a guess"
    return (GuessedYes(what, fix=f"--positive {no!r} turns it round, --positive {yes!r} settles it"),)


# --- the parts ---


def _split(raw: Values, table: Table, question: Question, plan: Plan, *, own_report: bool) -> Split:
    values, codes = factorised(raw)
    group = None if question.group is None else together(table, question.group)
    time = None if question.time is None else table[question.time]
    if time is not None and missing(time).any():
        raise NoTimeInRow(f"{int(missing(time).sum()):,} rows have no {question.time}", fix="--where with a condition")
    if time is not None and question.time is not None:
        refuse_texts(time, question.time)
    classes = codes if plan.labels else None
    why = few(len(raw), classes, group)
    if own_report and time is None and (question.protocol == "folds" or (question.protocol == "auto" and why)):
        repeats = REPEATS if question.model == "linear" else REPEATS_OF_SLOW
        found = folded(len(raw), classes=classes, group=group, seed=question.seed, repeats=repeats, why=why)
    else:
        shares = SHARES if own_report else FIT_AND_TUNE
        found = split(len(raw), classes=classes, group=group, time=time, shares=shares, seed=question.seed)
    if plan.labels:
        held = own_report and not found.deals
        parts = {name: rows for name, rows in found.parts.items() if held or name != "report"}
        labels = values[codes]
        check(parts, labels, of_class=ways_out(labels, ordered=plan.loss.is_graded))
    return found


def together(table: Table, name: str) -> Values:
    """The code of each row's group; rows without one are each their own."""
    values = table[name]
    lost = missing(values)
    codes = np.empty(len(values), dtype=np.intp)
    codes[~lost] = factorised(values[~lost])[1]
    codes[lost] = len(values) + np.arange(int(lost.sum()))
    return codes


# --- cases ---


def _costs_of(table: Table, question: Question) -> Costs | None:
    """What mistakes cost in each row; None where it is the same in all. Errors: GM710, GM713."""
    with in_table(table):
        return question.costs_of(table)


def _cases(table: Table, question: Question, plan: Plan, trained: Sequence[Loss | None]) -> Cases:
    """The rows of a table as cases, whose targets each loss that is trained takes: None is the plan's own."""
    y = coded(as_target(table, question.target), plan)
    for loss in dict.fromkeys(plan.loss if one is None else with_loss(plan, one).loss for one in trained):
        if not loss.is_classwise:
            checked(table, question.target, y, loss)
    return Cases(
        table,
        y,
        weights_in(table, question.weights),
        exposure(table, question.exposure),
        None if question.group is None else together(table, question.group),
        None if question.time is None else table[question.time],
        _costs_of(table, question),
    )


def _test_cases(
    test: Table,
    question: Question,
    plan: Plan,
    columns: Columns,
    rare: Rare | None,
    trained: Sequence[Loss | None],
) -> tuple[Cases, list[Remark]]:
    others = (*question.by, *question.cost_columns, *(shift.column for shift in question.shift))
    named = [*question.roles.values(), *others]
    needed = dict.fromkeys([*columns.features, *(n for n in named if n is not None)])
    counted = counting(test.only(needed), question.target, question.weights)
    test, infinite = finite(counted.table, [n for n in columns.features if n not in question.cost_columns])
    if plan.labels:
        target = (
            as_known(test[question.target], map(str, plan.labels)) if test[question.target].dtype == object else None
        )
        test = test if target is None else replace(test, columns={**test.columns, question.target: target})
    test, gathered = (test, ()) if rare is None else rare.applied(test)
    return _cases(test, question, plan, trained), [*test.remarks, *counted.remarks, *infinite, *gathered]


def exposure(table: Table, name: str | None) -> Floats | None:
    """The exposure of each row. Error: GM241."""
    if name is None:
        return None
    values = table[name]
    bad = (
        np.ones(len(values), dtype=bool)
        if ColumnKind.of(values) is not ColumnKind.NUMBER
        else ~(np.isfinite(values) & (values > 0))
    )
    if bad.any():
        first = int(np.argmax(bad))
        raise BadExposure(
            f"{int(bad.sum()):,} of {len(values):,} exposures are missing, not positive or not finite",
            where=table.at(first, name),
            seen=f"{values[first]}",
            fix=f"leave such rows out: {only_where(sql('isfinite({q}) AND {q} > 0', q=quoted(name)))}",
        )
    return values


def exposure_fits(plan: Plan, question: Question) -> None:
    """Refuse an exposure where effects do not multiply."""
    if question.exposure is not None and plan.activation.name != "exp":
        raise UsageError(
            f"an exposure goes with a loss whose effects multiply; {plan.loss} has the activation {plan.activation.name}",
            fix="leave out --exposure, or say what the target is: --represents count or --represents positive",
        )
