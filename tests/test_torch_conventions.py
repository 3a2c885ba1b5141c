"""Does every loss of the catalogue keep to torch's conventions? Modules by properties, and torch's own losses beside."""

import copy
import inspect
import itertools
import math
import pickle
from contextlib import suppress

import numpy as np
import pytest
import torch

import goodmeasure as gm
from goodmeasure.errors import HyperparameterError, Problem, ShapeMismatch, TargetOutsideDomain, UsageError
from goodmeasure.formulas.domains import OutcomeDomain
from goodmeasure.frameworks import torch_arguments
from goodmeasure.frameworks.torch import TorchLoss
from goodmeasure.kernels.layout import CHUNK
from goodmeasure.kernels.rows import speaks
from goodmeasure.kernels.threads import BLOCK
from goodmeasure.losses import catalogue
from turns import at_night, precision_of

F = torch.nn.functional
LOSSES = {name: definition() for name, definition in sorted(catalogue().items())}
CLASSES = {name: loss for name, loss in LOSSES.items() if loss.is_classwise}
YES_NO = {name: loss for name, loss in LOSSES.items() if loss.is_binary}
OUTCOMES = {name: loss for name, loss in LOSSES.items() if isinstance(loss.target, OutcomeDomain)}
WEIGHTS = (1.0, 0.5, 3.0, 2.0)
# What a module does with its options is the same whoever computes, and each option of each loss is a kernel of its own, a second
# to compile. One loss of each kind keeps to its kernels here; the others are computed by the formula, as on an accelerator. That
# both give the same numbers of every loss is asked in test_conformance.
BY_KERNEL = {"binary_cross_entropy", "cross_entropy", "gaussian_nll", "huber", "proportional_odds"}

quiet = pytest.mark.filterwarnings(
    "ignore:.*should not be instantiated:DeprecationWarning",
    "ignore:.*torch.jit:DeprecationWarning",
    "ignore:.*leaked:UserWarning",
)


def of(losses):
    return pytest.mark.parametrize(("name", "loss"), losses.items(), ids=losses)


@pytest.fixture
def _by_formula(request, monkeypatch):
    """No kernel is compiled for a loss that stands for itself here."""
    if request.node.callspec.params["name"] not in BY_KERNEL:
        monkeypatch.setattr("goodmeasure.frameworks.torch.fuses", lambda *given: False)
        monkeypatch.setattr("goodmeasure.frameworks.torch_direct.compiles", lambda: False)


by_formula = pytest.mark.usefixtures("_by_formula")


def batch(loss, dtype=torch.float64, rows=6):
    """Raw outputs and targets away from kinks."""
    noise = torch.Generator().manual_seed(1)
    if loss.is_classwise:
        z = torch.randn(rows, 4, generator=noise, dtype=torch.float64).to(dtype)
        return z, torch.randint(0, 4, (rows,), generator=noise)
    m = len(loss.activation)
    z = torch.randn((rows, m) if m > 1 else (rows,), generator=noise, dtype=torch.float64).to(dtype)
    y = torch.tensor([v for v in (1.0, 0.0, 2.0, 7.0, 1.0, 0.0) if v in loss.target] * 6)[:rows]
    return z, y.to(dtype)


def value_and_gradient(function, z):
    z = z.detach().clone().requires_grad_()
    value = function(z)
    return value.detach(), torch.autograd.grad(value.sum(), z)[0]


# --- what every module does ---


@by_formula
@of(LOSSES)
def test_the_functional_form_is_the_module(name, loss):
    z, y = batch(loss)
    weight = torch.linspace(0, 2, 6, dtype=z.dtype)
    for reduction in ("mean", "sum", "none"):
        module = gm.to_torch(loss, reduction=reduction)
        assert torch.equal(gm.torch_loss(loss, z, y, weight, reduction=reduction), module(z, y, weight))


@of(LOSSES)
def test_it_prints_what_it_is(name, loss):
    options = {"reduction": "mean", "denominator": 12.0, "ignore_index": -1}
    if isinstance(loss.target, OutcomeDomain):
        options["label_smoothing"] = 0.1
    options |= {"weight": [1.0, 2.0]} if loss.is_classwise else {}
    options |= {"pos_weight": 3.0} if loss.is_binary else {}
    shown = repr(gm.to_torch(loss, **options))
    assert str(loss) in shown
    assert all(f"{option}={given!r}" in shown for option, given in options.items())
    again = eval(shown, {"TorchLoss": TorchLoss, **vars(gm.losses), **catalogue()})
    assert repr(again) == shown


