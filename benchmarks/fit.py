"""Time to fit linear models beside scikit-learn, glum and statsmodels in one run; the objectives reached are compared.

The unit is one pass: the time of ``X @ w`` on the same rows. Run it as ``python -m benchmarks.fit``; with ``busy`` a second
process multiplies tables all the while.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

SIZES = ((100_000, 50), (1_000_000, 20))
ALPHA = 1e-3
REPEATS = 5
# Nobody's objective is called the same where it lies farther above the least than this part of it.
SAME = 1e-8


@dataclass
class Contender:
    """A way to fit: its name, and a function that fits and returns coefficients and intercept."""

    name: str
    fit: Callable[[], tuple[Any, float]]


@dataclass
class Table:
    """Rows of features, and the raw output that their targets follow."""

    rng: Any
    X: Any
    eta: Any

    @staticmethod
    def of(rows: int, columns: int) -> Table:
        rng = np.random.default_rng(0)
        X = rng.standard_normal((rows, columns))
        return Table(rng, X, X @ rng.standard_normal(columns) / columns**0.5)

    def __str__(self) -> str:
        return f"{len(self.X):,} x {self.X.shape[1]}"

    @property
    def one_pass(self) -> float:
        """Seconds of one product of all rows with a vector."""
        w = np.ones(self.X.shape[1])
        return _shortest(lambda: self.X @ w)[0]


def _shortest(work: Callable[[], Any]) -> tuple[float, Any]:
    best, found = np.inf, None
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = work()
        best = min(best, time.perf_counter() - start)
        if best > 5:
            break
    return best, found


def _ours(loss: Any, table: Table, y: Any, alpha: float) -> Contender:
    import goodmeasure.fitting.fit as gm

    def fit() -> tuple[Any, float]:
        kind = gm.LossClassifier if loss.is_binary else gm.LossRegressor
        model = kind(loss, alpha=alpha).fit(table.X, y)
        return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    return Contender("goodmeasure", fit)


def _theirs(name: str, model: Any, table: Table, y: Any) -> Contender:
    def fit() -> tuple[Any, float]:
        model.fit(table.X, y)
        return np.ravel(model.coef_), float(np.ravel(model.intercept_)[0])

    return Contender(name, fit)


def _duel(title: str, table: Table, loss: Any, y: Any, alpha: float, rivals: list[Contender]) -> None:
    """A row for each way to fit: the shortest of a few times, in passes too, and how far its objective is above the least."""
    timed = [(each.name, *_shortest(each.fit)) for each in [_ours(loss, table, y, alpha), *rivals]]
    reached = [loss(y, table.X @ w + b) + alpha / 2 * float(w @ w) for _, _, (w, b) in timed]
    one, least = table.one_pass, min(reached)
    for (name, seconds, _), value in zip(timed, reached, strict=True):
        over = (value - least) / abs(least)
        said = f"{over:.0e}" if over > SAME else "same"
        print(f"| {title}, {table} | {name} | {seconds * 1e3:,.1f} | {seconds / one:,.1f} | {said} |", flush=True)


def _glum(table: Table, y: Any, family: str, alpha: float) -> list[Contender]:
    from glum import GeneralizedLinearRegressor

    return [_theirs("glum", GeneralizedLinearRegressor(family=family, alpha=alpha, gradient_tol=1e-6), table, y)]


def smooth(table: Table) -> None:
    """Logistic, ridge, counts, amounts, and losses that bend less far out."""
    from sklearn import linear_model as sk

    from goodmeasure import losses

    n, eta, rng = len(table.X), table.eta, table.rng
    yes = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    rivals = [
        _theirs(
            f"scikit-learn, {s}",
            sk.LogisticRegression(C=1 / (ALPHA * n), solver=s, tol=1e-6, max_iter=1000),
            table,
            yes,
        )
        for s in ("lbfgs", "newton-cholesky")
    ]
    _duel("logistic", table, losses.binary_cross_entropy(), yes, ALPHA, rivals + _glum(table, yes, "binomial", ALPHA))

    real = eta + rng.standard_t(3, n)
    # Both halve their squared error, and so the penalty.
    ridge = _theirs("scikit-learn, Ridge", sk.Ridge(alpha=ALPHA * n / 2), table, real)
    _duel("ridge", table, losses.squared_error(), real, ALPHA, [ridge, *_glum(table, real, "normal", ALPHA / 2)])
    for title, loss, y, theirs in (
        ("Poisson", losses.poisson(), rng.poisson(np.exp(eta)).astype(float), sk.PoissonRegressor),
        ("gamma", losses.gamma(), rng.gamma(2.0, np.exp(eta) / 2) + 1e-12, sk.GammaRegressor),
    ):
        rivals = [
            _theirs(f"scikit-learn, {s}", theirs(alpha=ALPHA, solver=s, tol=1e-6, max_iter=1000), table, y)
            for s in ("lbfgs", "newton-cholesky")
        ]
        _duel(title, table, loss, y, ALPHA, rivals + _glum(table, y, title.lower(), ALPHA))
    for loss in (losses.huber(), losses.log_cosh()):
        _duel(str(loss), table, loss, real, ALPHA, [])


def quantile(table: Table, *rivals: str) -> None:
    """The 0.9 quantile without penalty, beside scikit-learn's linear programme and statsmodels' reweighting."""
    from goodmeasure import losses

    y = table.eta + table.rng.standard_t(3, len(table.X))
    made = {"scikit-learn, HiGHS": _programme, "statsmodels, QuantReg": _reweighted}
    _duel("quantile 0.9", table, losses.pinball(level=0.9), y, 0.0, [made[name](name, table, y) for name in rivals])


def _programme(name: str, table: Table, y: Any) -> Contender:
    from sklearn.linear_model import QuantileRegressor

    return _theirs(name, QuantileRegressor(quantile=0.9, alpha=0.0, solver="highs"), table, y)


def _reweighted(name: str, table: Table, y: Any) -> Contender:
    from statsmodels.regression.quantile_regression import QuantReg

    def fit() -> tuple[Any, float]:
        found = QuantReg(y, np.column_stack([table.X, np.ones(len(y))])).fit(q=0.9, max_iter=5000).params
        return found[:-1], float(found[-1])

    return Contender(name, fit)


def _work() -> None:
    a = np.ones((700, 700))
    while True:
        a = np.clip(a @ a, -1, 1)


@contextmanager
def _another(busy: bool) -> Iterator[None]:
    other = multiprocessing.get_context("spawn").Process(target=_work, daemon=True)
    if busy:
        other.start()
    try:
        yield
    finally:
        if busy:
            other.kill()


def main(asked: list[str]) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print("| fit | by | ms | passes | objective above the least |\n|---|---|---:|---:|---:|")
    with _another("busy" in asked):
        for rows, columns in SIZES:
            smooth(Table.of(rows, columns))
        quantile(Table.of(10_000, 20), "scikit-learn, HiGHS", "statsmodels, QuantReg")
        quantile(Table.of(100_000, 20), "statsmodels, QuantReg")
        quantile(Table.of(1_000_000, 20))


if __name__ == "__main__":
    main(sys.argv[1:])
