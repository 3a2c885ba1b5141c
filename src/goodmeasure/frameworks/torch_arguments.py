"""Tensors at the door of a loss: shapes, targets and weights are checked here, with the words of `deriving.arguments`.

Numbers are looked at on the CPU alone. On an accelerator that would make the step wait, so what they must be is asserted there
when they are at hand, as torch's own losses do.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensor

from goodmeasure.deriving.arguments import (
    check_labels,
    check_targets,
    go_together,
    other_way_round,
    outside,
    presence,
    shape_fix,
    weights,
)
from goodmeasure.deriving.mending import are_labels, as_numbers, as_raw, labels_of
from goodmeasure.errors import ShapeMismatch, UsageError, WeightError, with_article
from goodmeasure.formulas.evaluation import namespace
from goodmeasure.frameworks.torch_derivatives import Program
from goodmeasure.making.loss import Loss
from goodmeasure.statistics.arrays import hold_numbers

COMPUTED = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
_WHOLE = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)


def only_tensors(loss: object, optional: tuple[str, ...], **given: object) -> None:
    """Refuse what is no tensor of numbers side by side, such as an array or a sparse table; None where it is optional."""
    for name, each in given.items():
        if each is None and name in optional:
            continue
        if not isinstance(each, torch.Tensor):
            raise UsageError(
                f"{name} is {with_article(type(each).__name__)}, and losses in torch take tensors",
                fix=_exchange(name, each, given) or _as_tensor(loss, name, each),
            )
        if each.layout is not torch.strided:
            raise UsageError(
                f"{name} is a sparse tensor, of which a loss knows no numbers", fix=f"{name} = {name}.to_dense()"
            )


def _exchange(name: str, each: object, given: dict[str, object]) -> str:
    """The line for labels that were given for raw outputs; empty where they were not."""
    target = given.get("target")
    beside = 0.0 if isinstance(target, torch.Tensor) else target
    return "input, target = target, input  # raw outputs first" if name == "input" and are_labels(each, beside) else ""


def _as_tensor(loss: object, name: str, given: object) -> str:
    """The line that makes a tensor of what is none: by way of numbers where it holds none, as of texts."""
    if given is None:
        return f"give {with_article(name)}"
    if isinstance(given, dict | set | frozenset) or (isinstance(given, Iterable) and not hasattr(given, "__len__")):
        return f"{name} = torch.as_tensor(list({name}))"
    line = f"{name} = torch.as_tensor({name})"
    try:
        array = np.asarray(given)
    except ValueError:
        return f"{line}, with as many values in each row"
    if not array.ndim or array.dtype.kind in "biuf":
        return line
    if array.dtype.kind == "O" and hold_numbers(array):
        return f"{name} = torch.as_tensor(numpy.asarray({name}).astype(float))"
    of_targets = name in ("target", "targets")
    numbers = as_numbers(loss, array, labels_of(array), name) if of_targets else as_raw(array, name)
    first, mark, said = numbers.partition("  #")
    return f"{first}; {line}{mark}{said}" if " = " in first else first


def known(x: torch.Tensor) -> bool:
    """Whether there are numbers: there are none while a graph is traced or mapped, nor on the meta device."""
    transformed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
    return not (transformed or x.is_meta or isinstance(x, FakeTensor))


def refuse_targets(loss: Loss, raw: torch.Tensor, target: torch.Tensor, present: torch.Tensor | None) -> None:
    """Targets that are there lie in the domain of the loss, wherever they can be looked at."""
    if not known(raw):
        return
    if raw.is_cuda:
        bad, allowed = outside(target, raw.detach(), loss.target, present)
        torch._assert_async(~bad.any(), f"a target is outside the domain of {loss}: {allowed}")
    else:
        check_targets(target, raw.detach(), loss.target, present, loss)


def present_of(
    raw: torch.Tensor,
    rows: tuple[int, ...],
    weight: torch.Tensor | None,
    mask: torch.Tensor | None,
    called: str = "weight",
) -> torch.Tensor | None:
    """Which examples count (None: all). Weights are finite and not negative, wherever they can be looked at."""
    for name, given in ((called, weight), ("mask", mask)):
        if given is not None and given.shape != rows:
            a_class = name == called and raw.ndim > len(rows) and given.shape == raw.shape[-1:]
            raise ShapeMismatch(
                f"{name} has shape {tuple(given.shape)}, and the examples {tuple(rows)}",
                fix=f"to_torch(loss, weight={name})  # one a class" if a_class else f"give one {name} for each example",
            )
    if weight is not None and weight.dtype not in COMPUTED + _WHOLE:
        raise WeightError(f"weight holds {weight.dtype}, and weights are real numbers", fix="weight = weight.float()")
    _check_mask(mask)
    if known(raw) and not raw.is_cuda:
        xp = namespace(raw)
        return presence(
            mask, weights(None if weight is None else weight.detach(), tuple(rows), xp, raw), tuple(rows), xp
        )
    if known(raw) and weight is not None:
        torch._assert_async(((weight >= 0) & weight.isfinite()).all(), "a weight is negative or not finite")
    positive = None if weight is None else weight > 0
    return positive if mask is None else mask if positive is None else mask & positive


def wanted(target: torch.Tensor, ignore_index: int | None, mask: torch.Tensor | None) -> torch.Tensor | None:
    """The mask, without class indices and other targets that are to be ignored."""
    if ignore_index is None:
        return mask
    kept: torch.Tensor = target != ignore_index
    if mask is None:
        return kept
    _check_mask(mask)
    if tuple(mask.shape) != tuple(kept.shape):
        raise ShapeMismatch(
            f"mask has shape {tuple(mask.shape)}, and the examples {tuple(kept.shape)}",
            fix="give one mask for each example",
        )
    return mask & kept


def _check_mask(mask: torch.Tensor | None) -> None:
    if mask is not None and mask.dtype != torch.bool:
        raise WeightError(f"a mask holds True where an example counts, not {mask.dtype}", fix="mask = mask.bool()")


def check(
    program: Program, raw: torch.Tensor, target: torch.Tensor, first: tuple[int, ...] | None = None
) -> tuple[int, ...]:
    """The shape of the examples. Shapes match, and nothing is broadcast; what no gradient is derived for is refused.

    ``first`` is the shape of the input as it was given, where classes stood on axis 1.
    """
    if program.labels:
        check_labels(program.loss, raw)
    shape, given = raw.shape, target.shape
    rows: tuple[int, ...] = shape[:-1] if program.wide else shape
    fits = not program.wide or (len(shape) > 0 and program.takes(shape[-1]))
    if not fits or (given != rows and not (program.classwise and given == shape)):
        _refuse_shapes(program.loss, tuple(shape), tuple(given), first, fits)
    if raw.dtype not in COMPUTED:
        looked_at = known(raw) and known(target) and not target.is_cuda and program.loss.is_binary
        swapped = looked_at and given == shape and bool(((target < 0) | (target > 1)).any())
        raise UsageError(
            f"input holds {raw.dtype}, and losses compute in half, single or double",
            fix="input, target = target, input  # raw outputs first"
            if swapped
            else f"input = input.{'real' if raw.is_complex() else 'float()'}",
        )
    if target.dtype not in COMPUTED and target.dtype not in _WHOLE:
        raise UsageError(
            f"target holds {target.dtype}, which losses do not read",
            fix="target = target.real" if target.is_complex() else "target = target.float()",
        )
    if target.requires_grad:
        raise UsageError(
            f"target requires a gradient, which {program.loss} has by its raw outputs alone",
            fix="target = target.detach()",
        )
    return rows


def _refuse_shapes(
    loss: Loss, raw: tuple[int, ...], target: tuple[int, ...], first: tuple[int, ...] | None, fits: bool
) -> None:
    seen = f"input of shape {first or raw}{_order(loss, first)}"
    if other_way_round(loss, *(_classes_last(loss, shape) for shape in (target, first or raw))):
        raise ShapeMismatch(
            f"target has shape {target} and input {first or raw}: the raw outputs come first",
            fix="input, target = target, input",
        )
    if first is not None and go_together(loss, target, first):
        raise ShapeMismatch(
            f"target has shape {target} and input {first}, whose classes are on the last axis",
            fix="input = input.movedim(-1, 1)  # classes on axis 1, as in torch",
        )
    if not fits:
        _refuse_width(loss, raw, target, seen)
    rows = raw[:-1] if loss.is_classwise or len(loss.activation) > 1 else raw
    raise ShapeMismatch(
        f"target has shape {target} where {rows} is needed: nothing is broadcast",
        seen=seen,
        fix=shape_fix(target, rows, ("target", "input")),
    )


def _order(loss: Loss, first: tuple[int, ...] | None) -> str:
    return "" if not loss.is_classwise else " (classes last)" if first is None else " (classes on axis 1)"


def _classes_last(loss: Loss, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of raw outputs with their classes on the last axis."""
    return (shape[0], *shape[2:], shape[1]) if loss.is_classwise and len(shape) > 2 else shape


def _refuse_width(loss: Loss, raw: tuple[int, ...], target: tuple[int, ...], seen: str) -> None:
    if loss.class_weight and raw:
        raise ShapeMismatch(
            f"{loss} has {len(loss.class_weight)} class weights, and input {raw[-1]} classes",
            seen=seen,
            fix="give one weight a class",
        )
    if loss.is_classwise:
        raise ShapeMismatch(
            f"{loss} compares classes and needs at least 2 raw outputs an example",
            seen=f"{seen}; with one, the loss is zero whatever it is",
            fix="use the binary_ form of the loss for one output",
        )
    raise ShapeMismatch(
        f"{loss} takes {len(loss.activation)} raw outputs an example, on the last axis",
        seen=seen,
        fix=f"give input of shape {(*target, len(loss.activation))}",
    )
