"""Hold every loss on an accelerator to the numbers of its formula, and see that no training step waits for it.

    python scripts/on_device.py                     # on CUDA: every loss of the catalogue
    python scripts/on_device.py huber focal         # these
    python scripts/on_device.py --device cpu huber  # where there is none: the way of an accelerator, on the processor

Each loss is computed in double, single and both halves, with weights, masks and every option that it takes, under autocast,
compiled, and differentiated twice. A step that waits for the device is an error there (``torch.cuda.set_sync_debug_mode``), but
for a first one, which brings constants over. JAX is asked where it has such a device. It ends with 1 if anything is wrong.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

import goodmeasure as gm
from goodmeasure.errors import ShapeMismatch, UsageError
from goodmeasure.making.loss import Loss

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from catalogue_losses import everything, variants  # what the tests enumerate

ROWS, CLASSES = 24, 5
PLAIN, LINEAR = "plain", "a layer and its loss"
HALF = (torch.float16, torch.bfloat16)
DTYPES = (torch.float64, torch.float32, *HALF)
OPTIONS: Sequence[Mapping[str, Any]] = (
    {}, {"reduction": "sum"}, {"reduction": "none"}, {"ignore_index": 1}, {"denominator": "rows"}, {"denominator": 7.0},
    {"label_smoothing": 0.1}, {"weight": [1.0, 2.0, 0.5, 3.0, 1.0]}, {"denominator": "weights"}, {"pos_weight": 3.0},
)  # fmt: skip


class AsOnDevice(torch.Tensor):
    """Numbers of the processor that go the way of an accelerator's."""

    is_cuda = True


class Check(NamedTuple):
    """A name, what is called on tensors of the device, and on the processor in double precision."""

    name: str
    call: Callable[..., torch.Tensor]
    given: Mapping[str, torch.Tensor]


def batch(loss: Loss) -> dict[str, torch.Tensor]:
    """Raw outputs that half precision holds exactly, targets, weights of which one is 0, and a mask."""
    r = np.random.default_rng(3)
    count = (len(loss.class_weight) or CLASSES) if loss.is_classwise else len(loss.activation)
    z = torch.tensor(r.integers(-48, 48, (ROWS, count)) / 16)
    targets = range(count) if loss.is_classwise else [v for v in (0.0, 1.0, 2.0, 7.0) if v in loss.target]
    y = torch.tensor(r.choice(targets, ROWS))
    weight = torch.tensor(r.integers(0, 4, ROWS) / 2)
    return {
        "input": z if count > 1 else z[:, 0],
        "target": y,
        "weight": weight,
        "mask": torch.tensor(r.random(ROWS) < 0.7),
    }


def checks(loss: Loss) -> Iterator[Check]:
    """The module with each option, with weights and a mask; and all of a layer and its loss."""
    given = batch(loss)
    plain = {name: given[name] for name in ("input", "target")}
    for options in OPTIONS:
        with suppress(UsageError, ShapeMismatch):  # options that this loss does not take
            module = gm.to_torch(loss, **options)
            yield Check(f"{options or PLAIN}", module, plain)
            yield Check(f"{options or PLAIN}, weighted and masked", module, given)
    if loss.is_classwise:
        r = torch.Generator().manual_seed(0)
        table = torch.randint(-32, 32, (given["input"].shape[1], 4), generator=r).double() / 16
        hidden = torch.randint(-32, 32, (ROWS, 4), generator=r).double() / 16
        yield Check(
            LINEAR,
            lambda input, target, table: gm.linear_loss(loss, input, table, target, ignore_index=1),
            {"input": hidden, "target": given["target"], "table": table},
        )


