"""What it is worth to know that labels stand in an order, and what it costs where the odds are not proportional."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

import goodmeasure as gm
from simulations.sections import Row, Section

GRADES, FEATURES, TEST = 5, 4, 2000
RUNS = {100: 20, 300: 20, 1000: 10, 5000: 4}
EFFECTS = np.array([1.0, -0.7, 0.4, 0.0])


def table(rng: np.random.Generator, n: int, *, proportional: bool, rare: bool) -> tuple[np.ndarray, np.ndarray]:
    """Features, and grades by proportional odds, or with a last feature that moves the ends apart and nothing else."""
    x = rng.normal(size=(n, FEATURES))
    shares = np.array([0.6, 0.25, 0.1, 0.03, 0.02] if rare else [0.2] * GRADES)
    below = np.cumsum(shares)[:-1]
    begins = 1.3 * np.log(below / (1 - below))
    score = x @ EFFECTS + rng.logistic(size=n)
    spread = 1.0 if proportional else np.exp(0.6 * x[:, 3])
    return x, np.sum(score[:, None] > begins * np.reshape(spread, (-1, 1)), axis=1)


def probabilities(x: np.ndarray, y: np.ndarray, x_new: np.ndarray) -> dict[str, np.ndarray]:
    """The probability of each grade by each model: grades in order, and classes without one."""
    order = gm.LossRegressor(gm.losses.proportional_odds(grades=GRADES), alpha=0.01).fit(x, y)
    classes = gm.LossClassifier(gm.losses.cross_entropy(), alpha=0.01).fit(x, y)
    found = np.full((len(x_new), GRADES), 1e-12)
    found[:, classes.classes_] = classes.predict_proba(x_new)
    return {"order": np.asarray(order.loss_.outcome_probabilities(order.raw(x_new))), "classes": found}


def ranked(p: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean(np.sum((np.cumsum(p, axis=1) - (np.arange(GRADES) >= y[:, None])) ** 2, axis=1)))


def compared(n: int, *, proportional: bool, rare: bool) -> tuple[float, float, str]:
    """How much more classes cost than grades on new rows, by surprise and by ranked probability, and how often."""
    more = []
    for seed in range(RUNS[n]):
        rng = np.random.default_rng(1000 * n + seed)
        x, y = table(rng, n, proportional=proportional, rare=rare)
        x_new, y_new = table(rng, TEST, proportional=proportional, rare=rare)
        if len(np.unique(y)) == 1:
            continue
        p = probabilities(x, y, x_new)
        cost = {name: (-np.log(each[np.arange(TEST), y_new]).mean(), ranked(each, y_new)) for name, each in p.items()}
        more.append(np.subtract(cost["classes"], cost["order"]))
    surprise, distance = np.mean(more, axis=0)
    return float(surprise), float(distance), f"{np.mean([each[0] > 0 for each in more]):.2f}"


def order_against_classes() -> Iterator[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for n in RUNS:
            for proportional in (True, False):
                for rare in (False, True):
                    odds, kind = "proportional" if proportional else "not", "rare high ones" if rare else "even"
                    yield n, kind, odds, *compared(n, proportional=proportional, rare=rare), RUNS[n]


SECTIONS = (
    Section(
        "Grades as an order (proportional_odds) and as classes (cross_entropy): what classes cost more on new rows",
        ("rows", "grades", "odds", "surprise more", "ranked probability more", "classes cost more in", "tables"),
        order_against_classes,
    ),
)
