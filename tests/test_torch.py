"""Is the torch module the same loss: its numbers, both derivatives, transforms, compilation, absence and shapes?"""

import copy
import importlib.util
import math
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch

from goodmeasure.deriving.algebra import weighted
from goodmeasure.errors import ShapeMismatch, TargetOutsideDomain, UsageError
from goodmeasure.formulas.expression import nodes, symbols
from goodmeasure.frameworks.arrays_classes import STATISTICS, TURN
from goodmeasure.frameworks.torch import TorchLoss, to_torch
from goodmeasure.frameworks.torch_derivatives import Program, values_of
from goodmeasure.frameworks.torch_fused import WORTH_A_CALL
from goodmeasure.frameworks.torch_operators import name_of
from goodmeasure.losses import catalogue
from turns import by_turns, precision_of

LOSSES = {name: definition() for name, definition in sorted(catalogue().items())}
MANY = max(WORTH_A_CALL.values())
SAMPLE = sorted(
    LOSSES, key=lambda n: (LOSSES[n].is_classwise, len(LOSSES[n].activation), len(nodes(LOSSES[n].composed)), n)
)[::6]


# What torch says of itself while it traces, compiles or differentiates forward.
of_torch = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning", "ignore:.*torch.jit:DeprecationWarning"
)


def examples(name, dtype=torch.float64, rows=7):
    """Targets and raw outputs of a loss, away from its kinks."""
    loss, r = LOSSES[name.removesuffix(" of shares")], np.random.default_rng(3)
    if loss.is_classwise:
        y, z = torch.tensor(r.integers(0, 4, rows)), torch.tensor(r.normal(0, 1.5, (rows, 4)), dtype=dtype)
        return torch.softmax(z.flip(0), 1) if name.endswith("shares") else y, z
    y = r.choice([v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target], rows)
    m = len(loss.activation)
    z = r.normal(0.13, 1.1, (rows, m) if m > 1 else rows)
    return torch.tensor(y, dtype=dtype), torch.tensor(z, dtype=dtype)


def formula(loss):
    """The value of each example where no kernel applies."""
    program = Program(loss)
    return lambda z, y: values_of(program, y, z)


def kernel(loss):
    """The value of each example by the kernel."""
    return to_torch(loss, reduction="none")


either = pytest.mark.parametrize(("name", "evaluated"), [(name, how) for name in LOSSES for how in (formula, kernel)])


@either
def test_numbers_in_torch_are_those_of_the_loss(name, evaluated):
    loss = LOSSES[name]
    y, z = examples(name, rows=40)
    z.requires_grad_()
    values = evaluated(loss)(z, y)
    np.testing.assert_allclose(
        values.detach().numpy(), loss.value(y.numpy(), z.detach().numpy()), rtol=1e-11, atol=1e-13
    )
    (gradient,) = torch.autograd.grad(values.sum(), z)
    np.testing.assert_allclose(gradient.numpy(), loss.gradient(y.numpy(), z.detach().numpy()), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("name", "evaluated"), by_turns(LOSSES, (formula, kernel)))
def test_first_and_second_derivatives(name, evaluated):
    y, z = examples(name)
    values = evaluated(LOSSES[name])
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: values(z, y), z)
    assert torch.autograd.gradgradcheck(lambda z: values(z, y), z)


@pytest.mark.parametrize("name", [*SAMPLE[::2], "brier of shares"])
def test_derivatives_through_the_kernel(name):
    y, z = examples(name)
    weight = torch.linspace(0, 2, len(y), dtype=torch.float64)
    module = to_torch(LOSSES[name.removesuffix(" of shares")])
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: module(z, y, weight), z)
    assert torch.autograd.gradgradcheck(lambda z: module(z, y, weight), z)


