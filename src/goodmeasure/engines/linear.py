"""Linear models of rows that no memory holds, as the estimators that would have made them in memory.

How they are found is in `summed_fits`. Where rows fit in memory, `goodmeasure.LossRegressor` is for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from goodmeasure.engines.framed import data_last
from goodmeasure.engines.summed_fits import MergedFit, Spec, fit_rows, opened, refuse, several
from goodmeasure.engines.tallied import name_of, name_or_none
from goodmeasure.fitting.fit import LossClassifier, LossRegressor
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords


@data_last(y="y", features=["x1", "x2"])
@strict_keywords
def fit_linear(
    loss: Loss,
    y: str,
    features: Sequence[str],
    *,
    data: Any,
    sample_weight: str | None = None,
    alpha: float = 0.0,
    l1_ratio: float = 0.0,
    fit_intercept: bool = True,
    max_iter: int = 100,
    tol: float = 1e-13,
    engine: str = "duckdb",
    scheduler: str | None = None,
) -> LossRegressor | LossClassifier:
    """Fit a linear model to all rows of a table that no memory holds: the coefficients of one machine that did.

    Each of Newton's steps reads all rows once, where they are: a shard's sums of losses, signals and curvatures are sent,
    and rows are not. A frame that is dear to make should be kept by its host: ``frame.persist()`` of Dask, ``.cache()`` of
    Spark.

    Args:
        loss: the loss to lower: any that is smooth.
        y: the column of targets: numbers, 0 and 1, or classes coded 0, 1, 2, ...
        features: the columns of features, which are numbers.
        data: a frame of Spark or Dask (or pandas, Polars, Arrow), or files: a path, or a pattern such as 'data/*.parquet'.
        sample_weight: the column of how much each row counts; all alike unless given.
        alpha: how much coefficients are pulled toward zero: alpha / 2 times the sum of their squares is added.
        l1_ratio: the part of alpha that is on their sizes, not on half their squares (elastic net): many coefficients are
            exactly zero then. For losses that are smooth and convex.
        fit_intercept: whether a constant is fitted too, which is never pulled.
        max_iter: the most steps.
        tol: the fit stops where what is left to gain is about this part of the objective, or is lost in its rounding.
        engine: who reads files: "duckdb" on this machine, "dask" or "spark" by their workers.
        scheduler: where the cluster of the engine is; the program's own, or one on this machine, unless given.

    Returns:
        A fitted `goodmeasure.LossRegressor`, or of classes and outcomes a `goodmeasure.LossClassifier`.

    Raises:
        GM004: a target lies outside the domain of the loss.
        GM005: no row counts.
        GM006: a weight is negative or not finite.
        GM008: the engine is not installed.
        GM009: the loss is not smooth, or an argument is not one of those above.
        GM203: the table has no such column.
        GM702: a feature is missing or not finite.
        GM725: the cluster gave up.
        GM726: the fit did not arrive in so many steps, or there is no finite best.

    Example:
        >>> import goodmeasure as gm
        >>> import pyarrow
        >>> rows = pyarrow.table({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.0]})
        >>> model = gm.fit_linear(gm.losses.squared_error(), "y", ["x"], data=rows)
        >>> print(model.coef_.round(6), round(model.intercept_, 6))
        [2.] 1.0
    """
    spec = Spec(loss, name_of("y", y), several(features), name_or_none("sample_weight", sample_weight), fit_intercept)
    refuse(spec, alpha=alpha, l1_ratio=l1_ratio, max_iter=max_iter, tol=tol)
    with opened(data, spec, engine, scheduler) as shards:
        fit = fit_rows(shards, spec, float(alpha), int(max_iter), tol, l1_ratio=float(l1_ratio))
    return _model(spec, float(alpha), float(l1_ratio), fit)


def _model(spec: Spec, alpha: float, l1_ratio: float, fit: MergedFit) -> LossRegressor | LossClassifier:
    """The fit as the estimator that would have made it in memory."""
    kind = LossClassifier if spec.loss.is_classwise or spec.loss.is_binary else LossRegressor
    model = kind(spec.loss, alpha=alpha, l1_ratio=l1_ratio, fit_intercept=spec.intercept)
    model.loss_, model.n_iter_ = spec.loss, fit.steps
    model.n_passes_, model.n_rows_ = fit.passes, fit.rows
    model.coef_, model.intercept_ = model._shaped(fit.slopes, fit.constants)
    model.n_features_in_ = len(spec.features)
    model.feature_names_in_ = np.array(spec.features, dtype=object)
    if isinstance(model, LossClassifier):
        model.classes_ = np.arange(max(len(fit.constants), 2))
    model.certificate_ = fit.certificate
    return model
