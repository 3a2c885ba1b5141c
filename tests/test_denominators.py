"""Is a mean the same whatever a step is divided into, and is it said which mean a number is?"""

import json
import math
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

import goodmeasure as gm
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError
from goodmeasure.frameworks.torch_partitions import PartitionDependence
from ranks import network

F = torch.nn.functional
CE = gm.losses.cross_entropy()
WEIGHTS = (1.0, 2.0, 6.0)
NOISE = torch.Generator().manual_seed(0)
Z = torch.randn(9, 3, generator=NOISE, dtype=torch.float64)
Y = torch.tensor([0, 1, -100, 2, -100, 0, 1, -100, 2])
HERE = Y != -100
PADDED = (0.0, -100)


def weighted_ce(z, y, **options):
    return F.cross_entropy(z, y, weight=torch.tensor(WEIGHTS, dtype=z.dtype), **options)


# --- the denominators of one batch ---


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_weights_of_torch_are_a_denominator_of_a_name(smoothing):
    ours = gm.to_torch(CE, weight=WEIGHTS, ignore_index=-100, label_smoothing=smoothing, denominator="weights")
    torch.testing.assert_close(ours(Z, Y), weighted_ce(Z, Y, label_smoothing=smoothing))
    rows = gm.to_torch(CE, weight=WEIGHTS, ignore_index=-100, label_smoothing=smoothing, denominator="rows")
    torch.testing.assert_close(rows(Z, Y), weighted_ce(Z, Y, label_smoothing=smoothing, reduction="sum") / 9)


@pytest.mark.parametrize("denominator", [None, "counted", "rows", "weights"])
@pytest.mark.parametrize("soft", [False, True])
def test_a_count_is_what_the_mean_divides_by(denominator, soft):
    criterion = gm.to_torch(CE, weight=WEIGHTS, ignore_index=-100, denominator=denominator)
    total = gm.to_torch(CE, weight=WEIGHTS, ignore_index=-100, reduction="sum")
    target, weight = torch.softmax(Z.flip(0), 1) if soft else Y, torch.arange(9.0, dtype=torch.float64)
    for more in ({}, {"weight": weight}, {"mask": weight > 2}, {"weight": weight, "mask": weight < 7}):
        count = criterion.count(target, **more)
        torch.testing.assert_close(criterion(Z, target, **more) * count, total(Z, target, **more))
        halves = [{name: given[part] for name, given in more.items()} for part in (slice(0, 2), slice(2, 9))]
        parts = [criterion.count(target[p], **m) for p, m in zip((slice(0, 2), slice(2, 9)), halves, strict=True)]
        torch.testing.assert_close(sum(parts), count)


@pytest.mark.parametrize("denominator", [7, 7.0, torch.tensor(7), torch.tensor([7.0])])
def test_a_denominator_of_the_call(denominator):
    criterion = gm.to_torch(CE, ignore_index=-100)
    torch.testing.assert_close(criterion(Z, Y, denominator=denominator), criterion(Z, Y) * 6 / 7)
    torch.testing.assert_close(
        gm.torch_loss(CE, Z, Y, ignore_index=-100, denominator=denominator), criterion(Z, Y) * 6 / 7
    )


@pytest.mark.parametrize("nothing", [0, 0.0, torch.tensor(0)])
def test_a_step_in_which_nothing_counts_costs_nothing(nothing):
    z = Z.clone().requires_grad_()
    value = gm.to_torch(CE, ignore_index=-100)(z, torch.full((9,), -100), denominator=nothing)
    value.backward()
    assert value == 0
    assert not z.grad.any()


@pytest.mark.parametrize("reduction", ["sum", "none"])
def test_only_a_mean_has_a_denominator(reduction):
    with pytest.raises(UsageError, match="is of a mean"):
        gm.to_torch(CE, reduction=reduction)(Z, Y.clamp(min=0), denominator=3)
    with pytest.raises(UsageError, match="is of a mean"):
        gm.to_torch(CE, reduction=reduction, denominator="rows")


# --- over parts and ranks ---


@pytest.mark.parametrize("loss", [CE, gm.losses.focal(), gm.losses.brier()], ids=str)
def test_ours_is_the_same_however_it_is_split(loss):
    criterion = gm.to_torch(loss, ignore_index=-100)

    def step(parts):
        n = sum(criterion.count(y) for _, y in parts)
        return sum(criterion(z, y, denominator=n) for z, y in parts)

    gm.assert_partition_invariant(step, (Z, Y), joined="by itself", padding=PADDED)
    constant = gm.to_torch(loss, ignore_index=-100, denominator=6.0)
    gm.assert_partition_invariant(constant, (Z, Y), joined="sum", padding=PADDED)


