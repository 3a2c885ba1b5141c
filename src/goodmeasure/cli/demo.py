"""The main job on a real table that comes with scikit-learn."""

from __future__ import annotations

import click

OUT = "goodmeasure-demo"
TASKS = ("binary", "regression", "multiclass")


@click.command
@click.option("--task", type=click.Choice(TASKS), default="binary", show_default=True, help="Which kind of target.")
@click.option(
    "--model",
    type=click.Choice(["linear", "boosting", "xgboost", "lightgbm", "catboost", "network"]),
    default="linear",
    show_default=True,
    help="What to train; boosting is scikit-learn's, a network torch's.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For the split and the bootstrap.")
@click.option("--out", default=OUT, show_default=True, metavar="DIR", help="Where the table and the report go.")
@click.option("--json", "as_json", is_flag=True, help="Print report.json instead of the summary.")
def command(task: str, model: str, seed: int, out: str, as_json: bool) -> int:
    """Run the main job on a real table.

    \b
    binary      breast tumours: a missed malignant one costs 40, a false alarm 5
    regression  how far diabetes has progressed after a year
    multiclass  which of three cultivars a wine was made from
    """
    from goodmeasure.cli import _study

    return _study.demonstrated(task, model, seed, out, as_json=as_json)
