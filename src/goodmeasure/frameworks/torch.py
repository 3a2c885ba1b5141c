"""Losses as torch modules: the fused kernel on the CPU, the derived formula everywhere else.

The gradient that torch sees is the derived signal, not what differentiating the value's operations would give, so it is exact
in the tails and has no NaN where an unused branch overflows. It can be differentiated again, mapped and compiled.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from goodmeasure.errors import Problem, TargetOutsideDomain, UsageError
from goodmeasure.frameworks.torch_arguments import check, known, only_tensors, present_of, refuse_targets, wanted
from goodmeasure.frameworks.torch_conventions import (
    Read,
    Weights,
    buffer,
    check_smoothing,
    smoothed,
    smoothed_loss,
    told,
    with_weights,
)
from goodmeasure.frameworks.torch_denominators import NAMED, Named, check_denominator, counted, divisor
from goodmeasure.frameworks.torch_derivatives import program_of, values_of, without_absent
from goodmeasure.frameworks.torch_direct import Direct
from goodmeasure.frameworks.torch_fused import HALF, Work, as_one_node, fused, fuses, is_rounded, is_traced, work_on
from goodmeasure.frameworks.torch_operators import name_of, operated
from goodmeasure.making.loss import Loss
from goodmeasure.strict.calls import strict_keywords

_WEIGHTS = ("weight", "pos_weight")
_GIVEN = ("loss", "reduction", "denominator", "weight", "pos_weight", "ignore_index", "label_smoothing")


@strict_keywords
def to_torch(
    loss: Loss,
    *,
    reduction: str = "mean",
    denominator: float | Named | None = None,
    weight: Weights = None,
    pos_weight: Weights = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> TorchLoss:
    """Use a loss in torch: a module that is called like every torch loss, with raw outputs first.

    The gradient is the derived signal, exact in the tails, and can be differentiated again.

    Args:
        loss: the loss, such as ``gm.losses.focal(gamma=2.0)``.
        reduction: "mean", "sum" or "none". The mean divides by the number of examples that count, never by their
            weights: a batch that did would undo them.
        denominator: what a mean divides by in place of that number: a constant of the run; "rows" for all examples, absent
            ones too, as ``BCEWithLogitsLoss(weight=)`` does; or "weights" for the sum of their weights and those of their
            classes, as ``CrossEntropyLoss(weight=)`` does. "counted" is the default.
        weight: how much each class counts, (K,).
        pos_weight: how many times as much as a no a yes counts; several numbers are one a label, (K,).
        ignore_index: a target of this value does not count.
        label_smoothing: the part of every target that is spread over all outcomes alike, from 0 to less than 1.

    Returns:
        A module, called as ``criterion(input, target, weight=None, mask=None, denominator=None)``.

    Raises:
        GM002: a weight is not positive and finite.
        GM009: there is no such reduction, the denominator is not positive or not of a mean, or the loss has no classes to
            weight or labels to smooth.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> criterion = gm.to_torch(gm.losses.huber(delta=2.0))
        >>> z = torch.tensor([1.5, 2.0], requires_grad=True)
        >>> criterion(z, torch.tensor([1.0, 30.0])).backward()
        >>> z.grad  # the far one pulls by delta and no more
        tensor([ 0.2500, -1.0000])
    """
    return TorchLoss(loss, reduction, denominator, weight, pos_weight, ignore_index, label_smoothing)


class TorchLoss(torch.nn.Module):  # type: ignore[misc]
    """A loss as a torch module; `to_torch` makes it.

    ``state_dict`` holds the weights of classes and of a yes, as those of torch's losses do. What is computed follows the
    attributes when they are set, and the weights whatever writes into them; a compiled graph cannot follow, and is NaN.

    Attributes:
        loss: the loss, as it was given.
        reduction: "mean", "sum" or "none".
        denominator: what the sum is divided by in place of the number of examples that count; None for that number.
        weight: how much each class counts, (K,); None for all alike.
        pos_weight: how many times as much as a no a yes counts, one number or one a label, (K,); None for as much.
        ignore_index: the target that does not count; None for no such target.
        label_smoothing: the part of every target that is spread over all outcomes alike.

    Raises:
        GM002: a weight is not positive and finite.
        GM009: there is no such reduction, the denominator is not positive or not of a mean, or the loss has no classes to
            weight or labels to smooth.

    Example:
        >>> import goodmeasure as gm
        >>> gm.to_torch(gm.losses.huber(delta=2.0), reduction="sum")
        TorchLoss(huber(delta=2.0), reduction='sum')
    """

    def __init__(
        self,
        loss: Loss,
        reduction: str = "mean",
        denominator: float | Named | None = None,
        weight: Weights = None,
        pos_weight: Weights = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        self.loss, self.reduction, self.denominator = loss, reduction, denominator
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing
        self.register_buffer("weight", buffer(weight))
        self.register_buffer("pos_weight", buffer(pos_weight))
        self._settle()

    def __setattr__(self, name: str, value: Any) -> None:
        """Attributes can be set, as those of torch's losses can: what is computed follows them."""
        before = getattr(self, name, None)
        super().__setattr__(name, value)
        if name not in _GIVEN or "_program" not in self.__dict__:
            return
        try:
            self._settle()
        except Problem:
            super().__setattr__(name, before)
            raise

    def _settle(self) -> None:
        """Print what is computed: the loss with its weights, and with its smoothing where the formula has a place for it."""
        if self.reduction not in ("mean", "sum", "none"):
            raise UsageError(f"reduction={self.reduction!r} is none of mean, sum and none", fix="reduction='mean'")
        check_denominator(self.denominator, self.reduction)
        check_smoothing(self.loss, self.label_smoothing)
        weights = {name: each for name in _WEIGHTS if (each := self._buffers[name]) is not None}
        whole_loss = with_weights(self.loss, **{k: each for k, each in weights.items() if not each.is_meta})
        whole_loss, self._smoothing = smoothed_loss(whole_loss, self.label_smoothing)
        self._program, self._name = program_of(whole_loss), name_of(whole_loss)
        has_parts = self._program.wide and not self._program.classwise
        counts_others = self.ignore_index is not None or self.denominator == "weights"
        is_plain = not (has_parts or self._program.labels or self._smoothing or counts_others)
        constant = self.denominator if isinstance(self.denominator, int | float) else None
        self._direct = Direct(self._program, self.reduction, constant) if is_plain else None
        self._in_graph = as_one_node(self._reduced)
        self._computed = f"{self._name} {self._smoothing} {self.reduction}"
        self._read = {name: Read.of(each) for name, each in weights.items()}

    def extra_repr(self) -> str:
        """What differs from the defaults, as the module is printed."""
        given = {name: getattr(self, name) for name in ("denominator", "weight", "pos_weight", "ignore_index")}
        given |= {"label_smoothing": self.label_smoothing or None}
        shown = {name: each.tolist() if isinstance(each, torch.Tensor) else each for name, each in given.items()}
        more = [f"{name}={each!r}" for name, each in shown.items() if each is not None]
        return ", ".join([str(self.loss), f"reduction={self.reduction!r}", *more])

    def __getstate__(self) -> dict[str, Any]:
        """Without the printed functions, which are printed again."""
        return {
            k: v
            for k, v in self.__dict__.items()
            if k not in ("_program", "_name", "_computed", "_direct", "_in_graph", "_read")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._settle()

    def _load_from_state_dict(self, *given: Any) -> None:
        """Take weights that were saved, of which the formulas are printed again."""
        super()._load_from_state_dict(*given)
        self._settle()

    def _follow(self) -> None:
        """Print anew what is computed where a weight is no longer what was read of it, whoever wrote or moved it."""
        if any(not read.holds(self._buffers[name]) for name, read in self._read.items()):
            self._settle()

    def _unless_changed(self, result: torch.Tensor) -> torch.Tensor:
        for name, read in self._read.items():
            result = read.unless_changed(self._buffers[name], result)
        return result

    def count(
        self, target: torch.Tensor, weight: torch.Tensor | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Count what a mean over these examples divides by; counts of micro-batches and ranks add up.

        Args:
            target: targets, (n,), (n, ...) class indices as whole numbers, or (n, K, ...) class probabilities.
            weight: what multiplies the loss of each example, (n,) or (n, ...).
            mask: True where an example counts, (n,) or (n, ...).

        Returns:
            The number of examples that count, or what else ``denominator`` names; not waited for on an accelerator.

        Raises:
            GM009: the denominator is a constant of the run, which counts nothing, or something is no tensor.

        Example:
            >>> import goodmeasure as gm
            >>> import torch
            >>> gm.to_torch(gm.losses.cross_entropy(), ignore_index=-100).count(torch.tensor([2, -100, 0]))
            tensor(2)
        """
        only_tensors(self.loss, ("weight", "mask"), target=target, weight=weight, mask=mask)
        by = self.denominator or "counted"
        if by not in NAMED:
            raise UsageError(f"denominator={by!r} is a constant: there is nothing to count", fix="to_torch(loss)")
        is_shares = self._program.classwise and target.is_floating_point() and target.ndim > 1
        target = target.movedim(1, -1) if is_shares else target
        rows = tuple(target.shape[:-1] if is_shares else target.shape)
        present = present_of(target, rows, weight, self._wanted(target, is_shares, mask))
        return counted(self._program, target, is_shares, weight, present, by)

    def _wanted(self, target: torch.Tensor, is_shares: bool, mask: torch.Tensor | None) -> torch.Tensor | None:
        """The mask, without the targets to be ignored; shares of classes have no index."""
        return wanted(target, None if is_shares else self.ignore_index, mask)

    def forward(
        self,
        input: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        denominator: float | torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Measure a batch.

        What is absent contributes nothing to value and gradient, whatever it holds; over nothing at all the mean is 0.

        Args:
            input: raw outputs, (n,) or (n, K, ...) with classes on axis 1 as in torch, or (n, outputs) of a loss with
                several; half, single or double.
            target: targets, (n,), (n, ...) class indices, or (n, K, ...) class probabilities.
            weight: what multiplies the loss of each example, (n,) or (n, ...).
            mask: True where an example counts, (n,) or (n, ...).
            denominator: what the sum is divided by this time, a number or a tensor of one, (): how many examples
                count in the whole step, over all its micro-batches and ranks (see `count` and `global_denominator`). 0 is
                that of a step in which none does: it costs nothing. Where it cannot be looked at, in a graph, the loss is
                NaN where it is no denominator.

        Returns:
            The reduced loss, a scalar; with reduction "none" one loss an example, (n,) or (n, ...).

        Raises:
            GM003: the shapes of input, target, weight or mask do not go together; nothing is broadcast.
            GM004: a target lies outside the domain of the loss.
            GM006: a weight is negative or not finite, or a mask does not hold True and False.
            GM009: something is no tensor, the input holds whole numbers, the target requires a gradient, or a denominator
                is negative, not finite, not of a mean, or 0 although examples count.
        """
        in_graph = bool(self._read) and not known(input)
        if self._read and not in_graph:
            self._follow()
        raw, program = input, self._program
        if self._direct is not None and weight is mask is denominator is None and not torch.compiler.is_compiling():
            found = self._direct(input, target)
            if found is not None:
                return found
        only_tensors(self.loss, ("weight", "mask"), input=input, target=target, weight=weight, mask=mask)
        first = tuple(input.shape) if program.classwise and input.ndim > 2 else None
        if first is not None:
            raw = input.movedim(1, -1)
            target = target.movedim(1, -1) if target.ndim == input.ndim else target
        rows, present = check(program, raw, target, first), None
        if weight is not None or mask is not None or self.ignore_index is not None:
            is_shares = program.classwise and target.ndim == raw.ndim
            present = present_of(raw, rows, weight, self._wanted(target, is_shares, mask))
        given = self.denominator if denominator is None else denominator
        count = divisor(program, raw, target, weight, present, self.reduction, given)
        # Half precision is computed in single and rounded once; under autocast it stays single, as torch's own losses do.
        computed = raw.float() if raw.dtype in HALF else raw
        kernel = fuses(program, computed, target)
        found = (computed, target, weight, present, count, kernel)
        try:
            # A graph takes the formula as one function: stepped into, each name that it reads is looked at again in every call.
            is_node = is_traced() and not kernel
            result = self._in_graph(self._computed, *found) if is_node else self._reduced(*found)
        except TargetOutsideDomain as problem:
            raise told(problem, self.loss, raw, target) from None
        result = self._unless_changed(result) if in_graph else result
        return result.to(input.dtype) if is_rounded(input) else result

    def _reduced(
        self,
        raw: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        present: torch.Tensor | None,
        count: float | torch.Tensor,
        kernel: bool,
    ) -> torch.Tensor:
        """The loss of examples that were checked, divided by ``count``, by the kernel or the formula."""
        if self._smoothing:
            refuse_targets(self._program.loss, raw, target, present)
            target = smoothed(self._program, raw, target, present, self._smoothing)
        if self.reduction == "none":
            return self._values(raw, target, weight, present, kernel)
        # The kernel knows no derivative by the weights.
        if not kernel or (weight is not None and weight.requires_grad):
            return self._values(raw, target, weight, present, kernel).sum() / count
        # In a graph the count is no number yet, and the kernel takes numbers: it is divided by afterwards.
        if torch.compiler.is_compiling() and isinstance(count, torch.Tensor):
            return self._fused(*work_on(raw, target, weight, present, 1.0)) / count
        return self._fused(*work_on(raw, target, weight, present, 1 / float(count)))

    def _fused(self, raw: torch.Tensor, work: Work) -> torch.Tensor:
        """What the kernel finds."""
        if torch.compiler.is_compiling():
            return operated(raw, work, self._name)
        return fused(self._program, raw, work)

    def _values(
        self,
        raw: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        present: torch.Tensor | None,
        kernel: bool,
    ) -> torch.Tensor:
        """The weighted loss of each example, by the kernel or the formula."""
        values = (
            self._fused(*work_on(raw, target, None, present, None))
            if kernel
            else self._by_formula(raw, target, present)
        )
        if weight is not None:
            values = values * weight.to(values.dtype)
        return values if present is None else torch.where(present, values, 0.0)

    def _by_formula(self, raw: torch.Tensor, target: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
        if self._program.classwise and target.ndim == raw.ndim:
            target = target.to(raw.dtype)
        refuse_targets(self._program.loss, raw, target, present)
        if present is not None:
            raw, target = without_absent(self._program, raw, target, present)
        return values_of(self._program, target, raw)


@strict_keywords
def torch_loss(
    loss: Loss,
    input: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
    *,
    reduction: str = "mean",
    denominator: float | torch.Tensor | Named | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
) -> torch.Tensor:
    """Measure a batch of tensors without making a module first: the functional form of `to_torch`.

    Its module is made at the first call and kept. In a compiled graph call a module that was made outside.

    Args:
        loss: the loss; weights of classes and of a yes are its own (``gm.weighted``).
        input: raw outputs, (n,) or (n, K, ...) with classes on axis 1, or (n, outputs) of a loss with several.
        target: targets, (n,), (n, ...) class indices, or (n, K, ...) class probabilities.
        weight: what multiplies the loss of each example, (n,) or (n, ...).
        mask: True where an example counts, (n,) or (n, ...).
        reduction: "mean", "sum" or "none".
        denominator: what a mean divides by: a number, a tensor of one, (), or "counted", "rows" or "weights" as in
            `to_torch`; 0 where nothing counts.
        ignore_index: a target of this value does not count.
        label_smoothing: the part of every target that is spread over all outcomes alike, from 0 to less than 1.

    Returns:
        The reduced loss, a scalar; with reduction "none" one loss an example, (n,) or (n, ...).

    Raises:
        GM003: the shapes of input, target, weight or mask do not go together; nothing is broadcast.
        GM004: a target lies outside the domain of the loss.
        GM006: a weight is negative or not finite, or a mask does not hold True and False.
        GM009: an option is none that `to_torch` takes, or something is no tensor.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> gm.torch_loss(gm.losses.squared_error(), torch.tensor([1.0, 4.0]), torch.tensor([1.0, 2.0]))
        tensor(2.)
    """
    named = denominator if isinstance(denominator, str) else None
    number = None if isinstance(denominator, str) else denominator
    return _kept(loss, reduction, named, ignore_index, label_smoothing)(input, target, weight, mask, number)


@lru_cache(maxsize=128)
def _kept(loss: Loss, reduction: str, named: Any, ignore_index: int | None, label_smoothing: float) -> TorchLoss:
    return TorchLoss(loss, reduction, named, None, None, ignore_index, label_smoothing)
