"""Do our losses give the numbers that other libraries print in their documentation, and the truths that they miss?

Values are retyped from the documentation of the version named, with as many digits as it prints; no code of theirs runs here.
Each row: whose, what of theirs, our loss, targets, what they are given on (raw outputs or predictions), the mean that they print
after division by `factor`, and the weights of the rows.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from goodmeasure import losses as L
from goodmeasure.making.loss import Loss


class Fact(NamedTuple):
    """A number that somebody prints."""

    whose: str
    what: str
    loss: Loss
    y: list[Any]
    value: float
    z: list[Any] | None = None
    prediction: list[Any] | None = None
    weights: list[float] | None = None
    # Theirs is ours times this.
    factor: float = 1.0
    digits: int = 3
    # Theirs begins at a perfect prediction, as a deviance does.
    excess: bool = False


SKLEARN, KERAS, METRICS, OPTAX = "scikit-learn 1.9.1", "Keras 3.15.1", "torchmetrics 1.9.0", "optax 0.2.8"
FOUR, GUESSED = [3, -0.5, 2, 7], [2.5, 0.0, 2, 8]
GROWN, GROWN_GUESSED = [3, 5, 2.5, 7], [2.5, 5, 4, 8]
COUNTS, SIZES, RATES = [2, 0, 1, 4], [2, 0.5, 1, 4], [0.5, 0.5, 2.0, 2.0]
LABELS, LOGITS = [0, 1, 0, 0], [-18.6, 0.51, 2.94, -12.8]
PAIRS, CHANCES = [0, 1, 0, 0], [0.6, 0.4, 0.4, 0.6]
ROWS, THREE = [1, 2], [[0.05, 0.95, 1e-300], [0.1, 0.8, 0.1]]
LOW, RIGHT, HIGH = [0, 2, 3], [1, 2, 3], [1, 2, 4]

FACTS = [
    Fact(SKLEARN, "mean_squared_error", L.squared_error(), FOUR, 0.375, GUESSED),
    Fact(
        SKLEARN,
        "mean_squared_error of several",
        L.squared_error(),
        [0.5, 1, -1, 1, 7, -6],
        0.708,
        [0, 2, -1, 2, 8, -5],
        digits=3,
    ),
    Fact(SKLEARN, "mean_absolute_error", L.absolute_error(), FOUR, 0.5, GUESSED),
    Fact(
        SKLEARN,
        "mean_absolute_error of several",
        L.absolute_error(),
        [0.5, 1, -1, 1, 7, -6],
        0.75,
        [0, 2, -1, 2, 8, -5],
    ),
    Fact(SKLEARN, "mean_pinball_loss .1, too low", L.pinball(level=0.1), RIGHT, 0.1 / 3, LOW),
    Fact(SKLEARN, "mean_pinball_loss .1, too high", L.pinball(level=0.1), RIGHT, 0.9 / 3, HIGH),
    Fact(SKLEARN, "mean_pinball_loss .9, too low", L.pinball(level=0.9), RIGHT, 0.9 / 3, LOW),
    Fact(SKLEARN, "mean_pinball_loss .9, too high", L.pinball(level=0.9), RIGHT, 0.1 / 3, HIGH),
    Fact(SKLEARN, "mean_squared_log_error", L.squared_log_error(), GROWN, 0.0397, prediction=GROWN_GUESSED),
    Fact(
        SKLEARN,
        "mean_absolute_percentage_error",
        L.absolute_percentage_error(),
        [3, 0.5, 2, 7],
        0.32738,
        prediction=[2.5, 1.0, 2, 8],
        digits=5,
    ),
    Fact(
        SKLEARN, "mean_poisson_deviance", L.poisson(), COUNTS, 1.4260, prediction=RATES, factor=2, digits=4, excess=True
    ),
    Fact(SKLEARN, "mean_gamma_deviance", L.gamma(), SIZES, 1.0568, prediction=RATES, factor=2, digits=4, excess=True),
    Fact(
        SKLEARN,
        "mean_tweedie_deviance, power 1",
        L.poisson(),
        COUNTS,
        1.4260,
        prediction=RATES,
        factor=2,
        digits=4,
        excess=True,
    ),
    Fact(
        SKLEARN, "log_loss", L.binary_cross_entropy(), [1, 0, 0, 1], 0.21616, prediction=[0.9, 0.1, 0.2, 0.65], digits=5
    ),
    Fact(
        SKLEARN, "brier_score_loss", L.binary_brier(), [0, 1, 1, 0], 0.0375, prediction=[0.1, 0.9, 0.8, 0.3], digits=4
    ),
    Fact(
        SKLEARN,
        "brier_score_loss, scale_by_half=False",
        L.binary_brier(),
        [0, 1, 1, 0],
        0.075,
        prediction=[0.1, 0.9, 0.8, 0.3],
        factor=2,
    ),
    Fact(
        SKLEARN,
        "brier_score_loss of classes",
        L.brier(),
        [0, 1, 2],
        0.146,
        prediction=[[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]],
        factor=1,
    ),
    Fact(SKLEARN, "hinge_loss", L.hinge(), [0, 1, 1], 0.30, [-2.18, 2.36, 0.09], digits=2),
    Fact(KERAS, "BinaryCrossentropy(from_logits)", L.binary_cross_entropy(), LABELS, 0.8654, LOGITS, digits=4),
    Fact(KERAS, "BinaryCrossentropy, sum", L.binary_cross_entropy(), LABELS, 1.730, LOGITS, factor=2),
    Fact(KERAS, "BinaryCrossentropy, first row", L.binary_cross_entropy(), LABELS[:2], 0.235, LOGITS[:2]),
    Fact(KERAS, "BinaryCrossentropy, second row", L.binary_cross_entropy(), LABELS[2:], 1.496, LOGITS[2:]),
    Fact(
        KERAS,
        "BinaryCrossentropy, weights",
        L.binary_cross_entropy(),
        LABELS,
        0.243,
        LOGITS,
        weights=[0.8, 0.8, 0.2, 0.2],
        factor=0.5,
    ),
    Fact(KERAS, "binary_crossentropy, first row", L.binary_cross_entropy(), PAIRS[:2], 0.916, prediction=CHANCES[:2]),
    Fact(KERAS, "binary_crossentropy, second row", L.binary_cross_entropy(), PAIRS[2:], 0.714, prediction=CHANCES[2:]),
    Fact(KERAS, "BinaryFocalCrossentropy, gamma 2", L.binary_focal(gamma=2.0), LABELS, 0.691, LOGITS),
    Fact(KERAS, "BinaryFocalCrossentropy, gamma 3", L.binary_focal(gamma=3.0), LABELS, 0.647, LOGITS),
    Fact(KERAS, "BinaryFocalCrossentropy, gamma 4, sum", L.binary_focal(gamma=4.0), LABELS, 1.222, LOGITS, factor=2),
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, gamma 5, first row",
        L.binary_focal(gamma=5.0),
        LABELS[:2],
        0.0017,
        LOGITS[:2],
        digits=4,
    ),
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, gamma 5, second row",
        L.binary_focal(gamma=5.0),
        LABELS[2:],
        1.1561,
        LOGITS[2:],
        digits=4,
    ),
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, gamma 3, weights",
        L.binary_focal(gamma=3.0),
        LABELS,
        0.133,
        LOGITS,
        weights=[0.8, 0.8, 0.2, 0.2],
        factor=0.5,
    ),
    # Their balance of .25 for a yes and .75 for a no is a third of a yes to a no, times .75.
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, balanced, gamma 2",
        L.binary_focal(gamma=2.0, positive_weight=1 / 3),
        LABELS,
        0.51,
        LOGITS,
        factor=0.75,
        digits=2,
    ),
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, balanced, gamma 3",
        L.binary_focal(gamma=3.0, positive_weight=1 / 3),
        LABELS,
        0.482,
        LOGITS,
        factor=0.75,
    ),
    Fact(
        KERAS,
        "BinaryFocalCrossentropy, balanced, gamma 5",
        L.binary_focal(gamma=5.0, positive_weight=1 / 3),
        LABELS[2:],
        0.8670,
        LOGITS[2:],
        factor=0.75,
        digits=3,
    ),
    Fact(
        KERAS,
        "binary_focal_crossentropy, first row",
        L.binary_focal(gamma=2.0),
        PAIRS[:2],
        0.330,
        prediction=CHANCES[:2],
    ),
    Fact(
        KERAS,
        "binary_focal_crossentropy, second row",
        L.binary_focal(gamma=2.0),
        PAIRS[2:],
        0.206,
        prediction=CHANCES[2:],
    ),
    Fact(KERAS, "CategoricalCrossentropy", L.cross_entropy(), ROWS, 1.177, prediction=THREE),
    Fact(KERAS, "CategoricalCrossentropy, sum", L.cross_entropy(), ROWS, 2.354, prediction=THREE, factor=2),
    Fact(
        KERAS,
        "CategoricalCrossentropy, weights",
        L.cross_entropy(),
        ROWS,
        0.814,
        prediction=THREE,
        weights=[0.3, 0.7],
        factor=0.5,
    ),
    Fact(
        KERAS, "CategoricalCrossentropy, first row", L.cross_entropy(), ROWS[:1], 0.0513, prediction=THREE[:1], digits=4
    ),
    Fact(KERAS, "CategoricalCrossentropy, second row", L.cross_entropy(), ROWS[1:], 2.303, prediction=THREE[1:]),
    Fact(
        KERAS,
        "CategoricalFocalCrossentropy",
        L.focal(gamma=2.0),
        ROWS,
        0.23315276,
        prediction=THREE,
        factor=0.25,
        digits=6,
    ),
    Fact(
        KERAS,
        "CategoricalFocalCrossentropy, weights",
        L.focal(gamma=2.0),
        ROWS,
        0.1632,
        prediction=THREE,
        weights=[0.3, 0.7],
        factor=0.125,
        digits=4,
    ),
    Fact(
        KERAS,
        "CategoricalFocalCrossentropy, first row",
        L.focal(gamma=2.0),
        ROWS[:1],
        3.2058331e-05,
        prediction=THREE[:1],
        factor=0.25,
        digits=9,
    ),
    Fact(
        KERAS,
        "CategoricalFocalCrossentropy, second row",
        L.focal(gamma=2.0),
        ROWS[1:],
        0.46627346,
        prediction=THREE[1:],
        factor=0.25,
        digits=6,
    ),
    Fact(
        KERAS,
        "categorical_focal_crossentropy",
        L.focal(gamma=2.0),
        [1],
        2.63401289e-04,
        prediction=[[0.05, 0.9, 0.05]],
        factor=0.25,
        digits=9,
    ),
    Fact(
        KERAS,
        "categorical_focal_crossentropy, second",
        L.focal(gamma=2.0),
        [2],
        0.675912094,
        prediction=[[0.1, 0.85, 0.05]],
        factor=0.25,
        digits=6,
    ),
    Fact(KERAS, "MeanAbsoluteError", L.absolute_error(), [1.0, 0.3, 1.0], 0.5666667, [1.9, 0.3, 1.8], digits=7),
    Fact(
        KERAS,
        "MeanAbsolutePercentageError",
        L.absolute_percentage_error(),
        [100.0, 200.0, 300.0],
        6.111111,
        prediction=[90.0, 210.0, 310.0],
        factor=100,
        digits=6,
    ),
    Fact(KERAS, "MeanSquaredError", L.squared_error(), [1.0, 0.0, 1.0], 0.02, [0.9, 0.1, 0.8]),
    Fact(KERAS, "huber", L.huber(), [0, 1, 0, 0], 0.155, [0.6, 0.4, 0.4, 0.6]),
    Fact(KERAS, "log_cosh", L.log_cosh(), [0.0, 1.0, 0.0, 0.0], 0.108, [1.0, 1.0, 0.0, 0.0]),
    Fact(METRICS, "mean_squared_error", L.squared_error(), [0.0, 1, 2, 2], 0.25, [0.0, 1, 2, 3]),
    Fact(METRICS, "mean_absolute_error", L.absolute_error(), [0.0, 1, 2, 2], 0.25, [0.0, 1, 2, 3]),
    Fact(
        METRICS,
        "mean_absolute_percentage_error",
        L.absolute_percentage_error(),
        [1, 10, 1e6],
        0.2667,
        prediction=[0.9, 15, 1.2e6],
        digits=4,
    ),
    Fact(
        METRICS,
        "mean_squared_log_error",
        L.squared_log_error(),
        [1e-9, 1, 2, 2],
        0.0207,
        prediction=[1e-9, 1, 2, 3],
        digits=4,
    ),
    Fact(METRICS, "log_cosh_error", L.log_cosh(), [2.5, 5.0, 4.0, 8.0], 0.3523, [3.0, 5.0, 2.5, 7.0], digits=4),
    Fact(METRICS, "log_cosh_error, first column", L.log_cosh(), [2.5, 0.3], 0.9176, [3.0, -2.1], digits=4),
    Fact(METRICS, "log_cosh_error, second column", L.log_cosh(), [5.0, 4.0], 0.4277, [5.0, 2.5], digits=4),
    Fact(METRICS, "log_cosh_error, third column", L.log_cosh(), [1.3, 8.0], 0.2194, [1.2, 7.0], digits=4),
]


def close(seen: float, fact: Fact) -> bool:
    """Within the last digit that is printed: some are cut there and some are rounded."""
    return abs(seen - fact.value) < 10.0**-fact.digits


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.whose}: {fact.what}")
def test_a_number_that_they_print_is_ours(fact: Fact) -> None:
    weights = None if fact.weights is None else np.asarray(fact.weights)
    given = {"prediction": np.asarray(fact.prediction, float)} if fact.z is None else {}
    raw = () if fact.z is None else (np.asarray(fact.z, float),)
    y = np.asarray(fact.y)
    seen = fact.loss(y, *raw, sample_weight=weights, **given)
    if fact.excess:
        seen -= fact.loss(y, prediction=y.astype(float), sample_weight=weights)
    assert close(seen * fact.factor, fact), (seen * fact.factor, fact.value)


class Truth(NamedTuple):
    """A truth that some library misses: where, and what it gives there (measured with the version named)."""

    missed_by: str
    loss: Loss
    y: Any
    z: Any
    value: float | None = None
    signal: float | None = None
    dtype: type = np.float64


BCE, F32 = L.binary_cross_entropy(), np.float32
TRUTHS = [
    Truth("torch 2.13.0 gives 0", BCE, 0, -18.0, 1.5229979512760347e-08, dtype=F32),
    Truth("torch 2.13.0 gives 4.5776e-5", BCE, 0, -10.0, 4.5398899216870535e-05, dtype=F32),
    Truth("torch 2.13.0 gives 0 in float64", BCE, 0, -40.0, 4.248354255291589e-18),
    Truth("torch 2.13.0 has the signal 0", BCE, 1, 16.64, signal=-5.9338e-08, dtype=F32),
    Truth("torch 2.13.0 and optax 0.2.8 give NaN", BCE, 1, np.inf, 0.0, 0.0),
    Truth("torch 2.13.0 gives NaN", BCE, 1, -np.inf, np.inf, -1.0),
    Truth("scikit-learn 1.9.1 gives NaN", BCE, 0, np.inf, np.inf, 1.0),
    Truth("Keras 3.15.1 gives 16.118 and no signal", L.binary_focal(gamma=2.0), 1, -100.0, 100.0, -1.0, dtype=F32),
    Truth("torch 2.13.0 soft_margin_loss gives inf", BCE, 1, -100.0, 100.0, -1.0, dtype=F32),
    Truth("scikit-learn 1.9.1 gives NaN", L.exponential_nll(), 1.0, -1000.0, None, -np.inf),
    Truth("torch 2.13.0 and optax 0.2.8 give 0", L.cross_entropy(), 0, [17.0, 0.0], 4.139937633089748e-08, dtype=F32),
    Truth("torch 2.13.0 gives 0", L.cross_entropy(), 0, [20.0, 0.0], 2.061153620314381e-09, dtype=F32),
    Truth("nobody misses it", L.cross_entropy(), 1, [1e4, -1e4, 0.0], 20000.0),
    Truth("optax 0.2.8 gives 0", L.log_cosh(), 0.0, 1e-4, 5e-9, dtype=F32),
    Truth("optax 0.2.8 gives 5.36e-7", L.log_cosh(), 0.0, 1e-3, 4.99999917e-07, dtype=F32),
    Truth("nobody misses it", L.cross_entropy(), 0, [0.0] * 100_000, math.log(100_000)),
]


@pytest.mark.parametrize("truth", TRUTHS, ids=lambda truth: f"{truth.missed_by}: {truth.loss}")
def test_a_truth_that_they_miss_is_ours(truth: Truth) -> None:
    y, z = np.asarray([truth.y]), np.asarray([truth.z], truth.dtype)
    within = 4 * float(np.finfo(truth.dtype).eps)
    if truth.value is not None:
        assert truth.loss.value(y, z)[0] == pytest.approx(truth.value, rel=within if truth.value < 1e-7 else 1e-6)
    if truth.signal is not None:
        assert np.ravel(truth.loss.gradient(y, z))[0] == pytest.approx(truth.signal, rel=1e-4)
