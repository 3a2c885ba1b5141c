"""Sequences of tokens: how labels relate to inputs, where padding lies, and what the loss does there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.contracts import Contracts, LossCall
from goodmeasure.auditing.evidence.crosstalk import Crosstalk
from goodmeasure.auditing.evidence.layout import Layout
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import World


@dataclass
class Tokens:
    """Integer sequences among inputs and targets."""

    contracts: Contracts
    layout: Layout
    inputs: list[torch.Tensor]
    task: str
    crosstalk: Crosstalk | None

    @classmethod
    def gather(cls, dossier: Dossier) -> Tokens:
        world = dossier.get(World).given
        targets = list(tensors_in(world.get("targets")))
        sequences = [
            t
            for t in tensors_in(world.get("inputs"))
            if t.dim() == 2 and not t.is_floating_point() and t.dtype != torch.bool
        ]
        # Some models are given their labels, and may hand them to the loss in a row.
        sequences = [t for t in sequences if not any(_same(t, target) for target in targets)] or sequences
        task = dossier.case.task
        return cls(dossier.get(Contracts), dossier.get(Layout), sequences, task, dossier.find(Crosstalk))

    def total_shifts(self) -> Iterator[tuple[LossCall, int, int]]:
        """Loss calls that score another token than the next: the call, the shift in the wiring, the shift in all."""
        for call, ahead, labels in self.layout.shifts():
            found = self._data_shift(labels)
            if found is None:
                continue
            tokens, base = found
            total = base + ahead
            if total >= 2 or total < 0 or (total == 0 and self._reads_forward(tokens)):
                yield call, ahead, total

    def _reads_forward(self, tokens: torch.Tensor) -> bool:
        """Whether the model is one that predicts what comes: it says so, or each output knows earlier inputs alone."""
        if self.task:
            return self.task in ("language_model", "causal_lm")
        return self.crosstalk is not None and self.crosstalk.one_way(tokens)

    def _data_shift(self, labels: Node) -> tuple[torch.Tensor, int] | None:
        """The input that these labels were made from, and how far they run ahead of it, by value; ``None`` where there is
        none."""
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
                    return tokens, shift
        return None


def _same(tokens: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether these are the targets, in whatever shape."""
    return tokens is target or (tokens.numel() == target.numel() and torch.equal(tokens.flatten(), target.flatten()))
