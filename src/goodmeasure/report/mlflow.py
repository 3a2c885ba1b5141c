"""A study in MLflow: what was asked as parameters, what was found as metrics, and its files as artifacts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from tempfile import TemporaryDirectory
from typing import Any

from goodmeasure.errors import UsageError, shorter
from goodmeasure.report import write
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.strict.extras import needed
from goodmeasure.study.study import Study

# What MLflow takes of a value; longer texts are cut, and stand in full in report.json.
MOST_LETTERS = 500
FOLDER = "goodmeasure"


@strict_keywords
def log_mlflow(study: Study) -> str:
    """Log a study to MLflow: what was asked, its numbers with their intervals, and its report, model and model card.

    It logs to the run that is active; where none is, to a new one that it ends. Where MLflow keeps runs is set there.

    Args:
        study: what `run` gave.

    Returns:
        The id of the run.

    Raises:
        GM008: MLflow is not installed
        GM009: what was given is no study, or MLflow does not take it: no place for runs, another study in the run

    Example:
        >>> import goodmeasure as gm
        >>> x = [i % 20 - 9.5 for i in range(400)]
        >>> study = gm.run({"x": x, "y": [2 * a + (i * 7 % 11) for i, a in enumerate(x)]}, "y")
        >>> gm.log_mlflow(study)  # doctest: +SKIP
        '2f1c8a5e0d7b4c3f9a6e1b0d8c7f5a34'
    """
    if not isinstance(study, Study):
        raise UsageError(f"{shorter(study)} is no study", fix="gm.log_mlflow(gm.run(...))")
    mlflow = needed("mlflow", "log_mlflow")
    active = mlflow.active_run()
    with (
        _in_our_words(mlflow, active),
        nullcontext(active)
        if active
        else mlflow.start_run(run_name=f"goodmeasure {_short(study.question.target)}") as run,
    ):
        mlflow.log_params(dict(_asked(study)))
        mlflow.log_metrics(dict(_found(study)))
        mlflow.set_tags({"goodmeasure.verdict": study.verdict.word, "goodmeasure.next": study.verdict.following})
        with TemporaryDirectory() as place:
            write(study, place)
            mlflow.log_artifacts(place, FOLDER)
        return str(run.info.run_id)


@contextmanager
def _in_our_words(mlflow: Any, active: Any) -> Iterator[None]:
    """What MLflow refuses is told with a line that mends it: of its smallest package alone no place for runs is known."""
    try:
        yield
    except mlflow.exceptions.MlflowException as error:
        elsewhere = (
            "mlflow.set_tracking_uri('http://localhost:5000')  # your server; pip install mlflow keeps runs in a file"
        )
        fix = "with mlflow.start_run(): gm.log_mlflow(study)  # in a run of its own" if active else elsewhere
        raise UsageError("MLflow does not take the study", seen=" ".join(str(error).split()), fix=fix) from error


def _asked(study: Study) -> Iterator[tuple[str, str]]:
    """The question, without what was not asked, and the loss and the setting that were chosen."""
    for name, value in study.question.to_dict().items():
        if value not in (None, [], ()):
            yield name, _short(value)
    yield "loss", _short(study.plan.loss)
    yield study.trained.setting.replace(" ", "_"), f"{study.trained.chosen:g}"
    yield "data", _short(study.source)


def _found(study: Study) -> Iterator[tuple[str, float]]:
    """Every number with the ends of its interval; those that are not finite are left to the report."""
    cost = {} if study.decided is None else {"cost a row": study.decided.best.cost}
    for name, one in {**study.judged.estimates, **cost}.items():
        if one is None:
            continue
        for end, value in (("", one.value), (".low", one.low), (".high", one.high)):
            if math.isfinite(value):
                yield name.replace(" ", "_") + end, value


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"
