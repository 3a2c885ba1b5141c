"""Calibration errors, and what is said of calibrated scores."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from goodmeasure.calibrating.calibration import calibration
from goodmeasure.calibrating.miscalibration import debiased_squared_error
from goodmeasure.calibrating.smoothing import on_grid, smooth_error
from simulations.sections import Row, Section, calibrated, covered


def binned_error(y: np.ndarray, p: np.ndarray, bins: int) -> tuple[float, float]:
    """The plug-in errors that most tools print: mean absolute and mean squared, in bins of equal width."""
    cell = np.minimum((p * bins).astype(int), bins - 1)
    size = np.bincount(cell, minlength=bins)
    gap = np.divide(np.bincount(cell, weights=y - p, minlength=bins), size, out=np.zeros(bins), where=size > 0)
    return float(size @ np.abs(gap) / len(y)), float(size @ gap**2 / len(y))


def bias_of_errors() -> Iterator[Row]:
    for n, bins in ((1000, 15), (1000, 100), (10_000, 15)):
        plug = np.array([binned_error(*calibrated(n, seed), bins) for seed in range(200)])
        fair = np.array(
            [
                debiased_squared_error(y - p, p, np.ones(n), bins=bins).value
                for y, p in map(calibrated, [n] * 200, range(200))
            ]
        )
        absolute = math.sqrt(2 * bins / (math.pi * n)) * math.pi / 8
        told = f"{fair.mean():.1e} ± {fair.std() / math.sqrt(200):.1e}"
        yield n, bins, absolute, float(plug[:, 0].mean()), bins / (6 * n), float(plug[:, 1].mean()), told


def smooth() -> Iterator[Row]:
    for n, known in ((1000, 0.0303), (10_000, 0.0141), (100_000, 0.0066)):
        found = [smooth_error(on_grid(p, y - p), n) for y, p in map(calibrated, [n] * 20, range(20))]
        yield n, known, float(np.mean(found))


def of_calibration(runs: int = 200) -> Iterator[Row]:
    found = [calibration(*calibrated(1000, seed), seed=seed) for seed in range(runs)]
    yield "rejects calibrated scores at .05", 0.05, float(np.mean([one.p_value < 0.05 for one in found]))
    yield (
        "miscalibration interval holds 0",
        0.95,
        covered([(c.miscalibration.low, c.miscalibration.high) for c in found], 0),
    )
    known = covered([(c.discrimination.low, c.discrimination.high) for c in found], 1 / 12)
    yield "discrimination interval holds 1/12", 0.95, known
    square = [calibration(y, q**2, seed=i) for i, (y, q) in enumerate(map(calibrated, [1000] * runs, range(runs)))]
    lost = covered([(c.miscalibration.low, c.miscalibration.high) for c in square], 1 / 30)
    yield "miscalibration interval of q² holds 1/30", 0.95, lost
    fair = covered([(c.squared_error.low, c.squared_error.high) for c in square], 1 / 30)
    yield "debiased interval of q² holds 1/30", 0.95, fair


SECTIONS = (
    Section(
        "Calibration errors of calibrated scores",
        ("n", "bins", "theory of mean absolute gap", "plug-in", "theory of mean gap²", "plug-in", "debiased"),
        bias_of_errors,
    ),
    Section("Smooth calibration error of calibrated scores", ("n", "published", "found"), smooth),
    Section("Calibration of 1,000 rows", ("what", "nominal", "found"), of_calibration),
)
