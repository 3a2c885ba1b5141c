"""Time to fit linear models, against scikit-learn and glum in one run; the objectives reached are compared first."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

ROWS, COLUMNS = 100_000, 50
ALPHA = 1e-3
REPEATS = 3


@dataclass
class Contender:
    """A way to fit: its name, a function that fits and returns coefficients and intercept."""

    name: str
    fit: Callable[[], tuple[Any, float]]


def _table(rows: int, columns: int) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((rows, columns))
    return rng, X, X @ rng.standard_normal(columns) / columns**0.5


def _ours(loss: Any, X: Any, y: Any, alpha: float) -> Contender:
    import goodmeasure.fitting.fit as gm

    def fit() -> tuple[Any, float]:
        kind = gm.LossClassifier if loss.is_binary else gm.LossRegressor
        model = kind(loss, alpha=alpha).fit(X, y)
        return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    return Contender("goodmeasure", fit)


def _theirs(name: str, model: Any, X: Any, y: Any) -> Contender:
    def fit() -> tuple[Any, float]:
        model.fit(X, y)
        return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    return Contender(name, fit)


def _duel(title: str, objective: Callable[[Any, float], float], contenders: list[Contender]) -> None:
    """Fit with each, say how far each objective is above the best, and the shortest of a few times."""
    found = []
    for each in contenders:
        best, coefficients = np.inf, None
        for _ in range(REPEATS):
            start = time.perf_counter()
            coefficients = each.fit()
            best = min(best, time.perf_counter() - start)
            if best > 5:
                break
        found.append((each.name, objective(*coefficients), best))
    least = min(value for _, value, _ in found)
    print(f"\n{title}: least objective {least:.9g}")
    for name, value, seconds in found:
        print(f"  {name:32} {seconds:8.3f} s   relative excess {(value - least) / abs(least):.1e}")


def _penalised(loss: Any, X: Any, y: Any, alpha: float) -> Callable[[Any, float], float]:
    return lambda w, b: loss(y, X @ w + b) + alpha / 2 * float(w @ w)


def smooth() -> None:
    """Logistic, ridge, Poisson, gamma and Huber at 1e5 x 50."""
    from glum import GeneralizedLinearRegressor as Glum
    from sklearn import linear_model as sk

    from goodmeasure import losses

    rng, X, eta = _table(ROWS, COLUMNS)
    n = len(X)
    yes = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    rivals = [
        _theirs(
            f"scikit-learn ({s})", sk.LogisticRegression(C=1 / (ALPHA * n), solver=s, tol=1e-6, max_iter=1000), X, yes
        )
        for s in ("lbfgs", "newton-cholesky")
    ]
    rivals.append(_theirs("glum", Glum(family="binomial", alpha=ALPHA, gradient_tol=1e-6), X, yes))
    loss = losses.binary_cross_entropy()
    _duel("logistic", _penalised(loss, X, yes, ALPHA), [_ours(loss, X, yes, ALPHA), *rivals])

    real = eta + rng.standard_t(3, n)
    loss = losses.squared_error()
    # glum's squared error has a half, so its penalty is halved too.
    rivals = [
        _theirs("scikit-learn (Ridge)", sk.Ridge(alpha=ALPHA * n / 2), X, real),
        _theirs("glum", Glum(family="normal", alpha=ALPHA / 2, gradient_tol=1e-6), X, real),
    ]
    _duel("ridge", _penalised(loss, X, real, ALPHA), [_ours(loss, X, real, ALPHA), *rivals])

    _growing(rng, X, eta)
    _huber(X, real)


def _growing(rng: Any, X: Any, eta: Any) -> None:
    """Counts and positive amounts."""
    from glum import GeneralizedLinearRegressor as Glum
    from sklearn import linear_model as sk

    from goodmeasure import losses

    count = rng.poisson(np.exp(eta)).astype(float)
    amount = rng.gamma(2.0, np.exp(eta) / 2) + 1e-12
    for title, loss, y, theirs in (
        ("Poisson", losses.poisson(), count, sk.PoissonRegressor),
        ("gamma", losses.gamma(), amount, sk.GammaRegressor),
    ):
        rivals = [
            _theirs(f"scikit-learn ({s})", theirs(alpha=ALPHA, solver=s, tol=1e-6, max_iter=1000), X, y)
            for s in ("lbfgs", "newton-cholesky")
        ]
        rivals.append(_theirs("glum", Glum(family=title.lower(), alpha=ALPHA, gradient_tol=1e-6), X, y))
        _duel(title, _penalised(loss, X, y, ALPHA), [_ours(loss, X, y, ALPHA), *rivals])


def _huber(X: Any, y: Any) -> None:
    """scikit-learn fits the scale too, so its scale is taken and the same objective solved at it."""
    from sklearn.linear_model import HuberRegressor

    from goodmeasure import losses

    theirs = HuberRegressor(epsilon=1.35, alpha=1e-3, tol=1e-6, max_iter=1000).fit(X, y)
    loss = losses.huber(delta=1.35 * theirs.scale_)
    alpha = 1e-3 * theirs.scale_ / len(y)
    rival = _theirs(
        "scikit-learn (fits scale too)", HuberRegressor(epsilon=1.35, alpha=1e-3, tol=1e-6, max_iter=1000), X, y
    )
    _duel("Huber at a fixed scale", _penalised(loss, X, y, alpha), [_ours(loss, X, y, alpha), rival])


def quantile() -> None:
    """The 0.9 quantile at 1e4 x 20, against scikit-learn's linear programme, without penalty."""
    from sklearn.linear_model import QuantileRegressor

    from goodmeasure import losses

    rng, X, eta = _table(10_000, 20)
    y = eta + rng.standard_t(3, len(X))
    loss = losses.pinball(level=0.9)
    rival = _theirs("scikit-learn (HiGHS)", QuantileRegressor(quantile=0.9, alpha=0.0, solver="highs"), X, y)
    _duel("quantile 0.9, 1e4 x 20", _penalised(loss, X, y, 0.0), [_ours(loss, X, y, 0.0), rival])


def main() -> None:
    """Print every duel."""
    warnings.simplefilter("ignore")
    print(f"shortest of {REPEATS} runs, {ROWS:,} x {COLUMNS} unless said")
    smooth()
    quantile()


if __name__ == "__main__":
    main()
