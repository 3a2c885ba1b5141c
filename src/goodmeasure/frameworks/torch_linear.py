"""A linear layer and a loss of classes in one, without the table of raw outputs: a chunk of rows is made, read and left.

The gradients are found in the forward pass, while the raw outputs of a chunk are at hand, and handed over in the backward pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch

from goodmeasure.deriving.spelling import Spelling
from goodmeasure.errors import NoSuchReading, ShapeMismatch, TargetOutsideDomain, UsageError, shorter
from goodmeasure.formulas.expression import symbol
from goodmeasure.frameworks.torch_arguments import check, only_tensors, present_of, refuse_targets, wanted
from goodmeasure.frameworks.torch_conventions import check_smoothing, smoothed, smoothed_loss, told
from goodmeasure.frameworks.torch_denominators import Named, divisor
from goodmeasure.frameworks.torch_derivatives import Program, signals_of, spread, values_of, without_absent
from goodmeasure.frameworks.torch_fused import HALF, fuses, is_rounded, swept, work_on
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords

# Raw outputs at a time: enough to keep matrix products busy, and few beside what they are made of.
CHUNK = {"cpu": 1 << 22, "cuda": 1 << 24}


@strict_keywords
def linear_loss(
    loss: Loss,
    hidden: torch.Tensor,
    weight: torch.Tensor,
    targets: torch.Tensor,
    bias: torch.Tensor | None = None,
    *,
    token_weight: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    z_loss: float = 0.0,
    softcap: float | None = None,
    reduction: str = "mean",
    denominator: float | torch.Tensor | Named | None = None,
) -> torch.Tensor:
    """Measure ``hidden @ weight.T + bias`` by any loss of classes, without making the table of raw outputs.

    Rows are taken a chunk at a time, and the gradients of ``hidden``, ``weight`` and ``bias`` are found on the way: of a
    large vocabulary neither raw outputs nor their gradient are ever kept. Second derivatives, ``torch.func`` and
    compiled graphs take the undivided formula. Under autocast matrix products are in its precision, the loss in single.

    Args:
        loss: a loss of classes with its class weights, such as ``gm.losses.focal()``.
        hidden: what the layer takes, (n, features) or (..., features).
        weight: the weight of the layer, (K, features), a row a class.
        targets: class indices, (n,) or (...), or shares of classes, (n, K) or (..., K).
        bias: the bias of the layer, (K,).
        token_weight: what multiplies the loss of each example, (n,) or (...).
        mask: True where an example counts, (n,) or (...).
        ignore_index: a target of this value does not count.
        label_smoothing: the part of every target that is spread over all classes alike, from 0 to less than 1.
        z_loss: times the square of the logarithm of the softmax denominator, which is added to the loss of each example.
        softcap: raw outputs are ``softcap * tanh(raw / softcap)``; None for as they are.
        reduction: "mean" or "sum".
        denominator: what a mean divides by: a number, a tensor of one, (), or "counted", "rows" or "weights" as in
            `goodmeasure.to_torch`; 0 where nothing counts.

    Returns:
        The mean or the sum, a scalar.

    Raises:
        GM003: the shapes of hidden, weight, bias, targets, token weights or mask do not go together.
        GM004: a target lies outside the domain of the loss.
        GM006: a weight is negative or not finite, or a mask does not hold True and False.
        GM007: the loss is none of classes.
        GM009: an option lies outside its domain, or something is no tensor.

    Source:
        Wijmans et al. 2024, Cut your losses in large-vocabulary language models; Chowdhery et al. 2022, PaLM (z-loss).

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> hidden, weight = torch.eye(2), torch.tensor([[2.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        >>> gm.linear_loss(gm.losses.cross_entropy(), hidden, weight, torch.tensor([0, 1]))
        tensor(0.3955)
    """
    _check_options(loss, label_smoothing, z_loss, softcap, reduction)
    optional = ("bias", "token_weight", "mask")
    only_tensors(
        loss, optional, hidden=hidden, weight=weight, targets=targets, bias=bias, token_weight=token_weight, mask=mask
    )
    program, smoothing = _program(loss, label_smoothing, float(z_loss))
    rows = _rows(program.loss, hidden, weight, bias)
    outputs = hidden.detach().new_empty(()).expand(*rows, len(weight))  # their shape and dtype alone
    check(program, outputs, targets)
    is_shares = targets.ndim == outputs.ndim
    kept = wanted(targets, None if is_shares else ignore_index, mask)
    present = None
    if token_weight is not None or kept is not None:
        present = present_of(outputs, rows, token_weight, kept, "token_weight")
    try:
        refuse_targets(program.loss, outputs, targets, present)
    except TargetOutsideDomain as problem:
        call = "gm.linear_loss(loss, hidden, weight, targets, ignore_index={})"
        raise told(problem, loss, outputs, targets, call) from None
    count = divisor(program, outputs, targets, token_weight, present, reduction, denominator)
    flat = _Tokens(
        targets.reshape(-1, len(weight)) if is_shares else targets.reshape(-1),
        None if token_weight is None else token_weight.reshape(-1),
        None if present is None else present.reshape(-1),
        count,
    )
    return _measured(_Head(program, smoothing, softcap), hidden.reshape(-1, hidden.shape[-1]), weight, bias, flat)


def _check_options(loss: Loss, label_smoothing: float, z_loss: float, softcap: float | None, reduction: str) -> None:
    if not loss.is_classwise:
        raise NoSuchReading(
            f"{loss} is no loss of classes", seen=f"its target is {loss.target}", fix="to_torch(loss)(layer(hidden), y)"
        )
    check_smoothing(loss, label_smoothing)
    if reduction not in ("mean", "sum"):
        raise UsageError(f"reduction={reduction!r} is none of mean and sum", fix="reduction='mean'")
    if isinstance(z_loss, bool) or not 0 <= z_loss < float("inf"):
        raise UsageError(f"z_loss={shorter(z_loss)} is negative or not finite", fix="z_loss=1e-4")
    if softcap is not None and (isinstance(softcap, bool) or not 0 < softcap < float("inf")):
        raise UsageError(f"softcap={shorter(softcap)} is not positive and finite", fix="softcap=30.0")


@lru_cache(maxsize=64)
def _program(loss: Loss, label_smoothing: float, z_loss: float) -> tuple[Program, float]:
    """The functions of a loss with what is added to it, and how much of the targets is left to be spread."""
    loss, smoothing = smoothed_loss(loss, label_smoothing)
    if z_loss:
        book = loss.book + z_loss * symbol("log_z") ** 2
        spelling = Spelling(f"{loss} + {z_loss} * log_z**2", loss.activation, "sum")
        loss = replace(loss, book=book, spelling=spelling)
    return Program(loss), smoothing


def _rows(loss: Loss, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> tuple[int, ...]:
    """The shape of the examples."""
    fits = hidden.ndim > 0 and weight.ndim == 2 and hidden.shape[-1] == weight.shape[1]
    if not fits or (bias is not None and bias.shape != weight.shape[:1]):
        shown = f", bias {tuple(bias.shape)}" if bias is not None else ""
        raise ShapeMismatch(
            f"{loss} of a linear layer takes hidden (..., features), weight (classes, features) and bias (classes,)",
            seen=f"hidden {tuple(hidden.shape)}, weight {tuple(weight.shape)}{shown}",
            fix="linear_loss(loss, hidden, layer.weight, targets, layer.bias)",
        )
    return tuple(hidden.shape[:-1])


class _Tokens(NamedTuple):
    """Targets, weights and presence of examples in a row, and what the sum of their losses is divided by."""

    targets: torch.Tensor
    weight: torch.Tensor | None
    present: torch.Tensor | None
    divisor: float | torch.Tensor

    def there(self, hidden: torch.Tensor) -> torch.Tensor:
        """What the layer takes, with zeros in place of what is absent: times a gradient of zero NaN would still be NaN."""
        return hidden if self.present is None else torch.where(self.present[:, None], hidden, 0.0)

    def part(self, rows: slice) -> _Tokens:
        """Those of some rows; the denominator is that of all."""
        weight, present = (None if each is None else each[rows] for each in (self.weight, self.present))
        return _Tokens(self.targets[rows], weight, present, self.divisor)


class _Gradients(NamedTuple):
    """Derivatives of the loss by what the layer takes and by its weights; None where they are not wanted."""

    hidden: torch.Tensor | None
    weight: torch.Tensor | None
    bias: torch.Tensor | None

    @property
    def any(self) -> bool:
        return any(each is not None for each in self)

    def part(self, rows: slice) -> _Gradients:
        """The gradients that some rows add to."""
        return self if self.hidden is None else self._replace(hidden=self.hidden[rows])

    def rounded(self, hidden: torch.dtype, weight: torch.dtype) -> _Gradients:
        """The gradients in the dtypes of what they are of."""
        dtypes = (hidden, weight, weight)
        return _Gradients(*(None if g is None else g.to(dtype) for g, dtype in zip(self, dtypes, strict=True)))


@dataclass(frozen=True)
class _Head:
    """What is done to the raw outputs of the layer."""

    program: Program
    smoothing: float
    softcap: float | None

    def undivided(
        self, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, tokens: _Tokens
    ) -> torch.Tensor:
        """The loss in operations that torch differentiates as often as asked, on the whole table of raw outputs."""
        raw = _computed(torch.nn.functional.linear(tokens.there(hidden), weight, bias))
        if self.softcap is not None:
            raw = self.softcap * torch.tanh(raw / self.softcap)
        return self._sum(raw, tokens) / tokens.divisor

    def _sum(self, raw: torch.Tensor, tokens: _Tokens) -> torch.Tensor:
        targets, present = self._targets(raw, tokens), tokens.present
        if present is not None:
            raw, targets = without_absent(self.program, raw, targets, present)
        values = values_of(self.program, targets, raw)
        values = values if tokens.weight is None else values * tokens.weight.to(values.dtype)
        return (values if present is None else torch.where(present, values, 0.0)).sum()

    def _targets(self, raw: torch.Tensor, tokens: _Tokens) -> torch.Tensor:
        if self.smoothing:
            return smoothed(self.program, raw, tokens.targets, tokens.present, self.smoothing)
        return tokens.targets.to(raw.dtype) if tokens.targets.ndim == raw.ndim else tokens.targets

    def chunk(
        self, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, tokens: _Tokens, signal: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The sum of the losses of some rows over the denominator, and its derivative by the raw outputs of the layer."""
        raw, slope = _computed(torch.nn.functional.linear(hidden, weight, bias)), None
        if self.softcap is not None:
            raw.div_(self.softcap)
            slope = torch.cosh(raw).pow_(-2) if signal else None
            raw.tanh_().mul_(self.softcap)
        total, found = self._signal(raw, tokens) if signal else (self._sum(raw, tokens) / tokens.divisor, None)
        return total, found if slope is None or found is None else found.mul_(slope)

    def _signal(self, raw: torch.Tensor, tokens: _Tokens) -> tuple[torch.Tensor, torch.Tensor | None]:
        targets, present = self._targets(raw, tokens), tokens.present
        if fuses(self.program, raw, targets):
            _, work = work_on(raw, targets, tokens.weight, present, 1 / float(tokens.divisor))
            return swept(self.program.loss, raw, work, signal=True)
        if present is not None:
            raw, targets = without_absent(self.program, raw, targets, present)
        share = torch.ones(len(raw), dtype=raw.dtype, device=raw.device) / tokens.divisor
        share = share if tokens.weight is None else share * tokens.weight.to(raw.dtype)
        share = (share if present is None else torch.where(present, share, 0.0)).to(raw.dtype)
        total = (values_of(self.program, targets, raw) * share).sum()
        return total, signals_of(self.program, targets, raw).mul_(spread(share, raw))


def _computed(raw: torch.Tensor) -> torch.Tensor:
    """Raw outputs in the precision that losses are computed in."""
    return raw.float() if raw.dtype in HALF else raw


def _measured(
    head: _Head, hidden: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, tokens: _Tokens
) -> torch.Tensor:
    transformed = torch.compiler.is_compiling() or torch._C._are_functorch_transforms_active()
    learned = tokens.weight is not None and tokens.weight.requires_grad
    if transformed or hidden.is_meta or learned or torch.autograd.forward_ad._current_level >= 0:
        total = head.undivided(hidden, weight, bias, tokens)
    else:
        total = _Linear.apply(hidden, weight, bias, head, tokens)
    return total.to(hidden.dtype) if is_rounded(hidden) else total


class _Linear(torch.autograd.Function):  # type: ignore[misc]
    """The loss of a linear layer, with gradients that are found in the forward pass."""

    @staticmethod
    def forward(ctx: Any, hidden: Any, weight: Any, bias: Any, head: _Head, tokens: _Tokens) -> torch.Tensor:
        ctx.head, ctx.tokens = head, tokens
        ctx.save_for_backward(hidden, weight, bias)
        total, ctx.gradients = _pass(head, hidden, weight, bias, tokens, ctx.needs_input_grad[:3])
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        hidden, weight, bias = given = ctx.saved_tensors
        if torch.is_grad_enabled():
            return *_again(ctx, given, upstream), None, None
        gradients, ctx.gradients = ctx.gradients, None
        if gradients is None:  # a graph that is kept is walked again
            gradients = _pass(ctx.head, hidden, weight, bias, ctx.tokens, ctx.needs_input_grad[:3])[1]
        return *(None if g is None else g.mul_(upstream.to(g.dtype)) for g in gradients), None, None


def _again(ctx: Any, given: Any, upstream: torch.Tensor) -> Iterator[torch.Tensor | None]:
    """Gradients that can be differentiated again."""
    total = ctx.head.undivided(*given, ctx.tokens)
    wanted = [each for each, needed in zip(given, ctx.needs_input_grad, strict=False) if needed]
    found = iter(torch.autograd.grad(total, wanted, upstream, create_graph=True))
    return (next(found) if needed else None for needed in ctx.needs_input_grad[:3])


def _pass(
    head: _Head,
    hidden: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    tokens: _Tokens,
    wanted: Sequence[bool],
) -> tuple[torch.Tensor, _Gradients]:
    """One pass over the rows, a chunk at a time: the loss and the gradients that are wanted."""
    device = hidden.device.type
    dtype = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else hidden.dtype
    found = _Gradients(*map(_zeros, (hidden, weight, bias), wanted))
    value = hidden.new_zeros((), dtype=torch.float64)
    with torch.no_grad(), torch.autocast(device, enabled=False):
        layer = weight.to(dtype), None if bias is None else bias.to(dtype)
        for rows in _chunks(hidden, weight):
            part = tokens.part(rows)
            value += _chunk(head, part.there(hidden[rows]).to(dtype), layer, part, found.part(rows))
    return value.to(_computed(hidden[:0]).dtype), found.rounded(hidden.dtype, weight.dtype)


def _zeros(like: torch.Tensor | None, wanted: bool) -> torch.Tensor | None:
    """Where a gradient is added up: of half precision in single."""
    if like is None or not wanted:
        return None
    return torch.zeros_like(like, dtype=torch.float32 if like.dtype in HALF else like.dtype)


def _chunks(hidden: torch.Tensor, weight: torch.Tensor) -> Iterator[slice]:
    rows = max(CHUNK.get(hidden.device.type, CHUNK["cuda"]) // max(len(weight), 1), 1)
    return (slice(start, min(start + rows, len(hidden))) for start in range(0, len(hidden), rows))


def _chunk(
    head: _Head,
    hidden: torch.Tensor,
    layer: tuple[torch.Tensor, torch.Tensor | None],
    tokens: _Tokens,
    found: _Gradients,
) -> torch.Tensor:
    """The loss of the rows of a chunk; what they add to the gradients is added. Nothing of its size is left."""
    total, signal = head.chunk(hidden, *layer, tokens, signal=found.any)
    if signal is None:
        return total
    if found.bias is not None:
        found.bias.add_(signal.sum(0))
    signal = signal.to(hidden.dtype)
    if found.hidden is not None:
        found.hidden.copy_(signal @ layer[0])
    if found.weight is not None and found.weight.dtype == signal.dtype:
        found.weight.addmm_(signal.T, hidden)
    elif found.weight is not None:
        found.weight.add_(signal.T @ hidden)
    return total
