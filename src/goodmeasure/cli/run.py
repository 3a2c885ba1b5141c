"""From a table to a loss, a trained model, its honest risk, and a decision."""

from __future__ import annotations

from typing import Any

import click

from goodmeasure.cli import _places
from goodmeasure.cli._written import options
from goodmeasure.engines.shard import ENGINES

OUT = "goodmeasure-out"


@click.command
@click.argument("data")
@click.option("--target", required=True, metavar="COLUMN", help="The column to predict.")
@click.option("--test", metavar="FILE", help="Report on the rows of this table, which are then used for nothing else.")
@click.option("--where", metavar="SQL", help='Use only rows that fit this condition, e.g. "age >= 18".')
@click.option("--positive", metavar="LABEL", help="The label that means yes.")
@click.option(
    "--cost",
    "costs",
    multiple=True,
    metavar="NAME=COST",
    help="fn=40 and fp=5 (also tp=, tn=; of a column fn=@amount), under=3 and over=1, cat->dog=3, or a table.",
)
@click.option("--ask", metavar="WHAT", help="mean, median, quantile=0.9 or quantiles=0.1,0.5,0.9 of an amount.")
@click.option(
    "--represents", metavar="WHAT", help="What the target is, if its values do not tell: count, bounded=0,100, ..."
)
@click.option("--activation", metavar="NAME", help="exp where effects multiply, softplus where they add, linear, ...")
@click.option("--outliers", type=click.Choice(["errors", "real"]), help="What values far out are.")
@click.option(
    "--floor", "floors", multiple=True, metavar="SHARE", help="Act so that recall=0.9, or precision=0.8, surely holds."
)
@click.option("--budget", type=int, metavar="N", help="How many of the reported rows can be acted on.")
@click.option("--metric", metavar="NAME", help="What to report beside the loss: accuracy, auc, rmse, mae, ...")
@click.option("--weights", metavar="COLUMN", help="How much each row counts.")
@click.option(
    "--exposure", metavar="COLUMN", help="How much of something (time, area) each count or amount belongs to."
)
@click.option("--group", metavar="COLUMN", help="Rows of one group stay in one part of the split.")
@click.option("--time", metavar="COLUMN", help="Fit on the earliest rows, report on the latest.")
@click.option("--learn-time", is_flag=True, help="Learn from the column of --time too.")
@click.option("--exclude", multiple=True, metavar="COLUMN", help="Do not learn from this column (may be repeated).")
@click.option(
    "--by", multiple=True, metavar="COLUMN", help="Tell which groups cost more than the others (may be repeated)."
)
@click.option(
    "--loss",
    multiple=True,
    metavar="LOSS",
    help="Train on this loss, e.g. pinball(level=0.9) or quantiles(.1,.5,.9); several are compared.",
)
@click.option(
    "--model",
    type=click.Choice(["linear", "boosting", "xgboost", "lightgbm", "catboost", "network"]),
    multiple=True,
    default=("linear",),
    show_default=True,
    help="What to train; boosting is scikit-learn's, a network torch's. Several are compared.",
)
@click.option(
    "--protocol",
    type=click.Choice(["auto", "holdout", "folds"]),
    default="auto",
    show_default=True,
    help="Judge by rows held out, or by ten folds; auto takes folds where the rows are few.",
)
@click.option(
    "--conformal/--no-conformal",
    default=None,
    help="Move quantiles until they hold the share of new rows that they say; done unless told not to.",
)
@click.option(
    "--rare-classes",
    type=click.Choice(["together", "drop"]),
    help="Make one class of those with fewer than ten rows, or leave their rows out.",
)
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Fit the linear model to all rows of files that memory does not hold: who reads them.",
)
@click.option("--scheduler", metavar="ADDRESS", help="The cluster of the engine; one on this machine unless given.")
@_places.of_a_model
@click.option("--seed", type=int, default=0, show_default=True, help="For the split and the bootstrap.")
@click.option(
    "--out",
    default=OUT,
    show_default=True,
    metavar="DIR",
    help="Where report.html, report.json, model.json and model.md go.",
)
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the summary.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "note"]),
    help="Exit with 1 on remarks this severe, or on a bad verdict.",
)
@options
def command(data: str, out: str, as_json: bool, fail_on: str | None, **asked: Any) -> int:
    """Choose a loss for the target of a table, train on it, judge the model on rows it never saw, and decide.

    DATA is a file of CSV, Parquet or lines of JSON, a pattern in quotes, or - for standard input. Rows are split in
    three: to fit, to tune, and to report; what is printed comes from the last, which are used once. Where rows are few,
    ten folds take their place, so that each row is judged by models that did not see it.

    \b
    goodmeasure run customers.csv --target churned --cost fn=40 --cost fp=5
    goodmeasure run claims.parquet --target claims --exposure years --time date
    goodmeasure run claims.csv --target paid --loss squared_error --loss huber --model linear --model boosting
    goodmeasure run 'claims/*.parquet' --target paid --engine dask
    """
    from goodmeasure.cli import _study

    return _study.finish(_study.studied(data, asked, out), out, as_json=as_json, fail_on=fail_on)