def test_a_step_that_calls_backward_itself():
    model = network()
    criterion = gm.to_torch(CE, ignore_index=-100)
    x = torch.randn(9, 5, generator=NOISE, dtype=torch.float64)

    def right(parts):
        n = sum(criterion.count(y) for _, y in parts)
        for x, y in parts:
            criterion(model(x), y, denominator=n).backward()

    def wrong(parts):
        for x, y in parts:
            (criterion(model(x), y) / len(parts)).backward()

    given = {"joined": "by itself", "parameters": model.parameters(), "padding": PADDED}
    kept = torch.ones_like(model[0].weight)
    model[0].weight.grad = kept
    gm.assert_partition_invariant(right, (x, Y), **given)
    assert model[0].weight.grad is kept
    with pytest.raises(PartitionDependence, match="the gradient is off by"):
        gm.assert_partition_invariant(wrong, (x, Y), **{**given, "parameters": model.parameters()})


@pytest.mark.parametrize(
    ("function", "batch", "options", "said"),
    [
        (F.mse_loss, (Z, Z.flip(0)), {}, "a mean over its rows"),
        (F.cross_entropy, (Z, Y), {}, "a mean over the rows that count"),
        (weighted_ce, (Z, Y.clamp(min=0)), {}, "its rows have 1 : 2 : 1 : 6 : 1 : 1 : 2 : 1"),
        (lambda z, y: F.mse_loss(z, y, reduction="sum"), (Z, Z.flip(0)), {}, "is a sum"),
        (F.mse_loss, (Z, Z.flip(0)), {"joined": "sum"}, "a mean over its rows"),
        (lambda z, y: (z - y).mean(0).square().sum(), (Z, Z.flip(0)), {}, "no mean of its rows"),
        (F.cross_entropy, (Z, Y.clamp(min=0)), {"padding": PADDED}, "a mean over its rows"),
    ],
)
def test_which_mean_a_function_is_is_said(function, batch, options, said):
    with pytest.raises(PartitionDependence) as caught:
        gm.assert_partition_invariant(function, batch, **options)
    assert said in str(caught.value)
    assert isinstance(caught.value, AssertionError)


def test_equal_halves_are_not_enough_and_padding_counts():
    equal = torch.zeros(8, 3, dtype=torch.float64), torch.ones(8, 3, dtype=torch.float64)
    with pytest.raises(PartitionDependence):
        gm.assert_partition_invariant(F.mse_loss, equal)  # its value is the same, its gradient is not
    total = lambda z, y: (z - y).square().sum() / 8  # noqa: E731
    gm.assert_partition_invariant(total, equal, joined="sum")
    with pytest.raises(PartitionDependence, match="more of padding"):
        gm.assert_partition_invariant(total, equal, joined="sum", padding=(3.0, 0.0))


def test_a_function_that_is_drawn_is_told_from_one_that_depends_on_parts():
    with pytest.raises(UsageError, match="two answers"):
        gm.assert_partition_invariant(lambda z, y: F.mse_loss(F.dropout(z), y), (Z + 9, Z.flip(0)))


@pytest.mark.skipif(not torch.distributed.is_gloo_available(), reason="torch was built without gloo")
def test_uneven_ranks_micro_batches_and_padding_have_the_gradient_of_the_undivided_batch(tmp_path):
    command = [sys.executable, str(Path(__file__).with_name("ranks.py"))]
    ranks = [subprocess.Popen([*command, str(rank), str(tmp_path)]) for rank in (0, 1)]
    assert [rank.wait(timeout=300) for rank in ranks] == [0, 0]
    for rank in (0, 1):
        off = json.loads((tmp_path / f"{rank}.json").read_text())
        assert off.keys() == {"DDP", "FSDP"}
        assert max(off.values()) < 1e-12


def test_without_ranks_the_denominator_is_the_count():
    assert gm.global_denominator(torch.tensor(5)).item() == 5
    for wrong in (-1, float("nan"), True, "5"):
        with pytest.raises(UsageError):
            gm.global_denominator(wrong)


# --- trainers ---


