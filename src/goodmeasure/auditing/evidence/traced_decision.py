"""The declared decision: at which scores it turns, on which scale it compares, and whether it gets perfect outputs
right."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import Contracts, log_simplex, place, simplex
from goodmeasure.auditing.evidence.keras_fit import KerasFit
from goodmeasure.auditing.evidence.trace import Node
from goodmeasure.auditing.evidence.wiring import World

_COMPARE = ("gt", "ge", "lt", "le")


@dataclass
class TracedDecision:
    """``decide(output)`` traced once and then asked about outputs of known meaning."""

    decide: Any
    output: torch.Tensor
    targets: torch.Tensor
    contracts: Contracts
    node: Node
    threshold: float | None
    numpy: bool
    compared: list[Node]

    @classmethod
    def gather(cls, dossier: Dossier) -> TracedDecision:
        decide, targets = dossier.case.need("decide", "targets")
        keras = dossier.find(KerasFit)
        contracts = dossier.get(Contracts)
        outputs = contracts.wiring.outputs
        if len(outputs) != 1:
            raise Unavailable("the model has several outputs")
        decide = dossier.get(World).given["decide"]
        threshold = dossier.case.get("threshold")
        node = outputs[0][1]
        targets = targets if isinstance(targets, torch.Tensor) else torch.as_tensor(np.asarray(targets))
        found = cls(
            decide,
            node.value,
            targets,
            contracts,
            node,
            threshold if isinstance(threshold, (int, float)) else None,
            bool(keras),
            [],
        )
        found._trace()
        return found

    def _trace(self) -> None:
        trace = self.contracts.wiring.trace
        trace.stage = "decide"
        count = len(trace.nodes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with trace:
                    self.decide(self.contracts.wiring.output)
            except Exception:  # a decision on arrays: asked as a black box below
                self.numpy = True
        self.compared = [node for node in trace.nodes[count:] if node.op in (*_COMPARE, "round")]

    def said(self, output: torch.Tensor) -> torch.Tensor | None:
        """The labels that the decision gives to this output."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                result = self.decide(output.numpy() if self.numpy else output)
            except Exception:  # the program refuses a probe
                return None
        if isinstance(result, torch.Tensor):
            return result
        labels = np.asarray(result)
        return torch.as_tensor(labels) if labels.dtype.kind in "fiub" else None  # names of classes are no numbers

    @property
    def raw(self) -> bool:
        """Whether the output is a raw score: nothing bounds it, and the loss applies its own activation."""
        if self.contracts.of("binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"):
            return self.contracts.range(self.node)[0] < 0
        return self.contracts.unbounded(self.node)

    @property
    def yes_no(self) -> bool:
        """Whether targets are 0 and 1, one for each output."""
        hard = bool(((self.targets == 0) | (self.targets == 1)).all())
        # Two targets of a batch, as of mixed images, are as many numbers as two scores of each of its rows.
        alike = self.targets.shape[:1] == self.output.shape[:1] or 1 in (self.targets.dim(), self.output.dim())
        return hard and alike and self.targets.numel() == self.output.numel()

    def thresholds(self) -> Iterator[tuple[Node, float]]:
        """Every comparison of something that follows from the output with a number."""
        for node in self.compared:
            if node.op == "round":
                yield node, 0.5
            for arg in node.args[1:2]:
                if isinstance(arg, (int, float)) and not isinstance(arg, bool):
                    yield node, float(arg)
                elif isinstance(arg, Node) and arg.tensor.numel() == 1 and arg.role == "constant":
                    yield node, float(arg.value)

    def meant_for_scores(self, number: float) -> bool:
        """Whether a threshold was computed on the scale of raw scores: from the declared probability, or from data.

        Who types a probability types two digits.
        """
        p = self.threshold
        if p is not None and 0 < p < 1:
            return abs(number - math.log(p / (1 - p))) < 0.02
        return p is None and abs(number - round(number, 2)) > 1e-6

    def switch(self) -> float | None:
        """The output at which the decision of a yes/no output turns from no to yes."""
        if not self.yes_no:
            return None
        grid = torch.linspace(-8, 8, 641)
        labels = []
        for value in grid.tolist():
            said = self.said(torch.full_like(self.output, value))
            if said is None or said.numel() != self.output.numel():
                return None
            labels.append(float(said.double().mean()))
        flips = [i for i in range(1, len(labels)) if labels[i] != labels[i - 1]]
        return float(grid[flips[0]]) if len(flips) == 1 else None

    def wrong_on_perfect(self) -> tuple[float, torch.Tensor] | None:
        """The share of labels that are wrong when the output says exactly the target."""
        perfect = self._perfect()
        said = self.said(perfect) if perfect is not None else None
        if said is None:
            return None
        if said.numel() != self.targets.numel():
            return (1.0, said) if said.dim() and said.shape[:1] != self.targets.shape[:1] else None
        wrong = said.reshape(self.targets.shape).double() != self.targets.double()
        return float(wrong.double().mean()), said

    def _perfect(self) -> torch.Tensor | None:
        """An output that clearly says the target, on the scale of the model."""
        low, high = self.contracts.range(self.node)
        if self.yes_no:
            ends = (0.1, 0.9) if low >= 0 and high <= 1 else (-3.0, 3.0)
            said = torch.where(self.targets.reshape(self.output.shape) > 0.5, *map(torch.tensor, reversed(ends)))
            return said.to(self.output.dtype)
        if self.targets.is_floating_point() or self.output.dim() != self.targets.dim() + 1:
            return None
        axis = (
            1
            if self.output.shape[0] == self.targets.shape[0] and self.output.shape[2:] == self.targets.shape[1:]
            else self.output.dim() - 1
        )
        labels = self.targets.long()
        if int(labels.min()) < 0 or int(labels.max()) >= self.output.shape[axis]:
            return None
        onehot = torch.zeros_like(self.output).scatter_(axis, labels.unsqueeze(axis), 6.0)
        if simplex(self.output, axis):
            return onehot.softmax(axis)
        return onehot.log_softmax(axis) if log_simplex(self.output, axis) else onehot

    def place(self, node: Node) -> str:
        """Where a comparison stands."""
        return place(node)
