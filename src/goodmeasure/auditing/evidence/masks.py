"""Which positions count: the declared mask, padding that the data shows, and where gradient flows nevertheless."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.contracts import Contracts
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import Wiring, World


@dataclass
class Masks:
    """Positions that should not count, as a mask in the shape of the targets, and how they were found."""

    contracts: Contracts
    wiring: Wiring
    targets: torch.Tensor
    declared: torch.Tensor | None
    padding: torch.Tensor | None
    padded_inputs: bool
    used: torch.Tensor | None = None  # what the program itself multiplies its losses with
    alone: bool = True  # nothing but the targets stands beside the outputs
    embedded: torch.Tensor | None = None  # what an embedding of the inputs was not told to leave out as padding
    attended: torch.Tensor | None = None  # what the model is told to attend to, where the targets fill up the rest

    @classmethod
    def gather(cls, dossier: Dossier) -> Masks:
        contracts = dossier.get(Contracts)
        world = dossier.get(World).given
        targets = world.get("targets")
        if contracts.wiring.crash or contracts.wiring.loss is None or not isinstance(targets, torch.Tensor):
            raise Unavailable("no loss of one target tensor")
        mask = world.get("mask")
        declared = mask.bool() if isinstance(mask, torch.Tensor) and mask.shape == targets.shape else None
        padding = suffix_padding(targets)
        return cls(
            contracts,
            contracts.wiring,
            targets,
            declared,
            padding,
            padding is not None and _padded(world.get("inputs"), padding),
            world.get("used_mask"),
            not world.get("beside"),
            _embedded(contracts.wiring, targets),
            _attended(world.get("inputs"), targets),
        )

    def counted_although_masked(self) -> Iterator[tuple[int, int, str]]:
        """Outputs that carry gradient where nothing should count: how many, of how many, and how it is known."""
        sources = [
            (self.declared, "the mask says so"),
            (self.padding if self.padded_inputs else None, "inputs and targets are padded there"),
            (
                self.embedded,
                "the padding_idx of an embedding stands in the inputs there, and the targets hold one value",
            ),
            (self.attended, "attention_mask is 0 there, and the targets hold one value"),
        ]
        for counts, why in sources:
            if counts is None or bool(counts.all()):
                continue
            for _, output in self.wiring.outputs:
                felt = self._felt(output)
                if felt is not None and bool((felt & ~counts).any()):
                    yield int((felt & ~counts).sum()), int((~counts).sum()), why
                    return

    def _felt(self, output: Node) -> torch.Tensor | None:
        """Where gradient arrives at an output, in the shape of the targets."""
        grad = self.wiring.grad(output)
        if grad is None:
            return None
        shape = tuple(self.targets.shape)
        if tuple(grad.shape) == shape:
            return grad != 0
        for axis in range(grad.dim()):
            if tuple(grad.shape[:axis] + grad.shape[axis + 1 :]) == shape:
                return (grad != 0).any(axis)
        return self._felt_in_a_row((grad != 0).any(-1)) if grad.dim() == 3 else None

    def _felt_in_a_row(self, felt: torch.Tensor) -> torch.Tensor | None:
        """The same where targets are a row of all tokens, of which the first of each sequence may have been cut off."""
        for each in (felt, felt[:, :-1]):
            if each.numel() == self.targets.numel():
                return each.reshape(self.targets.shape)
        return None

    def diluted(self) -> Iterator[tuple[Node, int, int]]:
        """Means that count masked positions in the denominator: where, how many count, how many are divided by."""
        for node in self.wiring.nodes:
            grad = self.wiring.grad(node) if node.live and node.stage == "loss" else None
            if grad is None or grad.shape != self.targets.shape or grad.numel() < 4:
                continue
            felt = grad != 0
            valid, total = int(felt.sum()), grad.numel()
            if valid in (0, total) or not self._is_mask(felt):
                continue
            mass = grad[felt]
            even = float(mass.max() - mass.min()) <= 1e-5 * float(mass.abs().max())
            if even and abs(float(mass.sum()) - valid / total) < 1e-4:
                yield node, valid, total
                return

    def _is_mask(self, felt: torch.Tensor) -> bool:
        """Whether gradient flows exactly where the mask, the padding, or a marker value of the targets says."""
        if any(m is not None and bool((felt == m).all()) for m in (self.declared, self.padding, self.used)):
            return True
        if not self.alone:
            return False
        silent = self.targets[~felt]
        if silent.is_floating_point() and bool(silent.isnan().all()):
            return True
        marker = silent.unique()
        distinct = len(self.targets.unique())
        return len(marker) == 1 and distinct > 2 and bool(((self.targets == marker) == ~felt).all())


def suffix_padding(targets: torch.Tensor) -> torch.Tensor | None:
    """Where integer sequences are not padding, if the ends of rows repeat one value that stands nowhere else."""
    if targets.dim() != 2 or targets.is_floating_point() or targets.shape[0] < 3 or targets.shape[1] < 3:
        return None
    ends = targets[:, -1]
    values, counts = ends.unique(return_counts=True)
    value = values[counts.argmax()]
    if int(counts.max()) < 2 or int(value) < 0:
        return None
    lengths = (targets != value).long().cumsum(1).argmax(1) + (targets != value).any(1).long()
    inside = torch.arange(targets.shape[1])[None] < lengths[:, None]
    clean = not bool(((targets == value) & inside).any())
    return inside if clean and len(lengths.unique()) > 1 else None


def _attended(inputs: Any, targets: torch.Tensor) -> torch.Tensor | None:
    """Where a model is told to attend, and one position before: the output there may be about the next one.

    Targets are a table like the mask, or all its tokens in a row; the first of each sequence may have been cut off.
    """
    mask = inputs.get("attention_mask") if isinstance(inputs, Mapping) else None
    if not isinstance(mask, torch.Tensor) or mask.dim() != 2 or not bool(((mask == 0) | (mask == 1)).all()):
        return None
    real = mask != 0
    if targets.numel() == real[:, 1:].numel():
        counts = silent = real[:, 1:]
    elif targets.numel() == real.numel():
        counts, silent = real | torch.cat([real[:, 1:], torch.zeros_like(real[:, :1])], dim=1), real
    else:
        return None
    told = targets.reshape(silent.shape)
    # Labels below zero are those that a loss leaves out, as it does behind the last token where labels are shifted.
    named = told if told.is_floating_point() else told[told >= 0]
    filler = told[~silent] if told.is_floating_point() else told[~silent & (told >= 0)]
    if len(filler.unique()) != 1 or len(named.unique()) < 2:
        return None
    return counts.reshape(targets.shape)


def _embedded(wiring: Wiring, targets: torch.Tensor) -> torch.Tensor | None:
    """Where rows of tokens go on: behind, they hold what an embedding was told is padding, and the targets one value."""
    for node in wiring.nodes:
        padding = node.arg(2, "padding_idx") if node.op == "embedding" else None
        tokens = node.inputs[0].value if node.inputs else targets
        if not isinstance(padding, int) or padding < 0 or targets.is_floating_point() or tokens.is_floating_point():
            continue
        real = tokens != padding
        if tokens.shape != targets.shape or tokens.dim() != 2 or bool(real.all()) or not bool(real[:, 0].all()):
            continue
        if bool((real[:, :-1] | ~real[:, 1:]).all()) and len(targets[~real].unique()) == 1:
            return real
    return None


def _padded(inputs: Any, padding: torch.Tensor) -> bool:
    """Whether inputs show the same padding: a mask, lengths, or tokens that end in a constant too."""
    for tensor in tensors_in(inputs):
        same = (
            tensor.dim() == 2 and tensor.shape[0] == padding.shape[0] and abs(tensor.shape[1] - padding.shape[1]) <= 1
        )
        if same and not tensor.is_floating_point() and suffix_padding(tensor) is not None:
            return True
        if same and (tensor.dtype == torch.bool or bool(((tensor == 0) | (tensor == 1)).all())):
            return True
        if (
            tensor.dim() == 1
            and not tensor.is_floating_point()
            and torch.equal(tensor.long().sort().values, padding.sum(1).sort().values)
        ):
            return True
    return False
