"""Do compiled kernels give the numbers of the formula: every loss, at every edge, whatever the layout and the threads?"""

import math
from fractions import Fraction
from functools import cache

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goodmeasure import kernels
from goodmeasure.checking.truth import truth
from goodmeasure.deriving.arguments import ROUNDINGS, SLACK
from goodmeasure.deriving.class_statistics import by_statistic
from goodmeasure.deriving.pointwise import takes_double
from goodmeasure.deriving.predictions import on_predictions
from goodmeasure.errors import TargetOutsideDomain
from goodmeasure.formulas.expression import nodes, symbol
from goodmeasure.kernels import few, layout, points, printer, rows, shares, threads
from goodmeasure.kernels.statistics import CLASS, STATISTICS, needed
from goodmeasure.losses import catalogue
from turns import PRECISIONS, at_night, precision_of

LOSSES = {name: definition() for name, definition in sorted(catalogue().items())}
# Losses of classes whose targets are rows of probabilities, some with what the catalogue's defaults do not show.
SHARES = {f"{name} of shares": loss for name, loss in LOSSES.items() if loss.is_classwise}
SHARES["smoothed of shares"] = catalogue()["cross_entropy"](smoothing=0.1)
SHARES["weighted of shares"] = catalogue()["focal"](gamma=1.5, class_weight=(1.0, 0.5, 3.0, 0.0, 2.0))
SHARES["half focal of shares"] = catalogue()["focal"](gamma=0.5)  # whose slope is no number at a probability of one
SHARES["summed of shares"] = LOSSES["brier"] + 0.5 * LOSSES["multiclass_hinge"]
KINDS = LOSSES | SHARES


def in_turn(dtype):
    """Every loss, each by day in the precision whose turn it is: a kernel is compiled for each."""
    return pytest.mark.parametrize("name", [at_night(n, unless=precision_of(n) == dtype, id=n) for n in KINDS])


def size_of(name):
    loss = LOSSES[name]
    return (loss.is_classwise, len(loss.activation), len(nodes(loss.composed, *loss.signal)), name)


# Formulas of every size and kind: each seventh, from the smallest of one raw output to the largest of classes.
SAMPLE = sorted(LOSSES, key=size_of)[::7]
# Of what surrounds a formula (weights, widths, the dtype of double): one loss of each kind, and shares of some.
A_FEW = [next(n for n in SAMPLE if LOSSES[n].is_classwise), *SAMPLE[:4:3], *list(SHARES)[::6]]
A_FEW.append(next(n for n in SAMPLE if len(LOSSES[n].activation) > 1 and size_of(n)[2] < 60))
EDGES = [0.0, 1e-9, 1e-3, 0.3, 1.0, 3.0, 17.0, 37.0, 88.0, 104.0, 709.0, 745.0, 1e4, 1e30]


@cache
def examples(name, dtype):
    """Targets and raw outputs of a loss: every edge of both signs, infinities, NaN, and what is common."""
    loss, r = KINDS[name], np.random.default_rng(1)
    far = np.array([*EDGES, np.inf, np.nan, np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal])
    far = np.concatenate([far, -far])
    if loss.is_classwise:
        z = r.normal(0, 1, (90, 5)) * r.choice([0.01, 1, 8], (90, 1))
        z[::7, 1] = r.choice(far, z[::7, 1].size)
        z[3], z[4, 2] = z[3, 0], z[4].max()
        z[5], z[6], z[8, 1:3], z[9], z[10, 2] = -np.inf, np.nan, np.inf, [2, 2, 2, 1, -np.inf], -np.inf
        return probabilities(r, dtype) if name in SHARES else r.integers(0, 5, 90), z.astype(dtype)
    y = [v for v in (0, 1, 0.25, 2, 7, -3) if v in loss.target]
    m = len(loss.activation)
    if m == 1:
        targets, raws = (a.ravel() for a in np.meshgrid(y, np.concatenate([far, r.normal(0, 3, 40)])))
        return targets.astype(dtype), raws.astype(dtype)
    raws = np.where(r.random((400, m)) < 0.2, r.choice(far, (400, m)), r.normal(0, 2, (400, m)))
    return r.choice(y, 400).astype(dtype), raws.astype(dtype)


def probabilities(r, dtype):
    """Rows of probabilities from flat to peaked, of which some are zero or next to it, and some one."""
    y = r.dirichlet(np.ones(5), 90) ** r.choice([0.2, 1, 9], (90, 1))
    y[r.random((90, 5)) < 0.3] = 0
    y[:, 3] += 1e-12
    y[10, 2], y[11] = 0, [0, 0, 1, 0, 0]
    return (y / y.sum(1, keepdims=True)).astype(dtype)


