"""Is the loss of Keras the same loss, by Keras' conventions, and does a saved model keep it? On each back end."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import goodmeasure as gm
from catalogue_losses import everything, weighted
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError
from goodmeasure.frameworks.keras import REDUCTIONS

L = gm.losses
BACKEND = keras.backend.backend()
SAMPLE = [
    L.huber(delta=2.0) + 0.1 * L.squared_error(),
    L.binary_focal(gamma=1.3, positive_weight=3.0),
    L.binary_cross_entropy(smoothing=0.1, positive_weight=(1.0, 4.0)),
    L.poisson().with_activation("softplus"),
    L.tweedie(power=1.2),
    L.cross_entropy(smoothing=0.1, class_weight=(1.0, 2.0, 5.0)),
    L.focal(gamma=0.5, class_weight=(1.0, 2.0, 5.0)),
    L.gaussian_nll(),
]
sampled = pytest.mark.parametrize("loss", SAMPLE, ids=repr)
# What torch and Keras say of themselves.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning", "ignore:__array__ implementation:DeprecationWarning"
)


@gm.loss(target=gm.Real)
def own(y, mu, *, c: gm.Positive = 3.0):
    """A formula that no catalogue holds."""
    return c * (y - mu) ** 2 / (1 + abs(y - mu))


def examples(loss, rows=6):
    r = np.random.default_rng(3)
    if loss.is_classwise:
        k = len(loss.class_weight) or 3
        return r.integers(0, k, rows), r.normal(0, 1.5, (rows, k))
    m = len(loss.activation)
    shape = (rows, loss.labels) if loss.labels else (rows,)
    y = r.choice([v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target], shape)
    return y, r.normal(0.13, 1.1, (*shape, m) if m > 1 else shape)


def derivative(function, z):
    """The derivative of a number by raw outputs, as the back end finds it."""
    if BACKEND == "jax":
        import jax

        return np.asarray(jax.grad(function)(np.asarray(z)))
    import torch

    raw = torch.tensor(np.asarray(z), requires_grad=True)
    return torch.autograd.grad(function(raw), raw)[0].numpy()


@sampled
def test_value_and_signal(loss):
    y, z = examples(loss)
    each = gm.to_keras(loss, reduction="none", dtype="float64")
    values, signal = loss.value(y, z), loss.gradient(y, z)
    share = values.shape[-1] if loss.labels else 1
    np.testing.assert_allclose(np.asarray(each(y, z)), values.mean(-1) if loss.labels else values, rtol=1e-11)
    found = derivative(lambda z: ops.sum(each(y, z)), z)
    np.testing.assert_allclose(found, signal / share, rtol=1e-10, atol=1e-13)


def test_tails_and_targets_outside_the_domain():
    each = gm.to_keras(L.binary_cross_entropy(), reduction="none")
    assert np.asarray(each([0.0], [-18.0]))[0] == pytest.approx(1.5229979e-8, rel=1e-6)
    found = derivative(lambda z: ops.sum(each([1.0, 255.0], z)), np.array([17.0, 0.0], np.float32))
    assert found[0] == pytest.approx(-4.1399e-8, rel=1e-4)
    assert np.isnan(found[1])
    classes = gm.to_keras(L.cross_entropy(), reduction="none")
    assert np.isnan(np.asarray(classes([3, -1, -100, 0], np.zeros((4, 3))))).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("ours", "theirs", "y", "z"),
    [
        (L.squared_error(), keras.losses.MeanSquaredError, (4,), (4, 1)),
        (L.squared_error(), keras.losses.MeanSquaredError, (4, 1), (4, 1)),
        (L.squared_error(), keras.losses.MeanSquaredError, (4, 1), (4,)),
        (L.squared_error(), keras.losses.MeanSquaredError, (4, 3), (4, 3)),
        (L.squared_error(), keras.losses.MeanSquaredError, (4, 2, 3), (4, 2, 3)),
        (L.cross_entropy(), keras.losses.SparseCategoricalCrossentropy, (4,), (4, 3)),
        (L.cross_entropy(), keras.losses.SparseCategoricalCrossentropy, (4, 1), (4, 3)),
        (L.cross_entropy(), keras.losses.SparseCategoricalCrossentropy, (4, 2), (4, 2, 3)),
        (L.binary_cross_entropy(), keras.losses.BinaryCrossentropy, (4, 1), (4, 1)),
        (L.binary_cross_entropy(), keras.losses.BinaryCrossentropy, (4, 3), (4, 3)),
    ],
)
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum", "none"])
def test_shapes_weights_and_reductions_are_those_of_the_built_in(ours, theirs, y, z, reduction):
    r = np.random.default_rng(0)
    targets, raw, weight = (
        r.integers(0, 2, y).astype("float32"),
        r.normal(size=z).astype("float32"),
        [1.0, 0.0, 2.0, 0.5],
    )
    logits = {} if theirs is keras.losses.MeanSquaredError else {"from_logits": True}
    criterion = theirs(reduction=reduction, **logits)
    found = gm.to_keras(ours, reduction=reduction)
    np.testing.assert_allclose(np.asarray(found(targets, raw)), np.asarray(criterion(targets, raw)), rtol=1e-5)
    if len(z) == 2 and len(y) < 3:
        np.testing.assert_allclose(
            np.asarray(found(targets, raw, weight)), np.asarray(criterion(targets, raw, weight)), rtol=1e-5
        )


def test_one_weight_an_example_of_several_steps_is_not_taken_for_one_a_step():
    found = gm.to_keras(L.cross_entropy(), reduction="none")
    y, z, weight = np.zeros((2, 2), int), np.zeros((2, 2, 3)), [1.0, 0.0]
    assert np.asarray(found(y, z, weight)).tolist() == [[pytest.approx(np.log(3))] * 2, [0.0, 0.0]]


@pytest.mark.parametrize(
    ("loss", "y", "z"),
    [
        (L.squared_error(), (4,), (3,)),
        (L.squared_error(), (4, 1), (4, 2)),
        (L.squared_error(), (), (4,)),
        (L.cross_entropy(), (4,), (4, 1)),
        (L.cross_entropy(), (3,), (4, 3)),
        (L.cross_entropy(class_weight=(1.0, 2.0)), (4,), (4, 3)),
        (L.gaussian_nll(), (4,), (4, 3)),
    ],
)
def test_other_shapes_are_refused(loss, y, z):
    with pytest.raises(ShapeMismatch):
        gm.to_keras(loss)(np.zeros(y), np.zeros(z))


def test_weights_of_another_length_are_refused():
    with pytest.raises(ShapeMismatch, match="sample_weight"):
        gm.to_keras(L.squared_error())(np.zeros(4), np.zeros(4), np.ones(3))
    with pytest.raises(UsageError, match="reduction"):
        gm.to_keras(L.squared_error(), reduction="avg")


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("as_tensor", [False, True])
def test_weights_of_absence_are_refused_and_nan_where_a_step_cannot_stop(bad, as_tensor, monkeypatch):
    y, z = np.array([1.0, 0.0, 1.0], np.float32), np.array([0.3, -1.0, 0.2], np.float32)
    weight = np.array([1.0, bad, 0.0], np.float32)
    for reduction in (*REDUCTIONS, None):
        criterion = gm.to_keras(L.binary_cross_entropy(), reduction=reduction)
        with pytest.raises(WeightError, match="GM006"):
            criterion(y, z, ops.convert_to_tensor(weight) if as_tensor else weight)
        monkeypatch.setattr("goodmeasure.frameworks.keras._is_at_hand", lambda tensor: False)
        assert np.isnan(np.asarray(ops.convert_to_numpy(criterion(y, z, ops.convert_to_tensor(weight))))).any()
        monkeypatch.undo()


@pytest.mark.skipif(BACKEND != "jax", reason="it traces a step")
def test_a_traced_step_is_nan_where_a_weight_is_none():
    import jax

    step = jax.jit(gm.to_keras(L.binary_cross_entropy()))
    y, z = np.array([1.0, 0.0], np.float32), np.array([0.3, -1.0], np.float32)
    assert np.isfinite(step(y, z, np.array([1.0, 0.0], np.float32)))
    assert all(np.isnan(step(y, z, np.array([1.0, bad], np.float32))) for bad in (-1.0, np.nan, np.inf))


def test_what_is_absent_contributes_nothing():
    y, z = np.array([1.0, -100.0, 0.0]), np.array([0.3, np.nan, np.inf], np.float32)
    for criterion in (gm.to_keras(L.binary_cross_entropy()), gm.to_keras(L.binary_cross_entropy(), reduction="sum")):
        share = 3 if criterion.reduction == "sum_over_batch_size" else 1
        assert float(criterion(y, z, [1.0, 0.0, 0.0])) == pytest.approx(np.log1p(np.exp(-0.3)) / share, rel=1e-6)
        found = derivative(lambda z, c=criterion: c(y, z, [1.0, 0.0, 0.0]), z)
        assert found.tolist() == [pytest.approx(-1 / (1 + np.exp(0.3)) / share, rel=1e-6), 0.0, 0.0]


def padded():
    """A model of sequences whose embedding masks zeros, with rows of it and their classes, and padding that is no class."""
    steps = keras.layers.Input((5,))
    model = keras.Model(steps, keras.layers.Dense(3)(keras.layers.Embedding(7, 4, mask_zero=True)(steps)))
    r = np.random.default_rng(1)
    x = r.integers(0, 7, (16, 5))
    return model, x, np.where(x == 0, 0, r.integers(0, 3, x.shape))


def test_masks_are_those_of_the_built_in():
    model, x, y = padded()
    seen = []
    for criterion, targets in (
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), y),
        (gm.to_keras(L.cross_entropy()), y),
        (gm.to_keras(L.cross_entropy()), np.where(x == 0, -1, y)),
    ):
        model.compile("sgd", loss=criterion)
        seen.append(model.evaluate(x, targets, verbose=0))
    assert seen == [pytest.approx(seen[0], rel=1e-6)] * 3


# --- what is kept ---


@pytest.mark.parametrize("loss", [*SAMPLE, own(c=0.25), *everything()[::7], *weighted()[::4]], ids=repr)
def test_the_configuration_holds_every_parameter(loss):
    made = gm.to_keras(loss, reduction="sum", name="mine")
    again = keras.losses.deserialize(keras.losses.serialize(made))
    assert (again.loss, again.reduction, again.name) == (loss, "sum", "mine")
    y, z = examples(loss)
    assert float(again(y, z)) == float(made(y, z))


@pytest.mark.parametrize("loss", [SAMPLE[0], SAMPLE[5], SAMPLE[7], own(c=0.25)], ids=repr)
def test_a_saved_model_evaluates_to_the_same_number(loss, tmp_path):
    r = np.random.default_rng(0)
    x = r.normal(size=(32, 4)).astype("float32")
    y = np.digitize(x[:, 0], [-0.5, 0.5]) if loss.is_classwise else x[:, 0]
    outputs = 3 if loss.is_classwise else len(loss.activation)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(outputs)])
    model.compile("adam", loss=gm.to_keras(loss))
    first, last = model.fit(x, y, epochs=4, verbose=0).history["loss"][::3]
    assert last < first
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert again.loss.loss == loss


@pytest.mark.skipif(BACKEND != "torch", reason="the audit reads graphs of the torch back end")
@pytest.mark.parametrize("loss", [L.huber(), L.binary_cross_entropy(), L.cross_entropy(), L.gaussian_nll()], ids=repr)
def test_the_audit_finds_nothing_wrong_with_it(loss):
    r = np.random.default_rng(0)
    x = r.normal(size=(64, 4)).astype("float32")
    y = np.digitize(x[:, 0], [-0.5, 0.5]) if loss.is_classwise else (x[:, 0] > 0) * 1.0 if loss.is_binary else x[:, 0]
    outputs = 3 if loss.is_classwise else len(loss.activation)
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(outputs)])
    found = gm.audit(model=model, loss=gm.to_keras(loss), inputs=x, targets=y.astype("float32"))
    assert [f.code for f in found.findings] == []


def test_the_example_trains():
    path = Path(__file__).parent.parent / "examples" / "train_keras.py"
    spec = importlib.util.spec_from_file_location("train_keras", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    before, after = example.train(L.cross_entropy(), epochs=8)
    assert after < 0.9 * before


@pytest.mark.skipif(BACKEND == "jax", reason="this is it")
def test_the_same_on_jax():
    settings = {**os.environ, "KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1"}
    values = "value_and_signal and not softplus and not focal and not smoothing"
    some = f"{values} or saved and own or masks or absen or traced"
    asked = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", __file__, "-k", some]
    said = subprocess.run(asked, env=settings, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout[-4000:]
