"""What a program fits, splits and measures: rows that are held out and were seen, predictions in the place of the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from goodmeasure.auditing.rule import Seen, rule

if TYPE_CHECKING:
    from goodmeasure.auditing.evidence.workflow import Workflow


@rule(
    "GM522",
    "warning",
    "preprocessing was fitted on rows that are held out",
    why=(
        "What is held out stands for data that nobody has seen. Means, scales and chosen columns that were computed with "
        "it carry it into training, and the score is better than the model."
    ),
    fix="make_pipeline(StandardScaler(), model).fit(X_train, y_train): split first, and fit everything on the training part",
)
def fitted_before_the_split(workflow: Workflow) -> Iterator[Seen]:
    """A transformer is fitted on training and held-out rows together, and without the held-out rows it would give them
    other values.

    Example: ``X = StandardScaler().fit_transform(X); train_test_split(X, y)``. The transformer is fitted again on half of
    the rows: one that gives the other half the same values (an encoder of known categories) is left alone. Ignore it where
    the held-out part only stands for missing labels.
    """
    for fit, split, changed in list(workflow.leaked())[:1]:
        yield Seen(
            f"{type(fit.estimator).__name__} is fitted on all {workflow.size(split.arrays[0])} rows, and {split.where} "
            f"holds some of them out; fitted on half of the rows it gives {changed:.0%} of the others another value",
            where=fit.where,
        )


@rule(
    "GM523",
    "error",
    "a model is judged on rows that it was fitted on",
    why="It remembers them: the score says how well it remembers, and nothing about rows that it has never seen.",
    fix="model.fit(X_train, y_train).score(X_test, y_test)",
)
def judged_on_fitted_rows(workflow: Workflow) -> Iterator[Seen]:
    """The rows that were split off to be held out are all among the rows of the fit, and the score is computed on them.

    Example: ``model.fit(X, y)`` after ``train_test_split(X, y)``. Ignore it where the score of an earlier fit is the one
    that is reported.
    """
    for fit, output in list(workflow.judged_on_known_rows())[:1]:
        yield Seen(
            f"all {workflow.size(output.X)} held-out rows are among the {workflow.size(fit.X)} on which "
            f"{type(fit.estimator).__name__} was fitted ({fit.where})",
            where=output.where,
        )


@rule(
    "GM528",
    "warning",
    "a model is judged on the rows that decided when it stops",
    why="The number of rounds that suits these rows best was chosen on them: on others the score is worse.",
    fix="X_fit, X_stop, y_fit, y_stop = train_test_split(X_train, y_train); model.fit(X_fit, y_fit, eval_set=[(X_stop, y_stop)])",
)
def judged_on_stopping_rows(workflow: Workflow) -> Iterator[Seen]:
    """A booster stops early by some rows, and every score of it is computed on these or on its training rows.

    Example: ``model.fit(X_train, y_train, eval_set=[(X_test, y_test)])`` with early stopping, and then the score of
    ``X_test``. Ignore it where the score that is reported is computed elsewhere.
    """
    for fit, output in list(workflow.stopped_on_judged_rows())[:1]:
        yield Seen(
            f"{type(fit.estimator).__name__} stops by {workflow.size(output.X)} rows ({fit.where}), and is judged on the "
            "same ones",
            where=output.where,
        )


@rule(
    "GM529",
    "warning",
    "a booster stops by the rows that it is fitted on",
    why="On the rows of the fit the loss falls with every round, so it never stops early, whatever happens elsewhere.",
    fix="X_fit, X_stop, y_fit, y_stop = train_test_split(X_train, y_train); model.fit(X_fit, y_fit, eval_set=[(X_stop, y_stop)])",
)
def stopped_by_known_rows(workflow: Workflow) -> Iterator[Seen]:
    """Early stopping is given no other rows than those of the fit.

    Example: ``model.fit(X, y, eval_set=[(X, y)])`` with ``early_stopping_rounds``. Ignore it never.
    """
    for fit in list(workflow.stopped_by_known_rows())[:1]:
        yield Seen(
            f"{type(fit.estimator).__name__} stops by the {workflow.size(fit.X)} rows that it is fitted on",
            where=fit.where,
        )


@rule(
    "GM524",
    "warning",
    "preprocessing is fitted again on the held-out rows",
    why=(
        "The model was trained on values of one scale and is judged on values of another: a row no longer means the same, "
        "and a single new row could not be transformed at all."
    ),
    fix="X_test = scaler.transform(X_test), with the scaler that was fitted on X_train",
)
def fitted_again(workflow: Workflow) -> Iterator[Seen]:
    """A transformer of one kind is fitted on the training rows and then on the held-out rows alone, on which a model is
    judged.

    Example: ``X_test = scaler.fit_transform(X_test)``. Ignore it never.
    """
    for earlier, later in list(workflow.refitted())[:1]:
        yield Seen(
            f"{type(later.estimator).__name__} was fitted on the training rows ({earlier.where}), and again on the "
            f"{workflow.size(later.X)} held-out rows",
            where=later.where,
        )


@rule(
    "GM525",
    "error",
    "prediction and truth are exchanged in a metric",
    why="Precision becomes recall, and shares are taken of the wrong total: the number is of something else than its name.",
    fix="metric(y_true, y_pred): the truth comes first",
)
def exchanged(workflow: Workflow) -> Iterator[Seen]:
    """A metric that is not symmetric is given what a model said as the truth, and targets of the program as what was said.

    Example: ``precision_score(model.predict(X_test), y_test)``. Ignore it never.
    """
    for metric in workflow.swapped():
        yield Seen(f"the first argument of {metric.name} is what predict returned", where=metric.where)


@rule(
    "GM527",
    "error",
    "a column of the table is the target",
    why="The model reads the answer off: its score is perfect, and where it is used the column is not known yet.",
    fix='X = frame.drop(columns="target"), before anything is fitted',
)
def answer_in_the_table(workflow: Workflow) -> Iterator[Seen]:
    """Among several columns on which a predictor is fitted, one equals the target, or has a value for each of its classes.

    Example: ``model.fit(frame, frame["price"])``. Judged on 24 rows or more. Ignore it where the column is known when the model
    is used.
    """
    for fit, column in list(workflow.known_answers())[:1]:
        yield Seen(
            f"column {column} of the {workflow.size(fit.X)} rows on which {type(fit.estimator).__name__} is fitted is the target",
            where=fit.where,
        )


@rule(
    "GM537",
    "error",
    "predictions and truth are on different scales",
    why="The model learned scaled targets and says scaled numbers: set against the targets as they were, they miss by a scale.",
    fix="prediction = scaler.inverse_transform(prediction.reshape(-1, 1)), and then the metric",
)
def on_another_scale(workflow: Workflow) -> Iterator[Seen]:
    """A model learned what a scaler made of its targets, and a metric sets what it says against targets that were not
    scaled.

    Example: ``y_train = scaler.fit_transform(y_train)``, and then ``r2_score(y_test, model(X_test))``. Evidence: undoing the
    scale takes three quarters of the squared error away. Ignore it never.
    """
    for metric, scaler, left in list(workflow.on_another_scale())[:1]:
        yield Seen(
            f"{metric.name} compares the targets as they were with predictions on the scale of "
            f"{type(scaler.estimator).__name__} ({scaler.where}); once it is undone, {left:.1%} of the squared error is left",
            where=metric.where,
        )


@rule(
    "GM538",
    "error",
    "held-out rows are copies of training rows",
    why="Rows that were repeated before the split lie on both sides of it: the model knows the answers that it is asked for.",
    fix="split first: train_test_split(X, y), and repeat or make rows in the training part alone",
)
def copied_over_the_split(workflow: Workflow) -> Iterator[Seen]:
    """Most held-out rows of one class also stand in the training part, and hardly any of the other classes do.

    Example: ``resample(minority, n_samples=len(majority))`` before ``train_test_split``. Rows that repeat in every class
    (tables of a few categories), or that are few, are left alone. Ignore it where the held-out part is not used.
    """
    for split, label, here, there in list(workflow.copied_over())[:1]:
        yield Seen(
            f"{here:.0%} of the held-out rows of class {label} stand in the training part too, and {there:.0%} of the others",
            where=split.where,
        )