def swept(name, dtype, kind="value+signal", weight=None, given=None):
    """Value and signal of each example by the kernel, and the sum."""
    loss = KINDS[name]
    y, z = examples(name, dtype) if given is None else given
    value, signal = np.empty(len(y), dtype), np.empty(z.shape, dtype)
    sweep = rows.sweep if loss.is_classwise else points.sweep
    found = sweep(loss, kind, y, z, weight=weight, tables=(value, signal if "signal" in kind else None, None))
    return value, signal, found.sum


def budget(name, y, z, dtype, plain):
    """What rounding may cost: some ulps of the answer, and what moving each input by an ulp does to the plain numbers."""
    wide = np.asarray(z, np.float64)
    spent = 16 * np.finfo(dtype).eps * size(y, wide, plain) + 4 * np.finfo(dtype).tiny
    # Where shares or statistics are mixed, signals of classes cancel: a rounded exponential does what moving a raw output by an
    # ulp of 1 does.
    unit = np.spacing(np.maximum(np.abs(z), z.dtype.type(is_mixed(name)))).astype(np.float64)
    columns = [np.arange(z.shape[-1]) == j for j in range(z.shape[-1])] if z.ndim > 1 else [np.True_]
    for column in columns:
        for side in (-2, 2):
            spent = spent + np.abs(plain(y, wide + side * unit * column) - plain(y, wide))
    if not KINDS[name].is_classwise:
        step = np.spacing(np.abs(y)).astype(np.float64)
        inside = ~LOSSES[name].target.outside(y - 2 * step)
        spent = spent + np.abs(plain(y - 2 * step * inside, wide) - plain(y, wide))
    return spent


def is_mixed(name):
    """Whether the signal of a class is a sum of terms that may cancel, or, as a grade has, a difference of two."""
    loss = KINDS[name]
    return name in SHARES or loss.is_graded or (loss.is_classwise and len(by_statistic(loss.composed)) > 1)


def size(y, z, plain):
    """How large the numbers are that rounding is measured by: for shares, what each class adds to a sum that may cancel."""
    if y.ndim < 2:
        return np.abs(plain(y, z))
    parts = [np.abs(plain(np.full(len(z), k), z)) for k in range(z.shape[1])]
    given = [y[:, k] if part.ndim == 1 else y[:, [k]] for k, part in enumerate(parts)]
    return sum(np.where(share > 0, share * part, 0) for share, part in zip(given, parts, strict=True))


def close(name, dtype, seen, order):
    """Whether a kernel's numbers are the plain evaluation's in double, as far as rounding lets them."""
    loss = KINDS[name]
    y, z = examples(name, dtype)
    plain = loss.value if order == 0 else loss.gradient
    with np.errstate(all="ignore"):
        true = plain(y, z.astype(np.float64))
        allowed = budget(name, y, z, dtype, plain)
        rounded = true.astype(dtype)
        same = (seen == rounded) | (np.isnan(seen) & np.isnan(rounded))
        within = np.abs(seen.astype(np.float64) - true) <= allowed
        # At a point where the double answer overflows or has a kink that single rounding crosses, the plain one decides.
        decided = plain(y, z)
        same |= (seen == decided) | (np.isnan(seen) & np.isnan(decided))
        near = np.abs(seen.astype(np.float64) - decided) <= 16 * np.finfo(dtype).eps * size(y, z, plain)
    return same | within | near


@in_turn("float32")
def test_every_loss_in_single_precision(name):
    value, signal, _ = swept(name, "float32")
    y, z = examples(name, "float32")
    # Where single precision has ended the plain evaluation, which goes on in double, is asked for the batch.
    ended = np.isinf(value) & (not KINDS[name].is_classwise)
    for order, seen in enumerate((value, signal)):
        good = close(name, "float32", seen, order) | ended[(...,) + (None,) * (seen.ndim - 1)]
        at = np.argwhere(~good)[:3]
        rows_ = [tuple(a) for a in at]
        assert good.all(), [(y[a[0]], z[a[0]], seen[a]) for a in rows_]


@in_turn("float64")
def test_every_loss_in_double_precision(name):
    value, signal, _ = swept(name, "float64")
    y, z = examples(name, "float64")
    for order, seen in enumerate((value, signal)):
        good = close(name, "float64", seen, order)
        assert good.all(), [(y[i], z[i], seen[i]) for i in np.argwhere(~good)[:3, 0]]


@pytest.mark.parametrize("name", [n for n in SAMPLE if not LOSSES[n].is_classwise])
def test_curvature(name):
    loss = LOSSES[name]
    y, z = examples(name, "float64")
    signal, bend = np.empty(z.shape), np.empty(z.shape)
    points.sweep(loss, "signal+curvature", y, z, tables=(None, signal, bend))
    with np.errstate(all="ignore"):
        plain = loss.hessian(y, z)
    near = (bend == plain) | (np.isnan(bend) & np.isnan(plain))
    with np.errstate(all="ignore"):
        slack = 1e-9 + 64 * np.finfo(float).eps * np.abs(plain)
        near |= np.abs(bend - plain) <= slack
        near |= np.abs(z).reshape(len(y), -1).max(axis=1).reshape(-1, *[1] * (z.ndim - 1)) > 100
    assert near.all(), [(y[i], z[i], bend[i], plain[i]) for i in np.argwhere(~near)[:3, 0]]


