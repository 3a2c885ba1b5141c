"""What do losses give where common libraries give a wrong number, a NaN or an error: the tails, the ends, the absent?"""

import math

import numpy as np
import pytest

from goodmeasure import losses
from goodmeasure.errors import NothingToAverage, Problem, ShapeMismatch, TargetOutsideDomain

BCE, CE, FOCAL = losses.binary_cross_entropy(), losses.cross_entropy(), losses.binary_focal()
ULPS = {np.float16: 1e-3, np.float32: 3e-7, np.float64: 1e-15}


@pytest.mark.parametrize(
    ("y", "z", "dtype", "value"),
    [
        (1, 1e4, np.float32, 0.0),
        (0, 1e4, np.float32, 1e4),
        (0, -1e4, np.float32, 0.0),
        (1, 18.0, np.float32, 1.5229979512760347e-08),
        (0, -18.0, np.float32, 1.5229979512760347e-08),
        (0, -10.0, np.float32, 4.5398899216870535e-05),
        (0, -40.0, np.float64, 4.248354255291589e-18),
        (1, 40.0, np.float64, 4.248354255291589e-18),
        (0, -8.0, np.float16, 3.354063728956035e-4),
        (1, 8.0, np.float16, 3.354063728956035e-4),
        (1, -88.0, np.float32, 88.0),
        (1, -89.0, np.float32, 89.0),
        (1, -100.0, np.float32, 100.0),
        (1, -710.0, np.float64, 710.0),
        (1, -1000.0, np.float64, 1000.0),
        (1, math.inf, np.float64, 0.0),
        (0, math.inf, np.float64, math.inf),
        (0, -math.inf, np.float64, 0.0),
        (1, -math.inf, np.float64, math.inf),
    ],
)
def test_binary_values_in_the_tails(y, z, dtype, value):
    found = BCE.value(np.asarray([y]), np.asarray([z], dtype=dtype))
    assert found.dtype == dtype
    assert float(found[0]) == pytest.approx(value, rel=ULPS[dtype])


@pytest.mark.parametrize(
    ("loss", "y", "z", "dtype", "signal"),
    [
        (BCE, 1, 1e4, np.float32, 0.0),
        (BCE, 0, 1e4, np.float32, 1.0),
        (BCE, 1, -1e4, np.float32, -1.0),
        (BCE, 1, 16.64, np.float32, -5.9339845e-08),
        (BCE, 1, 17.0, np.float32, -4.1399375e-08),
        (BCE, 1, -100.0, np.float32, -1.0),
        (BCE, 1, math.inf, np.float64, 0.0),
        (BCE, 0, math.inf, np.float64, 1.0),
        (BCE, 0, -math.inf, np.float64, 0.0),
        (BCE, 1, -math.inf, np.float64, -1.0),
        (FOCAL, 1, -100.0, np.float32, -1.0),
        (losses.exponential(), 1, 1000.0, np.float64, 0.0),
        (losses.absolute_error(), 3.0, 3.0, np.float64, 0.0),
    ],
)
def test_signals_in_the_tails(loss, y, z, dtype, signal):
    found = loss.gradient(np.asarray([y], dtype=dtype), np.asarray([z], dtype=dtype))[0]
    assert float(found) == pytest.approx(signal, rel=2e-6)


def test_curvature_in_the_tails():
    assert float(BCE.hessian([1.0], np.float32([50.0]))[0]) == pytest.approx(1.9287498479639178e-22, rel=3e-7)
    found = losses.poisson().with_activation("softplus").hessian([0.0, 0.0], np.float64([19.0, 21.0]))
    assert found == pytest.approx([5.6027964e-09, 7.5825604e-10], rel=1e-7)


def test_half_precision_of_other_libraries_is_rounded_once():
    torch = pytest.importorskip("torch")
    z = torch.tensor([-4.0, 4.0], dtype=torch.bfloat16)
    found = BCE.value(torch.tensor([0.0, 1.0]), z)
    assert found.dtype == torch.bfloat16
    assert found.float().tolist() == pytest.approx([0.01815] * 2, rel=4e-3)


def test_probabilities_in_place_of_raw_outputs():
    assert BCE([1], prediction=[0.0]) == math.inf
    assert BCE([1], prediction=[1.0]) == 0.0
    assert BCE([1], prediction=[1 / (1 + math.exp(50.0))]) == pytest.approx(50.0, rel=1e-14)
    with pytest.raises(TargetOutsideDomain, match="a prediction is outside"):
        BCE([1, 0], prediction=[3.0, -3.0])


