"""What arrays does a loss take, and what does it say about those it refuses?"""

import array_api_strict as strict
import numpy as np
import pandas as pd
import polars as pl
import pytest

from catalogue_losses import everything
from goodmeasure import losses
from goodmeasure.checking.checks import _sample
from goodmeasure.errors import NothingToAverage, Problem, ShapeMismatch, TargetOutsideDomain, UsageError, WeightError

LOSSES = everything()
cross, classes, squared = losses.binary_cross_entropy(), losses.cross_entropy(), losses.squared_error()


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_layout_does_not_change_a_bit(loss):
    y, z = _sample(loss, 40)
    value, slope = loss.value(y, z), loss.gradient(y, z)
    wide = np.empty((80, *z.shape[1:]))
    wide[::2] = z
    frozen = z.copy()
    frozen.flags.writeable = False
    for given in (wide[::2], np.asfortranarray(z), z.astype(z.dtype.newbyteorder()), frozen):
        assert np.array_equal(loss.value(y, given), value)
        assert np.array_equal(loss.gradient(y, given), slope)
    for start in (0, 1, 7, 33):
        assert np.array_equal(loss.value(y[start : start + 5], z[start : start + 5]), value[start : start + 5])


@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_other_array_namespaces_give_the_same_numbers(loss):
    import torch

    y, z = _sample(loss, 12)
    for make in (torch.asarray, strict.asarray):
        for reading in ("value", "gradient"):
            found = getattr(loss, reading)(make(y), make(z))
            assert type(found) is type(make(z))
            assert np.asarray(found) == pytest.approx(getattr(loss, reading)(y, z), rel=1e-12, abs=1e-300)
        assert loss(make(y), make(z)) == pytest.approx(loss(y, z), rel=1e-14)


def test_frames_lists_and_single_numbers():
    y, z = [1, 0, 1], [0.5, 0.25, -1.0]
    expected = cross(np.asarray(y), np.asarray(z))
    assert cross(y, z) == expected
    assert cross(pd.Series(y, index=[5, 6, 7]), pd.Series(z)) == expected
    assert cross(pl.Series(y), pl.Series(z)) == expected
    assert cross(pd.Series([True, False, True]), np.asarray(z)) == expected
    assert cross.value(1, 0.5) == pytest.approx(0.474076984)
    assert squared([1, 2], [1, 3]) == 0.5


def test_several_labels_are_a_loss_each():
    y, z = np.eye(3)[:2], np.zeros((2, 3))
    assert cross.value(y, z).shape == (2, 3)
    assert cross(y, z, [1.0, 3.0]) == pytest.approx(np.log(2))


def test_out_is_where_the_gradient_goes():
    y, z = np.ones(4), np.zeros(4)
    out = np.full(4, 7.0)
    mean, found = cross.value_and_gradient(y, z, out=out)
    assert found is out
    assert mean == pytest.approx(np.log(2))
    assert out == pytest.approx(-0.125)
    for wrong in (np.zeros(3), np.zeros(4, dtype=np.float32), [0.0] * 4):
        with pytest.raises(UsageError):
            cross.value_and_gradient(y, z, out=wrong)


REFUSED = [
    (cross, ([[1], [0]], [0.0, 0.0]), ShapeMismatch, ["(2, 1)", "(2,)"]),
    (cross, ([1, 0], [[0.0], [0.0]]), ShapeMismatch, ["(2, 1)", "z[..., 0]"]),
    (cross, ([1, 0, 1], [0.0, 0.0]), ShapeMismatch, ["(3,)"]),
    (cross, ([1, 2, 5], [0.0] * 3), TargetOutsideDomain, ["2.0", "target[1]", "binary_cross_entropy"]),
    (cross, ([1, np.nan], [0.0] * 2), TargetOutsideDomain, ["nan", "target[1]"]),
    (cross, (["yes", "no"], [0.0] * 2), TargetOutsideDomain, ["numbers"]),
    (cross, ([-1, 1], [0.0] * 2), TargetOutsideDomain, ["-1"]),
    (classes, ([0, 3], np.zeros((2, 3))), TargetOutsideDomain, ["3", "target[1]", "0 to 2"]),
    (classes, ([-100, 1], np.zeros((2, 3))), TargetOutsideDomain, ["-100"]),
    (classes, ([0.5, 1], np.zeros((2, 3))), TargetOutsideDomain, ["0.5"]),
    (classes, ([[0.5, 0.2, 0.2]], np.zeros((1, 3))), TargetOutsideDomain, ["add up to 1"]),
    (classes, ([[5.0, -2, -2]], np.zeros((1, 3))), TargetOutsideDomain, ["add up to 1"]),
    (classes, ([0, 0], np.zeros((2, 1))), ShapeMismatch, ["at least 2", "binary_"]),
    (classes, ([0, 0, 1], np.zeros((2, 3))), ShapeMismatch, ["(3,)"]),
    (losses.poisson(), ([-1.0], [0.0]), TargetOutsideDomain, ["-1.0"]),
    (losses.gamma(), ([0.0], [0.0]), TargetOutsideDomain, ["0.0", "positive"]),
    (squared, ([np.inf], [0.0]), TargetOutsideDomain, ["inf"]),
    (squared, ([1.0], ["a"]), ShapeMismatch, ["numbers"]),
]


@pytest.mark.parametrize(
    ("loss", "given", "error", "says"), REFUSED, ids=[f"{r[0]}-{i}" for i, r in enumerate(REFUSED)]
)
def test_what_is_refused_is_named(loss, given, error, says):
    for call in (loss, loss.value, loss.gradient, loss.hessian, loss.value_and_gradient):
        with pytest.raises(error) as caught:
            call(*given)
        assert isinstance(caught.value, ValueError)
        for words in [*says, caught.value.code]:
            assert words in str(caught.value)


def test_weights_and_masks_are_checked():
    y, z = [1, 0], [0.0, 0.0]
    for weight in ([1.0, -1.0], [1.0, np.nan], [np.inf, 1.0]):
        with pytest.raises(WeightError, match="negative or not finite"):
            cross(y, z, weight)
    with pytest.raises(ShapeMismatch):
        cross(y, z, [1.0])
    with pytest.raises(WeightError, match="True"):
        cross(y, z, mask=[1, 0])
    with pytest.raises(NothingToAverage):
        cross(y, z, [0.0, 0.0])
    with pytest.raises(NothingToAverage):
        cross([], [])
    assert cross.total([], []).weight == 0


def test_predictions_are_checked():
    for p in ([1.5, 0.5], [np.nan, 0.5], [-0.1, 0.2]):
        with pytest.raises(Problem):
            cross([1, 0], prediction=p)
    with pytest.raises(Problem):
        classes([0], prediction=[[0.5, 0.2]])
    with pytest.raises(UsageError):
        cross([1, 0])


def test_totals_merge_exactly_whatever_the_parts():
    random = np.random.default_rng(0)
    y, z = random.integers(0, 2, 1000), random.normal(size=1000) * 30
    whole = cross.total(y, z)
    order = random.permutation(1000)
    parts = [cross.total(y[i], z[i]) for i in np.array_split(order, 13)]
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    assert merged == whole
    assert merged.mean == whole.mean


@pytest.mark.parametrize("ragged", [[[1.0], [1.0, 2.0]], [1.0, [2.0]], [[1.0, 2.0], 3.0]])
def test_rows_of_unequal_length_are_refused_by_name(ragged):
    with pytest.raises(Problem, match="z is not an array of one shape") as caught:
        losses.squared_error().value([1.0, 2.0], ragged)
    assert caught.value.fix.startswith("z = numpy.array(z)")