@pytest.mark.parametrize("name", [*SAMPLE, *list(SHARES)[::3]])
def test_the_mean_is_the_exact_sum_over_n(name):
    value, _, total = swept(name, "float32")
    if np.isfinite(value).all():
        assert total == math.fsum(value.tolist())
    loss = KINDS[name]
    y, z = examples(name, "float32")
    keep = np.isfinite(value)
    y, z = y[keep], z[keep]
    # A loss for which single precision may end too early is computed in double, and its mean is of those values.
    wide = takes_double(loss) and not loss.is_classwise
    value = swept(name, "float64", given=(y.astype(float), z.astype(float)))[0] if wide else value[keep]
    found = kernels.value_and_gradient(loss, y, z)
    assert found is not None
    assert found[0] == math.fsum(value.tolist()) / value.size


@cache
def summing(dtype, weighted):
    """A kernel whose value is the raw output itself: only the sum is its own."""
    source = layout.points(
        [symbol("z")], [], [], raws=["z"], parameters=[], dtype=dtype, weighted=weighted, whole=False
    )
    columns, domain = (1, 1, int(weighted), 1, 0, 0), np.array([-1, 1], dtype)
    return points.PointKernel(points.function(source, points._ARGUMENTS), np.zeros(1, dtype), domain, columns)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_sums_of_any_numbers_are_exact(dtype, weighted, data):
    width = np.finfo(dtype).bits
    numbers = st.floats(width=width, allow_nan=False, allow_infinity=False)
    like = st.one_of(numbers, st.floats(-2.0, 2.0, width=width), st.floats(0, 2.0**-66, width=width))
    few_values = data.draw(st.lists(like, min_size=1, max_size=60))
    z = np.array(few_values * data.draw(st.integers(1, 60)), dtype)
    w = np.random.default_rng(0).integers(1, 3, z.size).astype(np.float64) if weighted else None
    arrays = [np.zeros_like(z), z, w, None, None, None]
    sums, _ = points._block(summing(dtype, weighted), arrays, z.size, 1.0)
    found = points.exact(sums)
    with np.errstate(over="ignore"):
        terms = z.astype(np.float64) * (1.0 if w is None else w)
        reach = float(np.abs(terms).sum())
    if not math.isfinite(2 * reach):
        return  # so near the largest number a sum on the way may be infinite
    # Rounded once; each number is taken to 2**-100 of the largest near it, which only others that cancel can show.
    error = abs(Fraction(found) - sum(map(Fraction, terms.tolist())))
    assert error <= Fraction(math.ulp(found)) / 2 + Fraction(2.0**-90) * Fraction(reach)


@pytest.mark.parametrize("name", A_FEW)
def test_what_is_absent_contributes_nothing(name):
    loss = KINDS[name]
    y, z = examples(name, "float32")
    value = swept(name, "float32")[0]
    y, z = y[np.isfinite(value)].copy(), z[np.isfinite(value)].copy()
    weight = np.random.default_rng(0).integers(0, 3, len(y)).astype(float)
    z[weight == 0] = np.nan
    if name in SHARES:
        y[weight == 0] = -7
    mean, gradient = kernels.value_and_gradient(loss, y, z, weight)
    with np.errstate(all="ignore"):
        there = weight > 0
        plain = loss.total(y[there], z[there], weight[there]).mean
        each = loss.gradient(y[there], z[there])
        plain_gradient = (each.T * (weight[there] / weight.sum())).T
    assert mean == pytest.approx(plain, rel=1e-5)
    assert not gradient[weight == 0].any()
    np.testing.assert_allclose(
        gradient[weight > 0], plain_gradient, rtol=2e-3, atol=1e-6 * float(np.abs(plain_gradient).max(initial=0))
    )


def same_bits_with_any_threads(loss, y, z, mean, gradient):
    before = threads.get_threads()
    try:
        for count in (1, 3):
            threads.set_threads(count)
            again = kernels.value_and_gradient(loss, y, z)
            assert again[0] == mean
            assert (again[1] == gradient).all()
    finally:
        threads.set_threads(before)


