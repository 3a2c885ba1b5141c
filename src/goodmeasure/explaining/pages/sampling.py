"""How sure one can be."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page
from goodmeasure.risks.risk import compare


@page(
    "Fisher 1925, Statistical Methods for Research Workers; Wasserstein and Lazar 2016, The ASA statement on p-values",
    "goodmeasure score DATA.csv --y YES --p P --p Q",
    name="p-value",
    also=("significance", "pvalue", "hypothesis test", "statistical test"),
    near=("interval", "bootstrap"),
)
def p_value() -> Shown:
    """How often chance alone would show at least such a difference, if there were none: not how likely it is that there is none.

    An interval says more: how large the difference may be.
    """
    random = np.random.default_rng(4)
    tossed = random.binomial(100, 0.5, 20_000)
    seen = {f"{n} of 100": float((np.abs(tossed - 50) >= n - 50).mean()) for n in (55, 60, 65)}
    said = ", ".join(f"{value:.3f} for {name}" for name, value in seen.items())
    return Shown(f"Heads of a fair coin, in 20,000 tries: the p-value is {said}.", bars(seen))


@page(
    "Efron 1979, Bootstrap methods: another look at the jackknife",
    "goodmeasure score DATA.csv --y YES --p P --p Q",
    also=("resampling", "bootstrapping", "jackknife"),
    near=("interval", "cross-validation"),
)
def bootstrap() -> Shown:
    """Drawing rows again from the rows at hand, with repeats, to see how much a number would move with other rows.

    Rows that belong together, such as those of a person, are drawn together.
    """
    random = np.random.default_rng(0)
    waits = random.exponential(8, 60)
    means = random.choice(waits, (2000, 60)).mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    counts, edges = np.histogram(means, bins=25)
    return Shown(f"The mean of 60 waits is {waits.mean():.2f}; of 2,000 redrawn means 95 % lie in [{low:.2f}, {high:.2f}].",
                 lines(np.round(edges[:-1], 1), {"how often": counts.astype(float)}, "mean"))  # fmt: skip


@page(
    "Stone 1974, Cross-validatory choice and assessment; Bengio and Grandvalet 2004, No unbiased estimator of its variance",
    "goodmeasure run DATA.csv --target YES",
    name="cross-validation",
    also=("k-fold", "cross validation", "cv", "folds", "leave-one-out", "loo"),
    near=("held-out", "leakage", "bootstrap"),
)
def cross_validation() -> Shown:
    """Holding out each part of the rows in turn, so that every row is judged by a model that never saw it.

    It judges the recipe more than the one model that is handed over, and its folds share rows: the naive interval is too short.
    """
    random = np.random.default_rng(5)
    x, y = random.normal(size=(60, 20)), random.normal(size=60)
    fold, loss, held = np.arange(60) % 5, losses.squared_error(), {}
    for k in range(5):
        weights = np.linalg.lstsq(x[fold != k], y[fold != k], rcond=None)[0]
        held[f"fold {k + 1}"] = loss(y[fold == k], x[fold == k] @ weights)
    own = loss(y, x @ np.linalg.lstsq(x, y, rcond=None)[0])
    return Shown(f"Twenty useless features, 60 rows: the mean squared error is {own:.2f} on the fitted rows and "
                 f"{np.mean(list(held.values())):.2f} over five folds.", bars(held))  # fmt: skip


@page(
    "Student 1908, The probable error of a mean",
    "goodmeasure score DATA.csv --y YES --p P --p Q",
    also=("paired comparison", "paired test", "difference"),
    near=("interval", "p-value", "skill"),
)
def paired_difference() -> Shown:
    """Two models judged on the same rows: row by row, what one costs more than the other.

    What is hard for both cancels out, so a difference can be sure where the two intervals overlap widely.
    """
    random = np.random.default_rng(0)
    z = random.normal(0, 1.5, 400)
    y = (random.random(400) < 1 / (1 + np.exp(-z))).astype(float)
    found = compare(losses.binary_cross_entropy(), y, 0.6 * z, z)
    said = f"A model that is too timid (raw outputs times .6) costs {found.value:.4f} [{found.low:.4f}, {found.high:.4f}] more"
    return Shown(f"{said} than one that is right: {found.verdict}.", bars({"timid": losses.binary_cross_entropy()(y, 0.6 * z),
                 "right": losses.binary_cross_entropy()(y, z)}))  # fmt: skip
