"""Is a loss of a linear layer the same without the table of raw outputs: its number, its gradients, its options, its memory?"""

import itertools

import pytest
import torch

import goodmeasure as gm
from goodmeasure.errors import UsageError
from goodmeasure.frameworks import torch as torch_losses
from goodmeasure.frameworks import torch_arguments, torch_linear
from goodmeasure.losses import catalogue
from test_torch_conventions import WAITS, OnAccelerator

F = torch.nn.functional
CLASSES = {name: loss for name, loss in ((n, d()) for n, d in sorted(catalogue().items())) if loss.is_classwise}
CLASSES["weighted and smoothed"] = gm.losses.cross_entropy(smoothing=0.1, class_weight=(1.0, 2.0, 0.5, 3.0, 1.0, 0.7))
CE = CLASSES["cross_entropy"]
ROWS, FEATURES, K = 9, 5, 6

of_classes = pytest.mark.parametrize("loss", CLASSES.values(), ids=CLASSES)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setitem(torch_linear.CHUNK, "cpu", 2 * K)  # two rows


@pytest.fixture
def _by_formula(monkeypatch):
    """As accelerators do, and without kernels to compile for every option."""
    for module in (torch_linear, torch_losses):
        monkeypatch.setattr(module, "fuses", lambda *given: False)


by_formula = pytest.mark.usefixtures("_by_formula")


def layer(dtype=torch.float64, requires_grad=True):
    """What a layer takes, its weight, its bias, targets of which two are ignored, and weights of which one is 0."""
    noise = torch.Generator().manual_seed(0)
    shapes = ((ROWS, FEATURES), (K, FEATURES), (K,))
    made = [torch.randn(shape, generator=noise, dtype=torch.float64).to(dtype) for shape in shapes]
    targets = torch.randint(0, K, (ROWS,), generator=noise)
    targets[[1, 6]] = -100
    weights = torch.linspace(0, 2, ROWS, dtype=torch.float64).to(dtype)
    return [each.requires_grad_(requires_grad) for each in made], targets, weights


def undivided(loss, hidden, weight, bias, targets, *, token_weight=None, softcap=None, z_loss=0.0, **options):
    """The same in small steps: the layer, then the loss of each row."""
    z = F.linear(hidden, weight, bias)
    z = z if softcap is None else softcap * torch.tanh(z / softcap)
    values = gm.to_torch(loss, reduction="none", ignore_index=-100, **options)(z, targets)
    kept = torch.ones(ROWS, dtype=torch.bool) if targets.ndim == 2 else targets != -100
    values = values + torch.where(kept, z_loss * torch.logsumexp(z, 1) ** 2, 0.0)
    values = values if token_weight is None else values * token_weight
    counted = kept if token_weight is None else kept & (token_weight > 0)
    return values.sum() / counted.sum()


def same(ours, theirs, given, **tolerance):
    torch.testing.assert_close(ours, theirs, **tolerance)
    for a, b in zip(torch.autograd.grad(ours, given), torch.autograd.grad(theirs, given), strict=True):
        torch.testing.assert_close(a, b, **tolerance)


@by_formula
@of_classes
def test_it_is_the_loss_of_the_raw_outputs(loss):
    (hidden, weight, bias), targets, token_weight = layer()
    options = [{}, {"softcap": 2.0}, {"z_loss": 0.1}, {"token_weight": token_weight}, {"label_smoothing": 0.1}]
    for more in [*options, {"softcap": 2.0, "z_loss": 0.1, "token_weight": token_weight, "label_smoothing": 0.1}]:
        ours = gm.linear_loss(loss, hidden, weight, targets, bias, ignore_index=-100, **more)
        same(ours, undivided(loss, hidden, weight, bias, targets, **more), (hidden, weight, bias))


@by_formula
@of_classes
def test_it_takes_shares_of_classes(loss):
    (hidden, weight, bias), _, token_weight = layer()
    shares = torch.softmax(torch.randn(ROWS, K, generator=torch.Generator().manual_seed(1)), 1).double()
    for more in ({}, {"token_weight": token_weight}, {"label_smoothing": 0.1, "z_loss": 0.1}):
        ours = gm.linear_loss(loss, hidden, weight, shares, bias, **more)
        same(ours, undivided(loss, hidden, weight, bias, shares, **more), (hidden, weight, bias))