def test_same_bits_whatever_the_place_the_stride_the_order_and_the_threads():
    loss, r = LOSSES["binary_cross_entropy"], np.random.default_rng(0)
    n = 3 * threads.block_of(1) + 777
    y, z = (r.random(n) < 0.3).astype(np.float32), r.normal(0, 4, n).astype(np.float32)
    mean, gradient = kernels.value_and_gradient(loss, y, z)
    values = kernels.table(loss, "value", y, z)
    assert mean == math.fsum(values.tolist()) / n
    part = slice(5, n - 3)
    assert (kernels.table(loss, "value", y[part], z[part]) == values[part]).all()
    apart = np.empty(2 * n, np.float32)[::2]
    apart[:] = z
    swapped = z.astype(z.dtype.newbyteorder())
    whole = y.astype(np.int8)
    for given_y, given_z in ((y, apart), (y, swapped), (whole, z), (y[::-1].copy()[::-1], z)):
        again = kernels.value_and_gradient(loss, given_y, given_z)
        assert again[0] == mean
        assert (again[1] == gradient).all()
    square = kernels.value_and_gradient(loss, y[:-1].reshape(2, -1), z[:-1].reshape(2, -1))
    assert square[1].shape == (2, (n - 1) // 2)
    same_bits_with_any_threads(loss, y, z, mean, gradient)
    assert (kernels.value_and_gradient(loss, y, z, out=z)[1] == gradient).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 3, 4, 5, 6, 7, 10, few.FEW - 1, few.FEW, few.FEW + 1, 64, 333])
def test_rows_of_any_number_of_classes(classes, dtype):
    loss, r = LOSSES["cross_entropy"], np.random.default_rng(classes)
    z = r.normal(0, 3, (131, classes)).astype(dtype)
    y = r.integers(0, classes, 131)
    mean, gradient = kernels.value_and_gradient(loss, y, z)
    plain, plain_gradient = loss.total(y, z).mean, loss.gradient(y, z) / 131
    assert mean == pytest.approx(plain, rel=1e-6)
    np.testing.assert_allclose(gradient, plain_gradient, rtol=1e-5, atol=1e-12)
    assert np.abs(gradient.sum(axis=1)).max() <= 8 * np.finfo(dtype).eps * np.abs(gradient).max()
    alone = [kernels.value_and_gradient(loss, y[i : i + 1], z[i : i + 1])[1] for i in range(131)]
    assert (np.concatenate(alone) == _unscaled(loss, y, z)).all()
    around = np.full(z.size + 2, -7, dtype)  # nothing beside the rows is written
    for n in (64, 128, 131):
        kernels.value_and_gradient(loss, y[:n], z[:n], out=around[1 : 1 + n * classes].reshape(n, classes))
        assert around[0] == around[1 + n * classes] == -7
        around[:] = -7


def _unscaled(loss, y, z):
    signal = np.empty_like(z)
    rows.sweep(loss, "value+signal", y, z, tables=(None, signal, None))
    return signal


@pytest.mark.parametrize("n", [5, 3000])
@pytest.mark.parametrize("name", ["poisson", "binary_cross_entropy"])
def test_a_gradient_written_over_raw_outputs_that_are_no_numbers(name, n):
    y, z = np.ones(n), np.linspace(-2, 2, n)
    z[1:4] = np.inf, np.nan, -np.inf
    mean, gradient = kernels.value_and_gradient(LOSSES[name], y, z)
    again = z.copy()
    assert math.isnan(mean)
    np.testing.assert_array_equal(kernels.value_and_gradient(LOSSES[name], y, again, out=again)[1], gradient)


