"""Does a loss whose labels weigh each for itself say of every label what the loss of that label says?"""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import goodmeasure as gm
from catalogue_losses import everything
from goodmeasure import losses
from goodmeasure.deriving.implied_probability import implies_probability
from goodmeasure.errors import HyperparameterError, NoSuchReading, ShapeMismatch

POSITIVE = (3.0, 0.5)
RNG = np.random.default_rng(0)
Y, Z = (RNG.random((40, 2)) < 0.3).astype(float), 2 * RNG.normal(size=(40, 2))
W = RNG.integers(0, 3, 40).astype(float)
BINARY = [loss for loss in everything() if loss.is_binary]
both = pytest.mark.parametrize("plain", BINARY, ids=repr)


@both
def test_every_number_is_that_of_its_label(plain):
    loss = gm.weighted(plain, positive=list(POSITIVE))
    for k, weight in enumerate(POSITIVE):
        one = gm.weighted(plain, positive=weight)
        assert loss.of_label(k).hyperparameters == one.hyperparameters
        for numbers in ("value", "gradient", "hessian"):
            found = getattr(loss, numbers)(Y, Z)[:, k]
            np.testing.assert_array_equal(found, getattr(one, numbers)(Y[:, k], Z[:, k]))


@both
def test_means_take_a_weight_a_row(plain):
    loss = gm.weighted(plain, positive=POSITIVE)
    mean, gradient = loss.value_and_gradient(Y, Z, W)
    assert mean == loss(Y, Z, W) == loss.total(Y, Z, W).mean
    expected = np.average(loss.value(Y, Z).mean(axis=1), weights=W)
    assert mean == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient, loss.gradient(Y, Z) * W[:, None] / (2 * W.sum()), rtol=1e-13, atol=1e-300)
    spoiled, absent = Z.copy(), W == 0
    spoiled[absent] = np.nan
    assert loss(Y, spoiled, W) == mean


@pytest.mark.parametrize("plain", [loss for loss in BINARY if implies_probability(loss)], ids=repr)
def test_predictions_undo_the_weight_of_each_label(plain):
    loss = gm.weighted(plain, positive=POSITIVE)
    for k, weight in enumerate(POSITIVE):
        one = gm.weighted(plain, positive=weight)
        np.testing.assert_array_equal(loss.predict(Z)[:, k], one.predict(Z[:, k]))
        np.testing.assert_array_equal(loss.raw(loss.predict(Z))[:, k], one.raw(one.predict(Z[:, k])))
        np.testing.assert_array_equal(loss.identification(Y, Z)[:, k], one.identification(Y[:, k], Z[:, k]))
        assert loss.best_constant(Y, W)[k] == one.best_constant(Y[:, k], W)


def test_it_is_the_call_that_made_it():
    loss = gm.weighted(losses.binary_cross_entropy(), positive=np.array(POSITIVE))
    known = {"weighted": gm.weighted, "binary_cross_entropy": losses.binary_cross_entropy}
    assert eval(repr(loss), known) == loss == pickle.loads(pickle.dumps(loss))
    assert hash(eval(repr(loss), known)) == hash(loss)
    assert losses.binary_cross_entropy(positive_weight=POSITIVE)(Y, Z) == loss(Y, Z)
    assert gm.weighted(loss, positive=2.0)(Y, Z) == gm.weighted(losses.binary_cross_entropy(), positive=(6, 1))(Y, Z)
    assert (loss + loss)(Y, Z) == (2 * loss)(Y, Z)
    assert str(loss.card()).startswith(repr(loss))
    assert loss.card().traits == gm.weighted(losses.binary_cross_entropy(), positive=3.0).card().traits
    assert gm.check(loss).passed


def test_what_does_not_fit_is_named():
    loss = gm.weighted(losses.binary_cross_entropy(), positive=POSITIVE)
    for call in (loss.predict, lambda z: loss.value(np.zeros(z.shape), z)):
        with pytest.raises(ShapeMismatch, match="2 labels"):
            call(np.zeros((4, 3)))
    with pytest.raises(NoSuchReading, match="of_label"):
        gm.signal(loss, Y, Z)
    for bad in ([], [[1.0, 2.0]], [1.0, -1.0], [1.0, np.inf], "a"):
        with pytest.raises(HyperparameterError):
            gm.weighted(losses.binary_cross_entropy(), positive=bad)


def test_in_torch_it_is_torch_s_own():
    torch = pytest.importorskip("torch")
    loss = gm.weighted(losses.binary_cross_entropy(), positive=POSITIVE)
    y, z = torch.tensor(Y), torch.tensor(Z, requires_grad=True)
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(z, y, pos_weight=torch.tensor(POSITIVE).double())
    (expected,) = torch.autograd.grad(theirs, z)
    ours = gm.to_torch(loss)(z, y)
    (found,) = torch.autograd.grad(ours, z)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-14)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)
    each = torch.vmap(gm.to_torch(loss, reduction="none"))(z, y)  # the formula, not the kernel
    np.testing.assert_allclose(each.detach().numpy(), loss.value(Y, Z), rtol=1e-14)
    with pytest.raises(ShapeMismatch, match="2 labels"):
        gm.to_torch(loss)(torch.zeros(3), torch.zeros(3))