def test_every_argument_can_be_shown():
    shown = {"loss": LOSSES["cross_entropy"], "reduction": "mean", "denominator": "rows", "weight": [1.0, 2.0]}
    shown |= {"pos_weight": None, "ignore_index": -100, "label_smoothing": 0.2}
    assert shown.keys() == inspect.signature(gm.to_torch).parameters.keys()
    printed = repr(gm.to_torch(**shown))
    assert all(f"{name}={given!r}" in printed for name, given in shown.items() if given is not None and name != "loss")


@by_formula
@of(LOSSES)
def test_it_copies_pickles_and_has_the_state_of_a_loss(name, loss):
    options = {"weight": WEIGHTS} if loss.is_classwise else {"pos_weight": 3.0} if loss.is_binary else {}
    module, (z, y) = gm.to_torch(loss, **options), batch(loss)
    assert list(module.state_dict()) == list(options)
    for again in (copy.deepcopy(module), pickle.loads(pickle.dumps(module)), module.to(torch.float64)):
        assert torch.equal(again(z, y), module(z, y))
    other = gm.to_torch(loss, **{name: [7.0] * 4 if name == "weight" else 7.0 for name in options})
    other.load_state_dict(module.state_dict())
    assert torch.equal(other(z, y), module(z, y))
    torch.nn.ModuleList([other]).load_state_dict(torch.nn.ModuleList([module]).state_dict())


@by_formula
@of(LOSSES)
def test_a_target_to_ignore_is_absent(name, loss):
    z, y = batch(loss)
    module, kept = gm.to_torch(loss, ignore_index=-77), torch.tensor([1, 0, 1, 1, 0, 1], dtype=torch.bool)
    spoiled, targets = z.clone(), y.clone()
    spoiled[~kept], targets[~kept] = math.nan, -77
    value, gradient = value_and_gradient(lambda z: module(z, targets), spoiled)
    expected, slope = value_and_gradient(lambda z: gm.to_torch(loss)(z, y[kept]), z[kept])
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient[kept], slope)
    assert not gradient[~kept].any()


@by_formula
@of(OUTCOMES)
def test_a_batch_in_which_nothing_counts_costs_nothing(name, loss):
    z, y = batch(loss)
    options = {"weight": WEIGHTS} if loss.is_classwise else {"pos_weight": 3.0}
    module = gm.to_torch(loss, ignore_index=-77, label_smoothing=0.1, **options)
    value, gradient = value_and_gradient(lambda z: module(z, torch.full_like(y, -77)), z)
    assert value == 0
    assert not gradient.any()


TARGETS = (torch.bool, torch.uint8, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float64)


@by_formula
@of(LOSSES)
def test_targets_of_any_dtype(name, loss):
    z, y = batch(loss, torch.float32)
    y = y.clamp(max=1)  # whatever a bool can hold
    module = gm.to_torch(loss)
    values = [module(z, y.to(dtype)) for dtype in TARGETS]
    assert all(torch.equal(value, values[0]) for value in values)
    assert all(value.dtype == torch.float32 for value in values)


@by_formula
@quiet
@pytest.mark.parametrize(
    ("name", "loss"),
    [at_night(name, loss, unless=precision_of(name) == "float32", id=name) for name, loss in LOSSES.items()],
)
def test_one_graph(name, loss):
    z, y = batch(loss)
    module = gm.to_torch(loss, ignore_index=-77)
    torch._dynamo.reset()
    graph = torch.compile(module, fullgraph=True, backend="eager")
    for found, expected in zip(
        value_and_gradient(lambda z: graph(z, y), z), value_and_gradient(lambda z: module(z, y), z), strict=True
    ):
        torch.testing.assert_close(found, expected)


@by_formula
@quiet
@of(dict(itertools.islice(LOSSES.items(), 0, None, 5)))
def test_an_exported_program(name, loss):
    z, y = batch(loss)
    module = gm.to_torch(loss, ignore_index=-77)
    torch.testing.assert_close(torch.export.export(module, (z, y)).module()(z, y), module(z, y))


@by_formula
@of(LOSSES)
def test_a_gradient_of_each_example(name, loss):
    z, y = batch(loss)
    module = gm.to_torch(loss, ignore_index=-77)
    each = torch.func.vmap(torch.func.grad(lambda z, y: module(z[None], y[None])))(z, y)
    whole = value_and_gradient(lambda z: gm.to_torch(loss, reduction="sum")(z, y), z)[1]
    torch.testing.assert_close(each, whole, rtol=1e-9, atol=1e-12)