def on(device: str, dtype: torch.dtype, given: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tensors on the device, real numbers in the dtype, and the first of them with a gradient."""
    moved = {k: (x.to(device, dtype) if x.is_floating_point() else x.to(device)) for k, x in given.items()}
    if device == "cpu":
        moved["input"] = moved["input"].as_subclass(AsOnDevice)
    moved["input"] = moved["input"].detach().requires_grad_()
    return moved


@contextmanager
def never_waiting(device: str) -> Iterator[None]:
    """Make it an error to wait for the device."""
    if not device.startswith("cuda"):
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def step(call: Callable[..., torch.Tensor], given: Mapping[str, torch.Tensor], *, twice: bool) -> list[torch.Tensor]:
    """The value, its gradient, and the gradient of that one's sum of squares."""
    value = call(**given)
    (gradient,) = torch.autograd.grad(value.sum(), given["input"], create_graph=twice)
    if not twice:
        return [value, gradient]
    second = torch.autograd.grad((gradient**2).sum(), given["input"], allow_unused=True, materialize_grads=True)
    return [value, gradient, *second]


def found(
    check: Check, device: str, dtype: torch.dtype, *, twice: bool = False, autocast: bool = False
) -> list[torch.Tensor]:
    """What a second step gives on the device, which waits for nothing."""
    given = on(device, dtype, check.given)
    with torch.autocast(device.split(":")[0], dtype=torch.bfloat16) if autocast else nullcontext():
        step(check.call, given, twice=twice)
        with never_waiting(device):
            again = step(check.call, given, twice=twice)
    return [each.detach().cpu().double() for each in again]


def faults(loss: Loss, device: str, compiled: bool) -> Iterator[str]:
    """Every check of a loss that fails, in words."""
    for check in checks(loss):
        twice = check.name != LINEAR  # a layer and its loss are differentiated once
        wanted = found(check, "cpu", torch.float64, twice=twice)
        for dtype in DTYPES:
            twice &= dtype not in HALF  # second derivatives are beyond the range of half precision
            yield from _apart(
                check, f"{dtype}", partial(found, check, device, dtype, twice=twice), wanted, _close(dtype)
            )
        close = _close(torch.bfloat16 if check.name == LINEAR else torch.float32)
        yield from _apart(check, "autocast", partial(found, check, device, torch.float32, autocast=True), wanted, close)
        if compiled and check.name == PLAIN:
            torch._dynamo.reset()
            graph = check._replace(call=torch.compile(check.call))
            yield from _apart(check, "compiled", partial(found, graph, device, torch.float32), wanted, 1e-5)


def _close(dtype: torch.dtype) -> float:
    return max(8 * torch.finfo(dtype).eps, 1e-10)


def _apart(
    check: Check, how: str, asked: Callable[[], list[torch.Tensor]], wanted: list[torch.Tensor], close: float
) -> Iterator[str]:
    try:
        answers = asked()
        for answer, right in zip(answers, wanted, strict=False):
            torch.testing.assert_close(answer, right, rtol=close, atol=close * float(1 + right.abs().max()))
    except (AssertionError, RuntimeError) as error:
        yield f"{check.name}, {how}: {str(error).splitlines()[0]}"


def in_jax(loss: Loss, platform: str) -> Iterator[str]:
    """The same loss in JAX, in single precision, with no transfer in a step."""
    import jax

    with suppress(RuntimeError):  # JAX has no such device
        place = jax.devices(platform)[0]
        given = batch(loss)
        z, y = (jax.device_put(given[name].numpy().astype(kind), place) for name, kind in _kinds(loss).items())
        both = jax.jit(jax.value_and_grad(lambda z, y: gm.to_jax(loss)(z, y).mean()))
        both(z, y)
        with jax.transfer_guard("disallow"):
            value, gradient = both(z, y)
        right = step(
            gm.to_torch(loss), on("cpu", torch.float64, {k: given[k] for k in ("input", "target")}), twice=False
        )
        for answer, wanted in zip((value, gradient), right, strict=True):
            if not np.allclose(answer, wanted.detach().numpy(), rtol=1e-5, atol=1e-5):
                yield f"JAX: {float(np.abs(answer - wanted.detach().numpy()).max()):.3g} apart"


def _kinds(loss: Loss) -> dict[str, type]:
    return {"input": np.float32, "target": np.int32 if loss.is_classwise else np.float32}


def main(given: Sequence[str] | None = None) -> int:
    asked = ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("names", nargs="*", help="losses; all by default")
    asked.add_argument("--device", default="cuda", help="cuda, cuda:1 or cpu")
    asked.add_argument("--compiled", action="store_true", help="compile each loss as well, which takes minutes")
    options = asked.parse_args(given)
    if options.device != "cpu" and not torch.cuda.is_available():
        print("there is no CUDA device here; --device cpu goes its way on the processor")
        return 1
    wrong = 0
    for loss in [*everything(), *variants()]:
        if options.names and repr(loss).split("(")[0] not in options.names:
            continue
        said = [*faults(loss, options.device, options.compiled)]
        said += in_jax(loss, "cpu" if options.device == "cpu" else "gpu")
        wrong += len(said)
        print(f"{loss}: {'; '.join(said) or 'as it should be'}", flush=True)
    print(f"{wrong} wrong on {options.device}")
    return int(wrong > 0)


if __name__ == "__main__":
    raise SystemExit(main())