def test_the_trainer_of_hugging_face():
    """Called as `transformers.Trainer` calls it, with the count of the accumulated batch, and with None where it evaluates."""
    criterion = gm.to_torch(CE, ignore_index=-100)

    def compute_loss(outputs, labels, num_items_in_batch=None):
        return criterion(outputs.logits.flatten(0, 1), labels.flatten(), denominator=num_items_in_batch)

    z, y = torch.randn(4, 6, 3, generator=NOISE), torch.randint(0, 3, (4, 6), generator=NOISE)
    y[0, 1:], y[2, 4:] = -100, -100
    n = sum(part.ne(-100).sum() for part in y.split(1))
    parts = [
        compute_loss(SimpleNamespace(logits=a), b, num_items_in_batch=n)
        for a, b in zip(z.split(1), y.split(1), strict=True)
    ]
    whole = F.cross_entropy(z.flatten(0, 1), y.flatten())
    torch.testing.assert_close(sum(parts), whole)
    torch.testing.assert_close(compute_loss(SimpleNamespace(logits=z), y, num_items_in_batch=None), whole)


@pytest.mark.filterwarnings("ignore")
def test_lightning_accumulates_uneven_batches(tmp_path):
    from lightning.pytorch import LightningModule, Trainer

    criterion = gm.to_torch(CE, ignore_index=-100)

    class Module(LightningModule):
        def __init__(self):
            super().__init__()
            self.model, self.counted = network(), 0

        def training_step(self, batch, _):
            x, y = batch
            self.counted = self.counted + criterion.count(y)
            return criterion(self.model(x), y, denominator=1)  # a sum

        def on_before_optimizer_step(self, optimizer):
            scale = self.trainer.accumulate_grad_batches / gm.global_denominator(self.counted)
            for p in self.model.parameters():
                p.grad.mul_(scale)
            self.counted = 0

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=1.0)

    x = torch.randn(9, 5, generator=NOISE, dtype=torch.float64)
    parts = [(x[:1], Y[:1]), (x[1:6], Y[1:6]), (x[6:], Y[6:])]
    module = Module()
    Trainer(
        max_epochs=1, accumulate_grad_batches=3, accelerator="cpu", logger=False, barebones=True,
        default_root_dir=tmp_path,
    ).fit(module, torch.utils.data.DataLoader(parts, batch_size=None))  # fmt: skip
    whole = network()
    criterion(whole(x), Y).backward()
    for ours, p in zip(module.model.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(ours, p - p.grad, rtol=1e-12, atol=1e-14)


# --- nine meanings ---


def means(*given, **more):
    return {each.divides_by: each.value for each in gm.explain_mean(*given, **more).meanings}


def test_the_means_of_classes_are_those_of_their_hosts():
    keras = pytest.importorskip("keras")
    loss = gm.losses.cross_entropy(class_weight=WEIGHTS)
    y, z, w = Y.clamp(min=0).numpy(), Z.numpy(), np.arange(9.0)
    target, raw, weight = torch.tensor(y), torch.tensor(z), torch.tensor(WEIGHTS, dtype=torch.float64)
    found = means(loss, y, z)
    assert found["the weights of examples and classes"] == pytest.approx(weighted_ce(raw, target).item())
    hot = F.one_hot(target).double()
    assert found["all examples"] == pytest.approx(F.cross_entropy(raw, hot, weight=weight).item())
    ignored = means(CE, y, z, mask=HERE.numpy())
    assert ignored["the examples that count"] == pytest.approx(F.cross_entropy(raw, Y).item())
    found = means(CE, y, z, w)
    p = torch.softmax(raw, 1).numpy()
    assert found["the weights of examples"] == pytest.approx(log_loss(y, p, sample_weight=w, labels=[0, 1, 2]))
    of_keras = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
    assert found["all examples"] == pytest.approx(float(of_keras(y, z, sample_weight=w)), rel=1e-6)
    labels = (z > 0).astype(float)
    theirs = F.multilabel_soft_margin_loss(raw, torch.tensor(labels))
    assert means(gm.losses.binary_cross_entropy(), labels, z)["the raw outputs"] == pytest.approx(theirs.item())


def test_the_means_of_numbers_are_those_of_their_hosts():
    y, z, w = np.arange(5.0), np.arange(5.0)[::-1].copy(), np.array([3.0, 1, 0, 2, 1])
    found = means(gm.losses.squared_error(), y, z, w)
    raws = torch.tensor(z), torch.tensor(y)
    assert found["the weights of examples"] == pytest.approx(F.mse_loss(*raws, weight=torch.tensor(w)).item())
    yes = np.array([0.0, 1, 1, 0, 1])
    of_yes = means(gm.losses.binary_cross_entropy(), yes, z, w)
    theirs = F.binary_cross_entropy_with_logits(raws[0], torch.tensor(yes), weight=torch.tensor(w))
    assert of_yes["all examples"] == pytest.approx(theirs.item())
    assert found["the raw outputs"] == found["all examples"]


def test_means_of_parts_and_steps():
    y, z, mask = np.zeros(6), np.array([1.0, 2, 3, 4, 5, 6]), np.array([1, 0, 1, 1, 1, 1], dtype=bool)
    found = gm.explain_mean(gm.losses.squared_error(), y, z, mask=mask, parts=(2, 4), step_count=50, logged=11.25)
    by_name = {each.divides_by: each for each in found.meanings}
    assert len(by_name) == 9
    assert by_name["the examples that count in the step"].value == pytest.approx((1 + 9 + 16 + 25 + 36) / 50)
    assert by_name["each part's own count, then the parts"].value == pytest.approx((1 + 21.5) / 2)
    assert by_name["each part's own count, then the parts by their rows"].value == pytest.approx((2 * 1 + 4 * 21.5) / 6)
    assert found.logged_by == ("each part's own count, then the parts",)
    assert "it is none of these" in str(gm.explain_mean(gm.losses.squared_error(), y, z, logged=1.0))


def test_all_means_agree_where_nothing_is_uneven():
    found = gm.explain_mean(gm.losses.squared_error(), np.zeros(6), np.ones(6) * 2)
    values = [m.value for m in found.meanings if m.divides_by != "the examples that count times their weights"]
    assert values == [4.0] * 8


CALL = {"loss_fn": gm.to_torch(CE, ignore_index=-100, denominator=5.0), "batch": (Z, Y), "joined": "sum"}
BAD_TRIALS = {
    "a number for padding": {"padding": 0.0},
    "too few numbers": {"padding": (0.0,)},
    "a negative tolerance": {"tolerance": -1.0},
    "no tolerance": {"tolerance": math.nan},
    "an array": {"batch": (Z.numpy(), Y)},
    "numbers for parameters": {"parameters": [1.0]},
    "parameters that do not learn": {"parameters": [torch.ones(3)]},
    "targets first": {"batch": (Y, Z), "loss_fn": lambda y, z: F.cross_entropy(z, y)},
    "a text": {"loss_fn": lambda z, y: "loss"},
    "one a row": {"loss_fn": gm.to_torch(CE, ignore_index=-100, reduction="none")},
}


@pytest.mark.parametrize("bad", BAD_TRIALS.values(), ids=BAD_TRIALS)
def test_what_cannot_be_tried_is_refused(bad):
    gm.assert_partition_invariant(**CALL)
    with pytest.raises(UsageError, match="GM009"):
        gm.assert_partition_invariant(**(CALL | bad))


def test_a_mask_beside_targets_to_ignore_is_one_of_truths_and_as_long():
    calls = (
        lambda mask: gm.to_torch(CE, ignore_index=-100)(Z, Y, mask=mask),
        lambda mask: gm.to_torch(CE, ignore_index=-100).count(Y, mask=mask),
        lambda mask: gm.linear_loss(CE, Z, torch.eye(3).double(), Y, mask=mask, ignore_index=-100),
    )
    for call in calls:
        with pytest.raises(WeightError, match="mask holds"):
            call(torch.ones(9))
        with pytest.raises(ShapeMismatch, match="mask has shape"):
            call(torch.ones(1, dtype=torch.bool))


# --- what is no denominator ---

NO_DENOMINATOR = {
    "negative": -3,
    "nan": math.nan,
    "infinite": math.inf,
    "too large": 10**400,
    "a truth": True,
    "a text": "row",
    "a list": [4.0],
    "a negative tensor": torch.tensor(-2.0),
    "a tensor of nan": torch.tensor(math.nan),
    "a tensor of truth": torch.tensor(True),
    "a complex tensor": torch.tensor(4j),
    "several": torch.tensor([4.0, 4.0]),
}
CALLS = {
    "module": lambda y, mask, n: gm.to_torch(CE)(Z[: len(y)], y, mask=mask, denominator=n),
    "function": lambda y, mask, n: gm.torch_loss(CE, Z[: len(y)], y, mask=mask, denominator=n),
    "linear": lambda y, mask, n: gm.linear_loss(
        CE, Z[: len(y)], torch.eye(Z.shape[1], dtype=Z.dtype), y, mask=mask, denominator=n
    ),
}


@pytest.mark.parametrize("bad", NO_DENOMINATOR.values(), ids=NO_DENOMINATOR)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_no_denominator_is_refused(call, bad):
    y = torch.tensor([0, 1, 2])
    with pytest.raises(UsageError, match="GM009 denominator"):
        call(y, None, bad)
    with pytest.raises(UsageError, match="GM009"):
        gm.to_torch(CE, denominator=bad)
    if not isinstance(bad, str):
        with pytest.raises(UsageError, match="GM009 count"):
            gm.global_denominator(bad)


@pytest.mark.parametrize("zero", [0, 0.0, np.int64(0), torch.tensor(0), torch.tensor([0.0])], ids=repr)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_denominator_of_zero_is_that_of_nothing(call, zero):
    y, none = torch.tensor([0, 1, 2]), torch.zeros(3, dtype=torch.bool)
    assert call(y, none, zero) == 0
    assert call(y[:0], None, zero) == 0
    for mask in (None, ~none):
        with pytest.raises(UsageError, match="examples of this batch count") as refused:
            call(y, mask, zero)
        given = {}
        exec(refused.value.fix, given)  # what it says mends it
        assert call(y, mask, given["denominator"]) == call(y, mask, 3)


@pytest.mark.parametrize("number", [4, 4.0, np.int64(4), np.float32(4), torch.tensor(4), torch.tensor([4.0])], ids=repr)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_number_is_a_denominator_whoever_made_it(call, number):
    y = torch.tensor([0, 1, 2])
    torch.testing.assert_close(call(y, None, number), call(y, None, 3) * 3 / 4)
    assert gm.global_denominator(number) == 4


def test_a_graph_cannot_look_at_a_denominator_and_is_not_wrong():
    y, every = torch.tensor([0, 1, 2]), torch.ones(3, dtype=torch.bool)
    module = gm.to_torch(CE)
    graph = torch.compile(module, fullgraph=True, backend="eager")
    assert graph(Z[:3], y, mask=~every, denominator=torch.tensor(0.0)) == 0
    torch.testing.assert_close(graph(Z[:3], y, mask=every, denominator=torch.tensor(3.0)), module(Z[:3], y))
    for bad in (0.0, -2.0, math.nan, math.inf):
        assert graph(Z[:3], y, mask=every, denominator=torch.tensor(bad)).isnan()
    on_accelerator = Z[:3].as_subclass(type("OnAccelerator", (torch.Tensor,), {"is_cuda": True}))
    with pytest.raises(RuntimeError, match="denominator"):
        module(on_accelerator, y, denominator=torch.tensor(-1.0))


def test_a_denominator_in_double_precision_leaves_the_dtype():
    weight = torch.ones(3, requires_grad=True)
    value = gm.to_torch(CE)(Z[:3].float(), torch.tensor([0, 1, 2]), weight, denominator=gm.global_denominator(3))
    assert value.dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
@pytest.mark.parametrize("of_examples", [False, True])
def test_weights_are_summed_in_double_and_the_mean_has_the_dtype_of_its_raw_outputs(dtype, of_examples):
    """Weights of classes were summed in single precision, beside raw outputs in double."""
    torch.manual_seed(0)
    z, y = torch.randn(200, 4, dtype=dtype, requires_grad=True), torch.randint(0, 4, (200,))
    classes, each = torch.tensor([0.1, 0.3, 1.7, 0.7], dtype=torch.float64), torch.rand(200, dtype=dtype)
    given = {"weight": each} if of_examples else {}
    made = gm.to_torch(CE, denominator="weights", **({} if of_examples else {"weight": classes}))
    found = made(z, y, **given)
    found.backward()
    w = each.double() if of_examples else classes[y]
    wide = torch.nn.functional.cross_entropy(z.detach().double(), y, reduction="none")
    assert found.dtype == z.grad.dtype == dtype
    assert float(found.detach()) == pytest.approx(float((wide * w).sum() / w.sum()), rel=4 * torch.finfo(dtype).eps)