@pytest.mark.parametrize("name", ["focal", "brier", "weighted and smoothed"])
def test_the_kernel_is_the_formula(name, monkeypatch):
    (hidden, weight, bias), targets, token_weight = layer()
    loss, options = CLASSES[name], {"ignore_index": -100, "token_weight": token_weight, "softcap": 2.0, "z_loss": 0.1}
    by_kernel = gm.linear_loss(loss, hidden, weight, targets, bias, **options)
    monkeypatch.setattr(torch_linear, "fuses", lambda *given: False)
    same(gm.linear_loss(loss, hidden, weight, targets, bias, **options), by_kernel, (hidden, weight, bias))


@pytest.mark.parametrize("wanted", [w for w in itertools.product([True, False], repeat=3) if any(w)])
def test_only_gradients_that_are_wanted_are_found(wanted):
    given, targets, _ = layer(requires_grad=False)
    for each, is_wanted in zip(given, wanted, strict=True):
        each.requires_grad_(is_wanted)
    hidden, weight, bias = given
    leaves = [each for each in given if each.requires_grad]
    ours = gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100)
    same(ours, F.cross_entropy(F.linear(hidden, weight, bias), targets), leaves)


@pytest.mark.parametrize("name", ["cross_entropy", "spherical"])
def test_second_derivatives(name):
    (hidden, weight, bias), targets, _ = layer()
    loss = CLASSES[name]
    value = lambda h, w, b: gm.linear_loss(loss, h, w, targets, b, ignore_index=-100, softcap=3.0)  # noqa: E731
    assert torch.autograd.gradcheck(value, (hidden, weight, bias))
    assert torch.autograd.gradgradcheck(value, (hidden, weight, bias))


def test_a_graph_that_is_kept_is_walked_again():
    (hidden, weight, bias), targets, _ = layer()
    value = 3 * gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100)
    first, second = (torch.autograd.grad(value, (hidden, weight, bias), retain_graph=True) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_transforms_and_graphs_take_the_undivided_formula():
    (hidden, weight, bias), targets, _ = layer()
    value = lambda h: gm.linear_loss(CE, h, weight, targets.clamp(min=0), bias)  # noqa: E731
    (expected,) = torch.autograd.grad(value(hidden), hidden)
    torch.testing.assert_close(torch.func.grad(value)(hidden), expected)
    each = torch.func.vmap(torch.func.grad(lambda h, y: gm.linear_loss(CE, h[None], weight, y[None], bias)))
    torch.testing.assert_close(each(hidden, targets.clamp(min=0)) / ROWS, expected)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(hidden, torch.ones_like(hidden))
        found = torch.autograd.forward_ad.unpack_dual(value(dual)).tangent
    torch.testing.assert_close(found, expected.sum())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_and_autocast(dtype):
    (hidden, weight, bias), targets, _ = layer(dtype)
    value = gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100)
    value.backward()
    assert {value.dtype, hidden.grad.dtype, weight.grad.dtype, bias.grad.dtype} == {dtype}
    exact = [each.detach().float().requires_grad_() for each in (hidden, weight, bias)]
    with torch.autocast("cpu", dtype=dtype):
        within = gm.linear_loss(CE, exact[0], exact[1], targets, exact[2], ignore_index=-100)
    assert within.dtype == torch.float32
    within.backward()
    truth = [each.detach().double().requires_grad_() for each in (hidden, weight, bias)]
    expected = F.cross_entropy(F.linear(*truth), targets)
    expected.backward()
    for ours in (value, within):
        torch.testing.assert_close(ours.double(), expected, rtol=0.02, atol=0.02)
    for a, b, c in zip((hidden, weight, bias), exact, truth, strict=True):
        assert b.grad.dtype == torch.float32
        torch.testing.assert_close(a.grad.double(), c.grad, rtol=0.05, atol=0.02)
        torch.testing.assert_close(b.grad.double(), c.grad, rtol=0.05, atol=0.02)


@pytest.mark.parametrize(
    ("reduction", "denominator"),
    [("sum", None), *(("mean", given) for given in (None, 20, torch.tensor(20), "rows", "weights"))],
)
def test_denominators_are_those_of_the_module(reduction, denominator):
    (hidden, weight, bias), targets, token_weight = layer()
    loss = CLASSES["weighted and smoothed"]
    options = {"ignore_index": -100, "reduction": reduction, "denominator": denominator}
    ours = gm.linear_loss(loss, hidden, weight, targets, bias, token_weight=token_weight, **options)
    theirs = gm.torch_loss(loss, F.linear(hidden, weight, bias), targets, token_weight, **options)
    same(ours, theirs, (hidden, weight, bias))


