"""A custom boosting objective, probed by finite differences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable

Array = np.ndarray[Any, np.dtype[np.float64]]
_ROWS = 200
# How CatBoost and scikit-learn's histogram boosting ask an objective, which is no function there.
_METHODS = ("calc_ders_range", "gradient_hessian")


@dataclass
class BoostingObjective:
    """Gradient and curvature at chosen raw scores, with the loss they belong to where it was given."""

    call: Callable[[Array], tuple[Array, Array]]
    y: Array
    loss: Callable[[Array, Array], Any] | None
    binary: bool

    @classmethod
    def gather(cls, dossier: Dossier) -> BoostingObjective:
        objective, X, y = dossier.case.need("objective", "X", "y")
        if not callable(objective) and not any(hasattr(objective, method) for method in _METHODS):
            raise Unavailable("the objective is built in")
        target = np.asarray(y, dtype=float)[:_ROWS]
        if target.ndim != 1:
            raise Unavailable("several targets")
        call = _calling(objective, dossier.case.framework, X[:_ROWS], target, dossier.case.get("estimator"))
        return cls(call, target, dossier.case.get("loss"), set(np.unique(target)) <= {0.0, 1.0})

    def spread(self) -> float:
        """The size of an ordinary miss: the spread of the target, or 2 on the scale of log-odds."""
        return 2.0 if self.binary else float(np.std(self.y)) or 1.0

    def scores(self) -> list[Array]:
        """Raw scores to probe at: below, near and above every target."""
        centre = np.zeros_like(self.y) if self.binary else self.y
        shifts = np.array([-2.0, -0.7, -0.2, 0.2, 0.7, 2.0]) * self.spread()
        return [centre + shift for shift in shifts]

    def towards(self) -> float:
        """The share of probes at which a step along minus the gradient comes closer to the target."""
        far = 3 * self.spread()
        centre = np.zeros_like(self.y) if self.binary else self.y
        above, below = self.call(centre + far)[0], self.call(centre - far)[0]
        right = (below < 0) & (self.y == 1) | (above > 0) & (self.y == 0) if self.binary else (above > 0) | (below < 0)
        wrong = (below > 0) & (self.y == 1) | (above < 0) & (self.y == 0) if self.binary else (above < 0) & (below > 0)
        return float(right.mean() - wrong.mean())

    def against_loss(self) -> tuple[float, float] | None:
        """Correlation of gradients with finite differences of the loss, and the median ratio; ``None`` without a
        loss."""
        if self.loss is None:
            return None
        step, pairs = 1e-4 * self.spread(), []
        for z in self.scores():
            grad = self.call(z)[0]
            up, down = (np.asarray(self.loss(z + s, self.y), dtype=float) for s in (step, -step))
            if up.shape != grad.shape:
                return None
            pairs.append((grad, (up - down) / (2 * step)))
        grad, slope = (np.concatenate(part) for part in zip(*pairs, strict=True))
        keep = np.isfinite(grad) & np.isfinite(slope) & (np.abs(slope) > 1e-8)
        if keep.sum() < 5:
            return None
        agree = float((np.sign(grad[keep]) == np.sign(slope[keep])).mean())
        return agree, float(np.median(grad[keep] / slope[keep]))

    def curvature(self) -> tuple[float, float]:
        """The shares of negative and of zero second derivatives over all probes."""
        seconds = np.concatenate([self.call(z)[1] for z in self.scores()])
        return float((seconds < 0).mean()), float((seconds == 0).mean())


def _calling(
    objective: Any, framework: str, X: Any, y: Array, estimator: Any
) -> Callable[[Array], tuple[Array, Array]]:
    """The objective as a function of raw scores, whichever convention it follows."""
    if hasattr(objective, "calc_ders_range"):  # of minus the loss, which CatBoost maximises
        return lambda z: _pair(lambda scores: -np.array(objective.calc_ders_range(scores, y, None), dtype=float).T, z)
    if hasattr(objective, "gradient_hessian"):
        return lambda z: _pair(lambda scores: objective.gradient_hessian(y, scores), z)
    data = _data(framework, X, y)
    native = hasattr(estimator, "boosting_type") is False and not hasattr(estimator, "fit")
    orders: list[Callable[[Array], Any]] = [lambda z: objective(z, data), lambda z: objective(y, z)]
    for order in orders if native else orders[::-1]:
        try:
            grad, hess = (np.asarray(part, dtype=float).reshape(-1) for part in order(y * 0.0))
        except Exception:  # the other convention: try that
            continue
        if grad.shape == y.shape == hess.shape:
            return partial(_pair, order)
    raise Unavailable("the objective takes neither (scores, data) nor (targets, scores)")


def _data(framework: str, X: Any, y: Array) -> Any:
    if framework == "xgboost":
        import xgboost

        return xgboost.DMatrix(X, label=y)
    if framework == "lightgbm":
        import lightgbm

        return lightgbm.Dataset(X, label=y)
    return None


def _pair(order: Callable[[Array], Any], scores: Array) -> tuple[Array, Array]:
    grad, hess = (np.asarray(part, dtype=float).reshape(-1) for part in order(scores))
    return grad, hess