@pytest.mark.parametrize("bad", [255, -1, 2, math.nan])
def test_labels_that_are_neither_yes_nor_no_are_named(bad):
    with pytest.raises(TargetOutsideDomain, match=r"target\[1\]"):
        BCE([1.0, bad], [0.3, 10.0])


def test_whole_number_and_boolean_targets_are_targets():
    expected = BCE(np.asarray([1.0, 0.0]), [0.3, 0.2])
    assert BCE(np.asarray([1, 0]), [0.3, 0.2]) == expected == BCE(np.asarray([True, False]), [0.3, 0.2])


def test_labels_in_words_say_how_to_number_them():
    with pytest.raises(TargetOutsideDomain, match="must be numbers"):
        BCE(np.asarray(["spam", "ham"]), [0.3, 0.2])


def test_focal_pulls_where_it_is_surely_wrong():
    assert float(FOCAL.value([1], np.float32([-100.0]))[0]) == pytest.approx(100.0)
    assert float(FOCAL.gradient([1], np.float32([-20.0]))[0]) == pytest.approx(-1.0, rel=1e-6)


@pytest.mark.parametrize(("z", "value"), [(15, 3.0590227e-07), (17, 4.1399375e-08), (20, 2.0611537e-09)])
def test_classes_in_the_tails(z, value):
    row = np.float32([[z, 0.0]])
    assert float(CE.value([0], row)[0]) == pytest.approx(value, rel=3e-7)
    slope = CE.gradient([0], row)[0]
    assert float(slope.sum()) == 0.0
    assert float(slope[1]) == pytest.approx(value, rel=3e-7)


def test_classes_far_out_and_at_infinity():
    row = np.float32([[1e4, -1e4, 0.0]])
    assert float(CE.value([1], row)[0]) == 20000.0
    assert CE.gradient([1], row).tolist() == [[1.0, -1.0, 0.0]]
    lost = np.asarray([[-math.inf, 0.0, 1.0]])
    truth = math.log1p(math.e)
    assert CE.value([1], lost)[0] == pytest.approx(truth)
    assert CE.value([[0.0, 1.0, 0.0]], lost)[0] == pytest.approx(truth)
    assert np.isfinite(CE.gradient([[0.0, 1.0, 0.0]], lost)).all()
    assert losses.cross_entropy(smoothing=0.1).value([1], lost)[0] == math.inf
    assert np.isnan(CE.value([1], [[-math.inf] * 3])[0])


@pytest.mark.parametrize("label", [3, -1, -100])
def test_class_indices_out_of_range(label):
    with pytest.raises(TargetOutsideDomain, match="0 to 2"):
        CE([0, label], np.zeros((2, 3)))


@pytest.mark.parametrize("row", [[5.0, -2.0, 0.0], [0.5, 0.2, 0.2]])
def test_rows_that_are_no_probabilities(row):
    with pytest.raises(TargetOutsideDomain, match="add up to 1"):
        CE([row], np.zeros((1, 3)))


def test_single_channel_and_wrong_shapes_are_errors():
    with pytest.raises(ShapeMismatch, match="at least 2"):
        CE([0, 0], np.zeros((2, 1)))
    with pytest.raises(ShapeMismatch, match=r"\(4, 1\)"):
        losses.squared_error()(np.zeros((4, 1)), np.zeros(4))
    with pytest.raises(ShapeMismatch):
        losses.squared_error()(np.zeros(4), np.zeros(3))


def test_last_axis_holds_the_classes_even_where_lengths_agree():
    z = np.arange(18.0).reshape(2, 3, 3) ** 2 / 20
    y = np.asarray([[0, 1, 2], [2, 1, 0]])
    alone = [CE([y[i, j]], z[i, j][None]) for i in range(2) for j in range(3)]
    assert CE(y, z) == pytest.approx(np.mean(alone), rel=1e-14)


def test_nothing_to_average_is_an_error_with_a_cause():
    z = np.zeros((2, 3))
    for given in ({"mask": np.zeros(2, dtype=bool)}, {"sample_weight": np.zeros(2)}):
        with pytest.raises(NothingToAverage, match="no examples"):
            CE([0, 1], z, **given)
        assert CE.total([0, 1], z, **given).weight == 0
    with pytest.raises(NothingToAverage):
        CE(np.zeros(0, dtype=int), np.zeros((0, 3)))


