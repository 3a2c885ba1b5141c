"""How good a model is on rows it never saw."""

from __future__ import annotations

import numpy as np

from goodmeasure import losses
from goodmeasure.drawing.sketches import bars, lines
from goodmeasure.explaining.page import Shown, page
from goodmeasure.risks.risk import Risk, gap, risk
from goodmeasure.statistics.intervals import wilson
from goodmeasure.statistics.row_arguments import Floats

_LOG_LOSS = losses.binary_cross_entropy()


def _rows(n: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Targets of yes and no, and the raw outputs of a model that knows their probabilities."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 1.5, n)
    return (random.random(n) < 1 / (1 + np.exp(-z))).astype(float), z


def _judged(n: int) -> Risk:
    return risk(_LOG_LOSS, *_rows(n))


@page(
    "Vapnik 1991, Principles of risk minimization for learning theory",
    "goodmeasure run DATA.csv --target YES",
    also=("training loss", "training error", "mean loss", "sample risk"),
    near=("expected risk", "overfitting", "interval"),
)
def empirical_risk() -> Shown:
    """The mean loss on the rows at hand: what training lowers, and an estimate of the risk where the rows are new.

    On the rows that were learned from it is too low, by the gap that learning from them opened.
    """
    sizes = np.round(np.geomspace(10, 5000, 25))
    found = np.array([_LOG_LOSS(*_rows(int(n), seed=1)) for n in sizes])
    said = f"The mean log loss of the same model is {found[0]:.3f} on 10 rows and {found[-1]:.3f} on 5,000"
    return Shown(
        f"{said}; the truth is near {_LOG_LOSS(*_rows(200_000)):.3f}.", lines(sizes, {"mean loss": found}, "rows")
    )


@page(
    "Vapnik 1991, Principles of risk minimization for learning theory",
    "goodmeasure score DATA.csv --y YES --p P",
    name="expected risk",
    also=(
        "risk",
        "true risk",
        "population risk",
        "expected loss",
        "test error",
        "generalisation error",
        "out-of-sample error",
    ),
    near=("empirical risk", "interval", "held-out"),
)
def expected_risk() -> Shown:
    """The expected loss of this fitted model on new rows: what one wants to know, and can only estimate.

    The mean loss of held-out rows is an estimate of it, with an interval; the mean of the training rows is too low.
    """
    found = {f"{n} rows": _judged(n) for n in (100, 400, 1600)}
    wide = {name: each.high - each.low for name, each in found.items()}
    said = "; ".join(f"on {name} {each.value:.3f} [{each.low:.3f}, {each.high:.3f}]" for name, each in found.items())
    return Shown(f"Log loss {said}. How wide the interval is:", bars(wide))


@page(
    "Vapnik and Chervonenkis 1971, On the uniform convergence of relative frequencies",
    "goodmeasure run DATA.csv --target YES",
    also=("generalization gap", "gap", "train-test gap", "optimism"),
    near=("overfitting", "memorisation", "expected risk"),
)
def generalisation_gap() -> Shown:
    """What new rows cost more than the rows that were learned from: how much of the success was learning by heart."""
    fitted, new = (risk(losses.squared_error(), *rows) for rows in _fitted_and_new())
    found = gap(fitted, new)
    said = f"Least squares on 40 rows with twelve useless features: mean squared error {fitted.value:.2f} there and"
    return Shown(f"{said} {new.value:.2f} on new rows; the gap is {found.value:.2f} [{found.low:.2f}, {found.high:.2f}].",
                 bars({"fitted": fitted.value, "new": new.value}))  # fmt: skip


def _fitted_and_new() -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(440, 12)), random.normal(size=440)
    weights = np.linalg.lstsq(x[:40], y[:40], rcond=None)[0]
    return (y[:40], x[:40] @ weights), (y[40:], x[40:] @ weights)


