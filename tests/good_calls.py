"""One call that is right for everything public that takes arguments: tests put something hostile in the place of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

import goodmeasure as gm
from misuses import (
    BINARY,
    BY_CLASS,
    COSTS,
    POISSON,
    SQUARED,
    UNITS,
    P,
    X,
    Y,
    Z,
    amounts,
    estimate,
    folder,
    frame,
    model,
    study,
    table,
    tally,
)

Call = tuple[Callable[..., Any], dict[str, Any]]
W, KEYS, DAYS = [1.0, 2.0, 1.0, 1.0, 2.0, 1.0], ["a", "a", "b", "b", "c", "c"], [1, 2, 3, 4, 5, 6]
MANY_Y, MANY_P = Y * 10, P * 10
MASK = [True, True, False, True, True, True]
LEVEL = {"level": 0.9}
WORDS = LEVEL | {"weights_mean": "importance"}
ROWS = {"sample_weight": W, **WORDS}


@cache
def classifier() -> gm.LossClassifier:
    return gm.LossClassifier().fit(X, Y)


@cache
def regressor() -> gm.LossRegressor:
    return gm.LossRegressor(POISSON).fit(X, [1, 0, 2, 1, 3, 2])


@cache
def paired() -> gm.Tally:
    return gm.tally(BINARY, Y, {"a": Z, "b": [0.5 * z for z in Z]})


@cache
def curves() -> Any:
    return gm.tally(BINARY, MANY_Y, prediction=MANY_P).curves()


def saved() -> Path:
    place = folder() / "good.json"
    model().save(place)
    return place


def _estimators() -> dict[str, Any]:
    return {
        "alpha": 0.1,
        "l1_ratio": 0.0,
        "fit_intercept": True,
        "solver": "auto",
        "max_iter": 100,
        "tol": 1e-6,
        "early_stopping": False,
        "validation_fraction": 0.1,
        "random_state": 0,
    }


def _fits() -> dict[str, Any]:
    return {"X": X, "sample_weight": W, "X_val": None, "y_val": None, "monitor": None}


def _losses() -> Iterator[tuple[str, Call]]:
    pair = {"y": Y, "z": Z}
    weight = {"sample_weight": W, "mask": MASK}
    yield "Loss.__call__", (BINARY, pair | weight)
    yield "Loss.total", (BINARY.total, pair | weight)
    yield "Loss.value_and_gradient", (BINARY.value_and_gradient, pair | weight | {"out": np.empty(6)})
    for name in ("value", "gradient"):
        yield f"Loss.{name}", (getattr(BINARY, name), pair | {"mask": MASK})
    yield "Loss.hessian", (BINARY.hessian, pair | {"mask": MASK, "full": True})
    yield "Loss.identification", (BINARY.identification, pair)
    yield "Loss.best_constant", (BINARY.best_constant, {"y": Y, "sample_weight": W, "classes": None})
    yield "Loss.predict", (BINARY.predict, {"z": Z})
    yield "Loss.outcome_probabilities", (BINARY.outcome_probabilities, {"z": Z})
    yield "Loss.raw", (BINARY.raw, {"prediction": P})
    yield "Loss.half", (BINARY.half, {"outcome": 1})
    yield "Loss.of_label", (gm.weighted(BINARY, positive=[3.0, 2.0]).of_label, {"k": 1})
    yield "Loss.with_activation", (SQUARED.with_activation, {"given": "exp"})


def _numbers() -> Iterator[tuple[str, Call]]:
    yield "bayes_act", (gm.bayes_act, {"p": P, "costs": COSTS})
    yield (
        "calibration",
        (gm.calibration, {"y": MANY_Y, "p": MANY_P, "loss": BINARY, "seed": 1, **ROWS, "sample_weight": W * 10}),
    )
    yield (
        "choose",
        (
            gm.choose,
            {
                "y": [3, 0, 2, 7, 1, 0, 4],
                "ask": "mean",
                "costs": None,
                "represents": "count",
                "outliers": "real",
                "sample_weight": [1.0] * 7,
                "name": "claims",
                "positive": None,
            },
        ),
    )
    yield "compare", (gm.compare, {"loss": BINARY, "y": Y, "z_a": Z, "z_b": Z[::-1], "cluster": KEYS, **ROWS})
    priced = {"y": MANY_Y, "costs": COSTS, "cluster": None, "time": None, **ROWS, "sample_weight": W * 10}
    yield "decision_cost", (gm.decision_cost, {"p": MANY_P, **priced})
    yield "compare_costs", (gm.compare_costs, {"p_a": MANY_P, "p_b": MANY_P[::-1], **priced})
    drawn = {"y": Z, "fair": True, "cluster": KEYS, "time": None, **ROWS}
    yield "ensemble_crps", (gm.ensemble_crps, {"members": np.outer(Z, [1.0, 2.0]), **drawn})
    ensembles = {"members_a": np.outer(Z, [1.0, 2.0]), "members_b": np.outer(Z, [1.0, 2.0, 4.0])}
    yield "compare_ensembles", (gm.compare_ensembles, {**ensembles, **drawn})
    yield (
        "decide",
        (
            gm.decide,
            {
                "y": MANY_Y,
                "p": MANY_P,
                "costs": COSTS,
                "cluster": list("abcdefghij") * 6,
                "prevalence": 0.4,
                "budget": None,
                "ids": list(range(60)),
                "trained_on": [99],
                "seed": 1,
                **ROWS,
                "sample_weight": W * 10,
            },
        ),
    )
    yield (
        "reweigh",
        (
            gm.reweigh,
            {
                "data": table(),
                "prevalence": None,
                "target": None,
                "positive": None,
                "shift": {"age": 5.0},
                "like": None,
                "weights": None,
                "exclude": ("years",),
                "seed": 1,
            },
        ),
    )
    yield (
        "monitor",
        (
            gm.monitor,
            {"model": model(), "data": table(), "so_far": None, "save": None, "where": None, "level": 0.9},
        ),
    )
    smooth = {"loss": gm.losses.squared_error(), "y": "y", "features": ["x"], "data": frame(w=W), "sample_weight": "w"}
    more = {"alpha": 0.1, "fit_intercept": True, "max_iter": 50, "tol": 1e-9, "engine": "duckdb", "scheduler": None}
    yield "fit_linear", (gm.fit_linear, smooth | more)
    yield "gap", (gm.gap, {"train": estimate(), "held_out": estimate()})
    fitted_to = {"y": Y, "scores": P, "method": "platt", "sample_weight": W, "raw": False}
    yield "recalibrate", (gm.recalibrate, {**fitted_to, "weights_mean": "importance"})
    yield (
        "risk",
        (
            gm.risk,
            {
                "loss": BINARY,
                "y": Y,
                "z": Z,
                "cluster": KEYS,
                "method": "normal",
                "constant": 0.1,
                "span": 4.0,
                "clip": 0.01,
                "cautions": ("mind",),
                **ROWS,
            },
        ),
    )
    yield (
        "signal",
        (
            gm.signal,
            {
                "loss": BINARY,
                "y": Y,
                "z": Z,
                "sample_weight": W,
                "metric": "auc",
                "before": Z[::-1],
                "weights_mean": "importance",
            },
        ),
    )
    yield "tally", (gm.tally, {"loss": BINARY, "y": Y, "z": Z, "sample_weight": W, "group": KEYS, "cluster": KEYS})
    lists = {"order": DAYS, "happened": Y, "group": KEYS, "most": 3, "seed": 1}
    yield "choice_sets", (gm.choice_sets, lists)
    yield "ChoiceSets.table", (gm.choice_sets(DAYS).table, {"z": Z})
    yield "ChoiceSets.summed", (gm.choice_sets(DAYS).summed, {"cells": np.ones((6, 6))})
    yield "tailored", (gm.tailored, {"costs": COSTS, "spread": 0.5, "outside": 0.2})
    yield "weighted", (gm.weighted, {"loss": BINARY, "positive": 2.0})


def _results() -> Iterator[tuple[str, Call]]:
    points = [0.2, 0.5]
    yield "ClassCosts.with_asking", (BY_CLASS.with_asking, {"price": 0.5})
    yield "Costs.average_threshold", (COSTS.average_threshold, {"w": None})
    yield "Costs.from_grade", (COSTS.from_grade, {"grade": 1, "grades": 3})
    yield "Costs.from_matrix", (gm.Costs.from_matrix, {"matrix": [[0, 1], [5, 0]]})
    yield (
        "Costs",
        (gm.Costs, {"false_negative": 5, "false_positive": 1, "true_positive": 0, "true_negative": 0, "ask": 1}),
    )
    yield "ClassCosts", (gm.ClassCosts, {"matrix": [[0, 1], [5, 0]]})
    yield "UnderOverCosts", (gm.UnderOverCosts, {"under": 3, "over": 1})
    for name in ("of_acting", "of_leaving"):
        yield f"Costs.{name}", (getattr(COSTS, name), {"y": np.array(Y)})
    yield "Costs.of_rows", (COSTS.of_rows, {"at": np.arange(3), "n": 6})
    yield "UnderOverCosts.of", (UNITS.of, {"y": np.array([1.0, 2.0]), "amount": np.array([2.0, 2.0])})
    yield "Curves.area", (curves().area, LEVEL)
    yield "Curves.at", (curves().at, {"thresholds": points})
    yield "Curves.band", (curves().band, {"curve": "recall", "at": points, **LEVEL})
    for name in ("cost", "murphy"):
        yield f"Curves.{name}", (getattr(curves(), name), {"ratios": points})
    for name in ("net_benefit", "treat_all"):
        yield f"Curves.{name}", (getattr(curves(), name), {"thresholds": points})
    decision = gm.decide(MANY_Y, MANY_P, COSTS)
    yield "Decision.act", (decision.act, {"p": P})
    yield "Decision.rule", (decision.rule, {"name": "always"})
    yield "Recalibration.__call__", (gm.recalibrate(Y, P, "platt"), {"scores": P})
    yield "Recalibration.from_dict", (gm.recalibrate(Y, P).from_dict, {"state": gm.recalibrate(Y, P).to_dict()})
    yield "State.merge", (tally().state.merge, {"other": tally().state})
    more = {"model": "model", **WORDS}
    yield "Tally.bias", (amounts().bias, more)
    yield "Tally.calibration", (tally().calibration, {"loss": BINARY, "seed": 1, **more})
    yield "Tally.compare", (paired().compare, {"a": "a", "b": "b", "loss": BINARY, **WORDS})
    yield "Tally.cost_curve", (tally().cost_curve, {"ratios": points, "model": "model"})
    yield "Tally.curves", (tally().curves, {"model": "model", "weights_mean": "importance"})
    yield "Tally.decide", (tally().decide, {"costs": COSTS, "seed": 1, **more})
    yield "Tally.risk", (tally().risk, {"loss": BINARY, **more})
    yield "Tally.from_bytes", (gm.Tally.from_bytes, {"data": tally().to_bytes(), "losses": [BINARY]})
    yield "Plan.code", (gm.choose(Y).code, {"framework": "sklearn"})
    difference = gm.compare(BINARY, Y, Z, P)
    yield "Difference.rows_to_tell", (difference.rows_to_tell, {"power": 0.8})
    yield "Difference.smallest_told", (difference.smallest_told, {"n": 100.0, "power": 0.8})
    yield "Estimate.plot", (estimate().plot, {"ax": Figure().add_subplot()})
    yield "Estimate.to_frame", (estimate().to_frame, {"kind": "pandas"})
    yield "Study.compare", (study().compare, {"other": study()})
    yield "Study.to_frame", (study().to_frame, {"kind": "pandas"})


def _models() -> Iterator[tuple[str, Call]]:
    data = {"age": [1.0, 2.0], "years": [1.0, 1.0]}
    for name in ("answers", "decide", "predict", "raw"):
        yield f"Model.{name}", (getattr(model(), name), {"data": data})
    yield "Model.export", (model().export, {"path": folder() / "model.sql"})
    yield "write_report", (gm.write_report, {"found": study(), "path": folder() / "page.html"})
    yield "Model.save", (model().save, {"path": folder() / "again.json"})
    yield "load", (gm.load, {"path": saved()})
    yield "LossClassifier", (gm.LossClassifier, {"loss": BINARY, **_estimators()})
    yield "LossRegressor", (gm.LossRegressor, {"loss": SQUARED, **_estimators()})
    yield "LossClassifier.fit", (gm.LossClassifier().fit, {**_fits(), "y": Y})
    yield "LossRegressor.fit", (gm.LossRegressor(POISSON).fit, {**_fits(), "y": [1, 0, 2, 1, 3, 2], "exposure": W})
    for name in ("decision_function", "predict", "predict_proba"):
        yield f"LossClassifier.{name}", (getattr(classifier(), name), {"X": X})
    yield "LossClassifier.raw", (classifier().raw, {"X": X})
    yield "LossRegressor.predict", (regressor().predict, {"X": X, "exposure": W})
    yield (
        "run",
        (
            gm.run,
            {
                "data": table(size=[i % 3 for i in range(120)]),
                "target": "claims",
                "positive": None,
                "costs": None,
                "ask": "mean",
                "represents": "count",
                "outliers": "real",
                "metric": "mae",
                "weights": None,
                "by": "size",
                "exposure": "years",
                "group": None,
                "time": None,
                "exclude": "age",
                "loss": ["poisson", gm.losses.negative_binomial()],
                "model": "linear",
                "floors": [],
                "budget": None,
                "protocol": "holdout",  # folds take ten times as long
                "conformal": None,
                "seed": 1,
                "test": None,
                "engine": None,
                "scheduler": None,
                "tick": None,
            },
        ),
    )


def _crossing(kind: str) -> dict[str, Any]:
    """What estimators that cross-fit take besides the one inside and its costs."""
    shared = {"cv": 5, "n_jobs": 1}
    return shared | (
        {"method": "linear"} if "Regressor" in kind else {"method": "platt", "rule": "best", "pos_label": 1}
    )


def _training() -> Iterator[tuple[str, Call]]:
    for name in ("to_catboost", "to_lightgbm", "to_xgboost"):
        to = getattr(gm, name)
        yield name, (to, {"loss": BINARY})
        yield f"{type(to(BINARY)).__name__}.start", (to(BINARY).start, {"y": Y, "sample_weight": W})
    yield "to_hist_gradient_boosting", (gm.to_hist_gradient_boosting, {"loss": BINARY, "classes": None})
    yield "to_jax", (gm.to_jax, {"loss": BINARY, "reduction": "mean"})
    yield "to_keras", (gm.to_keras, {"loss": BINARY, "reduction": "sum", "name": "mine", "dtype": "float32"})
    yield "to_polars", (gm.to_polars, {"loss": BINARY, "target": "y", "raw": "z"})
    yield "to_sql", (gm.to_sql, {"loss": BINARY, "dialect": "duckdb", "target": "y", "raw": "z"})
    yield "TableLoss.decision", (gm.to_sql(BINARY).decision, {"costs": COSTS})
    yield (
        "explain_mean",
        (
            gm.explain_mean,
            {"loss": BINARY, "y": Y, "z": Z, "sample_weight": W, "mask": None, "parts": (2, 4), "step_count": 9.0,
             "logged": 0.5},
        ),
    )  # fmt: skip
    yield "to_sklearn", (gm.to_sklearn, {"loss": BINARY, "labels": [0, 1], "pos_label": 1})
    rows = {"y_true": Y, "y_pred": P, "sample_weight": W}
    yield "SklearnLoss.__call__", (gm.to_sklearn(BINARY), rows)
    yield "SklearnLoss.skill", (gm.to_sklearn(BINARY).skill, {**rows, "y_train": Y})
    for display, of in (
        (gm.CalibrationDisplay, {}),
        (gm.DecisionDisplay, {"costs": COSTS}),
        (gm.LossDisplay, {"loss": BINARY}),
    ):
        said = {"pos_label": 1, "weights_mean": "importance"}
        yield f"{display.__name__}.from_predictions", (display.from_predictions, {**rows, **of, **said})
        model = {"estimator": gm.LossClassifier(alpha=0.1).fit(X, Y), "X": X, "y": Y, "sample_weight": W}
        yield f"{display.__name__}.from_estimator", (display.from_estimator, {**model, **of, **said})
    yield "SklearnCosts.__call__", (gm.to_sklearn(COSTS), {**rows, "y_pred": Y})
    deciding = gm.CostSensitiveClassifier(gm.LossClassifier(alpha=0.1), COSTS, cv=2)
    amounts_of = gm.CostSensitiveRegressor(gm.LossRegressor(alpha=0.1), UNITS, cv=2)
    for made, y in ((deciding, Y), (amounts_of, Z)):
        kind = type(made).__name__
        yield kind, (type(made), {"estimator": made.estimator, "costs": made.costs, **_crossing(kind)})
        yield f"{kind}.fit", (made.fit, {"X": X, "y": y, "sample_weight": W})
        made.fit(X, y)
        yield f"{kind}.score", (made.score, {"X": X, "y": y, "sample_weight": W})
        yield f"{kind}.predict", (made.predict, {"X": X})
    yield "CostSensitiveClassifier.predict_proba", (deciding.predict_proba, {"X": X})
    yield "CostSensitiveClassifier.act", (deciding.act, {"X": X})
    yield "CostSensitiveRegressor.amount", (amounts_of.amount, {"X": X})
    yield "to_torch", (gm.to_torch, {"loss": BINARY, "reduction": "mean", "denominator": 2.0})


CALLS: dict[str, Call] = {
    name: call for part in (_losses, _numbers, _results, _models, _training) for name, call in part()
}
