"""Is the torch module the same loss: its numbers, both derivatives, transforms, compilation, absence and shapes?"""

import importlib.util
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from goodmeasure.errors import ShapeMismatch, TargetOutsideDomain, UsageError
from goodmeasure.formula import nodes
from goodmeasure.frameworks.torch import to_torch
from goodmeasure.losses import catalogue

LOSSES = {name: definition() for name, definition in sorted(catalogue().items())}
SAMPLE = sorted(
    LOSSES, key=lambda n: (LOSSES[n].is_classwise, len(LOSSES[n].activation), len(nodes(LOSSES[n].composed)), n)
)[::6]


def examples(name, dtype=torch.float64, rows=7):
    """Targets and raw outputs of a loss, away from its kinks."""
    loss, r = LOSSES[name], np.random.default_rng(3)
    if loss.is_classwise:
        return torch.tensor(r.integers(0, 4, rows)), torch.tensor(r.normal(0, 1.5, (rows, 4)), dtype=dtype)
    y = r.choice([v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target], rows)
    m = len(loss.activation)
    z = r.normal(0.13, 1.1, (rows, m) if m > 1 else rows)
    return torch.tensor(y, dtype=dtype), torch.tensor(z, dtype=dtype)


@pytest.mark.parametrize("name", LOSSES)
def test_the_formula_in_torch_has_the_numbers_of_the_loss(name):
    loss = LOSSES[name]
    y, z = examples(name, rows=40)
    z.requires_grad_()
    values = to_torch(loss, reduction="none")(z, y)
    np.testing.assert_allclose(
        values.detach().numpy(), loss.value(y.numpy(), z.detach().numpy()), rtol=1e-11, atol=1e-13
    )
    (gradient,) = torch.autograd.grad(values.sum(), z)
    np.testing.assert_allclose(gradient.numpy(), loss.gradient(y.numpy(), z.detach().numpy()), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", SAMPLE)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_first_and_second_derivatives(name, reduction):
    y, z = examples(name)
    weight = torch.linspace(0.5, 2, len(y), dtype=torch.float64)
    module = to_torch(LOSSES[name], reduction=reduction)
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: module(z, y, weight), z)
    assert torch.autograd.gradgradcheck(lambda z: module(z, y, weight), z)


@pytest.mark.parametrize("name", SAMPLE)
def test_the_kernel_and_the_formula_agree(name):
    y, z = examples(name, torch.float32, rows=300)
    z.requires_grad_()
    loss = LOSSES[name]
    fused = to_torch(loss)(z, y)
    formula = to_torch(loss, reduction="none")(z, y).mean()
    assert fused.item() == pytest.approx(formula.item(), rel=2e-6)
    both = [torch.autograd.grad(v, z)[0] for v in (fused, formula)]
    torch.testing.assert_close(*both, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", SAMPLE)
def test_per_example_gradients_by_vmap(name):
    y, z = examples(name)
    module = to_torch(LOSSES[name])
    each = torch.func.vmap(torch.func.grad(lambda z, y: module(z[None], y[None])))(z, y)
    np.testing.assert_allclose(each.numpy(), LOSSES[name].gradient(y.numpy(), z.numpy()), rtol=1e-9, atol=1e-12)
    if not LOSSES[name].is_classwise and z.ndim == 1:
        bends = torch.func.vmap(torch.func.grad(torch.func.grad(lambda z, y: module(z[None], y[None]))))(z, y)
        np.testing.assert_allclose(bends.numpy(), LOSSES[name].hessian(y.numpy(), z.numpy()), rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch's own, while it traces
@pytest.mark.parametrize("name", SAMPLE[::3])
def test_one_graph(name):
    torch._dynamo.reset()
    y, z = examples(name)
    module = to_torch(LOSSES[name])
    graph = torch.compile(module, fullgraph=True, backend="aot_eager")
    raws = [z.clone().requires_grad_() for _ in range(2)]
    values = [f(raw, y) for f, raw in zip((module, graph), raws, strict=True)]
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*[torch.autograd.grad(v, raw)[0] for v, raw in zip(values, raws, strict=True)])


def test_tails():
    bce, ce = (to_torch(LOSSES[n]) for n in ("binary_cross_entropy", "cross_entropy"))
    for reduction in ("mean", "none"):
        bce, ce = (to_torch(LOSSES[n], reduction=reduction) for n in ("binary_cross_entropy", "cross_entropy"))
        z = torch.tensor([-18.0], requires_grad=True)
        assert bce(z, torch.zeros(1)).item() == pytest.approx(1.5229979e-8, rel=1e-6)
        z = torch.tensor([17.0], requires_grad=True)
        bce(z, torch.ones(1)).sum().backward()
        assert z.grad.item() == pytest.approx(-4.1399e-8, rel=1e-4)
        rows = torch.tensor([[20.0, 0.0]], requires_grad=True)
        value = ce(rows, torch.tensor([0]))
        assert value.item() == pytest.approx(2.0611537e-9, rel=1e-6)
        value.sum().backward()
        assert rows.grad.sum().item() == 0
    ends = torch.tensor([math.inf, math.inf, -math.inf, -math.inf, math.nan])
    values = to_torch(LOSSES["binary_cross_entropy"], reduction="none")(ends, torch.tensor([1.0, 0, 0, 1, 1]))
    assert values[:4].tolist() == [0, math.inf, 0, math.inf]
    assert values[4].isnan()


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy", "gaussian_nll"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_what_is_absent_contributes_nothing(name, reduction):
    y, z = examples(name, torch.float32)
    module, keep = to_torch(LOSSES[name], reduction=reduction), torch.tensor([1, 0, 1, 1, 0, 1, 1], dtype=torch.bool)
    spoiled, targets = z.clone(), y.clone()
    spoiled[~keep] = math.nan
    targets[~keep] = -77
    for given in ({"mask": keep}, {"weight": keep.float()}):
        raw = spoiled.clone().requires_grad_()
        value = module(raw, targets, **given)
        expected = module(z[keep], y[keep])
        torch.testing.assert_close(value[keep] if reduction == "none" else value, expected)
        (gradient,) = torch.autograd.grad(value.sum(), raw)
        assert gradient.isfinite().all()
        assert not gradient[~keep].any()
    raw = spoiled.clone().requires_grad_()
    nothing = module(raw, targets, mask=torch.zeros_like(keep)).sum()
    assert nothing.item() == 0
    assert not torch.autograd.grad(nothing, raw)[0].any()


def test_weights_are_not_divided_out():
    y, z = examples("binary_cross_entropy")
    module = to_torch(LOSSES["binary_cross_entropy"])
    torch.testing.assert_close(module(z, y, torch.full_like(y, 3)), 3 * module(z, y))
    torch.testing.assert_close(
        to_torch(LOSSES["binary_cross_entropy"], denominator=100.0)(z, y), module(z, y) * len(y) / 100
    )


def test_classes_come_first_as_in_torch():
    r = torch.Generator().manual_seed(0)
    z, y = torch.randn(2, 5, 3, 4, generator=r, requires_grad=True), torch.randint(0, 5, (2, 3, 4), generator=r)
    ours, theirs = to_torch(LOSSES["cross_entropy"])(z, y), torch.nn.functional.cross_entropy(z, y)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*[torch.autograd.grad(v, z)[0] for v in (ours, theirs)])
    torch.testing.assert_close(
        to_torch(LOSSES["cross_entropy"])(z[0, :, 0, 0], y[0, 0, 0]),
        torch.nn.functional.cross_entropy(z[0, :, 0, 0], y[0, 0, 0]),
    )


