"""The main job: from a table and a question to a trained model, an honest measure of its risk, and a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

from goodmeasure.choosing.deciding import AnyCosts
from goodmeasure.choosing.plan import Outliers
from goodmeasure.decisions.floors import Floor
from goodmeasure.engines.shard import HERE
from goodmeasure.errors import UsageError, shorter
from goodmeasure.making.loss import Loss
from goodmeasure.reading.files import read
from goodmeasure.reading.frames import named_target, table
from goodmeasure.reading.tables import SampledRows, Table
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.study.all_rows import AllRows, Engine
from goodmeasure.study.answering import Answering
from goodmeasure.study.contest import contested
from goodmeasure.study.elsewhere import OtherPlace, Shift, as_table
from goodmeasure.study.names import names_of
from goodmeasure.study.question import Question, loss_named, named_costs
from goodmeasure.study.study import Study
from goodmeasure.study.training import Tick

Source = Any


@strict_keywords
def run(
    data: Source,
    target: Any,
    *,
    positive: Any = None,
    costs: AnyCosts | Mapping[tuple[Any, Any], float] | Mapping[str, float | str] | None = None,
    ask: str | None = None,
    represents: str | None = None,
    activation: str | None = None,
    outliers: Outliers | None = None,
    metric: str | None = None,
    weights: str | None = None,
    exposure: str | None = None,
    group: str | None = None,
    time: str | None = None,
    learn_time: bool = False,
    exclude: str | Sequence[str] = (),
    loss: Loss | str | Sequence[Loss | str] | None = None,
    model: str | Sequence[str] = "linear",
    floors: str | Sequence[str] = (),
    budget: int | None = None,
    protocol: str = "auto",
    conformal: bool | None = None,
    seed: int = 0,
    test: Source = None,
    where: str | None = None,
    rare_classes: str | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    prevalence: float | None = None,
    shift: Any = (),
    like: Source = None,
    by: str | Sequence[str] = (),
    engine: str | None = None,
    scheduler: str | None = None,
    tick: Tick | None = None,
) -> Study:
    """Go from a table to a trained model, an honest measure of its risk, and a decision, in one call.

    It chooses a loss for the target, splits the rows into three kinds (to fit, to tune, to report), trains, and judges the
    model on the rows to report, which are used for nothing else. Where rows are few, every row is reported, and judged by
    models that were fitted, tuned and recalibrated on other rows; the loss and the columns are chosen on all.

    Args:
        data: a path (CSV, Parquet or lines of JSON; a pattern in quotes) or a frame (pandas, Polars, Arrow, a dict).
        target: the column to predict, by its name; or its values, (n,), where ``data`` holds the features, (n, k).
        positive: the label that means yes, of a target of two labels; unless given, the one that is known to mean it.
        costs: what errors cost, in your own unit: `Costs` of yes and no, `ClassCosts` or a dictionary of (true label, said
            label) of classes, `UnderOverCosts` of an amount. What a column holds row by row is named in a dictionary of the
            fields of `Costs`: ``{"false_negative": "amount", "false_positive": 5}``. Unless given, nothing is decided.
        ask: "mean", "median", "quantile=0.9" or "quantiles=0.1,0.5,0.9" of an amount; the usual one unless given.
        represents: what the target is, if its values do not tell: "count", "positive", "classes", "bounded=0,100", ...
        activation: how a raw output becomes a prediction: "exp" where effects multiply, "softplus" or, bent over 8 units,
            "softplus(8)" where they add; unless given, the usual one, or of a linear model the one that costs less on
            the rows to tune.
        outliers: whether values far out are "errors" or "real".
        metric: what to report beside the loss: "accuracy", "auc", "rmse", "mae", ...
        weights: the column that says how much each row counts; all rows count alike unless given.
        exposure: the column of how much time, area or sum insured a count or amount belongs to.
        group: the column whose equal values stay in one part of the split.
        time: the column by which the earliest rows are fitted and the latest reported.
        learn_time: whether that column is learned from too: of dates the day, the month and the weekday.
        exclude: a column that must not be learned from, or several.
        loss: the loss to train on, or several; the one that the target asks for unless given.
        model: "linear"; "boosting" (scikit-learn's trees); what an extra brings: "xgboost", "lightgbm", "catboost", or
            "network", a small multilayer one that torch trains; or several. Each is trained on each loss, the
            rows to tune choose one, and the study's ``comparison`` judges all.
        floors: shares of yes that must be kept, such as "recall=0.9" or "precision=0.8": the threshold that surely keeps
            one on the rows to tune is judged on the rows to report.
        budget: how many of the reported rows can be acted on: those of highest probability are.
        protocol: how it is judged: by rows held out ("holdout"), or by ten "folds", after which the model is fitted to all
            rows. "auto" takes folds where a fifth of the rows would tell little: below 500 rows, 100 of a label of two, or
            50 groups.
        conformal: whether quantiles are moved by conformal prediction until they hold the share of new rows that they say.
            Several quantiles and intervals are unless told not to; True where nothing of the kind is predicted is an error.
        seed: for the split and the bootstrap; the same seed gives the same study.
        test: a table like ``data`` whose rows are reported, in place of a part of ``data``.
        where: an SQL condition that rows of a file must fit, such as "age >= 18".
        rare_classes: what becomes of classes of fewer than ten rows: one class "together", or "drop" their rows; an error
            unless given.
        decimal: whether a "point" or a "comma" stands before decimals in texts such as "1,234"; the cells tell
            unless given.
        dates: whether "01/02/2024" is written "day-first" or "month-first"; the cells tell unless given.
        prevalence: the share of yes where the model will be used; as in the table unless given. All rows, to fit, to tune
            and to report, then weigh by their label: model, probabilities and risk are those of that place.
        shift: what columns are there, by name: a mean, or a dictionary of shares by label; rows weigh accordingly.
        like: a table of rows as they are there, without a target: rows of ``data`` count as often as such rows do there.
        by: a column whose groups are compared, or several: which of them cost more than all other rows? Many numbers or
            dates become four ranges. Columns of few values that are learned from, eight at most, unless given.
        engine: who reads all rows of files, however many, to fit a linear model to them: "duckdb" in this process, "dask" or
            "spark" by their workers. Unless given, the model of a table of more cells than are held in memory is fitted
            to a sample. All else is chosen on the rows in memory, and the model is judged on some that did not teach it.
        scheduler: where the cluster of the engine is; the program's own, or one on this machine, unless given.
        tick: called with a sentence whenever a step begins.

    Returns:
        A `Study`: print it for the verdict; it holds the plan, the model, the risk and the decision.

    Raises:
        GM280: no weights make the rows what ``prevalence`` or ``shift`` say.
        GM281: the rows are too unlike those of ``like``.
        GM201 to GM206: a file or a cell cannot be read, a column is missing or doubled, or no row is left.
        GM211: numbers or dates of a column can be read in two ways.
        GM220: too few rows for three parts.
        GM231: no column is left to learn from.
        GM247: the times are texts that are no dates.
        GM241, GM242: an exposure is not positive, or a row has no time.
        GM607: costs are given, and which of two labels means yes is not known.
        GM601 to GM605: the target holds nothing to learn, or nothing that a loss can measure.
        GM004, GM006, GM703: a target, a weight or a label cannot be used.
        GM706: amounts are so large or so small that their squares are not numbers.
        GM725: the cluster gave up.
        GM726: the fit to all rows did not arrive.
        GM711: the costs answer another question than the target asks.
        GM713: a column of costs holds what is missing, negative, infinite or no number.
        GM008: what trains the model that was asked for is not installed.
        GM009: a keyword or its value is unknown, or two do not fit together.
        GM011: no loss has this name.

    Example:
        >>> import goodmeasure as gm
        >>> hours = [i % 12 for i in range(240)]
        >>> passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
        >>> study = gm.run({"hours": hours, "passed": passed}, "passed", positive="yes")
        >>> study.plan.loss, study.verdict.word
        (binary_cross_entropy(), 'use')
    """
    data, target = named_target(data, target, weights)
    elsewhere = OtherPlace(prevalence, Shift.several(shift), None if like is None else as_table(like))
    told = tick or (lambda _: None)
    questions = [
        Question(
            target=target,
            positive=positive,
            costs=named_costs(costs),
            ask=ask,
            represents=represents,
            activation=activation,
            outliers=outliers,
            metric=metric,
            weights=weights,
            exposure=exposure,
            group=group,
            time=time,
            learn_time=learn_time,
            exclude=names_of(exclude, "run"),
            loss=one,
            model=kind,
            floors=_floors(floors),
            budget=budget,
            protocol=protocol,
            conformal=conformal,
            seed=seed,
            rare_classes=rare_classes,
            decimal=decimal,
            dates=dates,
            prevalence=prevalence,
            shift=elsewhere.shifts,
            like=None if elsewhere.like is None else elsewhere.like.source,
            by=names_of(by, "run", "by"),
        )
        for kind in _several(model, "model")
        for one in [loss_named(each) for each in _several(loss, "loss")]
    ]
    by_engine = Engine.of(engine, scheduler)
    if by_engine is not None:
        by_engine.refuse(data, questions)
    told("read the table")
    rows = open_table(data, questions[0], where)
    other = None if test is None else open_table(test, questions[0], where, like=rows)
    every = None if by_engine is None else AllRows(by_engine, rows, where, other is not None)
    if every is None and all(one.model == "linear" for one in questions):
        for sampled in (remark for remark in rows.remarks if isinstance(remark, SampledRows)):
            sampled.fix = f"--engine {HERE} fits the model to all of them"
    study = (
        contested(questions, rows, other, elsewhere.like, told, every)
        if len(questions) > 1
        else Answering(questions[0], told, every).on(rows, other, elsewhere.like)
    )
    tables = [each for each in (rows, other, elsewhere.like) if each is not None]
    digests = {each.source: each.digest for each in tables}
    return replace(study, where=where, test=None if other is None else other.source, digests=digests)


def _floors(given: Any) -> tuple[Floor, ...]:
    """Floors from texts. Error: GM009."""
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise UsageError(f"run takes no floors={shorter(given)}", fix="floors=['recall=0.9']")
    return tuple(map(Floor.of, texts))


def _several(given: Any, name: str) -> list[Any]:
    """One name or loss, or several of them, each once. Error: GM009."""
    each = list(given) if isinstance(given, list | tuple) else [given]
    if not all(one is None or isinstance(one, str | Loss) for one in each):
        raise UsageError(f"run takes no {name}={shorter(given)}", fix="loss=None, model='linear'")
    found = list(dict.fromkeys(each))
    if not found:
        raise UsageError("an empty list names nothing to train", fix="loss=None, model='linear'")
    return found


def open_table(data: Source, question: Question, where: str | None = None, like: Table | None = None) -> Table:
    """The table behind a path or a frame; ``like`` is a table whose kinds of columns it must share."""
    known = None if like is None else like.notations
    if not isinstance(data, str | PathLike):
        if where is not None:
            raise UsageError("where= is for files: a frame has rows of its own", fix="run(data[data.age >= 18], ...)")
        return table(data, written=question.written, notations=known, weight=question.weights)
    asked: dict[str, Any] = {"where": where, "weight": question.weights, "written": question.written}
    if like is None:
        return read(data, numbers=question.number_columns, **asked)
    kinds = {name: kind for name, kind in like.kinds.items() if name not in question.exclude}
    return read(data, kinds=kinds, notations=known, **asked)
