"""Far out, where numbers overflow and underflow: the truth, or the limit, and never a finite wrong number."""

import math

import mpmath as mp
import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import kernels
from goodmeasure import losses as L
from goodmeasure.checking.checks import Asking, Held
from goodmeasure.checking.truth import Clock
from goodmeasure.deriving.in_books import in_books

# fmt: off
SOFTPLUS = [
    each.with_activation("softplus")
    for each in (L.gamma(), L.exponential_nll(), L.tweedie(), L.inverse_gaussian(), L.negative_binomial(), L.poisson())
]
OF_MISSES = [
    L.cauchy(), L.cauchy(scale=1e-3), L.fair(), L.fair(scale=1e-6), L.student_t(df=1e6), L.pseudo_huber(), L.geman_mcclure(),
    L.welsch(), L.log_cosh(), L.barron(), L.barron(alpha=0.5),
]
LOW = [-10, -37, -60, -86, -88, -100, -103, -104, -120, -200, -700, -740, -745, -1000]
FAR = [1e-20, 1e5, 1e9, 1e10, 1e15, 1e18, 1e19, 1e20, 1e25, 1e30, 3e38, 1e60, 1e150, 1e155, 1e160, 1e300, 1.7e308]
# fmt: on
CASES = [*((loss, LOW, 2.5) for loss in SOFTPLUS), *((loss, FAR, 0.0) for loss in OF_MISSES)]


def true_number(loss, formula, y, z):
    """A derived formula in books, with so many digits that more would not change it."""
    found = []
    for digits in (1200, 2400):
        with mp.workdps(digits):
            known = {name: mp.mpf(value) for name, value in loss.hyperparameters}
            found.append(in_books([formula], {**known, "y": mp.mpf(y), "z": mp.mpf(z)})[0])
    assert abs(found[0] - found[1]) <= abs(found[1]) * mp.mpf(10) ** -15
    return found[1]


def is_right(seen, true, z, scale, dtype):
    kind = np.finfo(dtype)
    if math.isinf(seen):  # right in sign, and only where the number or the miss in its scale is beyond the largest
        return (seen > 0) == (true > 0) and (abs(true) > float(kind.max) / 4 or abs(z) / scale > float(kind.max))
    if abs(true) < 4 * float(kind.tiny):
        return abs(seen) < 8 * float(kind.tiny)
    return abs(mp.mpf(seen) - true) <= 1000 * float(kind.eps) * abs(true)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("loss", "points", "y"), CASES, ids=lambda each: repr(each) if each in [*SOFTPLUS, *OF_MISSES] else ""
)
def test_numbers_far_out_are_the_truth_or_its_limit(loss, points, y, dtype):
    z = np.asarray([point for point in points if abs(point) <= float(np.finfo(dtype).max)], dtype)
    scale = min(1.0, *(abs(value) for value in loss.values.values()), 1.0)
    formulas = (loss.composed, loss.signal[0], loss.curvature[0][0])
    readings = (loss.value, loss.gradient, loss.hessian)
    for formula, reading in zip(formulas, readings, strict=True):
        for at, seen in zip(z, reading(np.full(z.shape, y, dtype), z), strict=True):
            true = true_number(loss, formula, y, float(at))
            assert is_right(float(seen), true, float(at), scale, dtype), (reading.__name__, at, seen, mp.nstr(true, 8))


ON_A_SCALE = [
    each.with_activation("exp")
    for each in (
        L.squared_error(), L.absolute_error(), L.huber(), L.pseudo_huber(), L.log_cosh(), L.fair(), L.barron(), L.welsch(),
        L.linex(), L.expectile(level=0.3), L.pinball(level=0.1),
    )
]  # fmt: skip


@pytest.mark.parametrize("loss", ON_A_SCALE, ids=repr)
def test_where_predictions_leave_the_range_stands_the_limit(loss):
    """No finite number that was right at a nearer raw output."""
    z = np.asarray([80, 84, 89, 95, 125, 300, 700, 3e38], np.float32)
    y = np.full(z.shape, 0.5, np.float32)
    most = float(np.finfo(np.float32).max)
    for formula, reading in zip(
        (loss.composed, loss.signal[0], loss.curvature[0][0]), ("value", "gradient", "hessian"), strict=True
    ):
        found = getattr(loss, reading)(y, z)
        for at, seen in zip(z[:-1].tolist(), found[:-1].tolist(), strict=True):
            true = true_number(loss, formula, 0.5, at)
            assert not math.isnan(seen)
            assert (
                (math.isinf(seen) and seen * true > 0)
                if abs(true) > most
                else seen == pytest.approx(float(true), rel=1e-4)
            )
        assert found[-1] == found[-2]


