"""Is a fit of a sparse table that of the same table written out, and does it stay sparse?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.fitting import design, loops
from goodmeasure.fitting.certificate import Status
from goodmeasure.making.loss import Loss

ROWS, WIDTH = 300, 8
RNG = np.random.default_rng(4)
DENSE = np.where(RNG.random((ROWS, WIDTH)) < 0.3, RNG.normal(size=(ROWS, WIDTH)), 0.0)
DENSE[:, 3] *= 300.0
ETA = DENSE @ np.array([0.8, -0.5, 0.4, 0.001, 0, 0.2, 0, 0])
MADE = {name: made() for name, made in losses.catalogue().items()}


def targets(loss: Loss, eta: Any = ETA) -> Any:
    rng = np.random.default_rng(1)
    if loss.is_classwise:
        return np.argmax(np.column_stack([eta, -eta, 0 * eta]) + rng.gumbel(size=(len(eta), 3)), axis=1)
    if loss.is_binary:
        return (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(float)
    if loss.target.whole:
        return np.minimum(rng.poisson(np.exp(eta / 2)), loss.target.high).astype(float)
    if loss.target.low == 0:
        found = rng.gamma(2, np.exp(eta / 2) / 2)
        return found / (1 + found) if loss.target.high == 1 else found
    return eta + rng.standard_t(4, len(eta))


def both(loss: Loss, table: Any, y: Any, **settings: Any) -> tuple[Any, Any]:
    kind = gm.LossClassifier if loss.is_classwise or loss.is_binary else gm.LossRegressor
    settings = {"alpha": 1e-2, "tol": 1e-14, **settings}
    return kind(loss, **settings).fit(table, y), kind(loss, **settings).fit(sparse.csr_array(table), y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MADE)
def test_coefficients_are_those_of_the_table_written_out(name: str) -> None:
    loss = MADE[name]
    dense, zeros = both(loss, DENSE, targets(loss))
    assert zeros.certificate_.status is dense.certificate_.status
    # Where neither arrived they end where rounding led them.
    near = 0.02 if dense.certificate_.status is Status.UNFINISHED else 1e-9
    assert zeros.certificate_.objective == pytest.approx(dense.certificate_.objective, rel=near, abs=1e-12)
    if dense.certificate_.status.value == "optimal" and dense.certificate_.gap <= 1e-14:
        scale = np.abs(dense.coef_).max()
        np.testing.assert_allclose(zeros.coef_, dense.coef_, rtol=1e-6, atol=1e-7 * scale)
    z = zeros.raw(sparse.csc_matrix(DENSE))
    np.testing.assert_allclose(z, zeros.raw(DENSE), atol=1e-12 * (1 + np.abs(z).max()))


@pytest.mark.parametrize(
    "name", ["binary_cross_entropy", "squared_error", "poisson", "huber", "log_cosh", "cross_entropy"]
)
@pytest.mark.parametrize("ratio", [0.0, 0.7])
def test_they_agree_to_nine_digits(name: str, ratio: float) -> None:
    dense, zeros = both(MADE[name], DENSE, targets(MADE[name]), l1_ratio=ratio)
    np.testing.assert_allclose(zeros.coef_, dense.coef_, rtol=0, atol=1e-9 * np.abs(dense.coef_).max())
    np.testing.assert_allclose(zeros.intercept_, dense.intercept_, rtol=0, atol=1e-9)


def test_many_rows_are_begun_on_a_part_here_too() -> None:
    rng = np.random.default_rng(0)
    table = np.where(rng.random((24_000, 5)) < 0.2, rng.normal(size=(24_000, 5)), 0.0)
    loss = losses.binary_cross_entropy()
    dense, zeros = both(loss, table, targets(loss, table @ np.ones(5)), tol=1e-16)
    # Their parts are not as large: where nothing is left that shows in the objective, half of the digits are the same.
    np.testing.assert_allclose(zeros.coef_, dense.coef_, rtol=0, atol=1e-6)


def test_nothing_writes_the_table_out(monkeypatch: pytest.MonkeyPatch) -> None:
    table = sparse.random_array((600, 400), density=1e-2, rng=np.random.default_rng(0), format="csr")
    eta = table @ np.where(np.arange(400) < 50, 3.0, 0.0)
    for kind in (sparse.csr_array, sparse.csr_matrix):
        own = kind.toarray

        def refused(self: Any, *given: Any, own: Any = own, **more: Any) -> Any:
            assert self.shape[0] == self.shape[1], "the products of columns alone are written out"
            return own(self, *given, **more)

        monkeypatch.setattr(kind, "toarray", refused)
    for name, ratio in (("binary_cross_entropy", 0.9), ("squared_error", 0.0), ("absolute_error", 0.0)):
        kind = gm.LossClassifier if MADE[name].is_binary else gm.LossRegressor
        model = kind(MADE[name], alpha=0.01, l1_ratio=ratio).fit(sparse.csr_matrix(table), targets(MADE[name], eta))
        assert np.isfinite(model.raw(table)).all()


def test_products_are_those_of_an_array() -> None:
    zeros, h = sparse.csr_array(DENSE), RNG.random(ROWS)
    assert design.gram(zeros, h) == pytest.approx(design.gram(DENSE, h))
    assert design.crossed(zeros, h - 0.5) == pytest.approx(design.crossed(DENSE, h - 0.5))
    for each, other in zip(design.moments(zeros, h), design.moments(DENSE, h), strict=True):
        assert each == pytest.approx(other)
    beside = [1.0, h - 0.5]
    ends = np.column_stack([DENSE, np.ones(ROWS), h - 0.5])
    for table in (zeros, DENSE):
        assert design.gram(table, h, beside) == pytest.approx(ends.T @ (h[:, None] * ends))
        assert design.gram(table, None, beside) == pytest.approx(ends.T @ ends)
    in_parts = sparse.csr_array(
        (np.repeat(zeros.data / 2, 2), np.repeat(zeros.indices, 2), 2 * zeros.indptr), zeros.shape
    )
    assert design.squares(in_parts).toarray() == pytest.approx(DENSE**2)
    assert design.with_ones(zeros, [3, 1], ones=True).toarray() == pytest.approx(
        design.with_ones(DENSE, [3, 1], ones=True)
    )


@pytest.mark.parametrize("twice", [False, True])
def test_compiled_products_of_columns_are_those_of_scipy(twice: bool) -> None:
    """With rows that are empty, and cells that are written in two parts."""
    rng = np.random.default_rng(0)
    table = sparse.random_array((30_000, 40), density=0.02, rng=rng, format="csr")
    if twice:
        at = np.repeat(np.arange(table.nnz), 2)
        table = sparse.csr_array((table.data[at] / 2, table.indices[at], 2 * table.indptr), shape=table.shape)
    by_row = rng.normal(size=30_000)
    found = np.zeros((40, 40))
    loops.crossed.compiled(table.indptr, table.indices, table.data, by_row, found)
    assert found == pytest.approx((table.T @ table.multiply(by_row[:, None])).toarray(), rel=1e-12, abs=1e-12)
    plain = np.zeros((40, 40))
    assert loops.crossed.plain is not None
    loops.crossed.plain(table.indptr, table.indices, table.data, by_row, plain)
    assert found == pytest.approx(plain, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_compiled_moments_are_those_of_numpy(weighted: bool) -> None:
    features = np.random.default_rng(0).normal(size=(1_001, 7)) + 3
    weight = np.random.default_rng(1).uniform(size=1_001) if weighted else np.ones(1_001)
    sums, squares = np.zeros(7), np.zeros(7)
    if weighted:
        loops.weighed_moments.compiled(features, weight, sums, squares)
    else:
        loops.moments.compiled(features, sums, squares)
    assert sums == pytest.approx(weight @ features, rel=1e-13)
    assert squares == pytest.approx(weight @ features**2, rel=1e-13)


@pytest.mark.parametrize("width", [1, 3])
def test_compiled_products_are_those_of_blas(width: int) -> None:
    features = np.random.default_rng(0).normal(size=(1_001, 7)) + 3
    slopes, signal = (
        np.random.default_rng(1).normal(size=(7, width)),
        np.random.default_rng(2).normal(size=(1_001, width)),
    )
    out = np.empty((1_001, width))
    design.forth(features, slopes, out, compiled=True)
    assert out == pytest.approx(features @ slopes, rel=1e-12)
    assert design.back(features, signal, compiled=True) == pytest.approx(features.T @ signal, rel=1e-11)


@pytest.mark.parametrize("number", [7.0, 0.1, -1e300, 1e-300, 1e9 + 0.1])
@pytest.mark.parametrize("rows", [90, 70_000])
def test_a_column_of_one_number_has_no_spread(rows: int, number: float) -> None:
    """Whatever the weights: their mean is off by its rounding, which is no scale to divide by."""
    table = np.column_stack([np.full((rows, 8), number), np.arange(rows * 8.0).reshape(rows, 8) - 9])
    for weight in (None, np.random.default_rng(3).uniform(0.1, 3, rows)):
        with np.errstate(over="ignore", invalid="ignore"):
            mean, spread = design.moments(table, weight)
        np.testing.assert_allclose(mean[:8], number, rtol=1e-11)
        assert not spread[:8].any()
        assert spread[8:].all()


@pytest.mark.parametrize("off", [1e3, 1e6, 1e9])
@pytest.mark.parametrize("weighed", [False, True])
def test_columns_without_a_zero_are_fitted_however_far_from_it(off: float, weighed: bool) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5)).round(3)
    X[:, 1] = 0.0
    w = rng.uniform(0.5, 2, 300) if weighed else None
    y = X @ [1.0, 0, 2, 0, 1] + rng.normal(size=300)
    far = X + np.array([off, 0, -off, 0, 3.0])
    far[:, 3] = 3.3
    loss = losses.huber()
    dense = gm.LossRegressor(loss, alpha=0.01).fit(far, y, sample_weight=w)
    twice = sparse.csr_array(far)  # each cell told of in two halves
    twice = sparse.csr_array((np.repeat(twice.data / 2, 2), np.repeat(twice.indices, 2), 2 * twice.indptr), far.shape)
    for table in (sparse.csr_array(far), twice):
        found = gm.LossRegressor(loss, alpha=0.01).fit(table, y, sample_weight=w)
        assert found.certificate_.objective == pytest.approx(dense.certificate_.objective, rel=1e-9)
        np.testing.assert_allclose(found.coef_, dense.coef_, rtol=1e-6, atol=1e-9)
