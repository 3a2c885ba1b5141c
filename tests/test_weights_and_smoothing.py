"""Class weights and label smoothing together: an index, a one-hot row and soft targets are one law, which is torch's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

import goodmeasure as gm
from goodmeasure.deriving import class_statistics
from goodmeasure.making.definition import Definition

SMOOTHED = [d for d in gm.losses.catalogue().values() if "mean_log_p" in d.predictions]
CLASSES = [d for d in SMOOTHED if d.binary]
cases = given(k=st.sampled_from([2, 3, 10, 40]), s=st.sampled_from([0.0, 0.1, 0.5, 0.99]), seed=st.integers(0, 10**6))


def example(k: int, seed: int):
    r = np.random.default_rng(seed)
    weights = r.choice([0.0, 0.1, 1.0, 7.0], k) + (np.arange(k) == 0)
    return tuple(weights.tolist()), r.integers(0, k, 5), r.dirichlet(np.ones(k), 5), 3 * r.normal(size=(5, k))


def targets(y, shares, k):
    return (y, np.eye(k)[y], shares)


def theirs(y, z, weights, s):
    raw = torch.tensor(z, requires_grad=True)
    each = functional.cross_entropy(
        raw, torch.tensor(y), torch.tensor(weights, dtype=torch.float64), reduction="none", label_smoothing=s
    )
    return each.detach().numpy(), torch.autograd.grad(each.sum(), raw)[0].numpy()


@pytest.mark.parametrize("definition", CLASSES, ids=str)
@settings(max_examples=15, deadline=None)
@cases
def test_every_kind_of_target_costs_what_torch_says(definition: Definition, k: int, s: float, seed: int):
    weights, y, shares, z = example(k, seed)
    loss = definition(smoothing=s, class_weight=weights)
    for target in targets(y, shares, k):
        value, signal = theirs(target, z, weights, s)
        np.testing.assert_allclose(loss.value(target, z), value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(loss.gradient(target, z), signal, rtol=1e-11, atol=1e-12)
        mean, gradient = loss.value_and_gradient(target, z)
        assert mean == pytest.approx(value.mean(), rel=1e-12)
        np.testing.assert_allclose(gradient, signal / len(z), rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(loss.hessian(target, z).sum(), _trace(target, z, weights, s), rtol=1e-5, atol=1e-7)


def _trace(target, z, weights, s):
    """The diagonal of the second derivatives, by differences of torch's signal."""
    step, total = 1e-5, 0.0
    for j in range(z.shape[1]):
        up, down = (theirs(target, z + sign * step * (np.arange(z.shape[1]) == j), weights, s)[1] for sign in (1, -1))
        total += (up - down)[:, j].sum() / (2 * step)
    return total