@pytest.mark.parametrize("name", [*SAMPLE, "focal of shares", "brier of shares"])
def test_the_kernel_and_the_formula_agree(name):
    y, z = examples(name, torch.float32, rows=300)
    z.requires_grad_()
    loss = LOSSES[name.removesuffix(" of shares")]
    means = [to_torch(loss)(z, y), kernel(loss)(z, y).mean(), formula(loss)(z, y).mean()]
    gradients = [torch.autograd.grad(mean, z)[0] for mean in means]
    for mean, gradient in zip(means[:2], gradients[:2], strict=True):
        assert mean.item() == pytest.approx(means[2].item(), rel=2e-6)
        torch.testing.assert_close(gradient, gradients[2], rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("name", SAMPLE)
def test_per_example_gradients_by_vmap(name):
    y, z = examples(name)
    module = to_torch(LOSSES[name])
    each = torch.func.vmap(torch.func.grad(lambda z, y: module(z[None], y[None])))(z, y)
    np.testing.assert_allclose(each.numpy(), LOSSES[name].gradient(y.numpy(), z.numpy()), rtol=1e-9, atol=1e-12)
    if not LOSSES[name].is_classwise and z.ndim == 1:
        bends = torch.func.vmap(torch.func.grad(torch.func.grad(lambda z, y: module(z[None], y[None]))))(z, y)
        np.testing.assert_allclose(bends.numpy(), LOSSES[name].hessian(y.numpy(), z.numpy()), rtol=1e-9, atol=1e-12)


@of_torch
@pytest.mark.parametrize(
    ("name", "soft"), [*((n, False) for n in SAMPLE[::3]), *((n, True) for n in ("cross_entropy", "brier", "focal"))]
)
def test_one_graph(name, soft):
    y, z = examples(name)
    same_when_compiled(to_torch(LOSSES[name]), [(z, torch.softmax(z.flip(0), 1) if soft else y)], backend="aot_eager")


@of_torch
@pytest.mark.skipif(shutil.which("g++") is None, reason="inductor needs a C++ compiler")
@pytest.mark.parametrize("name", ["binary_cross_entropy", "gaussian_nll", "cross_entropy", "brier of shares"])
def test_compiled_by_inductor_at_any_batch_size(name):
    y, z = examples(name, torch.float32, rows=12)
    same_when_compiled(to_torch(LOSSES[name.split()[0]]), [(z, y), (z[:5], y[:5])], dynamic=True)


@of_torch
@pytest.mark.parametrize(
    ("name", "reduction"),
    [
        *(("binary_cross_entropy", reduction) for reduction in ("mean", "sum", "none")),
        ("gaussian_nll", "none"),
        ("cross_entropy", "mean"),
    ],
)
def test_a_graph_of_many_examples_calls_the_kernel(name, reduction):
    y, z = examples(name, torch.float32, rows=MANY)
    weight = torch.rand(len(y), generator=torch.Generator().manual_seed(0))
    module, nodes_seen = to_torch(LOSSES[name], reduction=reduction), []

    def backend(graph, _):
        nodes_seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    for more in ((), (weight,), (None, weight > 0.3), (weight, weight > 0.3)):
        same_when_compiled(lambda z, y, more=more: module(z, y, *more), [(z, y)], backend=backend)
    assert sum("goodmeasure" in node for node in nodes_seen) == 4
    same_when_compiled(module, [(z, y)], backend="aot_eager")


@of_torch
def test_a_graph_that_changes_its_size_changes_its_ways():
    y, z = examples("binary_cross_entropy", torch.float32, rows=MANY + 5)
    batches = [(z[:n], y[:n]) for n in (7, MANY + 5, MANY, 9)]
    same_when_compiled(to_torch(LOSSES["binary_cross_entropy"]), batches, backend="aot_eager", dynamic=True)


@of_torch
def test_a_graph_refuses_what_it_cannot_do():
    y, z = examples("squared_error", torch.float32, rows=MANY)
    z.requires_grad_()
    torch._dynamo.reset()
    graph = torch.compile(to_torch(LOSSES["squared_error"]), backend="eager")
    (gradient,) = torch.autograd.grad(graph(z, y), z, create_graph=True)
    with pytest.raises(UsageError, match="second derivative of a compiled loss"):
        gradient.sum().backward()
    y[3] = math.inf
    with pytest.raises(TargetOutsideDomain, match=r"target\[3\]"):
        graph(z, y)
    with pytest.raises(UsageError, match="does not know"):
        torch.ops.goodmeasure.values(z, y, None, 1.0, "another loss")


def test_graphs_know_losses_apart():
    known = {name_of(loss) for loss in LOSSES.values()}
    assert len(known) == len(LOSSES)
    assert name_of(catalogue()["huber"](delta=2.0)) not in known
    assert name_of(weighted(catalogue()["focal"](), classes=(1.0, 2.0))) not in known


@of_torch
@pytest.mark.parametrize("rows", [7, MANY])
def test_no_module_answers_by_the_graph_of_another(rows):
    y, z = examples("binary_cross_entropy", rows=rows)
    z.requires_grad_()
    loss, huber = LOSSES["binary_cross_entropy"], catalogue()["huber"]
    options = [
        {"label_smoothing": 0.1},
        {"label_smoothing": 0.2},
        {"pos_weight": 2.0},
        {"pos_weight": 3.0},
        {"reduction": "sum"},
        {"reduction": "none"},
        {"denominator": 3.0},
        {"denominator": 4.0},
        {"ignore_index": 1},
    ]
    of_losses = [to_torch(each) for each in (loss, huber(delta=0.5), huber(delta=2.0), loss)]
    for modules in (
        of_losses,
        [to_torch(loss, **each) for each in options[:5]],
        [to_torch(loss, **each) for each in options[5:]],
    ):
        torch._dynamo.reset()
        for module in modules:
            graph = torch.compile(module, fullgraph=True, backend="eager")
            sums = [answer(z, y).square().sum() for answer in (graph, module)]
            torch.testing.assert_close(*sums)
            torch.testing.assert_close(*[torch.autograd.grad(each, z)[0] for each in sums])


@of_torch
def test_a_graph_takes_another_count_each_step():
    y, z = examples("binary_cross_entropy")
    module = to_torch(LOSSES["binary_cross_entropy"])
    torch._dynamo.reset()
    graph = torch.compile(lambda n: module(z, y, denominator=n), fullgraph=True, backend="eager")
    for n in (3, 5, 8, 2.5, 3.5, 4.5):
        torch.testing.assert_close(graph(n), module(z, y, denominator=n))


@of_torch
def test_an_exported_program_needs_torch_alone():
    y, z = examples("binary_cross_entropy", torch.float32, rows=MANY)
    module = to_torch(LOSSES["binary_cross_entropy"])
    program = torch.export.export(module, (z, y))
    assert not any("goodmeasure" in str(node.target) for node in program.graph.nodes)
    torch.testing.assert_close(program.module()(z, y), module(z, y))


@of_torch
def test_transforms_inside_a_graph_use_the_formula():
    y, z = examples("binary_cross_entropy", torch.float32, rows=MANY)
    module = to_torch(LOSSES["binary_cross_entropy"])
    torch._dynamo.reset()
    graph = torch.compile(torch.func.grad(lambda z: module(z, y)), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(graph(z), torch.func.grad(lambda z: module(z, y))(z))


def same_when_compiled(module, batches, **options):
    """Values and gradients of the module and of its one graph."""
    torch._dynamo.reset()
    graph = torch.compile(module, fullgraph=True, **options)
    for z, y in batches:
        raws = [z.clone().requires_grad_() for _ in range(2)]
        values = [f(raw, y) for f, raw in zip((module, graph), raws, strict=True)]
        torch.testing.assert_close(*values)
        sums = [v.square().sum() for v in values]
        torch.testing.assert_close(*[torch.autograd.grad(s, raw)[0] for s, raw in zip(sums, raws, strict=True)])


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
    assert to_torch(LOSSES["absolute_error"], reduction="sum")(torch.full((2,), 3e38), torch.zeros(2)) == math.inf
    ends = torch.tensor([math.inf, math.inf, -math.inf, -math.inf, math.nan])
    values = to_torch(LOSSES["binary_cross_entropy"], reduction="none")(ends, torch.tensor([1.0, 0, 0, 1, 1]))
    assert values[:4].tolist() == [0, math.inf, 0, math.inf]
    assert values[4].isnan()


@pytest.mark.parametrize(
    "name", [n for n, loss in LOSSES.items() if not loss.is_classwise and len(loss.activation) == 1]
)
def test_second_derivatives_have_limits(name):
    dtype = getattr(torch, precision_of(name))
    y = torch.ones(5, dtype=dtype)
    z = torch.tensor([-math.inf, -1e30, 0.3, 1e30, math.inf], dtype=dtype, requires_grad=True)
    (gradient,) = torch.autograd.grad(to_torch(LOSSES[name], reduction="sum")(z, y), z, create_graph=True)
    (bends,) = torch.autograd.grad(gradient.sum(), z)
    np.testing.assert_allclose(bends.numpy(), LOSSES[name].hessian(y.numpy(), z.detach().numpy()), rtol=1e-5)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy", "cross_entropy of shares", "gaussian_nll"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_what_is_absent_contributes_nothing(name, reduction):
    y, z = examples(name, torch.float32)
    module, keep = (
        to_torch(LOSSES[name.removesuffix(" of shares")], reduction=reduction),
        torch.tensor([1, 0, 1, 1, 0, 1, 1], dtype=torch.bool),
    )
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


@pytest.mark.parametrize("shape", [(7, 3), (2, 5, 3, 4), (9, 40)])
@pytest.mark.parametrize("options", [{}, {"smoothing": 0.1}])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_shares_are_those_of_torch_and_the_mean_is_over_rows(shape, options, reduction, monkeypatch):
    r = torch.Generator().manual_seed(0)
    z, shares = torch.randn(shape, generator=r, requires_grad=True), torch.softmax(torch.randn(shape, generator=r), 1)
    monkeypatch.setattr(TorchLoss, "_values", None)  # the fused kernel answers
    ours = to_torch(catalogue()["cross_entropy"](**options), reduction=reduction)(z, shares)
    smoothing = options.get("smoothing", 0.0)
    theirs = torch.nn.functional.cross_entropy(z, shares, reduction=reduction, label_smoothing=smoothing)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*[torch.autograd.grad(v, z)[0] for v in (ours, theirs)])


CLASSWISE = {name: loss for name, loss in LOSSES.items() if loss.is_classwise}
CLASSWISE["smoothed"] = catalogue()["cross_entropy"](smoothing=0.1)
CLASSWISE["weighted"] = weighted(catalogue()["focal"](), classes=(1.0, 2.0, 0.5, 3.0, 1.0, 0.7))


def shared_rows(dtype=torch.float64):
    """Raw outputs from flat to peaked, with ties, and shares of which some are zero."""
    r = torch.Generator().manual_seed(0)
    z = torch.randn(40, 6, generator=r, dtype=torch.float64) * torch.logspace(-3, 1.2, 40, dtype=torch.float64)[:, None]
    z[0], z[1, :3], z[2, 2:4] = 0, 2.5, 9
    spread = torch.logspace(-1, 1, 40, dtype=torch.float64)[torch.randperm(40, generator=r)]
    shares = torch.softmax(torch.randn(40, 6, generator=r, dtype=torch.float64) * spread[:, None], 1)
    shares[torch.rand(40, 6, generator=r) < 0.3] = 0
    shares[:, 5] += 1 - shares.sum(1)
    return z.to(dtype), shares.to(dtype)


def by_class(loss, z, shares):
    """What each class would cost, times its share: the definition, one class at a time."""
    module = to_torch(loss, reduction="none")
    parts = [shares[:, k] * module(z, torch.full((len(z),), k)) for k in range(z.shape[1])]
    return sum(torch.where(shares[:, k] > 0, part, 0.0) for k, part in enumerate(parts))


def derivatives(value, z, along):
    """The gradient of a sum, and how it turns along a direction."""
    (gradient,) = torch.autograd.grad(value.sum(), z, create_graph=True)
    return value.detach(), gradient.detach(), torch.autograd.grad(gradient, z, along)[0]


@pytest.mark.parametrize("loss", CLASSWISE.values(), ids=CLASSWISE)
def test_shares_of_classes_cost_what_their_classes_do(loss):
    z, shares = shared_rows()
    z.requires_grad_()
    module, along = to_torch(loss, reduction="none"), torch.randn_like(z)
    for ours, expected in zip(
        derivatives(module(z, shares), z, along), derivatives(by_class(loss, z, shares), z, along), strict=True
    ):
        torch.testing.assert_close(ours, expected, rtol=1e-11, atol=1e-14)
    few = z.detach()[10:16].requires_grad_()
    assert torch.autograd.gradcheck(lambda z: module(z, shares[10:16]), few)
    assert torch.autograd.gradgradcheck(lambda z: module(z, shares[10:16]), few)


@pytest.mark.parametrize("loss", CLASSWISE.values(), ids=CLASSWISE)
def test_one_hot_is_the_index(loss):
    z, _ = shared_rows(torch.float32)
    z.requires_grad_()
    y, values, along = torch.arange(40) % 6, formula(loss), torch.randn_like(z)
    hot = torch.nn.functional.one_hot(y, 6)
    found = [derivatives(values(z, target), z, along) for target in (y, hot, hot.bool(), hot.double())]
    regrouped = "rest_p2" in symbols(loss.composed)  # its sums over pairs of classes, in another order
    for value, gradient, turned in found[1:]:
        assert torch.equal(value, found[0][0])
        assert regrouped or torch.equal(gradient, found[0][1])
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-6, atol=2e-7)
        torch.testing.assert_close(turned, found[0][2], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", CLASSWISE.values(), ids=CLASSWISE)
def test_shares_next_to_certainty_keep_their_digits(loss):
    z = torch.tensor([[30.0, 0, 0, 0, 0, -5], [18, 17, -9, 0, 0, 0], [0, 0, 0, 0, 0, 40]])
    shares = torch.tensor([[1.0, 1e-9, 0, 0, 0, 0], [0.25, 0.75, 1e-12, 0, 0, 0], [0, 0, 1e-20, 0, 0, 1]])
    exact = (z.double().requires_grad_(), shares.double())
    z.requires_grad_()
    ours, truth = to_torch(loss, reduction="none")(z, shares), by_class(loss, *exact)
    torch.testing.assert_close(ours.double(), truth, rtol=2e-6, atol=0)
    (found,), (expected,) = torch.autograd.grad(ours.sum(), z), torch.autograd.grad(truth.sum(), exact[0])
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-37)