@pytest.mark.parametrize(
    ("name", "dtype"), [at_night(n, d, unless=precision_of(n) == d) for n in LOSSES for d in PRECISIONS]
)
def test_a_gradient_written_over_what_it_is_made_of(name, dtype):
    """Raw outputs or weights, also where single precision ends and the kernel gives up after it wrote."""
    loss, r, n = LOSSES[name], np.random.default_rng(2), 1500
    columns = 3 if loss.is_classwise else len(loss.activation)
    z = r.normal(0, 1, (n, columns) if columns > 1 else n).astype(dtype)
    known = [0, 1, 2] if loss.is_classwise else [v for v in (0, 1, 2, 7) if v in loss.target]
    y = r.choice(known, n).astype(int if loss.is_classwise else dtype)
    weight = r.uniform(0, 1, n)
    for far in (1, 1e30):
        z.flat[n // 2], z.flat[n // 3] = far, -far
        mean, gradient = loss.value_and_gradient(y, z, weight)
        over = z.copy()
        assert loss.value_and_gradient(y, over, weight, out=over)[0] == pytest.approx(mean, rel=1e-15)
        np.testing.assert_array_equal(over, gradient)
        over = np.empty_like(z)
        beneath = over.reshape(-1).view(np.float64)[: n // 2]
        part, heavy = slice(0, len(beneath)), weight[: len(beneath)]
        beneath[:] = heavy
        _, gradient = loss.value_and_gradient(y[part], z[part], heavy)
        np.testing.assert_array_equal(loss.value_and_gradient(y[part], z[part], beneath, out=over[part])[1], gradient)


def mixtures(n, classes, dtype=np.float32):
    """Rows of probabilities and raw outputs, common ones."""
    r = np.random.default_rng(classes)
    return r.dirichlet(np.full(classes, 0.3), n).astype(dtype), r.normal(0, 3, (n, classes)).astype(dtype)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        *(("cross_entropy", classes) for classes in (2, 3, 4, 10, few.FEW, few.FEW + 1, 64, 150)),
        *(("brier", classes) for classes in (2, few.FEW + 1)),
        *(("multiclass_hinge", classes) for classes in (few.FEW, 64)),
    ],
)
def test_shares_of_any_number_of_classes(name, classes):
    loss, (y, z) = LOSSES[name], mixtures(131, classes)
    mean, gradient = kernels.value_and_gradient(loss, y, z)
    plain = loss.gradient(y.astype(float), z.astype(float)) / 131
    assert mean == pytest.approx(loss.total(y, z).mean, rel=1e-6)
    values = np.empty(131, np.float32)
    assert rows.sweep(loss, "value", y, z, tables=(values, None, None)).sum / 131 == pytest.approx(mean, rel=1e-6)
    np.testing.assert_allclose(values, loss.value(y, z), rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(gradient, plain, rtol=2e-5, atol=1e-6 * np.abs(plain).max())
    assert np.abs(gradient.sum(axis=1)).max() <= 8 * np.finfo(np.float32).eps * np.abs(gradient).max()
    assert np.array_equal(kernels.value_and_gradient(loss, y, z.copy(), out=z)[1], gradient)
    _, z = mixtures(131, classes)
    assert np.array_equal(kernels.value_and_gradient(loss, y, z, out=y)[1], gradient)
    y, _ = mixtures(131, classes)
    alone = [kernels.value_and_gradient(loss, y[i : i + 1], z[i : i + 1])[1] for i in (0, 70, 130)]
    assert (np.concatenate(alone) == _unscaled(loss, y, z)[[0, 70, 130]]).all()


@pytest.mark.parametrize(
    ("name", "classes", "dtype"),
    [
        *(at_night(n, 5, d, unless=precision_of(n) == d) for n in SHARES for d in PRECISIONS),
        *((n, 70, d) for n in list(SHARES)[::9] for d in PRECISIONS),
    ],
)
def test_one_hot_shares_are_indices(name, classes, dtype):
    loss, (_, z) = SHARES[name], mixtures(97, classes, dtype)
    if loss.class_weight:
        loss = catalogue()["focal"](class_weight=tuple(np.linspace(0, 3, classes)))
    y = np.arange(97) % classes
    expected = kernels.value_and_gradient(loss, y, z)
    for kind in (bool, np.int8, np.float16, np.float64):
        found = kernels.value_and_gradient(loss, np.eye(classes, dtype=kind)[y], z)
        assert found[0] == pytest.approx(expected[0], rel=1e-6)
        np.testing.assert_allclose(found[1], expected[1], rtol=2e-5, atol=1e-6 / 97)


@pytest.mark.parametrize("name", [n for n in SHARES if not SHARES[n].class_weight])
def test_shares_are_true_to_many_digits(name):
    loss, r = SHARES[name], np.random.default_rng(2)
    z = np.concatenate([r.normal(0, 3, (1, 4)), [[30, 0, -5, 0], [18, 17.25, -9, 0], [-37, 3, 2, -9]]])
    y = np.concatenate([r.dirichlet(np.ones(4), 1), [[1, 1e-9, 0, 0], [0.25, 0.75, 1e-12, 0], [1e-20, 0.5, 0.5, 0]]])
    for i in range(len(z)):
        y[i, 1] += 1 - math.fsum(y[i])
        classes = [k for k in range(4) if y[i, k] > 0]
        parts = {k: truth(loss, k, [float(a) for a in z[i]]) for k in classes}
        value, signal = np.empty(1), np.empty((1, 4))
        rows.sweep(loss, "value+signal", y[[i]], z[[i]], tables=(value, signal, None))
        for seen, at in ((value, [0]), (signal[0], [1, 2, 3, 4])):
            for got, j in zip(seen, at, strict=True):
                terms = [mpmath.mpf(float(y[i, k])) * parts[k].all[j] for k in classes]
                moved = sum(
                    y[i, k] * abs(row[j]) * np.spacing(abs(a))
                    for k in classes
                    for row, a in zip(parts[k].moves, z[i], strict=True)
                )
                allowed = 16 * np.finfo(float).eps * sum(map(abs, terms)) + moved + 1e-300
                assert abs(mpmath.mpf(float(got)) - sum(terms)) <= allowed, (y[i], z[i], got)


@pytest.mark.parametrize("classes", [10, 70])
def test_same_bits_of_shares_whatever_the_place_the_stride_the_order_and_the_threads(classes):
    loss, (y, z) = LOSSES["focal"], mixtures(2 * threads.block_of(1) // classes + 77, classes)
    mean, gradient = kernels.value_and_gradient(loss, y, z)
    values = kernels.table(loss, "value", y, z)
    assert mean == pytest.approx(math.fsum(values.tolist()) / len(z), rel=1e-6)
    assert (kernels.table(loss, "value", y[5:-3], z[5:-3]) == values[5:-3]).all()
    apart = np.empty((2 * len(z), classes), np.float32)[::2]
    apart[:] = z
    others = [(y, apart), (y, z.astype(z.dtype.newbyteorder())), (y.astype(np.float64), z), (y[::-1].copy()[::-1], z)]
    for given_y, given_z in [*others, (np.asfortranarray(y), np.asfortranarray(z))]:
        again = kernels.value_and_gradient(loss, given_y, given_z)
        assert again[0] == mean
        assert (again[1] == gradient).all()
    folded = kernels.value_and_gradient(loss, y[:-1].reshape(2, -1, classes), z[:-1].reshape(2, -1, classes))
    assert folded[1].shape == (2, (len(z) - 1) // 2, classes)
    same_bits_with_any_threads(loss, y, z, mean, gradient)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [3, 70])
def test_what_are_no_shares_is_refused_with_the_same_words(classes, dtype):
    loss, (y, z) = LOSSES["cross_entropy"], mixtures(20, classes, dtype)
    for wrong in (np.nan, np.inf, -np.inf, -1e-6, 0.5 + y[17].max(), 1.0 + 1e-3):
        bad = y.copy()
        bad[17, y[17].argmax()] = wrong
        bad[17, y[17].argmin()] -= min(wrong, 0) if np.isfinite(wrong) else 0
        assert kernels.value_and_gradient(loss, bad, z) is None
        with pytest.raises(TargetOutsideDomain, match=r"target\[17\]"):
            loss.value_and_gradient(bad, z)
        weight = np.ones(20)
        weight[17] = 0
        present = np.delete(bad, 17, 0), np.delete(z, 17, 0)
        assert kernels.value_and_gradient(loss, bad, z, weight)[0] == pytest.approx(loss(*present), rel=1e-6)
    for bad, shape in ((y[:, :-1], z), (y[0], z), (y[..., None], z)):
        assert kernels.value_and_gradient(loss, bad, shape) is None


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("classes", [3, 70, 200])
def test_rows_that_nearly_add_up_are_refused_by_both_or_by_the_stricter_kernel(classes, dtype):
    loss, (y, z) = LOSSES["cross_entropy"], mixtures(24, classes, dtype)
    slack = ROUNDINGS * np.finfo(dtype).eps * classes + SLACK
    y[:, 0] += np.linspace(-1.5 * slack, 1.5 * slack, 24).astype(dtype) + y[:, 0].max()
    y[:, 0] += 1 - np.sort(y, 1).sum(1) + np.linspace(-1.5 * slack, 1.5 * slack, 24).astype(dtype)
    y = np.abs(y)
    kernel = [kernels.value_and_gradient(loss, y[[i]], z[[i]]) is not None for i in range(24)]
    for i, good in enumerate(kernel):
        if good:
            loss.value(y[[i]], z[[i]])
    assert any(kernel)
    assert not all(kernel)


MIRRORED = [name for name in LOSSES if points.mirrored(LOSSES[name])]


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("name", MIRRORED)
def test_half_a_formula_serves_yes_and_no(name, dtype):
    y, z = examples(name, dtype)
    between = (y > 0) & (y < 1)
    for order, whole in enumerate(swept(name, dtype)[:2]):
        loss, half = LOSSES[name], [np.empty((~between).sum(), dtype) for _ in range(2)]
        points.sweep(loss, "value+signal", y[~between], z[~between], tables=(*half, None))
        spent = 64 * np.finfo(dtype).eps * np.abs(whole[~between]) + 4 * np.finfo(dtype).tiny
        same = (half[order] == whole[~between]) | (np.isnan(half[order]) & np.isnan(whole[~between]))
        with np.errstate(invalid="ignore"):
            same |= np.abs(half[order] - whole[~between]) <= spent
        assert same.all()


def test_targets_between_yes_and_no_take_the_whole_formula():
    assert "binary_cross_entropy" in MIRRORED
    assert not points.mirrored(catalogue()["binary_cross_entropy"](positive_weight=3.0))
    loss, r = catalogue()["binary_cross_entropy"](), np.random.default_rng(0)
    for n in (7, 5000):
        for at in (0, n - 1):
            z, y = r.normal(0, 2, n), (r.random(n) < 0.4).astype(float)
            y[at] = 0.25
            mean, gradient = kernels.value_and_gradient(loss, y, z)
            assert mean == pytest.approx(loss(y, z), rel=1e-12)
            np.testing.assert_allclose(gradient, loss.gradient(y, z) / n, rtol=1e-12)
            assert (kernels.value_and_gradient(loss, y, z, out=z)[1] == gradient).all()


def test_targets_outside_the_domain_are_found_and_absent_ones_are_not_looked_at():
    loss = LOSSES["binary_cross_entropy"]
    y, z = np.zeros(2000, np.float32), np.zeros(2000, np.float32)
    y[1500] = 3
    assert kernels.value_and_gradient(loss, y, z) is None
    with pytest.raises(TargetOutsideDomain, match=r"target\[1500\]"):
        loss.value_and_gradient(y, z)
    weight = np.ones(2000)
    weight[1500] = 0
    assert kernels.value_and_gradient(loss, y, z, weight)[0] == pytest.approx(math.log(2))
    classes = LOSSES["cross_entropy"]
    for bad in (np.array([0, 3]), np.array([0, -1]), np.array([0, 0.5]), np.array([0, np.nan])):
        assert kernels.value_and_gradient(classes, bad, np.zeros((2, 3), np.float32)) is None


def test_rows_without_a_rival_write_nothing_beside_them():
    loss, z = LOSSES["multiclass_hinge"], np.full((64, 3), np.nan, np.float32)
    kernel = rows.compiled(loss, "value+signal", "float32", False, 3)
    scratch = rows._Scratch(kernel, 3)
    around = np.zeros(64 * 9, np.float32)
    scratch.cells = around[64 * 3 : 64 * 6]
    scratch.places[1] = points.address(scratch.cells)
    kernel.spare = [scratch]
    assert math.isnan(kernels.value_and_gradient(loss, np.zeros(64, int), z)[0])
    assert not around[: 64 * 3].any()
    assert not around[64 * 6 :].any()


def test_class_weights_multiply_the_loss():
    plain = catalogue()["cross_entropy"]()
    weighted = catalogue()["cross_entropy"](class_weight=(1.0, 3.0, 0.5))
    r = np.random.default_rng(0)
    z, y = r.normal(0, 1, (70, 3)).astype(np.float32), r.integers(0, 3, 70)
    mean, gradient = kernels.value_and_gradient(weighted, y, z)
    w = np.array([1.0, 3.0, 0.5])[y]
    other = kernels.value_and_gradient(plain, y, z, w)
    assert mean == pytest.approx(other[0] * w.sum() / 70)
    np.testing.assert_allclose(gradient, other[1] * (w.sum() / 70), rtol=1e-5)


def test_statistics_that_look_at_what_else_happened_say_how_shares_mix_them():
    seen = {name: needed([moves.other], {**shares._EACH, **CLASS}) for name, moves in STATISTICS.items()}
    pairs = {name for name, moves in STATISTICS.items() if moves.rival or {*seen[name]} & {*shares._EACH}}
    assert pairs == set(shares._MIXED)


def test_hyperparameters_are_numbers_of_one_kernel():
    huber = catalogue()["huber"]
    r = np.random.default_rng(0)
    y, z = r.normal(size=50).astype(np.float32), r.normal(size=50).astype(np.float32)
    kernels_of = [points.compiled(huber(delta=d), "value+signal", np.dtype("float32"), False) for d in (0.5, 0.7)]
    for delta in (0.5, 0.7):
        mean, _ = kernels.value_and_gradient(huber(delta=delta), y, z)
        assert mean == pytest.approx(huber(delta=delta).total(y, z).mean, rel=1e-6)
    import ctypes

    assert len({ctypes.cast(k.run, ctypes.c_void_p).value for k in kernels_of}) == 1


def test_what_kernels_do_not_know_is_left_to_the_plain_evaluation():
    loss, z = LOSSES["binary_cross_entropy"], np.zeros(4, np.float32)
    assert kernels.value_and_gradient(loss, [0, 1, 0, 1], z) is None
    assert kernels.value_and_gradient(loss, z, z.astype(np.float16)) is None
    assert kernels.value_and_gradient(loss, z[:3], z) is None
    assert kernels.value_and_gradient(loss, z, z, out=np.empty(8, np.float32)[::2]) is None


@pytest.mark.parametrize("name", ["poisson", "gaussian_nll"])
def test_a_few_examples_give_the_same_bits_whatever_their_type_and_place(name):
    loss, r = LOSSES[name], np.random.default_rng(0)
    y, z = r.integers(0, 9, 60), r.normal(0, 2, (60, 2)).astype(np.float32)
    z = z if len(loss.activation) == 2 else z[:, 0].copy()
    mean, gradient = kernels.value_and_gradient(loss, y.astype(np.float32), z)
    apart, at_odds = np.repeat(z, 2, axis=0)[::2], np.frombuffer(b"." + z.tobytes(), np.uint8)[1:].view(np.float32)
    for other_y in (y, y.astype(">f4"), np.repeat(y, 3)[::3]):
        for other_z in (apart, at_odds.reshape(z.shape), z.astype(">f4")):
            again = kernels.value_and_gradient(loss, other_y, other_z)
            assert again[0] == mean
            assert (again[1] == gradient).all()
    shape = (4, 15, *z.shape[1:])
    table = kernels.value_and_gradient(loss, y.reshape(4, 15), z.reshape(shape))
    assert (table[1].reshape(z.shape) == gradient).all()
    assert (kernels.value_and_gradient(loss, y, z, out=z)[1] == gradient).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_examples_at_addresses_are_those_of_arrays(dtype):
    loss, r = LOSSES["binary_cross_entropy"], np.random.default_rng(0)
    y, z = (r.random(50) < 0.4).astype(dtype), r.normal(0, 2, 50).astype(dtype)
    values, signal = np.empty_like(z), np.empty_like(z)
    total = points.Placed(loss, z.dtype)(*(a.ctypes.data for a in (y, z, values, signal)), 0.5, 50)
    assert total == pytest.approx(values.sum(dtype=float), rel=1e-6)
    np.testing.assert_allclose(values, loss.value(y, z), rtol=1e-5)
    np.testing.assert_allclose(signal, 0.5 * loss.gradient(y, z), rtol=1e-5)


def test_smoothed_targets_of_many_classes():
    loss, r = catalogue()["cross_entropy"](smoothing=0.1), np.random.default_rng(0)
    z = r.normal(0, 3, (40, few.FEW + 5)).astype(np.float32)
    y = r.integers(0, few.FEW + 5, 40)
    mean, gradient = kernels.value_and_gradient(loss, y, z)
    assert mean == pytest.approx(loss.total(y, z).mean, rel=1e-6)
    np.testing.assert_allclose(gradient, loss.gradient(y, z) / 40, rtol=1e-4, atol=1e-9)


@pytest.mark.parametrize("exponent", [-16, -3, -1, 2, 5, 16])
def test_small_whole_powers_are_products(exponent):
    """By logarithms they would cost twenty times as much."""
    printed = printer.body([symbol("z") ** exponent], "{}".format, [], "float64")
    assert "log" not in "".join(printed.inside)
    names = {"z": 1.5, "ONE": 1.0}
    exec("\n".join(printed.inside), names)
    assert eval(printed.results[0], names) == pytest.approx(1.5**exponent, rel=1e-14)


def test_a_row_is_no_number_where_any_of_its_raw_outputs_is_none():
    loss = LOSSES["interval"]
    z = np.array([[np.nan, 0.3], [0.3, np.nan], [0.3, 0.9], [np.nan, np.inf]])
    gradient = kernels.value_and_gradient(loss, np.ones(4), z)[1]
    np.testing.assert_array_equal(np.isnan(gradient).all(axis=1), [True, True, False, True])
    np.testing.assert_array_equal(np.isnan(gradient), np.isnan(loss.gradient(np.ones(4), z)))


@pytest.mark.parametrize(
    ("name", "dtype"),
    [("binary_cross_entropy", np.float64), ("binary_cross_entropy", np.float32), ("binary_focal", np.float64)],
)
def test_one_logarithm_for_yes_and_no_gives_the_bits_of_two(name, dtype, monkeypatch):
    """Where the halves of a loss of probabilities differ by their logarithm alone, the kernel takes the one that counts."""
    rng, n = np.random.default_rng(0), 1 << 17
    on_p = on_predictions(LOSSES[name])
    ends = [0, 1, 5e-324, 2.3e-308, 0.5, np.sqrt(0.5), 1 - np.sqrt(0.5), 1e-16, -0.0, 1e-30, 2.0**-1022]
    near = [np.nextafter(dtype(x), dtype(side)) for x in (0.25, 0.5, 0.75, 1, np.sqrt(0.5)) for side in (0, 1)]
    tiny = 10.0 ** -rng.uniform(0, 320, n // 4)
    p = np.concatenate([rng.random(n // 4), tiny, 1 - 10.0 ** -rng.uniform(0, 17, n // 4), ends, near]).astype(dtype)
    p = rng.permutation(np.resize(p, n))
    if dtype is np.float32:  # where infinite losses are for the plain evaluation
        p = p[(p > 0) & (p < 1)]
    n = len(p)
    assert (points.chosen(on_p) is not None) is (name == "binary_cross_entropy")
    for y in (rng.integers(0, 2, n).astype(np.int8), np.zeros(n, dtype), np.ones(n, dtype)):
        found = kernels.table(on_p, "value", y, p)
        with monkeypatch.context() as patched:
            patched.setattr(points, "chosen", lambda _: None)
            np.testing.assert_array_equal(found, kernels.table(on_p, "value", y, p))
        np.testing.assert_allclose(
            found[:500], on_p.value(y[:500], p[:500]), rtol=1e-6 if dtype is np.float32 else 1e-15
        )
    y = rng.random(n)
    y[0] = 1
    found = kernels.table(on_p, "value", y, p)
    np.testing.assert_allclose(found[:500], on_p.value(y[:500], p[:500]), rtol=1e-5 if dtype is np.float32 else 1e-14)
