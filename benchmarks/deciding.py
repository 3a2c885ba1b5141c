"""What decisions cost on rows that made none of them, beside scikit-learn's own halves put together by hand.

Data that scikit-learn brings, halved at random again and again: one half fits, the other is decided. A difference is given
with its standard error over the halvings.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.metrics import make_scorer
from sklearn.model_selection import FixedThresholdClassifier, StratifiedShuffleSplit, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import goodmeasure as gm

HALVINGS = 20
COSTS, UNITS = gm.Costs(false_negative=40, false_positive=5), gm.UnderOverCosts(under=3, over=1)
TABLE = gm.ClassCosts([[0, 1, 4], [1, 0, 1], [9, 3, 0]])
CLASSIFIERS = {
    "naive Bayes": GaussianNB(),
    "logistic": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)),
    "forest": RandomForestClassifier(50, random_state=0),
}
Answer = Callable[[Any, Any, Any], Any]


def by_hand(y: Any, answer: Any, pos_label: Any = 0) -> float:
    """The mean cost of answers, as one would write it: 40 for each event that was missed, 5 for each alarm."""
    happened, named = y == pos_label, answer == pos_label
    return float(np.mean(40 * (happened & ~named) + 5 * (~happened & named)))


def fitted(make: Callable[[], Any]) -> Answer:
    """Fit on the one half, predict the other."""
    return lambda X, y, new: make().fit(X, y).predict(new)


def ways_of_two(inner: Any) -> dict[str, Answer]:
    """Ways to decide between two classes, of which 0 is the event."""
    calibrated = CalibratedClassifierCV(inner, cv=5)
    scorer = make_scorer(by_hand, greater_is_better=False, pos_label=0)
    return {
        "its own predict": fitted(lambda: clone(inner)),
        "calibrated, tuned": fitted(lambda: TunedThresholdClassifierCV(calibrated, scoring=scorer)),
        "calibrated, 5/45": fitted(
            lambda: FixedThresholdClassifier(calibrated, threshold=COSTS.threshold, pos_label=0)
        ),
        **{
            f"ours, {rule}": fitted(lambda rule=rule: gm.CostSensitiveClassifier(inner, COSTS, rule=rule, pos_label=0))
            for rule in ("theory", "practice", "best")
        },
    }


def ways_of_three(inner: Any) -> dict[str, Answer]:
    """Ways to decide between three classes; scikit-learn leaves the table of costs to whoever calls."""

    def calibrated(X: Any, y: Any, new: Any) -> Any:
        return np.argmin(CalibratedClassifierCV(inner, cv=5).fit(X, y).predict_proba(new) @ TABLE.matrix, axis=1)

    return {
        "its own predict": fitted(lambda: clone(inner)),
        "calibrated, by hand": calibrated,
        "ours": fitted(lambda: gm.CostSensitiveClassifier(inner, TABLE)),
    }


def ways_of_amounts() -> dict[str, Answer]:
    """Ways to provide an amount."""
    return {
        "ridge": fitted(lambda: Ridge(alpha=0.1)),
        "quantile regression": fitted(lambda: QuantileRegressor(quantile=UNITS.level, alpha=0.0)),
        "ours": fitted(lambda: gm.CostSensitiveRegressor(Ridge(alpha=0.1), UNITS)),
        "ours, isotonic": fitted(lambda: gm.CostSensitiveRegressor(Ridge(alpha=0.1), UNITS, method="isotonic")),
    }


def halves(y: Any, halvings: int, *, of_classes: bool) -> Iterator[tuple[Any, Any]]:
    groups = y if of_classes else (y > np.median(y)).astype(int)
    yield from StratifiedShuffleSplit(halvings, test_size=0.5, random_state=0).split(np.zeros(len(y)), groups)


def costs_of(
    data: Any, ways: dict[str, Answer], price: Any, halvings: int, *, of_classes: bool = True
) -> dict[str, Any]:
    """What each way costs in each of the halvings."""
    X, y = data
    found: dict[str, list[float]] = {name: [] for name in ways}
    for fit, new in halves(y, halvings, of_classes=of_classes):
        for name, answer in ways.items():
            found[name].append(price(y[new], answer(X[fit], y[fit], X[new])))
    return {name: np.array(values) for name, values in found.items()}


def said(title: str, costs: dict[str, Any], against: str) -> Iterator[str]:
    """The mean cost a row of each way, and how much more that is than of the way it is compared with."""
    yield f"\n{title}\n"
    for name, each in costs.items():
        more = each - costs[against]
        noise = more.std(ddof=1) / np.sqrt(len(more))
        beside = "" if name == against else f"   {more.mean():+.3f} ± {noise:.3f} beside {against}"
        yield f"  {name:22}{each.mean():8.3f}{beside}"


def check() -> None:
    """Our price of answers is the one that was written by hand."""
    y, answer = np.random.default_rng(0).integers(0, 2, (2, 1000))
    assert abs(gm.to_sklearn(COSTS, pos_label=0)(y, answer) - by_hand(y, answer)) < 1e-12


def main(halvings: int = HALVINGS) -> None:
    warnings.filterwarnings("ignore")
    check()
    tumours = load_breast_cancer(return_X_y=True)
    for name, inner in CLASSIFIERS.items():
        costs = costs_of(tumours, ways_of_two(inner), gm.to_sklearn(COSTS, pos_label=0), halvings)
        print(*said(f"tumours, {name}: a miss 40, an alarm 5", costs, "calibrated, tuned"), sep="\n")
    for title, (X, y) in {"iris": load_iris(return_X_y=True), "wine": load_wine(return_X_y=True)}.items():
        # Two of the measurements tell much, and not all.
        costs = costs_of((X[:, :2], y), ways_of_three(GaussianNB()), gm.to_sklearn(TABLE), halvings)
        print(
            *said(f"{title}, naive Bayes on two columns: costs of three classes", costs, "calibrated, by hand"),
            sep="\n",
        )
    costs = costs_of(
        load_diabetes(return_X_y=True), ways_of_amounts(), gm.to_sklearn(UNITS), halvings, of_classes=False
    )
    print(*said("diabetes: a unit too little 3, too much 1", costs, "quantile regression"), sep="\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