def test_a_class_weight_is_in_the_loss_and_never_in_the_denominator():
    weighted = losses.cross_entropy(class_weight=(0.0, 10.0))
    assert weighted([0, 0], np.zeros((2, 2))) == 0.0
    assert weighted([1], np.zeros((1, 2))) == pytest.approx(10 * math.log(2))


@pytest.mark.parametrize("classes", [2, 3, 40])
def test_a_class_is_never_its_own_rival(classes):
    hinge, z = losses.multiclass_hinge(), np.full((2, classes), -math.inf)
    z[:, 0] = 5
    np.testing.assert_array_equal(hinge.value([0, 1], z), [0, math.inf])
    mean, slope = hinge.value_and_gradient(np.asarray([0, 1]), z)
    np.testing.assert_array_equal(slope, hinge.gradient([0, 1], z) / 2)
    assert mean == math.inf
    assert not slope[0].any()
    assert slope[1, :2].tolist() == [0.5, -0.5]


def test_what_an_ignored_row_holds_touches_nothing():
    z = np.asarray([[0.0, 1.0], [math.nan, -math.inf], [2.0, 1.0]])
    keep = np.asarray([True, False, True])
    mean, slope = CE.value_and_gradient([0, 1, 1], z, mask=keep)
    assert mean == CE([0, 1], z[keep])
    assert np.isfinite(slope).all()
    assert not slope[1].any()


def test_microbatches_add_up_exactly():
    random = np.random.default_rng(0)
    y, z, keep = random.integers(0, 5, 8), random.normal(size=(8, 5)), random.random(8) > 0.4
    parts = CE.total(y[:4], z[:4], mask=keep[:4]) + CE.total(y[4:], z[4:], mask=keep[4:])
    assert parts.mean == CE(y, z, mask=keep)


def test_a_softmax_taken_twice_shows_in_the_numbers():
    once = np.asarray([[10.0, 0.0, 0.0]])
    twice = np.exp(once) / np.exp(once).sum()
    assert CE([0], once) == pytest.approx(9.0796e-5, rel=1e-4)
    assert CE([0], twice) == pytest.approx(0.5515, abs=1e-4)


def test_large_classes_and_sums_in_half_precision():
    found = CE.value([7], np.zeros((1, 100_000), dtype=np.float16))
    assert float(found[0]) == pytest.approx(math.log(100_000), rel=1e-3)
    assert losses.absolute_error()(np.zeros(4096), np.full(4096, 1000.0, dtype=np.float16)) == 1000.0
    assert losses.squared_error()([0.0], np.float16([300.0])) == 90_000.0


@pytest.mark.parametrize("smoothing", [-0.1, 1.5])
def test_smoothing_outside_its_range(smoothing):
    with pytest.raises(Problem, match="GM002"):
        losses.cross_entropy(smoothing=smoothing)


@pytest.mark.parametrize(("miss", "value"), [(1e-4, 5e-9), (1e-3, 4.999999583e-7)])
def test_log_cosh_of_small_misses(miss, value):
    assert float(losses.log_cosh().value([0.0], np.float32([miss]))[0]) == pytest.approx(value, rel=3e-7)


def test_curvature_of_huber_where_its_parts_meet():
    assert losses.huber(delta=1.0).hessian([0.0, 0.0], [1.0, -1.0]).tolist() == [1.0, 1.0]
    assert losses.huber().hessian([2.0], [2.0]).tolist() == [1.0]


def test_a_scale_of_nothing():
    wrong = losses.gaussian_nll().value([1.0], [[0.0, -math.inf]])
    assert wrong.tolist() == [math.inf]


def test_counts_below_zero_and_means_below_zero():
    poisson = losses.poisson()
    with pytest.raises(TargetOutsideDomain):
        poisson([-1.0], [0.0])
    with pytest.raises(TargetOutsideDomain):
        poisson([1.0], prediction=[-1.0])
    assert poisson([0.0], prediction=[0.0]) == 0.0


def test_scores_below_zero_and_shifted_scores_of_the_class_hinge():
    hinge = losses.multiclass_hinge()
    assert hinge([0], [[-1.0, -5.0]]) == 0.0 == hinge([0], [[9.0, 5.0]])


def test_the_best_constant_of_one_answer_does_not_depend_on_the_dtype():
    for dtype in (np.float32, np.float64):
        assert BCE.best_constant(np.ones(3, dtype=dtype)) == math.inf


def test_the_signal_of_pinball_at_a_tie_lies_between_its_sides():
    for level in (0.1, 0.5, 0.9):
        assert -level <= losses.pinball(level=level).gradient([1.0], [1.0])[0] <= 1 - level