@page(
    "Stone 1974, Cross-validatory choice and assessment of statistical predictions",
    "goodmeasure run DATA.csv --target YES",
    name="held-out",
    also=("holdout", "held out", "test set", "validation set", "hold-out", "train-test split", "split"),
    near=("cross-validation", "leakage", "expected risk"),
)
def held_out() -> Shown:
    """Rows that were kept away from learning and from every choice, to judge by: used once, they tell the truth.

    Rows to tune are something else: what was chosen by them looks better on them than it is.
    """
    random = np.random.default_rng(2)
    y, guesses = random.integers(0, 2, 100), random.integers(0, 2, (50, 200))
    best = int((guesses[:, :100] == y).mean(axis=1).argmax())
    right = {"tuned on": float((guesses[best, :100] == y).mean()),
             "held out": float((guesses[best, 100:] == random.integers(0, 2, 100)).mean())}  # fmt: skip
    return Shown(f"The best of 50 coin tossers on 100 rows is right on {right['tuned on']:.0%} of them, and on "
                 f"{right['held out']:.0%} of 100 others.", bars(right))  # fmt: skip


@page(
    "Kaufman, Rosset and Perlich 2012, Leakage in data mining",
    "goodmeasure run DATA.csv --target YES --group PERSON",
    also=("leak", "data leakage", "target leakage", "contamination", "data snooping"),
    near=("held-out", "memorisation", "cross-validation"),
)
def leakage() -> Shown:
    """Something in the features, or a row in both parts, that will not be there when the model is used.

    A column that follows from the target, the same person on both sides of the split, the future in the past.
    """
    random = np.random.default_rng(0)
    person, label = np.repeat(np.arange(500), 4), random.integers(0, 2, 500)
    order = random.permutation(2000)
    learned, judged = order[:1500], order[1500:]
    known = np.isin(person[judged], person[learned])
    right = {"rows": float(np.where(known, 1.0, 0.5).mean()), "persons": float(np.mean(label[:250] == label[250:]))}
    said = (
        "Five hundred persons with four rows each, whose label is a coin toss. Who knows persons by heart is right on"
    )
    return Shown(f"{said} {right['rows']:.0%} of rows split at random, and on {right['persons']:.0%} of persons never seen.",
                 bars(right))  # fmt: skip


@page(
    "Brier 1950, Verification of forecasts; Murphy 1988, Skill scores based on the mean square error",
    "goodmeasure run DATA.csv --target YES",
    also=("skill score", "explained deviance", "pseudo r2", "improvement"),
    near=("expected risk", "base rate", "log loss"),
)
def skill() -> Shown:
    """Which part of the best constant's loss a model takes away: 0 is no better than the constant, 1 is perfect.

    The same log loss can be skilful where events are common, and worse than nothing where they are rare.
    """
    found = {
        f"{rate:.0%} yes": 1 - 0.2 / float(-(rate * np.log(rate) + (1 - rate) * np.log(1 - rate)))
        for rate in (0.5, 0.2, 0.05)
    }
    said = ", ".join(f"{value:.2f} where {name}" for name, value in found.items())
    shown = _judged(400).skill
    known = (
        ""
        if shown is None
        else f" A model that knows its probabilities has {shown.value:.2f} [{shown.low:.2f}, {shown.high:.2f}]."
    )
    return Shown(f"A log loss of .2 is a skill of {said}.{known}", bars({k: max(v, 0.0) for k, v in found.items()}))


@page(
    "Neyman 1937, Outline of a theory of statistical estimation; Wilson 1927",
    "goodmeasure score DATA.csv --y YES --p P",
    also=("confidence interval", "uncertainty interval", "error bar", "ci"),
    near=("bootstrap", "p-value", "expected risk", "quantile"),
)
def interval() -> Shown:
    """Where the truth may lie, given so few rows: made so that it holds the truth in 95 of 100 samples.

    Four times the rows make it half as wide.
    """
    sizes = np.round(np.geomspace(10, 10_000, 25))
    low, high = wilson(0.8 * sizes, sizes)
    at = [wilson(0.8 * n, n) for n in (20, 80, 320)]
    said = ", ".join(f"[{a:.2f}, {b:.2f}]" for a, b in at)
    return Shown(f"Right on 80 % of 20, 80 and 320 rows: {said}.",
                 lines(sizes, {"to": np.asarray(high), "from": np.asarray(low)}, "rows"))  # fmt: skip