@pytest.mark.parametrize("host", ["torch", "jax"])
def test_hosts_give_the_same_limits(host):
    pytest.importorskip(host)
    z = np.asarray([80, 95, 125, 300], np.float32)
    y = np.full(z.shape, 0.5, np.float32)
    for loss in ON_A_SCALE if host == "torch" else ON_A_SCALE[::2]:  # JAX makes a program of each
        if host == "torch":
            import torch

            raw = torch.tensor(z, requires_grad=True)
            (found,) = torch.autograd.grad(gm.to_torch(loss, reduction="sum")(raw, torch.tensor(y)), raw)
        else:
            import jax

            found = jax.grad(gm.to_jax(loss, reduction="sum"))(z, y)
        np.testing.assert_allclose(np.asarray(found), loss.gradient(y, z), rtol=1e-4, err_msg=repr(loss))


VAST, SMALL = L.negative_binomial(dispersion=55884.75), L.negative_binomial(dispersion=2.82e-05)
# A difference of vast terms, a sum with a logarithm, a prediction that single precision does not hold: one point of each.
OFF_BY_NATURE = [
    (L.cauchy().with_activation("exp"), -0.159238, 68.60877990722656),
    (L.cauchy().with_activation("exp"), 0.000318114, 188.8294677734375),
    (L.cauchy(scale=141.2).with_activation("exp"), -0.0346621, 17.895893096923828),
    (L.barron(alpha=0.0).with_activation("exp"), 256.971, 44.80265426635742),
    (L.barron(alpha=7.5e-4, scale=0.0227).with_activation("exp"), -661.529, 85.54676055908203),
    (L.barron(alpha=-0.587, scale=151.4).with_activation("exp"), 6.91085e-05, 52.547611236572266),
    (L.student_t(df=3.4e-05, scale=14633.7).with_activation("exp"), 1.80324, 48.8703727722168),
    (L.geman_mcclure(scale=457019.3).with_activation("softplus"), -1.41953e-05, -66.31783294677734),
    (L.geman_mcclure(scale=1.16e-05).with_activation("exp"), 0.0502004, 127.84513854980469),
    (L.circular().with_activation("exp"), 0.122483, 190.10650634765625),
    (VAST, 1.65331, 0.03498392179608345),
    (SMALL, 0.206185, -1.0938048944808543e-05),
    (VAST.with_activation("sigmoid"), 3.33626e-05, -32.41523742675781),
    (SMALL.with_activation("sigmoid"), 3845.39, -26.87281608581543),
    (L.negative_binomial().with_activation("sigmoid"), 9069.49, -5.629848957061768),
    (L.negative_binomial(dispersion=1e6).with_activation("softplus"), 0.0, -7.0),
    (L.absolute_percentage_error(), 9840.3, 94.72391510009766),
]


@pytest.mark.parametrize(
    ("loss", "y", "z"), OFF_BY_NATURE, ids=lambda each: repr(each) if isinstance(each, gm.Loss) else ""
)
def test_what_is_made_of_vast_terms_is_the_truth(loss, y, z):
    asked = Asking(False, Clock(300.0), lambda _: None, 300.0)
    answers = list(Held(loss, asked, [(float(np.float32(y)), [z])], least=1.0).answers())
    assert len(answers) == 6
    assert [a for a in answers if not a.passed] == []


ENDS = [each for each in OFF_BY_NATURE if each[2] > 85]


@pytest.mark.parametrize(
    ("loss", "y", "z"), ENDS[::2], ids=lambda each: repr(each) if isinstance(each, gm.Loss) else ""
)
def test_kernels_of_single_precision_go_on_in_double(loss, y, z):
    """At every entry: the training step, what hosts ask, and tables; among examples that need it and beside them."""
    n = kernels.SMALLEST
    raw, target = np.full(n, z, np.float32), np.full(n, y, np.float32)
    raw[1::2] = 0.5
    wide = (target.astype(np.float64), raw.astype(np.float64))
    with np.errstate(over="ignore"):
        value, signal = loss.value(*wide).astype(np.float32), loss.gradient(*wide).astype(np.float32)
        mean, gradient = loss.value_and_gradient(target, raw)
        assert mean == pytest.approx(loss(*wide), rel=1e-5)
        np.testing.assert_allclose(gradient, signal / np.float32(n), rtol=1e-4, atol=1e-44)
        found, slope = kernels.total(loss, target, raw, None, 1.0)
        assert found == pytest.approx(n * loss(*wide), rel=1e-5)
        np.testing.assert_allclose(slope, signal, rtol=1e-4, atol=1e-44)
        for seen, true in zip(kernels.each(loss, target, raw, None, signal=True), (value, signal), strict=True):
            assert seen.dtype == np.float32
            np.testing.assert_allclose(seen, true, rtol=1e-4, atol=1e-44)
        for kind, reading, true in (("value", loss.value, value), ("signal", loss.gradient, signal)):
            table = kernels.table(loss, kind, target, raw)
            found = reading(target, raw) if table is None else table
            np.testing.assert_allclose(found, true, rtol=1e-4, atol=1e-44)
