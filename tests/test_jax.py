"""Is the function of JAX the same loss: its derivatives, transforms, absence and shapes, and never a wrong finite number?"""

import importlib.util
import math
import pickle
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import goodmeasure as gm
from catalogue_losses import everything, weighted
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError
from goodmeasure.formulas.expression import nodes

L = gm.losses
KINDS = sorted(everything(), key=lambda loss: (loss.is_classwise, len(loss.activation), len(nodes(loss.composed))))
SAMPLE = [*KINDS[::9], L.binary_cross_entropy(), L.gaussian_nll(), L.cross_entropy(smoothing=0.1), weighted()[-1]]
sampled = pytest.mark.parametrize("loss", SAMPLE, ids=repr)


@pytest.fixture(autouse=True)
def doubles():
    with jax.enable_x64(True):
        yield


@pytest.fixture
def compiled_soon():
    """What JAX does not optimise it compiles in two thirds of the time."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


soon = pytest.mark.usefixtures("compiled_soon")


def examples(loss, rows=6, dtype=float, shares=False):
    """Targets and raw outputs of a loss, away from its kinks."""
    r = np.random.default_rng(3)
    if loss.is_classwise:
        k = len(loss.class_weight) or 4
        y = r.dirichlet(np.ones(k), rows) if shares else r.integers(0, k, rows)
        return jnp.asarray(y), jnp.asarray(r.normal(0, 1.5, (rows, k)), dtype)
    y = r.choice([v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target], rows)
    m = len(loss.activation)
    return jnp.asarray(y, dtype), jnp.asarray(r.normal(0.13, 1.1, (rows, m) if m > 1 else rows), dtype)


@soon
@sampled
def test_second_derivatives_are_the_curvature_by_example(loss):
    y, z = examples(loss)
    found = jax.jit(jax.vmap(jax.hessian(gm.to_jax(loss))))(z, y)
    np.testing.assert_allclose(found, loss.hessian(np.asarray(y), np.asarray(z), full=True), rtol=1e-9, atol=1e-12)


@soon
@sampled
def test_forward_and_reverse_mode_agree_with_the_signal(loss):
    y, z = examples(loss)
    of_each = gm.to_jax(loss)
    signal = loss.gradient(np.asarray(y), np.asarray(z))
    moved = jax.jit(lambda z: jax.jvp(lambda z: of_each(z, y), (z,), (jnp.ones_like(z),))[1])(z)
    np.testing.assert_allclose(moved, signal.sum(-1) if signal.ndim > 1 else signal, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(jax.grad(of_each)))(z, y), signal, rtol=1e-10, atol=1e-12)


@soon
@pytest.mark.parametrize("loss", [loss for loss in SAMPLE if loss.is_classwise], ids=repr)
def test_targets_that_are_shares(loss):
    y, z = examples(loss, shares=True)
    of_each = gm.to_jax(loss)
    np.testing.assert_allclose(of_each(z, y), loss.value(np.asarray(y), np.asarray(z)), rtol=1e-11)
    found = jax.jit(jax.vmap(jax.hessian(of_each)))(z, y)
    np.testing.assert_allclose(found, loss.hessian(np.asarray(y), np.asarray(z), full=True), rtol=1e-9, atol=1e-12)


def test_tails_in_single_precision():
    with jax.enable_x64(False):
        bce, ce = gm.to_jax(L.binary_cross_entropy()), gm.to_jax(L.cross_entropy())
        assert bce(jnp.array([-18.0]), jnp.array([0.0]))[0] == pytest.approx(1.5229979e-8, rel=1e-6)
        assert jax.grad(bce)(jnp.array(17.0), jnp.array(1.0)) == pytest.approx(-4.1399e-8, rel=1e-4)
        assert jax.grad(jax.grad(bce))(jnp.array(50.0), jnp.array(1)) == pytest.approx(1.9287498e-22, rel=1e-5)
        value, signal = jax.value_and_grad(ce)(jnp.array([20.0, 0.0]), jnp.array(0))
        assert value == pytest.approx(2.0611537e-9, rel=1e-6)
        assert signal.sum() == 0


@soon
@pytest.mark.parametrize(
    "loss", [loss for loss in KINDS if len(loss.activation) == 1 and not loss.is_classwise], ids=repr
)
def test_there_are_limits_at_infinity(loss):
    y, z = np.ones(5), np.array([-np.inf, -1e30, 0.3, 1e30, np.inf])
    of_each = gm.to_jax(loss)
    values, signals = jax.jit(jax.vmap(jax.value_and_grad(of_each)))(z, y)
    np.testing.assert_allclose(values, loss.value(y, z), rtol=1e-10)
    np.testing.assert_allclose(signals, loss.gradient(y, z), rtol=1e-10)


# --- what is no label, and what is absent ---


def outside(loss):
    """A label that the domain of the loss does not hold, in place of each of those that it does."""
    y, z = examples(loss)
    wrong = (
        [-1, 4, -100, 99]
        if loss.is_classwise
        else [v for v in (-1.0, 0.5, 255.0, np.nan, np.inf) if v not in loss.target]
    )
    return [(y.at[2].set(v), z) for v in wrong]


@soon
@pytest.mark.parametrize("loss", KINDS[::6], ids=repr)
def test_a_label_outside_the_domain_is_never_a_number(loss):
    of_each = gm.to_jax(loss)
    both = jax.jit(lambda z, y: (of_each(z, y), jax.grad(lambda z: of_each(z, y).sum())(z)))
    for y, z in outside(loss):
        for each in both(z, y):
            lost = np.isnan(np.asarray(each)).reshape(len(y), -1)
            assert lost.all(1).tolist() == [False, False, True, False, False, False]
            assert lost.any(1).tolist() == lost.all(1).tolist()


def test_rows_that_are_no_probabilities_and_indices_that_are_not_whole():
    of_each = gm.to_jax(L.cross_entropy())
    z = jnp.zeros((3, 2))
    assert np.isnan(of_each(z, jnp.array([[5.0, -2.0], [0.5, 0.2], [0.5, 0.5]]))).tolist() == [True, True, False]
    assert np.isnan(of_each(z, jnp.array([0.0, 0.5, 1.0]))).tolist() == [False, True, False]


@soon
@pytest.mark.parametrize(
    ("loss", "reduction"),
    [
        *((L.poisson(), reduction) for reduction in ("none", "sum", "mean")),
        (L.gaussian_nll(), "mean"),
        (L.cross_entropy(), "mean"),
    ],
    ids=repr,
)
def test_what_is_absent_contributes_nothing(loss, reduction):
    y, z = examples(loss)
    counted = jnp.array([True, False, True, True, False, True])
    spoiled = z.at[1].set(jnp.nan).at[4].set(jnp.inf)
    function = gm.to_jax(loss, reduction=reduction)
    for given in ({"where": counted}, {"weights": counted * 1.0}):
        value, gradient = jax.jit(jax.value_and_grad(lambda z, given=given: function(z, y, **given).sum()))(spoiled)
        kept = float(function(z[counted], y[counted]).sum())
        assert value == pytest.approx(kept, rel=1e-12)
        assert not np.asarray(gradient)[~np.asarray(counted)].any()
    nothing = function(z, y, where=jnp.zeros(6, bool))
    assert not np.asarray(nothing).any()


def test_weights_multiply_and_what_is_none_is_seen():
    loss = L.squared_error()
    y, z, w = jnp.array([0.0, 0.0]), jnp.array([1.0, 2.0]), jnp.array([3.0, 0.5])
    assert gm.to_jax(loss)(z, y, weights=w).tolist() == [3.0, 2.0]
    assert gm.to_jax(loss, reduction="mean")(z, y, weights=w) == 2.5
    for wrong in (-1.0, math.nan, math.inf):
        assert np.isnan(gm.to_jax(loss)(z, y, weights=w.at[0].set(wrong))).tolist() == [True, False]
    assert jax.grad(lambda w: gm.to_jax(loss)(z, y, weights=w).sum())(w).tolist() == [1.0, 4.0]


# --- what is refused, and what is kept ---


@pytest.mark.parametrize(
    ("loss", "z", "y"),
    [
        (L.squared_error(), (4,), (4, 1)),
        (L.squared_error(), (4, 1), (4,)),
        (L.squared_error(), (4,), ()),
        (L.cross_entropy(), (4, 3), (3,)),
        (L.cross_entropy(), (4, 3), (1, 3)),
        (L.cross_entropy(), (4, 1), (4,)),
        (L.cross_entropy(class_weight=(1.0, 2.0)), (4, 3), (4,)),
        (L.gaussian_nll(), (4,), (4,)),
        (L.gaussian_nll(), (4, 3), (4,)),
        (L.binary_cross_entropy(positive_weight=(1.0, 2.0)), (4, 3), (4, 3)),
    ],
    ids=repr,
)
def test_shapes_that_do_not_go_together_are_refused_while_tracing(loss, z, y):
    with pytest.raises(ShapeMismatch):
        jax.eval_shape(gm.to_jax(loss), jnp.zeros(z), jnp.zeros(y))


def test_what_has_no_gradient_or_no_meaning_is_refused():
    function = gm.to_jax(L.squared_error())
    y, z = examples(L.squared_error())
    with pytest.raises(UsageError, match="gradient by the labels"):
        jax.grad(lambda y: function(z, y).sum())(y)
    assert jax.grad(lambda y: function(z, jax.lax.stop_gradient(y)).sum())(y).tolist() == [0.0] * 6
    for dtype in (jnp.int32, jnp.bool_, jnp.complex64, jnp.float8_e4m3fn):
        with pytest.raises(UsageError, match=r"half, single or double|complex"):
            function(z.astype(dtype), y)
    for given in ({"labels": y + 1j}, {"labels": y, "weights": y + 1j}):
        with pytest.raises(UsageError, match="complex"):
            function(z, **given)
    with pytest.raises(ShapeMismatch, match="weights"):
        function(z, y, weights=jnp.ones((6, 1)))
    with pytest.raises(WeightError, match="True"):
        function(z, y, where=jnp.ones(6))
    with pytest.raises(UsageError, match="reduction"):
        gm.to_jax(L.squared_error(), reduction="avg")


def test_half_precision_is_computed_in_single_and_rounded_once():
    y, z = jnp.zeros(5), jnp.linspace(-8, 0, 5)
    for dtype in (jnp.bfloat16, jnp.float16):
        found = gm.to_jax(L.binary_cross_entropy())(z.astype(dtype), y)
        assert found.dtype == dtype
        assert (found == jax.nn.softplus(z.astype(jnp.float32)).astype(dtype)).all()


def test_transforms_around_it():
    loss = L.focal(gamma=2.0)
    y, z = examples(loss)
    function, signal = gm.to_jax(loss, reduction="sum"), loss.gradient(np.asarray(y), np.asarray(z))
    steps = jax.jit(jax.grad(lambda z: jax.lax.scan(lambda t, zy: (t + function(*zy), None), 0.0, (z, y))[0]))
    again = jax.grad(jax.checkpoint(lambda z: function(z, y)))
    for gradient in (steps(z), again(z)):
        np.testing.assert_allclose(gradient, signal, rtol=1e-10, atol=1e-13)


def test_it_is_a_value():
    made = gm.to_jax(L.focal(gamma=2.0), reduction="mean")
    y, z = examples(made.loss)
    assert made == pickle.loads(pickle.dumps(made)) == gm.to_jax(L.focal(gamma=2.0), reduction="mean")
    assert made != gm.to_jax(L.focal(gamma=1.0), reduction="mean")
    assert jax.jit(lambda f, z: f(z, y), static_argnums=0)(made, z) == pytest.approx(float(made(z, y)))
    assert pickle.loads(pickle.dumps(made))(z, y) == made(z, y)


def test_it_stands_where_a_loss_of_optax_stood():
    logits, labels = jnp.array([[1.0, -2.0], [0.3, 0.1]]), jnp.array([0, 1])
    theirs = optax.softmax_cross_entropy_with_integer_labels
    np.testing.assert_allclose(gm.to_jax(L.cross_entropy())(logits, labels), theirs(logits, labels), rtol=1e-12)


@pytest.mark.parametrize("name", ["cross_entropy", "poisson"])
def test_the_example_trains(name):
    path = Path(__file__).parent.parent / "examples" / "train_jax.py"
    spec = importlib.util.spec_from_file_location("train_jax", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    before, after = example.train(getattr(L, name)(), epochs=60)
    assert after < 0.9 * before
