"""Are the metrics that people report those of scikit-learn, and are weights that count copies as good as the copies?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure.risks.metrics import METRICS
from goodmeasure.statistics.estimate import within
from goodmeasure.study.folds import over_folds
from goodmeasure.study.split import Split

sk = pytest.importorskip("sklearn.metrics")

RNG = np.random.default_rng(0)
N = 400
P = RNG.random(N)
YES = (RNG.random(N) < P) * 1.0
WEIGHT = RNG.integers(0, 4, N)
CLASSES = RNG.dirichlet([1, 1, 1], N)
KIND = np.array([RNG.choice(3, p=row) for row in CLASSES])
AMOUNT = RNG.gamma(2, 3, N)
SAID = AMOUNT + RNG.normal(size=N)


def acts(p: Any) -> Any:
    return p >= 0.5 if p.ndim == 1 else p.argmax(axis=1)


def brier(y: Any, p: Any, sample_weight: Any = None) -> float:
    if p.ndim == 1:
        return sk.brier_score_loss(y, p, sample_weight=sample_weight)
    return float(np.average(((p - np.eye(3)[y]) ** 2).sum(axis=1), weights=sample_weight))


THEIRS: dict[str, Callable[..., float]] = {
    "accuracy": lambda y, p, **w: sk.accuracy_score(y, acts(p), **w),
    "balanced_accuracy": lambda y, p, **w: sk.balanced_accuracy_score(y, acts(p), **w),
    "auc": sk.roc_auc_score,
    "f1": lambda y, p, **w: sk.f1_score(y, acts(p), **w),
    "precision": lambda y, p, **w: sk.precision_score(y, acts(p), **w),
    "recall": lambda y, p, **w: sk.recall_score(y, acts(p), **w),
    "log_loss": sk.log_loss,
    "brier": brier,
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "bias": lambda y, p, sample_weight=None: float(np.average(p - y, weights=sample_weight)),
    "r2": sk.r2_score,
}
ROWS = {"yes and no": (YES, P), "classes": (KIND, CLASSES), "amounts": (AMOUNT, SAID)}
ASKED = [
    (name, rows)
    for name, metric in METRICS.items()
    for rows in (
        ["amounts"] if metric.scale == "amount" else ["yes and no", *([] if metric.binary_only else ["classes"])]
    )
]


@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["alike", "weighted"])
@pytest.mark.parametrize(("name", "rows"), ASKED)
def test_a_metric_is_that_of_scikit_learn(name: str, rows: str, weight: Any) -> None:
    y, p = ROWS[rows]
    theirs = THEIRS[name](y, p, sample_weight=weight)
    assert METRICS[name].estimate(y, p, weight).value == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(("name", "rows"), ASKED)
def test_the_interval_of_weights_that_count_copies_is_that_of_the_copies(name: str, rows: str) -> None:
    y, p = ROWS[rows]
    counted = METRICS[name].estimate(y, p, WEIGHT, weights_mean="frequency")
    copied = METRICS[name].estimate(np.repeat(y, WEIGHT), np.repeat(p, WEIGHT, axis=0))
    assert counted.value == pytest.approx(copied.value, rel=1e-12)
    # Two bootstraps of 500 draws each differ by a tenth of their width.
    slack = 0.15 * (copied.high - copied.low) if "bootstrap" in copied.method else 1e-9
    assert (counted.low, counted.high) == pytest.approx((copied.low, copied.high), abs=slack)


def test_an_area_of_rows_owes_nothing_to_a_grid() -> None:
    assert METRICS["auc"].estimate(YES, P).grid_error == 0


@pytest.mark.parametrize(("name", "rows"), ASKED)
@pytest.mark.parametrize("together", ["rows", "clusters"])
@pytest.mark.parametrize("deals", [0, 1, 3])
def test_no_interval_of_a_metric_reaches_where_the_metric_cannot_be(
    name: str, rows: str, together: str, deals: int
) -> None:
    """One far row of few, judged by folds: the square of a miss is skewed, and an interval is stretched on both sides."""
    found, rng = METRICS[name], np.random.default_rng(0)
    y, p = ROWS[rows]
    few = slice(0, 30)
    far = y[few] + (200.0 * (np.arange(30) == 7) if rows == "amounts" else 0)
    part = rng.integers(0, 6, 30) if together == "clusters" else None
    split = Split(*[np.arange(30)] * 3, "", deals=(rng.integers(0, 10, 30),) * deals)
    wide = within(over_folds(found.estimate(far, p[few], None, part), split), *found.limits)
    for each in (found.estimate(far, p[few], None, part), wide):
        least, largest = found.limits
        assert least <= each.low <= each.value <= each.high <= largest


def test_a_study_by_folds_says_nothing_that_cannot_be() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=60)
    y = np.exp(2 * x + rng.normal(size=60) * (np.arange(60) == 3) * 3)
    for name in ("rmse", "r2"):
        judged = gm.run({"x": x, "y": y}, "y", metric=name).judged
        least, largest = METRICS[name].limits
        assert least <= judged.metrics[0].report.low <= judged.metrics[0].report.high <= largest
    exact = gm.run({"x": x, "y": 3 * x + 1e-3 * rng.normal(size=60)}, "y").judged.report
    assert exact.skill is not None
    assert exact.skill.high <= 1