@pytest.mark.parametrize("loss", [*CLASSWISE.values(), catalogue()["focal"](gamma=0.5)], ids=[*CLASSWISE, "rooted"])
def test_shares_of_a_certain_class_leave_a_number(loss):
    z, shares = torch.tensor([[200.0, 0, 0, 0, 0, 0]]), torch.tensor([[0.9, 0.1, 0, 0, 0, 0]])
    raws = [z.clone().requires_grad_() for _ in range(2)]
    values = [evaluated(loss)(raw, shares) for evaluated, raw in zip((formula, kernel), raws, strict=True)]
    torch.testing.assert_close(*values)
    gradients = [torch.autograd.grad(v.sum(), raw)[0] for v, raw in zip(values, raws, strict=True)]
    assert torch.isfinite(gradients[0]).all()
    torch.testing.assert_close(*gradients)


@of_torch
@pytest.mark.parametrize("loss", CLASSWISE.values(), ids=CLASSWISE)
def test_second_derivatives_of_classes_keep_their_digits(loss):
    z = torch.tensor([[20.0, 0, 0, -3, 1, 2], [12, 12, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=torch.float32)
    y = torch.tensor([0, 1, 2])
    module = to_torch(loss, reduction="sum")
    found = torch.stack(
        [torch.func.hessian(lambda row, k=k: module(row[None], y[k : k + 1]))(row) for k, row in enumerate(z)]
    )
    expected = loss.hessian(y.numpy(), z.double().numpy(), full=True)
    np.testing.assert_allclose(
        found.numpy(), expected, rtol=3e-5, atol=1e-30 if "rest_p2" not in symbols(loss.composed) else 1e-7
    )


def test_shares_need_no_table_of_classes_by_classes():
    z, shares = torch.randn(4, 20_000, requires_grad=True), torch.softmax(torch.randn(4, 20_000), 1)
    for name in ("cross_entropy", "multiclass_hinge"):
        with torch.profiler.profile(profile_memory=True) as profile:
            to_torch(LOSSES[name])(z, shares).backward()
        assert max(e.cpu_memory_usage for e in profile.events()) < 100 * z.nbytes < 20_000 * z.nbytes


def test_every_statistic_has_its_turn():
    assert set(TURN) == set(STATISTICS) - {"rest"}  # which moves with log_p


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


def test_nothing_but_the_gradient_is_allocated():
    z, y = torch.randn(1 << 20, requires_grad=True), torch.randn(1 << 20)
    module = to_torch(LOSSES["squared_error"])
    module(z[:9], y[:9]).backward()  # compiled
    z.grad = None
    tracemalloc.start()
    with torch.profiler.profile(profile_memory=True) as profile:
        module(z, y).backward()
    by_numpy = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    by_torch = sum(max(event.self_cpu_memory_usage, 0) for event in profile.events())
    assert z.nbytes <= by_torch + by_numpy < 1.1 * z.nbytes


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_a_large_batch_gives_what_torch_does(reduction):
    """Its gradient has another maker than that of a small one."""
    rng = torch.Generator().manual_seed(0)
    z, y = (torch.randn(1 << 20, generator=rng) for _ in range(2))
    found = []
    for module in (to_torch(LOSSES["squared_error"], reduction=reduction), torch.nn.MSELoss(reduction=reduction)):
        given = z.clone().requires_grad_()
        value = module(given, y)
        value.backward(torch.full_like(value, 0.5))
        found.append((value.detach(), given.grad))
    torch.testing.assert_close(*found)


def test_a_graph_that_is_kept_is_walked_again():
    y, z = examples("squared_error")
    z.requires_grad_()
    value = 3 * to_torch(LOSSES["squared_error"])(z, y)
    first, second = (torch.autograd.grad(value, z, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
    upstream = torch.tensor([1.0, 2.0], dtype=z.dtype)
    (both,) = torch.autograd.grad(value, z, upstream, is_grads_batched=True)
    torch.testing.assert_close(both, torch.stack([first, 2 * first]))


@pytest.mark.parametrize("name", ["binary_cross_entropy", "cross_entropy", "brier", "gaussian_nll"])
def test_absent_examples_bend_nothing(name):
    y, z = examples(name)
    y[2], z[2] = -77, math.nan
    weight, along, found = torch.tensor([1, 2, 0, 1, 0.5, 1, 1], dtype=z.dtype), torch.randn_like(z), []
    for reduction in ("sum", "none"):
        raw = z.clone().requires_grad_()
        found.append(derivatives(to_torch(LOSSES[name], reduction=reduction)(raw, y, weight), raw, along))
    assert not found[0][2][2].any()
    torch.testing.assert_close(found[0][2], found[1][2])


@of_torch
@pytest.mark.parametrize("name", SAMPLE)
def test_forward_mode(name):
    y, z = examples(name)
    module = to_torch(LOSSES[name])
    hessians = [outer(inner(lambda z: module(z, y)))(z) for outer, inner in
                ((torch.func.jacfwd, torch.func.jacrev), (torch.func.jacrev, torch.func.jacfwd))]  # fmt: skip
    torch.testing.assert_close(*hessians)
    with torch.autograd.forward_ad.dual_level():
        dual = module(torch.autograd.forward_ad.make_dual(z, torch.ones_like(z)), y)
        found = torch.autograd.forward_ad.unpack_dual(dual).tangent
    torch.testing.assert_close(found, torch.func.grad(lambda z: module(z, y))(z).sum())


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", ["squared_error", "cross_entropy", "gaussian_nll", "multiclass_hinge"])
def test_nothing_at_all_costs_nothing(name, reduction):
    y, z = (x[:0] for x in examples(name))
    value = to_torch(LOSSES[name], reduction=reduction)(z.requires_grad_(), y).sum()
    assert value.item() == 0
    assert torch.autograd.grad(value, z)[0].shape == z.shape


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("dtype", [torch.bool, torch.int8, torch.int64, torch.float16, torch.bfloat16, torch.float64])
def test_targets_of_any_dtype(dtype, reduction):
    y, z = examples("binary_cross_entropy", torch.float32)
    module = to_torch(LOSSES["binary_cross_entropy"], reduction=reduction)
    assert torch.equal(module(z, y.to(dtype)), module(z, y))
    assert module(z, y.to(dtype)).dtype == torch.float32
    y, z = examples("cross_entropy", torch.float32)
    module = to_torch(LOSSES["cross_entropy"], reduction=reduction)
    assert dtype == torch.bool or torch.equal(module(z, y.to(dtype)), module(z, y))


@pytest.mark.parametrize("name", ["squared_error", "cross_entropy", "gaussian_nll"])
def test_shapes_alone(name):
    y, z = (x.to("meta") for x in examples(name))
    value = to_torch(LOSSES[name])(z.requires_grad_(), y, torch.ones(7, device="meta"))
    value.backward()
    assert (value.shape, z.grad.shape) == ((), z.shape)


def test_wherever_numbers_lie():
    z, y = torch.randn(6, 4, requires_grad=True), torch.randn(4, 6)
    module = to_torch(LOSSES["squared_error"])
    module(z.T, y).backward()
    torch.testing.assert_close(z.grad, 2 * (z - y.T).detach() / 24)
    z = torch.randn(1, requires_grad=True)
    module(z.expand(6), y[0]).backward()
    torch.testing.assert_close(z.grad, 2 * (z - y[0]).detach().mean(0, keepdim=True))


def test_without_gradients():
    y, z = examples("squared_error")
    module = to_torch(LOSSES["squared_error"])
    with torch.no_grad():
        assert not module(z.requires_grad_(), y).requires_grad
    with torch.inference_mode():
        assert module(z * 1, y * 1).is_inference()


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"weight": torch.tensor([1.0, -1, 1])}, "1 of 3 weights are negative"),
        ({"weight": torch.tensor([1.0, math.nan, 1])}, "1 of 3 weights are negative or not finite"),
        ({"mask": torch.ones(3)}, "mask.bool"),
        ({"weight": torch.ones(4)}, "weight has shape"),
        ({"mask": torch.ones(1, dtype=torch.bool)}, "mask has shape"),
        ({"target": torch.ones(3, requires_grad=True)}, "target.detach"),
        ({"input": torch.arange(3)}, "input.float"),
    ],
)
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_what_makes_no_sense_is_refused(given, word, reduction):
    module = to_torch(LOSSES["squared_error"], reduction=reduction)
    with pytest.raises(ValueError, match=word):
        module(**{"input": torch.zeros(3), "target": torch.zeros(3), **given})