@by_formula
@of(LOSSES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_under_autocast_the_answer_is_single(name, loss, dtype):
    z, y = batch(loss, dtype)
    module = gm.to_torch(loss)
    with torch.autocast("cpu", dtype=dtype):
        value = module(z.requires_grad_(), y)
    value.backward()
    assert (value.dtype, z.grad.dtype) == (torch.float32, dtype)
    torch.testing.assert_close(value, module(z.float(), y))


# --- plain batches, which go the shortest way ---


DIRECT = {
    name: loss
    for name, loss in LOSSES.items()
    if not loss.labels and (speaks(loss) if loss.is_classwise else len(loss.activation) == 1)
}


@of(DIRECT)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_small_batches_have_the_numbers_of_others(name, loss, reduction):
    z, y = batch(loss, getattr(torch, precision_of(name)))
    z[0] = -0.0
    if loss.is_classwise and reduction == "sum":
        y = torch.softmax(z.flip(0), 1)  # shares of the classes
    module = gm.to_torch(loss, reduction=reduction)
    by_short_way = value_and_gradient(lambda z: 3 * module(z, y), z)
    assert module._direct.placed, "it was taken"
    module._direct = None
    again = value_and_gradient(lambda z: 3 * module(z, y), z)
    for found, expected in zip(by_short_way, again, strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("rows", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 7, BLOCK, 2 * BLOCK + 1])
@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("name", ["huber", "binary_cross_entropy"])
def test_the_short_way_has_the_bits_of_others_however_many_rows(name, reduction, rows):
    noise = torch.Generator().manual_seed(rows)
    z, y = torch.randn(rows, generator=noise), (torch.rand(rows, generator=noise) < 0.3).float()
    module = gm.to_torch(LOSSES[name], reduction=reduction)
    found = value_and_gradient(lambda z: module(z, y), z)
    assert module._direct.placed, "it was taken"
    module._direct = None
    for a, b in zip(found, value_and_gradient(lambda z: module(z, y), z), strict=True):
        assert torch.equal(a, b)
    y[-1] = 0.5  # the first target promised what the last does not keep
    soft = gm.to_torch(LOSSES[name], reduction=reduction)
    for a, b in zip(*(value_and_gradient(lambda z, m=m: m(z, y), z) for m in (soft, module)), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("reduction", ["mean", "none"])
@pytest.mark.parametrize("of_shares", [False, True])
@pytest.mark.parametrize(("rows", "classes"), [(1, 3), (300, 7), (65, 40), (BLOCK // 40, 40), (BLOCK // 20 + 1, 40)])
def test_rows_of_classes_have_the_bits_of_others_on_the_short_way(rows, classes, of_shares, reduction):
    noise = torch.Generator().manual_seed(rows)
    z = torch.randn(rows, classes, generator=noise)
    y = torch.softmax(2 * z.flip(1), 1) if of_shares else torch.randint(0, classes, (rows,), generator=noise)
    module = gm.to_torch(LOSSES["cross_entropy"], reduction=reduction)
    found = value_and_gradient(lambda z: module(z, y), z)
    assert module._direct.placed
    module(z[:, :-1].detach().requires_grad_(), torch.zeros(rows, dtype=torch.long))  # of other classes in between
    again = value_and_gradient(lambda z: module(z, y), z)
    module._direct = None
    expected = value_and_gradient(lambda z: module(z, y), z)
    for a, b, c in zip(found, again, expected, strict=True):
        assert torch.equal(a, c)
        assert torch.equal(b, c)
    made = gm.to_torch(LOSSES["cross_entropy"], reduction=reduction)
    with pytest.raises(TargetOutsideDomain):
        made(z.requires_grad_(), y * 2 if of_shares else y + classes)


@pytest.mark.parametrize("rows", [6, 2 * CHUNK])
def test_a_graph_that_was_walked_is_free(rows):
    z = torch.randn(rows, requires_grad=True)
    value = gm.to_torch(LOSSES["huber"])(z, torch.zeros(rows))
    value.backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        value.backward()


@pytest.mark.parametrize("spoil", [torch.nan, torch.inf, -torch.inf, 3e38])
@pytest.mark.parametrize("name", ["squared_error", "absolute_error", "binary_cross_entropy", "poisson", "huber"])
def test_small_batches_have_the_limits_of_others(name, spoil):
    z, y = batch(LOSSES[name], torch.float32)
    z[2] = spoil
    for reduction in ("mean", "sum", "none"):
        module = gm.to_torch(LOSSES[name], reduction=reduction)
        found = value_and_gradient(lambda z, m=module: m(z, y), z)
        module._direct = None
        expected = value_and_gradient(lambda z, m=module: m(z, y), z)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, equal_nan=True)
    clean = z.clone()
    clean[2] = 0  # what was spoiled leaves nothing behind
    again = gm.to_torch(LOSSES[name], reduction="none")
    torch.testing.assert_close(again(clean.requires_grad_(), y), module(clean, y))


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_the_graph_of_a_small_batch(reduction):
    z, y = batch(LOSSES["huber"])
    z.requires_grad_()
    value = gm.to_torch(LOSSES["huber"], reduction=reduction)(z, y)
    upstream = torch.ones_like(value)
    first, second = (torch.autograd.grad(value, z, 2 * upstream, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)
    many = torch.stack([upstream, 2 * upstream])
    (both,) = torch.autograd.grad(value, z, many, is_grads_batched=True, retain_graph=True)
    torch.testing.assert_close(both, torch.stack([first / 2, first]))
    with torch.no_grad():
        z += 1
    with pytest.raises(RuntimeError, match="inplace"):
        torch.autograd.grad(value, z, upstream)


# --- attributes that are set after a module was made, as is usual with torch's own ---

CHANGES = [
    ("binary_cross_entropy", {"reduction": "none"}),
    ("binary_cross_entropy", {"reduction": "sum"}),
    ("binary_cross_entropy", {"pos_weight": torch.tensor(3.0)}),
    ("binary_cross_entropy", {"label_smoothing": 0.1}),
    ("binary_cross_entropy", {"denominator": 7}),
    ("binary_cross_entropy", {"ignore_index": 1}),
    ("cross_entropy", {"weight": torch.tensor([1.0, 2.0, 0.5])}),
    ("cross_entropy", {"ignore_index": 0}),
    ("huber", {"loss": gm.losses.squared_error()}),
]


@pytest.mark.parametrize(("name", "change"), CHANGES)
def test_what_is_computed_follows_the_attributes(name, change):
    z = torch.randn(6, 3) if name == "cross_entropy" else torch.randn(6)
    y = torch.tensor([0, 1, 1, 0, 1, 0]).to(torch.long if name == "cross_entropy" else torch.float)
    module, made = gm.to_torch(LOSSES[name]), gm.to_torch(**{"loss": LOSSES[name], **change})
    before = module(z.requires_grad_(), y)
    for option, value in change.items():
        setattr(module, option, value)
    assert str(module) == str(made)
    found = value_and_gradient(lambda z: module(z, y), z)
    for a, b in zip(found, value_and_gradient(lambda z: made(z, y), z), strict=True):
        torch.testing.assert_close(a, b)
    assert found[0].shape != before.shape or not torch.allclose(found[0], before)


@pytest.mark.parametrize(
    ("option", "bad"),
    [("reduction", "avg"), ("denominator", -1), ("label_smoothing", 1.5), ("pos_weight", torch.tensor(-1.0))],
)
def test_an_attribute_that_is_refused_is_not_set(option, bad):
    module = gm.to_torch(LOSSES["binary_cross_entropy"])
    with pytest.raises(Problem):
        setattr(module, option, bad)
    assert str(module) == str(gm.to_torch(LOSSES["binary_cross_entropy"]))
    value = module(torch.zeros(2, requires_grad=True), torch.ones(2))
    assert value.item() == pytest.approx(math.log(2))


# --- weights that something else writes into ---

WRITES = {
    "mul_": lambda m, w: w.mul_(2.0),
    "an index": lambda m, w: w.view(-1).__setitem__(0, 5.0),
    "data": lambda m, w: w.data.fill_(4.0),
    "NumPy": lambda m, w: w.numpy().fill(4.0),
    "half": lambda m, w: m.half(),
    "to": lambda m, w: m.to(torch.bfloat16),
    "double": lambda m, w: m.double(),
    "load": lambda m, w: m.load_state_dict({k: v + 1 for k, v in m.state_dict().items()}),
    "assign": lambda m, w: m.load_state_dict({k: v + 1 for k, v in m.state_dict().items()}, assign=True),
    "meta": lambda m, w: (
        m.to("meta")
        .to_empty(device="cpu")
        .load_state_dict({k: torch.full_like(v, 3.0, device="cpu") for k, v in m.state_dict().items()})
    ),
}
WEIGHTED = {
    "classes": ("cross_entropy", {"weight": [1.0, 0.3, 2.0, 1.0]}),
    "a yes": ("binary_cross_entropy", {"pos_weight": 0.3}),
    "labels": ("binary_focal", {"pos_weight": [0.3, 2.0]}),
}


def weighted_module(kind):
    """A module that has been called, what it was called with, and its weight."""
    name, options = WEIGHTED[kind]
    z, y = batch(LOSSES[name], torch.float32)
    z, y = (z[:, None].repeat(1, 2), y[:, None].repeat(1, 2)) if kind == "labels" else (z, y)
    module = gm.to_torch(LOSSES[name], **options)
    module(z, y)
    return module, z, y, module.weight if module.pos_weight is None else module.pos_weight


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@pytest.mark.parametrize("kind", WEIGHTED)
def test_whatever_writes_into_a_weight_counts_from_then_on(kind, write):
    module, z, y, weight = weighted_module(kind)
    before = module(z, y)
    write(module, weight)
    made = gm.to_torch(module.loss, weight=module.weight, pos_weight=module.pos_weight)
    for a, b in zip(
        value_and_gradient(lambda z: module(z, y), z), value_and_gradient(lambda z: made(z, y), z), strict=True
    ):
        assert torch.equal(a, b)
    assert write is WRITES["double"] or module(z, y) != before


@pytest.mark.parametrize("kind", WEIGHTED)
@pytest.mark.parametrize("bad", [-1.0, 0.0, math.nan, math.inf])
def test_no_weight_is_written_in_silence(kind, bad):
    module, z, y, weight = weighted_module(kind)
    weight.fill_(bad)
    for _ in range(2):
        with pytest.raises(HyperparameterError):
            module(z, y)


@pytest.mark.parametrize("kind", WEIGHTED)
def test_a_graph_does_not_follow_a_weight_in_silence(kind):
    module, z, y, weight = weighted_module(kind)
    compiled = torch.compile(module, fullgraph=True, backend="eager")
    exported = torch.export.export(module, (z, y)).module()
    torch.testing.assert_close(compiled(z, y), module(z, y))
    torch.testing.assert_close(exported(z, y), module(z, y))
    weight.mul_(2.0)
    (exported.weight if kind == "classes" else exported.pos_weight).mul_(2.0)
    raw = z.clone().requires_grad_()
    compiled(raw, y).backward()
    assert raw.grad.isnan().any()
    assert exported(z, y).isnan()
    assert module(z, y).isfinite()


def test_weights_of_another_call_are_those_of_that_call():
    module, z, y, weight = weighted_module("classes")
    other = gm.to_torch(module.loss, weight=weight + 1)
    before = module(z, y)
    assert torch.func.functional_call(module, {"weight": weight + 1}, (z, y)) == other(z, y)
    assert module(z, y) == before


# --- lines that fix ---

SWAPPED = {"cross_entropy": (4, 3), "binary_cross_entropy": (4,)}


def mended(refused, **given):
    """What is given, after the line that fixes it was run."""
    exec(refused.value.fix, {"gm": gm}, given)
    return given


@pytest.mark.parametrize("name", SWAPPED)
def test_arguments_the_other_way_round_are_turned(name):
    z, y = torch.randn(SWAPPED[name]), torch.tensor([0.0, 1.0, 1.0, 0.0])
    criterion = gm.to_torch(LOSSES[name])
    for whole in (y, y.long()):
        with pytest.raises(Problem) as refused:
            criterion(whole, z)
        given = mended(refused, input=whole, target=z)
        assert criterion(given["input"], given["target"]) == criterion(z, y)


@pytest.mark.parametrize("shape", [(2, 5, 3), (2, 4, 5, 3)])
@pytest.mark.parametrize("shares", [False, True])
def test_classes_on_the_last_axis_are_moved(shape, shares):
    z = torch.randn(shape)
    y = z.softmax(-1) if shares else z.argmax(-1)
    criterion = gm.to_torch(LOSSES["cross_entropy"])
    with pytest.raises(Problem) as refused:
        criterion(z, y)
    given = mended(refused, input=z, target=y)
    expected = F.cross_entropy(z.reshape(-1, 3), y.reshape(-1, 3) if shares else y.reshape(-1))
    torch.testing.assert_close(criterion(given["input"], given["target"]), expected)


@pytest.mark.parametrize(("z", "y"), [((4, 1), (4,)), ((4,), (4, 1)), ((4,), (2, 2)), ((), (1,))])
def test_shapes_that_hold_the_same_rows_are_made_alike(z, y):
    input, target, criterion = torch.randn(z), torch.randn(y), gm.to_torch(LOSSES["huber"])
    with pytest.raises(ShapeMismatch) as refused:
        criterion(input, target)
    given = mended(refused, input=input, target=target)
    assert criterion(given["input"], given["target"]).isfinite()
    with pytest.raises(ShapeMismatch) as refused:
        criterion(torch.zeros(4), torch.zeros(3))
    assert "reshape" not in refused.value.fix


@pytest.mark.parametrize("ignored", [-100, -1])
@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy"])
def test_a_target_that_stands_for_none_is_ignored(name, ignored):
    z, y = batch(LOSSES[name])
    y[1] = ignored
    for options in ({}, {"label_smoothing": 0.1}):
        with pytest.raises(TargetOutsideDomain) as refused:
            gm.to_torch(LOSSES[name], **options)(z, y)
        assert mended(refused, loss=LOSSES[name])["criterion"](z, y).isfinite()
        assert gm.to_torch(LOSSES[name], **options, ignore_index=ignored)(z, y).isfinite()


def test_a_target_of_a_linear_layer_that_stands_for_none_is_ignored():
    z, y = batch(LOSSES["cross_entropy"])
    y[1] = -100
    with pytest.raises(TargetOutsideDomain) as refused:
        gm.linear_loss(LOSSES["cross_entropy"], z, torch.eye(4, dtype=z.dtype), y)
    given = {"loss": LOSSES["cross_entropy"], "hidden": z, "weight": torch.eye(4, dtype=z.dtype), "targets": y}
    assert eval(refused.value.fix, {"gm": gm}, given).isfinite()


@of(LOSSES)
def test_weights_that_are_refused_name_arguments_of_torch(name, loss):
    bad = {"weight": [[-1.0, 3.0], [1.0, 0.0], 2.0], "pos_weight": [-1.0, math.nan, [[1.0, 2.0]]]}
    for option, values in bad.items():
        takes = loss.is_classwise if option == "weight" else loss.is_binary
        for value in values if takes else [[1.0, 3.0]]:
            with pytest.raises((HyperparameterError, UsageError)) as refused:
                gm.to_torch(loss, **{option: value})
            fix = refused.value.fix
            if loss.is_classwise or loss.is_binary:
                assert eval(fix, {"loss": loss, "to_torch": gm.to_torch}).loss == loss
            else:
                assert "(input, target, weight)" in fix


def test_a_weight_for_each_class_that_is_given_for_each_example():
    z, y = batch(LOSSES["cross_entropy"])
    with pytest.raises(ShapeMismatch) as refused:
        gm.to_torch(LOSSES["cross_entropy"])(z, y, torch.tensor(WEIGHTS))
    given = {"loss": LOSSES["cross_entropy"], "to_torch": gm.to_torch, "weight": torch.tensor(WEIGHTS)}
    torch.testing.assert_close(
        eval(refused.value.fix, given)(z, y),
        (F.cross_entropy(z, y, weight=torch.tensor(WEIGHTS).double(), reduction="none")).mean(),
    )


# --- classes ---


@by_formula
@of(CLASSES)
@pytest.mark.parametrize("after", [(), (5,), (2, 3)])
def test_classes_stand_on_the_axis_after_the_batch(name, loss, after):
    noise = torch.Generator().manual_seed(2)
    z = torch.randn(3, 4, *after, generator=noise, dtype=torch.float64)
    y = torch.randint(0, 4, (3, *after), generator=noise)
    options = {"weight": WEIGHTS, "label_smoothing": 0.1, "ignore_index": 2}
    first, last = gm.to_torch(loss, **options), gm.to_torch(loss, **options)
    flat = z.movedim(1, -1).reshape(-1, 4)
    value, gradient = value_and_gradient(lambda z: first(z, y), z)
    expected, slope = value_and_gradient(lambda z: last(z, y.flatten()), flat)
    torch.testing.assert_close(value, expected)
    torch.testing.assert_close(gradient, slope.reshape(3, *after, 4).movedim(-1, 1))
    hot = F.one_hot(y, 4).movedim(-1, 1).double()
    shares = gm.to_torch(loss, weight=WEIGHTS, label_smoothing=0.1)
    torch.testing.assert_close(shares(z, hot), shares(z, y))


@by_formula
@of(CLASSES)
def test_smoothed_labels_are_shares_of_classes(name, loss):
    z, y = batch(loss)
    smooth = 0.8 * F.one_hot(y, 4) + 0.2 / 4
    for found, expected in zip(
        value_and_gradient(lambda z: gm.to_torch(loss, label_smoothing=0.2)(z, y), z),
        value_and_gradient(lambda z: gm.to_torch(loss)(z, smooth.to(z.dtype)), z),
        strict=True,
    ):
        torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("weight", "smoothing", "ignore", "reduction"),
    list(itertools.product([None, WEIGHTS], [0.0, 0.3], [None, 1], ["mean", "sum", "none"])),
)
@pytest.mark.parametrize("after", [(), (2, 3)])
def test_cross_entropy_is_that_of_torch(weight, smoothing, ignore, reduction, after):
    noise = torch.Generator().manual_seed(3)
    z = torch.randn(5, 4, *after, generator=noise, dtype=torch.float64)
    y = torch.randint(0, 4, (5, *after), generator=noise)
    ours = gm.to_torch(
        LOSSES["cross_entropy"], weight=weight, label_smoothing=smoothing, ignore_index=ignore, reduction=reduction,
        denominator="weights" if reduction == "mean" else None,
    )  # fmt: skip
    options = {"label_smoothing": smoothing, "ignore_index": -100 if ignore is None else ignore, "reduction": reduction}
    given = None if weight is None else torch.tensor(weight, dtype=torch.float64)
    theirs = lambda z: F.cross_entropy(z, y, weight=given, **options)  # noqa: E731
    for found, expected in zip(value_and_gradient(lambda z: ours(z, y), z), value_and_gradient(theirs, z), strict=True):
        torch.testing.assert_close(found, expected)


# --- yes and no ---


@by_formula
@of(YES_NO)
@pytest.mark.parametrize("given", [3.0, [3.0], torch.tensor(3.0), torch.tensor([3.0])], ids=str)
def test_a_yes_counts_as_much_as_is_said(name, loss, given):
    z, y = batch(loss)
    found = gm.to_torch(loss, pos_weight=given, reduction="none")(z, y)
    torch.testing.assert_close(found, gm.to_torch(gm.weighted(loss, positive=3.0), reduction="none")(z, y))


@by_formula
@of(YES_NO)
def test_labels_weigh_each_for_itself(name, loss):
    noise = torch.Generator().manual_seed(4)
    z = torch.randn(5, 3, generator=noise, dtype=torch.float64)
    y = (torch.rand(5, 3, generator=noise) < 0.5).double()
    weights = torch.tensor([1.0, 4.0, 0.5], dtype=torch.float64)
    found = gm.to_torch(loss, pos_weight=weights, reduction="none")(z, y)
    torch.testing.assert_close(found, gm.to_torch(loss, reduction="none")(z, y) * torch.where(y > 0, weights, 1.0))


def test_binary_cross_entropy_is_that_of_torch():
    noise = torch.Generator().manual_seed(4)
    z = torch.randn(5, 3, generator=noise, dtype=torch.float64)
    y, weights = torch.rand(5, 3, generator=noise, dtype=torch.float64), torch.tensor([1.0, 4.0, 0.5]).double()
    ours = gm.to_torch(LOSSES["binary_cross_entropy"], pos_weight=weights)
    torch.testing.assert_close(ours(z, y), F.binary_cross_entropy_with_logits(z, y, pos_weight=weights))
    smooth = gm.to_torch(LOSSES["binary_cross_entropy"], label_smoothing=0.2)
    torch.testing.assert_close(smooth(z, y), F.binary_cross_entropy_with_logits(z, 0.8 * y + 0.1))


# --- what is refused ---


@of(LOSSES)
def test_what_a_loss_has_no_place_for_is_refused(name, loss):
    if not loss.is_classwise:
        with pytest.raises(UsageError, match="no classes"):
            gm.to_torch(loss, weight=WEIGHTS)
    if not loss.is_binary:
        with pytest.raises(UsageError, match="no yes"):
            gm.to_torch(loss, pos_weight=2.0)
    if name not in OUTCOMES:
        with pytest.raises(UsageError, match="no labels to smooth"):
            gm.to_torch(loss, label_smoothing=0.1)
    for wrong in (-0.1, 1.0, 1.5, math.nan):
        with pytest.raises(UsageError, match="label_smoothing"):
            gm.to_torch(loss, label_smoothing=wrong)


@of(CLASSES)
def test_weights_fit_the_classes(name, loss):
    z, y = batch(loss)
    with pytest.raises(ShapeMismatch):
        gm.to_torch(loss, weight=[1.0, 2.0])(z, y)
    with pytest.raises(HyperparameterError):
        gm.to_torch(loss, weight=[1.0, -2.0])


# --- accelerators ---


# What an accelerator is waited for by.
WAITS = ("item", "__bool__", "__float__", "__int__", "tolist", "nonzero")


class OnAccelerator(torch.Tensor):
    """Numbers of the CPU that say they are those of an accelerator."""

    is_cuda = True


def options_of(loss):
    """Every option that a loss takes, one at a time."""
    for given in (
        {},
        {"ignore_index": -77},
        {"reduction": "sum"},
        {"reduction": "none"},
        {"denominator": "rows"},
        {"denominator": "weights"},
        {"denominator": 7.0},
        {"label_smoothing": 0.1},
        {"weight": [1.0, 2.0, 3.0, 1.0]},
        {"pos_weight": 3.0},
    ):
        with suppress(UsageError, ShapeMismatch):
            yield gm.to_torch(loss, **given)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [(name, torch.float32) for name in LOSSES]
    + [(name, dtype) for name in list(LOSSES)[::4] for dtype in (torch.float64, torch.bfloat16)],
)
def test_nothing_is_waited_for_on_an_accelerator(name, dtype, monkeypatch):
    z, y = batch(LOSSES[name])
    z = z.to(dtype).as_subclass(OnAccelerator)
    modules = [*options_of(LOSSES[name])]
    monkeypatch.setattr(torch_arguments, "check_targets", None)
    monkeypatch.setattr(torch_arguments, "weights", None)
    for waits in WAITS:
        monkeypatch.setattr(torch.Tensor, waits, lambda *given: pytest.fail("waited"))
    weight = torch.ones(6, dtype=dtype).as_subclass(OnAccelerator)
    for module in modules:
        for more in ({}, {"weight": weight}, {"mask": weight > 0}):
            value = module(z.clone().requires_grad_(), y, **more)
            (value if value.ndim == 0 else value.sum()).backward()
        if module.reduction == "mean":
            module(z.clone().requires_grad_(), y, denominator=torch.tensor(6)).backward()


def test_on_an_accelerator_targets_and_weights_are_asserted():
    module, z = gm.to_torch(LOSSES["binary_cross_entropy"]), torch.zeros(3).as_subclass(OnAccelerator)
    with pytest.raises(RuntimeError, match="outside the domain of binary_cross_entropy"):
        module(z, torch.tensor([0.0, 1.0, 2.0]))
    with pytest.raises(RuntimeError, match="weight is negative"):
        module(z, torch.zeros(3), torch.tensor([1.0, -1.0, 1.0]))


# --- what is no tensor ---


@pytest.mark.parametrize("other", [[0.0, 1.0], (0.0, 1.0), np.array([0.0, 1.0]), 1.0, "01"], ids=repr)
@pytest.mark.parametrize("name", ["input", "target", "weight", "mask"])
@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_what_is_no_tensor_is_named(name, other, reduction):
    plain = {"input": torch.zeros(2), "target": torch.zeros(2)}
    module = gm.to_torch(LOSSES["binary_cross_entropy"], reduction=reduction)
    for needs in (False, True):
        plain["input"] = torch.zeros(2, requires_grad=needs)
        for call in (module, lambda **given: gm.torch_loss(module.loss, **given)):
            with pytest.raises(
                UsageError, match=rf"^GM009 {name} is an? .*\n  fix   {name} = torch.as_tensor\({name}\)"
            ):
                call(**(plain | {name: other}))


@pytest.mark.parametrize("name", ["hidden", "weight", "targets", "bias", "token_weight", "mask"])
def test_a_linear_loss_takes_tensors_alone(name):
    given = {"hidden": torch.zeros(2, 3), "weight": torch.zeros(4, 3), "targets": torch.tensor([0, 1])}
    with pytest.raises(UsageError, match=f"{name} is a list"):
        gm.linear_loss(LOSSES["cross_entropy"], **(given | {name: [1.0, 0.0]}))


@quiet
@pytest.mark.filterwarnings("ignore:.*Sparse:UserWarning")
@pytest.mark.parametrize("kind", ["to_sparse", "to_sparse_csr"])
def test_a_sparse_table_is_named(kind):
    table = getattr(torch.eye(3), kind)()
    for given in ((table, torch.eye(3)), (torch.eye(3, requires_grad=True), table)):
        with pytest.raises(UsageError, match="is a sparse tensor"):
            gm.to_torch(LOSSES["squared_error"])(*given)


# --- what no loss reads ---

NOT_READ = [torch.complex64, torch.float8_e4m3fn, torch.float8_e5m2]


@pytest.mark.parametrize("dtype", NOT_READ)
@pytest.mark.parametrize("place", ["input", "target", "weight"])
def test_numbers_of_a_kind_that_no_loss_reads(place, dtype):
    given = {"input": torch.zeros(3), "target": torch.ones(3), "weight": torch.ones(3)}
    given[place] = given[place].to(dtype)
    for reduction in ("mean", "none"):
        with pytest.raises(Problem, match=f"{place} holds {dtype}"):
            gm.to_torch(LOSSES["binary_cross_entropy"], reduction=reduction)(**given)


@pytest.mark.parametrize("missing", ["input", "target"])
def test_what_must_be_given(missing):
    given = {"input": torch.zeros(3), "target": torch.ones(3), missing: None}
    with pytest.raises(UsageError, match=f"{missing} is a NoneType"):
        gm.to_torch(LOSSES["huber"])(**given)