def test_parts_of_a_step_add_up():
    given, targets, _ = layer()
    n = (targets != -100).sum()

    def part(hidden, targets):
        return gm.linear_loss(CE, hidden, given[1], targets, given[2], ignore_index=-100, denominator=n)

    gm.assert_partition_invariant(part, (given[0], targets), joined="sum", padding=(7.0, -100))


def test_examples_of_any_shape_and_none_at_all():
    (hidden, weight, bias), targets, _ = layer()
    flat = gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100)
    shaped = gm.linear_loss(CE, hidden.reshape(3, 3, FEATURES), weight, targets.reshape(3, 3), bias, ignore_index=-100)
    assert torch.equal(flat, shaped)
    for y in (torch.full_like(targets, -100), targets[:0]):
        value = gm.linear_loss(CE, hidden[: len(y)], weight, y, bias, ignore_index=-100)
        assert value == 0
        assert not any(g.any() for g in torch.autograd.grad(value, (weight, bias)))


def test_a_learned_token_weight_has_a_gradient():
    (hidden, weight, bias), targets, token_weight = layer()
    token_weight = (token_weight + 1).requires_grad_()
    ours = gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100, token_weight=token_weight)
    theirs = undivided(CE, hidden, weight, bias, targets, token_weight=token_weight)
    same(ours, theirs, (hidden, weight, bias, token_weight))


def test_what_is_absent_may_hold_anything():
    (hidden, weight, bias), targets, _ = layer()
    spoiled = hidden.detach().clone()
    spoiled[targets == -100] = torch.nan
    spoiled.requires_grad_()
    value = gm.linear_loss(CE, spoiled, weight, targets, bias, ignore_index=-100)
    value.backward()
    torch.testing.assert_close(value, gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100))
    assert all(each.grad.isfinite().all() for each in (spoiled, weight, bias))


@by_formula
def test_nothing_is_waited_for_on_an_accelerator(monkeypatch):
    (hidden, weight, bias), targets, token_weight = layer(requires_grad=False)
    monkeypatch.setattr(torch_arguments, "check_targets", None)
    monkeypatch.setattr(torch_arguments, "weights", None)
    for waits in WAITS:
        monkeypatch.setattr(torch.Tensor, waits, lambda *given: pytest.fail("waited"))
    value = gm.linear_loss(
        CE, hidden.as_subclass(OnAccelerator).requires_grad_(), weight, targets, bias, ignore_index=-100,
        token_weight=token_weight, softcap=2.0, z_loss=0.1, denominator=torch.tensor(6),
    )  # fmt: skip
    value.backward()


def test_it_is_that_of_torch():
    if not hasattr(F, "linear_cross_entropy"):
        pytest.skip("torch has it from 2.13 on")
    (hidden, weight, bias), targets, _ = layer()
    ours = gm.linear_loss(CE, hidden, weight, targets, bias, ignore_index=-100)
    same(ours, F.linear_cross_entropy(hidden, weight, targets, linear_bias=bias), (hidden, weight, bias))


def test_the_table_of_raw_outputs_is_never_there(monkeypatch):
    monkeypatch.setitem(torch_linear.CHUNK, "cpu", 1 << 14)
    hidden, weight = torch.randn(512, 8, requires_grad=True), torch.randn(2048, 8, requires_grad=True)
    targets = torch.randint(0, 2048, (512,))
    gm.linear_loss(CE, hidden, weight, targets).backward()
    with torch.profiler.profile(profile_memory=True) as profile:
        gm.linear_loss(CE, hidden, weight, targets, softcap=30.0, z_loss=1e-4).backward()
    table = 4 * 512 * 2048
    assert 0 < max(event.cpu_memory_usage for event in profile.events()) < table / 8


def test_a_truth_is_no_number_and_shapes_alone_have_an_answer():
    hidden, weight, y = torch.ones(3, 2), torch.ones(4, 2), torch.tensor([0, 1, 3])
    for option in ("softcap", "z_loss"):
        with pytest.raises(UsageError, match=option):
            gm.linear_loss(gm.losses.cross_entropy(), hidden, weight, y, **{option: True})
    for dtype in (torch.float32, torch.bfloat16):
        given = (hidden.to("meta", dtype), weight.to("meta", dtype), y.to("meta"))
        found = gm.linear_loss(gm.losses.cross_entropy(), *given)
        assert (found.shape, found.is_meta, found.dtype) == ((), True, dtype)
        module = gm.to_torch(gm.losses.cross_entropy())(torch.zeros(3, 4, dtype=dtype, device="meta"), y.to("meta"))
        assert (module.shape, module.dtype) == ((), dtype)