@pytest.mark.parametrize("fused", [True, False])
@settings(max_examples=10, deadline=None)
@cases
def test_the_torch_module_says_the_same(fused: bool, k: int, s: float, seed: int):
    weights, y, shares, z = example(k, seed)
    module = gm.to_torch(gm.losses.cross_entropy(smoothing=s, class_weight=weights))
    for target in targets(y, shares, k):
        value, signal = theirs(target, z, weights, s)
        raw = torch.tensor(z, requires_grad=True)
        given_target = torch.tensor(target)
        # Under a transform the module is its formula; outside of one, on the CPU, the kernel.
        step = module if fused else (lambda r, t: torch.func.vmap(module)(r[None], t[None])[0])
        found = step(raw, given_target)
        assert found.item() == pytest.approx(value.mean(), rel=1e-12)
        np.testing.assert_allclose(torch.autograd.grad(found, raw)[0], signal / len(z), rtol=1e-11, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # what torch says of itself
def test_the_compiled_module_says_the_same():
    torch._dynamo.reset()
    weights, y, shares, z = example(3, 1)
    module = torch.compile(
        gm.to_torch(gm.losses.cross_entropy(smoothing=0.1, class_weight=weights)), backend="aot_eager"
    )
    for target in (y, shares):
        value, signal = theirs(target, z, weights, 0.1)
        raw = torch.tensor(z, requires_grad=True)
        found = module(raw, torch.tensor(target))
        found.backward()
        assert found.item() == pytest.approx(value.mean(), rel=1e-12)
        np.testing.assert_allclose(raw.grad, signal / len(z), rtol=1e-11, atol=1e-12)


def in_torch(loss, reduction):
    module = gm.to_torch(loss, reduction=reduction)
    return lambda z, y: module(torch.tensor(z), torch.tensor(y)).numpy()


def in_jax(loss, reduction):
    pytest.importorskip("jax")
    return gm.to_jax(loss, reduction=reduction)


def in_keras(loss, reduction):
    pytest.importorskip("keras")
    criterion = gm.to_keras(loss, reduction=reduction, dtype="float64")
    return lambda z, y: np.asarray(criterion(y, z).tolist())


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("host", [in_torch, in_jax, in_keras])
def test_every_host_and_reduction_says_the_same(host, reduction: str):
    weights, y, shares, z = example(4, 5)
    z = z.astype(np.float32)
    found = host(gm.losses.cross_entropy(smoothing=0.2, class_weight=weights), reduction)
    for target in targets(y, shares, 4):
        value, _ = theirs(target, z.astype(float), weights, 0.2)
        whole = {"none": value, "mean": value.mean(), "sum": value.sum()}[reduction]
        np.testing.assert_allclose(np.asarray(found(z, target)), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_rows_of_the_ignored_index_are_left_out_as_torch_leaves_them(reduction: str):
    weights, y, _, z = example(3, 6)
    raw, target = torch.tensor(z), torch.tensor(np.where(np.arange(5) % 2, -100, y))
    given = torch.tensor(weights, dtype=torch.float64)
    plain = {"weight": given, "label_smoothing": 0.3, "ignore_index": -100, "reduction": reduction}
    ours = gm.to_torch(
        gm.losses.cross_entropy(), **plain, **({"denominator": "weights"} if reduction == "mean" else {})
    )
    torch.testing.assert_close(ours(raw, target), functional.cross_entropy(raw, target, **plain))


def test_the_risk_is_that_of_soft_targets():
    weights, y, _, z = example(3, 2)
    loss = gm.losses.cross_entropy(smoothing=0.2, class_weight=weights)
    value, _ = theirs(y, z, weights, 0.2)
    assert gm.risk(loss, y, z).value == pytest.approx(value.mean(), rel=1e-12)
    assert loss.total(np.eye(3)[y], z).mean == loss.total(y, z).mean


@given(w=st.floats(0.01, 100), s=st.floats(0, 0.99), z=st.floats(-30, 30), y=st.floats(0, 1))
def test_a_yes_that_counts_more_is_smoothed_as_its_target_would_be(w: float, s: float, z: float, y: float):
    loss = gm.losses.binary_cross_entropy(smoothing=s, positive_weight=w)
    plain = gm.losses.binary_cross_entropy(positive_weight=w)
    assert loss([y], [z]) == pytest.approx(plain([(1 - s) * y + s / 2], [z]), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("definition", CLASSES, ids=str)
def test_weights_given_later_and_in_sums_are_the_same_weights(definition: Definition):
    weights, y, _, z = example(3, 3)
    weights = tuple(w or 0.5 for w in weights)
    inside = definition(smoothing=0.3, class_weight=weights)
    for later in (gm.weighted(definition(smoothing=0.3), classes=weights), 0.5 * inside + 0.5 * inside):
        np.testing.assert_allclose(later.value(y, z), inside.value(y, z), rtol=1e-13)


def test_what_does_not_hold_a_term_of_each_class_is_weighted_by_what_happened():
    p, mean = (class_statistics.symbol(name) for name in ("p", "mean_log_p"))
    for book in (-class_statistics.log(p), p * mean, mean**2):
        assert class_statistics.weighed(book) is class_statistics.symbol(class_statistics.WEIGHT) * book