def test_class_weights_fit_the_classes():
    with pytest.raises(ShapeMismatch, match="2 class weights"):
        to_torch(weighted(LOSSES["cross_entropy"], classes=(1.0, 2.0)))(torch.zeros(2, 3), torch.zeros(2))


def test_a_learned_weight_has_a_gradient():
    y, z = examples("squared_error")
    weight = torch.ones(7, dtype=z.dtype, requires_grad=True)
    to_torch(LOSSES["squared_error"])(z, y, weight).backward()
    torch.testing.assert_close(weight.grad, (z - y) ** 2 / 7)


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
    with pytest.raises(TargetOutsideDomain, match=r"target\[2\]"):
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
    z, y = torch.randn(5), torch.randn(5)
    for again in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module)):
        assert again(z, y) == module(z, y)
        assert repr(again) == repr(module)
    assert not module.state_dict()
    module.load_state_dict({})


@pytest.mark.parametrize("name", LOSSES)
def test_a_small_network_learns(name):
    path = Path(__file__).parent.parent / "examples" / "train_torch.py"
    spec = importlib.util.spec_from_file_location("train_torch", path)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    before, after = example.train(LOSSES[name], epochs=6)
    if LOSSES[name].signal and any(s.number != 0 for s in LOSSES[name].signal):
        assert after < before