def test_rows_of_probabilities():
    z = torch.randn(6, 4, dtype=torch.float64, requires_grad=True)
    shares = torch.softmax(torch.randn(6, 4, dtype=torch.float64), 1)
    for name in ("cross_entropy", "brier"):
        module = to_torch(LOSSES[name])
        assert module(z, shares).item() == pytest.approx(LOSSES[name].total(shares.numpy(), z.detach().numpy()).mean)
        assert torch.autograd.gradcheck(lambda z: module(z, shares), z)  # noqa: B023
        y = torch.randint(0, 4, (6,))
        hot = torch.nn.functional.one_hot(y, 4).double()
        assert to_torch(LOSSES[name], reduction="sum")(z, hot).item() == pytest.approx(
            to_torch(LOSSES[name], reduction="sum")(z, y).item()
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single_and_rounded_once(dtype):
    module, z = to_torch(LOSSES["binary_cross_entropy"]), torch.tensor([-4.0, 3.0], dtype=dtype, requires_grad=True)
    y = torch.tensor([0.0, 1.0])
    value = module(z, y)
    assert value.dtype == dtype
    assert value == module(z.float(), y).to(dtype)
    value.backward()
    assert z.grad.dtype == dtype


def test_autocast_computes_and_answers_in_single_precision():
    layer, module = torch.nn.Linear(3, 1), to_torch(LOSSES["binary_cross_entropy"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(torch.ones(2, 3))[:, 0]
        assert out.dtype == torch.bfloat16
        assert module(out, torch.ones(2)).dtype == torch.float32


@pytest.mark.parametrize(
    ("name", "shape", "target"),
    [
        ("squared_error", (4, 1), (4,)),
        ("squared_error", (4,), (4, 1)),
        ("cross_entropy", (4, 3), (3,)),
        ("cross_entropy", (4, 1), (4,)),
        ("gaussian_nll", (4, 3), (4,)),
        ("gaussian_nll", (4,), (4,)),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_shapes_never_broadcast(name, shape, target, reduction):
    with pytest.raises(ShapeMismatch):
        to_torch(LOSSES[name], reduction=reduction)(torch.zeros(shape), torch.zeros(target))
    assert issubclass(ShapeMismatch, ValueError)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_targets_are_checked(reduction):
    module = to_torch(LOSSES["binary_cross_entropy"], reduction=reduction)
    with pytest.raises(TargetOutsideDomain, match="index 2"):
        module(torch.zeros(3), torch.tensor([0.0, 1.0, 2.0]))
    with pytest.raises(TargetOutsideDomain):
        to_torch(LOSSES["cross_entropy"], reduction=reduction)(torch.zeros(2, 3), torch.tensor([0, 3]))


def test_arguments_are_checked():
    with pytest.raises(UsageError, match="avg"):
        to_torch(LOSSES["hinge"], reduction="avg")
    with pytest.raises(UsageError):
        to_torch(LOSSES["hinge"], denominator=0)


def test_a_module_prints_copies_and_saves():
    module = to_torch(catalogue()["huber"](delta=2.0), reduction="sum")
    assert repr(module) == "TorchLoss(huber(delta=2.0), reduction='sum')"
    again = pickle.loads(pickle.dumps(module))
    z, y = torch.randn(5), torch.randn(5)
    assert again(z, y) == module(z, y)
    assert not module.state_dict()


@pytest.mark.parametrize("name", SAMPLE)
def test_a_small_network_learns(name):
    path = Path(__file__).parent.parent / "examples" / "train_torch.py"
    spec = importlib.util.spec_from_file_location("train_torch", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    before, after = example.train(LOSSES[name], epochs=15)
    if LOSSES[name].signal and any(s.number != 0 for s in LOSSES[name].signal):
        assert after < before
