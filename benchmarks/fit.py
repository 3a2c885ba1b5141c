"""Time to fit linear models beside scikit-learn, glum, skglm and statsmodels in one run; the objectives reached are compared.

The unit is one pass: the processor time of ``X @ w`` on the same rows; milliseconds are those of a clock. All ways take turns,
five of them; one that took some seconds is not taken again, and says so. Run it as ``python -m benchmarks.fit``, with names of
its parts for some of them (smooth, strengths, sizes, classes, zeros, quantile). With ``slow`` those who take minutes take part,
without it all is done in some ten; with ``busy`` a second process multiplies tables all the while. ``OMP_NUM_THREADS`` and
``OPENBLAS_NUM_THREADS`` say how many threads.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

import numpy as np

SIZES = ((100_000, 50), (1_000_000, 20))
ALPHA = 1e-3
REPEATS = 5
# Nobody's objective is called the same where it lies farther above the least than this part of it.
SAME = 1e-9
# A way that took longer is not taken again.
LONG = 3.0


@dataclass
class Contender:
    """A way to fit: its name, and a function that fits and returns coefficients and intercept."""

    name: str
    fit: Callable[[], tuple[Any, Any]]


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
        return f"{self.X.shape[0]:,} x {self.X.shape[1]:,}"

    def one_pass(self) -> None:
        """One product of all rows with a vector."""
        self.X @ np.ones(self.X.shape[1])


@dataclass
class Spent:
    """Times by the clock and of the processor, of which the middle ones count, and what was found.

    The least would not do: a machine that is shared takes what it lent to others off the processor's time, now and then too much.
    """

    clocks: list[float] = field(default_factory=list)
    processors: list[float] = field(default_factory=list)
    found: Any = None

    def once_more(self, work: Callable[[], Any]) -> None:
        clock, processor = time.perf_counter(), time.process_time()
        self.found = work()
        self.processors.append(time.process_time() - processor)
        self.clocks.append(time.perf_counter() - clock)

    @property
    def times(self) -> int:
        """How many there were."""
        return len(self.clocks)

    @property
    def clock(self) -> float:
        """The middle one by the clock."""
        return median(self.clocks)

    @property
    def processor(self) -> float:
        """The middle one of the processor."""
        return median(self.processors)


def _ours(loss: Any, table: Table, y: Any, alpha: float, ratio: float) -> Contender:
    import goodmeasure.fitting.fit as gm

    def fit() -> tuple[Any, Any]:
        kind = gm.LossClassifier if loss.is_binary or loss.is_classwise else gm.LossRegressor
        return _found(kind(loss, alpha=alpha, l1_ratio=ratio).fit(table.X, y))

    return Contender("goodmeasure", fit)


def _found(model: Any) -> tuple[Any, Any]:
    return np.atleast_2d(model.coef_).T, np.ravel(model.intercept_)


def _theirs(name: str, model: Any, table: Table, y: Any) -> Contender:
    def fit() -> tuple[Any, Any]:
        return _found(model.fit(table.X, y))

    return Contender(name, fit)


def _duel(
    title: str, table: Table, loss: Any, y: Any, alpha: float, rivals: list[Contender], *, ratio: float = 0.0
) -> None:
    """A row for each way to fit: the middle times, in passes too, and how far its objective is above the least."""
    ways, one = [_ours(loss, table, y, alpha, ratio), *rivals], Spent()
    spent = [Spent() for _ in ways]
    for _ in range(REPEATS):
        for way, each in zip(ways, spent, strict=True):
            if not each.times or each.processor < LONG:
                each.once_more(way.fit)
            for _ in range(5):
                one.once_more(table.one_pass)
    reached = [_objective(loss, table, y, alpha, ratio, each.found) for each in spent]
    least = min(reached)
    for way, each, value in zip(ways, spent, reached, strict=True):
        over = (value - least) / abs(least)
        said = f"{over:.0e}" if over > SAME else "same"
        name = way.name if each.times > 1 else f"{way.name} (once)"
        _row(f"{title}, {table}", name, each, one, said)


def _row(title: str, name: str, spent: Spent, one: Spent, said: str) -> None:
    passes = spent.processor / one.processor
    print(f"| {title} | {name} | {spent.clock * 1e3:,.1f} | {passes:,.1f} | {said} |", flush=True)


def _objective(loss: Any, table: Table, y: Any, alpha: float, ratio: float, found: tuple[Any, Any]) -> float:
    w, b = found
    z = table.X @ w + b
    cost = alpha * (ratio * float(np.abs(w).sum()) + (1 - ratio) / 2 * float((w**2).sum()))
    return float(loss(y, z[:, 0] if z.shape[1] == 1 else z)) + cost


def _glum(table: Table, y: Any, family: str, alpha: float) -> list[Contender]:
    from glum import GeneralizedLinearRegressor

    return [_theirs("glum", GeneralizedLinearRegressor(family=family, alpha=alpha, gradient_tol=1e-7), table, y)]


def smooth(table: Table) -> None:
    """Logistic, ridge, counts, amounts, and losses that bend less far out."""
    from sklearn import linear_model as sk

    from goodmeasure import losses

    n, eta, rng = len(table.X), table.eta, table.rng
    yes = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    rivals = [
        _theirs(
            f"scikit-learn, {s}",
            sk.LogisticRegression(C=1 / (ALPHA * n), solver=s, tol=1e-7, max_iter=1000),
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
            _theirs(f"scikit-learn, {s}", theirs(alpha=ALPHA, solver=s, tol=1e-7, max_iter=1000), table, y)
            for s in ("lbfgs", "newton-cholesky")
        ]
        _duel(title, table, loss, y, ALPHA, rivals + _glum(table, y, title.lower(), ALPHA))
    for loss in (losses.huber(), losses.log_cosh()):
        _duel(str(loss), table, loss, real, ALPHA, [])


def strengths(table: Table) -> None:
    """Five penalties on the same rows, found together as `goodmeasure run` finds them; and the first of them alone.

    The last ones are of sizes, from the strongest on, each begun where the last one ended.
    """
    from goodmeasure import losses
    from goodmeasure.fitting.linear import SolverSettings, fit, prepare
    from goodmeasure.fitting.objective import Objective

    n, eta, rng = len(table.X), table.eta, table.rng
    real = eta + rng.standard_t(3, n)
    yes = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    weakest_first, strongest_first = np.logspace(-4, 0, 5), np.logspace(-1.5, -5.5, 5)
    for title, loss, y, alphas, ratio in (
        ("logistic", losses.binary_cross_entropy(), yes, weakest_first, 0.0),
        ("ridge", losses.squared_error(), real, weakest_first, 0.0),
        ("Poisson", losses.poisson(), rng.poisson(np.exp(eta)).astype(float), weakest_first, 0.0),
        ("huber()", losses.huber(), real, weakest_first, 0.0),
        ("logistic, sizes", losses.binary_cross_entropy(), yes, strongest_first, 1.0),
    ):

        def work(asked: Any, loss: Any = loss, y: Any = y, ratio: float = ratio) -> list[float]:
            whole = Objective(loss, table.X, y, l1_ratio=ratio)
            prepare(whole, asked, SolverSettings())
            return [fit(whole.penalised(a), SolverSettings())[1].objective for a in asked]

        first, all_five, one = Spent(), Spent(), Spent()
        for _ in range(REPEATS):
            first.once_more(partial(work, alphas[:1]))
            all_five.once_more(partial(work, alphas))
            for _ in range(5):
                one.once_more(table.one_pass)
        alone = [work([a])[0] for a in alphas]
        over = max(abs(a - b) / abs(b) for a, b in zip(all_five.found, alone, strict=True))
        said = f"{over:.0e}" if over > SAME else "same"
        _row(f"{title}, the first of five strengths, {table}", "goodmeasure", first, one, said)
        _row(f"{title}, five strengths, {table}", "goodmeasure", all_five, one, said)


def sizes(table: Table, *, slow: bool) -> None:
    """Coefficients that cost their sizes: many are zero."""
    from sklearn import linear_model as sk

    from goodmeasure import losses

    n = len(table.X)
    real = table.X[:, :5] @ np.ones(5) / 2 + table.rng.standard_normal(n)
    yes = (table.rng.random(n) < 1 / (1 + np.exp(-table.X[:, :5].sum(axis=1) / 2))).astype(float)
    alpha = 0.02
    rivals = [_theirs("scikit-learn, ElasticNet", sk.ElasticNet(alpha=alpha / 2, l1_ratio=0.9, tol=1e-8), table, real)]
    if slow:
        import skglm

        net = skglm.ElasticNet(alpha=alpha / 2, l1_ratio=0.9, tol=1e-8)
        rivals.append(_theirs("skglm, ElasticNet", net, table, real))
    _duel("elastic net", table, losses.squared_error(), real, alpha, rivals, ratio=0.9)
    rivals = [
        _theirs(
            "scikit-learn, saga",
            sk.LogisticRegression(C=1 / (alpha * n), l1_ratio=1.0, solver="saga", tol=1e-6, max_iter=1000),
            table,
            yes,
        )
    ]
    if slow:
        few = skglm.SparseLogisticRegression(alpha=alpha, tol=1e-8)
        rivals.append(_theirs("skglm, SparseLogisticRegression", few, table, yes))
    _duel("logistic, sizes", table, losses.binary_cross_entropy(), yes, alpha, rivals, ratio=1.0)
    all_count = (table.rng.random(n) < 1 / (1 + np.exp(-table.eta))).astype(float)
    _duel(
        "logistic, sizes that cost little", table, losses.binary_cross_entropy(), all_count, alpha / 1000, [], ratio=1.0
    )


def classes(table: Table) -> None:
    """Ten classes."""
    from sklearn import linear_model as sk

    from goodmeasure import losses

    n, width = table.X.shape
    raw = 2 * table.X @ table.rng.standard_normal((width, 10)) / width**0.5
    y = np.argmax(raw + table.rng.gumbel(size=raw.shape), axis=1)
    theirs = sk.LogisticRegression(C=1 / (ALPHA * n), tol=1e-6, max_iter=1000)
    rivals = [_theirs("scikit-learn, lbfgs", theirs, table, y)]
    _duel("10 classes", table, losses.cross_entropy(), y, ALPHA, rivals)


def zeros(rows: int, columns: int) -> None:
    """A table of mostly zeros."""
    from scipy import sparse
    from sklearn import linear_model as sk

    from goodmeasure import losses

    rng = np.random.default_rng(0)
    X = sparse.random_array((rows, columns), density=0.01, rng=rng, format="csr")
    eta = X @ (6 * rng.standard_normal(columns))
    table = Table(rng, X, eta)
    yes = (rng.random(rows) < 1 / (1 + np.exp(-eta))).astype(float)
    theirs = sk.LogisticRegression(C=1 / (ALPHA / 10 * rows), tol=1e-7, max_iter=1000)
    _duel(
        "logistic, 1% of cells",
        table,
        losses.binary_cross_entropy(),
        yes,
        ALPHA / 10,
        [_theirs("scikit-learn, lbfgs", theirs, table, yes)],
    )


def quantile(table: Table, *rivals: str) -> None:
    """The 0.9 quantile without penalty, beside HiGHS and statsmodels' reweighting."""
    from goodmeasure import losses

    y = table.eta + table.rng.standard_t(3, len(table.X))
    made = {"SciPy, HiGHS on the dual": _programme, "statsmodels, QuantReg": _reweighted}
    _duel("quantile 0.9", table, losses.pinball(level=0.9), y, 0.0, [made[name](name, table, y) for name in rivals])


