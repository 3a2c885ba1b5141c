"""Sequences of tokens: how labels relate to inputs, where padding lies, and what the loss does there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.contracts import Contracts, LossCall
from goodmeasure.auditing.evidence.layout import Layout
from goodmeasure.auditing.evidence.leaves import leaves
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import World, as_call
from goodmeasure.auditing.isolate import untouched

_NEXT = ("language_model", "causal_lm")  # tasks of the next token


@dataclass
class Tokens:
    """Integer sequences among inputs and targets."""

    contracts: Contracts
    layout: Layout
    inputs: list[torch.Tensor]
    task: str
    model: Any
    whole: Any  # the inputs as the model takes them

    @classmethod
    def gather(cls, dossier: Dossier) -> Tokens:
        world = dossier.get(World).given
        sequences = [
            t
            for t in tensors_in(world.get("inputs"))
            if t.dim() == 2 and not t.is_floating_point() and t.dtype != torch.bool
        ]
        return cls(
            dossier.get(Contracts), dossier.get(Layout), sequences, dossier.case.task, world["model"], world["inputs"]
        )

    def _causal(self) -> bool:
        """Whether an output depends on its own token and on those before it, and on none that comes later."""
        if len(self.inputs) != 1 or not isinstance(self.model, torch.nn.Module) or self.inputs[0].shape[1] < 4:
            return False
        tokens, half = self.inputs[0], self.inputs[0].shape[1] // 2
        other = torch.cat([tokens[:, :half], tokens[:, half:].roll(1, 0)], 1)
        one, two = (self._said(tokens), self._said(other))
        if one is None or two is None or one.shape[:2] != tokens.shape or bool((tokens == other).all()):
            return False
        changed = (one - two).abs().flatten(2).amax(2) > 1e-6
        return not bool(changed[:, :half].any()) and bool(changed[:, half:][tokens[:, half:] != other[:, half:]].all())

    def _said(self, tokens: torch.Tensor) -> torch.Tensor | None:
        args, kwargs = as_call(self.whole)
        held = self.inputs[0]
        with untouched(self.model), torch.no_grad():
            self.model.eval()
            try:
                said = self.model(
                    *(tokens if part is held else part for part in args),
                    **{name: tokens if part is held else part for name, part in kwargs.items()},
                )
            except Exception:  # the model refuses a probe
                return None
        found = [tensor for _, tensor in leaves(said) if tensor.dim() == 3]
        return found[0] if len(found) == 1 else None

    def total_shifts(self) -> Iterator[tuple[LossCall, int, int]]:
        """Loss calls that score another token than the next: the call, the shift in the wiring, the shift in all."""
        for call, ahead, labels in self.layout.shifts():
            base = self._data_shift(labels)
            if base is None:
                continue
            total = base + ahead
            if total >= 2 or total < 0 or (total == 0 and (self.task in _NEXT or (not self.task and self._causal()))):
                yield call, ahead, total

    def _data_shift(self, labels: Node) -> int | None:
        """How far these labels run ahead of an input they were made from, by value; ``None`` where they were not."""
        values = labels.value
        if values.dim() != 2 or values.shape[1] < 3:
            return None
        for tokens in self.inputs:
            if tokens.shape[0] != values.shape[0] or len(torch.unique(tokens)) < 4:
                continue
            for shift in range(3):
                a, b = tokens[:, shift:], values[:, : values.shape[1] - shift if shift else None]
                width = min(a.shape[1], b.shape[1])
                known = b[:, :width] >= 0
                if width >= 2 and bool(known.any()) and bool((a[:, :width] == b[:, :width])[known].all()):
                    return shift
        return None
