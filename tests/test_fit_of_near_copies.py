"""Columns that are copies of each other but for their last digits, which a matrix of products does not keep."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import goodmeasure as gm
from goodmeasure.fitting.certificate import Status

LOSSES = {
    "squared_error": gm.losses.squared_error(),
    "huber": gm.losses.huber(),
    "log_cosh": gm.losses.log_cosh(),
    "poisson": gm.losses.poisson(),
    "binary_cross_entropy": gm.losses.binary_cross_entropy(),
    "cross_entropy": gm.losses.cross_entropy(),
}


def rows(name: str, apart: float, width: int = 4):
    """Features, the same with what sets the last column apart in its place, targets that follow it, and weights."""
    rng = np.random.default_rng(0)
    plain = rng.normal(size=(3 * width + 600, width))
    near = plain.copy()
    near[:, -1] = plain[:, 0] + apart * plain[:, -1]
    plain[:, -1] = (near[:, -1] - plain[:, 0]) / apart  # what the digits of a double say of it
    amount = plain[:, -1] + rng.normal(size=len(plain))
    y = {
        "poisson": np.floor(np.exp(np.clip(amount, -3, 3))),
        "binary_cross_entropy": (amount > 0) * 1,
        "cross_entropy": np.digitize(amount, [-1, 1]),
    }.get(name, amount)
    return near, plain, y, rng.uniform(0.5, 2, len(y))


def model(loss: gm.Loss, **more):
    of_classes = loss.is_binary or loss.is_classwise
    return (gm.LossClassifier if of_classes else gm.LossRegressor)(loss, **more)


@pytest.mark.parametrize("apart", [1e-6, 1e-8])
@pytest.mark.parametrize("name", LOSSES)
def test_what_sets_near_copies_apart_is_learnt(name: str, apart: float) -> None:
    near, plain, y, w = rows(name, apart)
    best = model(LOSSES[name]).fit(plain, y, sample_weight=w)
    for table in (near, csr_array(near)):
        found = model(LOSSES[name]).fit(table, y, sample_weight=w)
        assert found.certificate_.status is Status.OPTIMAL
        assert found.certificate_.objective == pytest.approx(best.certificate_.objective, rel=1e-8 + 1e-16 / apart)


def test_of_more_columns_than_have_directions_of_their_own() -> None:
    near, plain, y, _ = rows("huber", 1e-8, width=220)
    best = gm.LossRegressor(LOSSES["huber"]).fit(plain, y).certificate_.objective
    assert gm.LossRegressor(LOSSES["huber"]).fit(near, y).certificate_.objective == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("name", ["squared_error", "huber"])
def test_rows_that_are_summed_say_it_too(name: str) -> None:
    near, plain, y, _ = rows(name, 1e-8)
    names = [f"x{k}" for k in range(near.shape[1])]
    table = pa.table({**dict(zip(names, near.T, strict=True)), "y": y})
    best = model(LOSSES[name]).fit(plain, y).certificate_.objective
    assert gm.fit_linear(LOSSES[name], "y", names, data=table).certificate_.objective == pytest.approx(best, rel=1e-8)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("off", [0.0, 2000.0, 1e6])
def test_the_rounding_of_copies_is_not_learnt(name: str, off: float) -> None:
    _, plain, y, _ = rows(name, 1e-8)
    plain[:, 0] += off
    copies = np.column_stack([plain, 1.8 * plain[:, 0] + 32, plain[:, 1] + plain[:, 2], plain[:, 3]])
    best = model(LOSSES[name]).fit(plain, y)
    found = model(LOSSES[name]).fit(copies, y)
    assert np.abs(found.coef_).max() < 10 * np.abs(best.coef_).max()
    assert found.certificate_.objective == pytest.approx(best.certificate_.objective, rel=1e-9)