def _programme(name: str, table: Table, y: Any) -> Contender:
    """The linear programme in its dual form, a constraint a column, by the interior point: nothing else of HiGHS is as fast."""
    from scipy.optimize import linprog

    def fit() -> tuple[Any, Any]:
        X = np.column_stack([table.X, np.ones(len(y))])
        found = linprog(-y, A_eq=X.T, b_eq=0.1 * X.sum(axis=0), bounds=(0, 1), method="highs-ipm")
        w = -found.eqlin.marginals
        return w[:-1, None], w[-1:]

    return Contender(name, fit)


def _reweighted(name: str, table: Table, y: Any) -> Contender:
    from statsmodels.regression.quantile_regression import QuantReg

    def fit() -> tuple[Any, Any]:
        found = QuantReg(y, np.column_stack([table.X, np.ones(len(y))])).fit(q=0.9, max_iter=5000).params
        return found[:-1, None], found[-1:]

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
    parts = set(asked) - {"busy", "slow"} or {"smooth", "strengths", "sizes", "classes", "zeros", "quantile"}
    slow = "slow" in asked
    with _another("busy" in asked):
        if "smooth" in parts:
            for rows, columns in SIZES:
                smooth(Table.of(rows, columns))
        if "strengths" in parts:
            for rows, columns in SIZES:
                strengths(Table.of(rows, columns))
        if "sizes" in parts:
            sizes(Table.of(100_000, 50), slow=slow)
        if "classes" in parts:
            classes(Table.of(100_000, 50))
        if "zeros" in parts:
            zeros(100_000, 300)
        if "quantile" in parts:
            quantile(Table.of(10_000, 20), "SciPy, HiGHS on the dual", "statsmodels, QuantReg")
            quantile(Table.of(100_000, 20), *["SciPy, HiGHS on the dual", "statsmodels, QuantReg"] * slow)
            quantile(Table.of(1_000_000, 20))


if __name__ == "__main__":
    main(sys.argv[1:])
