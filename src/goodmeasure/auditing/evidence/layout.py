"""Where each number of a loss's input comes from: coordinates in the last layer's result, and in the caller's
targets."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.contracts import CLASSES, Contracts, LossCall, learned, log_simplex
from goodmeasure.auditing.evidence.ranges import SHAPE, primary
from goodmeasure.auditing.evidence.swap import Swap
from goodmeasure.auditing.evidence.trace import Node, named

_CHANNELS_SECOND = named(
    "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d batch_norm group_norm instance_norm"
)
_CASTS = named("to float double half bfloat16 type type_as contiguous clone requires_grad")


@dataclass(frozen=True)
class Origin:
    """The root of a tensor and, for each of its entries, the coordinates in that root (one tensor an axis); -1 where it was
    filled in."""

    root: Node
    coordinates: tuple[torch.Tensor, ...]

    @property
    def features(self) -> int:
        """The axis of the root that a layer computed (its units or channels)."""
        return 1 if self.root.op in _CHANNELS_SECOND else len(self.root.shape) - 1


def origin(node: Node) -> Origin | None:
    """Follow copies, reshapes and elementwise operations back to a layer or a leaf; ``None`` where the way is lost."""
    way: list[tuple[Node, Node]] = []
    while not learned(node) and node.inputs:
        before = _carrier(node)
        if before is None:
            return None
        way.append((node, before))
        node = before
    if (node.op != "leaf" and not learned(node)) or not node.shape:
        return None
    index = torch.arange(node.tensor.numel()).reshape(node.shape)
    for step, before in reversed(way):
        moved = _replayed(step, before, index)
        if moved is None:
            return None
        index = moved
    places = torch.unravel_index(index.clamp(min=0), node.shape)
    return Origin(node, tuple(torch.where(index < 0, -1, place) for place in places))


def _carrier(node: Node) -> Node | None:
    if node.op in SHAPE | {"detach", "pad", "cat", "stack"}:
        return node.inputs[0] if node.op not in ("cat", "stack") else None
    same = [part for part in node.inputs if part.shape == node.shape]
    return next((part for part in same if part.live), same[0] if same else None)


def _replayed(node: Node, before: Node, index: torch.Tensor) -> torch.Tensor | None:
    if node.op == "pad":
        return _padded(node, index)
    if node.op not in SHAPE or node.op in _CASTS:
        return index.contiguous() if index.numel() == node.tensor.numel() else None

    def real(value: object) -> object:
        if isinstance(value, Node):
            return index if value is before else value.value
        return tuple(real(part) for part in value) if isinstance(value, tuple) else value

    try:
        result = node.func(*(real(a) for a in node.args), **{k: real(v) for k, v in node.kwargs.items()})
    except (RuntimeError, TypeError, IndexError, ValueError):
        return None
    result = result[node.slot] if isinstance(result, (tuple, list)) else result
    return result if isinstance(result, torch.Tensor) and tuple(result.shape) == node.shape else None


def _padded(node: Node, index: torch.Tensor) -> torch.Tensor | None:
    if node.arg(2, "mode", "constant") != "constant":
        return None
    return torch.nn.functional.pad(index, node.arg(1, "pad"), value=-1)


@dataclass(frozen=True)
class MixedScores:
    """Scores of one row that come from several positions, in words and as a verdict."""

    call: LossCall
    seen: str
    across: bool  # whether whole positions stand where classes should (rather than a mixture)


@dataclass
class Layout:
    """Rows of scores, and the targets they are paired with, by coordinates."""

    contracts: Contracts
    swap: Swap | None

    @classmethod
    def gather(cls, dossier: Dossier) -> Layout:
        return cls(dossier.get(Contracts), dossier.find(Swap))

    def mixed(self) -> Iterator[MixedScores]:
        """Class scores of one row that were computed at different positions of the last layer's result."""
        for call in self.contracts.of(*CLASSES):
            found = origin(call.input) if call.indices and len(call.input.shape) > call.class_axis else None
            if found is None or not learned(found.root) or found.root.op == "embedding" or len(found.root.shape) < 3:
                continue
            rows = [c.movedim(call.class_axis, -1) for c in found.coordinates]
            feature = rows[found.features]
            if int(feature.min()) == int(feature.max()) or rows[0].shape[-1] < 2:
                continue
            moving = [a for a, c in enumerate(rows) if a != found.features and bool((c != c[..., :1]).any())]
            if not moving:
                continue
            steady = not bool((feature != feature[..., :1]).any())
            positions = [n for a, n in enumerate(found.root.shape) if a not in (0, found.features)]
            whole = steady and rows[0].shape[-1] == math.prod(found.root.shape[a] for a in moving)
            if whole and call.target is not None and list(call.target.shape[1:]) != positions:
                continue  # scores over positions (a heat map, a pointer): classes are meant to be positions
            if whole and positions != [found.root.shape[found.features]]:
                continue
            words = (
                f"{found.root.op} gave {found.root.shape} with its classes on axis {found.features}; "
                f"a row of scores runs along axis {moving[0]} of it"
            )
            yield MixedScores(call, words, whole)

    def mispaired(self) -> Iterator[tuple[LossCall, str]]:
        """Rows of scores that meet the target of another position or another example."""
        for call, scores, targets in self._paired_coordinates():
            offsets = [t - s for s, t in zip(scores, targets, strict=True)]
            moving = [a for a, o in enumerate(offsets) if bool((o != 0).any())]
            if not moving or all(bool((offsets[a] == offsets[a].reshape(-1)[0]).all()) for a in moving):
                continue
            share = float(torch.stack([offsets[a] != 0 for a in moving]).any(0).double().mean())
            yield call, f"{share:.0%} of the rows of scores meet the target of another position (axis {moving})"

    def shifts(self) -> Iterator[tuple[LossCall, int, Node]]:
        """By how many positions targets run ahead of the scores they meet: the call, the shift, the target's root."""
        for call, scores, targets in self._paired_coordinates():
            offset = (targets[-1] - scores[-1]).reshape(-1)
            same = all(bool((t == s).all()) for s, t in zip(scores[:-1], targets[:-1], strict=True))
            if same and offset.numel() and bool((offset == offset[0]).all()) and call.target is not None:
                found = origin(call.target)
                if found is not None:
                    yield call, int(offset[0]), found.root

    def _paired_coordinates(self) -> Iterator[tuple[LossCall, list[torch.Tensor], list[torch.Tensor]]]:
        for call in self.contracts.of(*CLASSES):
            if call.target is None or not call.indices or len(call.input.shape) <= call.class_axis:
                continue
            scores, targets = origin(call.input), origin(call.target)
            if (
                scores is None
                or targets is None
                or not learned(scores.root)
                or targets.root.op != "leaf"
                or len(targets.root.shape) < 2
            ):
                continue
            spots = [
                c.select(call.class_axis, 0).reshape(-1)
                for a, c in enumerate(scores.coordinates)
                if a != scores.features
            ]
            sizes = [n for a, n in enumerate(scores.root.shape) if a != scores.features]
            labels = [c.reshape(-1) for c in targets.coordinates]
            if len(spots) != len(labels) or spots[0].numel() != labels[0].numel():
                continue
            if sizes != list(targets.root.shape) and sizes == list(targets.root.shape)[::-1]:
                spots = spots[::-1]
            elif [abs(a - b) > 2 for a, b in zip(sizes, targets.root.shape, strict=True)] != [False] * len(sizes):
                continue
            if self._batch_axis_differs(scores.root):
                spots = spots[::-1]
            known = torch.stack(labels).ge(0).all(0)  # what was filled in is no target of any position
            yield call, [spot[known] for spot in spots], [label[known] for label in labels]

    def _batch_axis_differs(self, root: Node) -> bool:
        return (
            self.swap is not None
            and len(root.shape) == 3
            and root.shape[0] == root.shape[1]
            and self.swap.batch_axes(root) == [1]
        )

    def across_the_batch(self) -> Iterator[tuple[Node, str]]:
        """Softmaxes of the last mile that normalise over the examples, or over another axis than the loss needs."""
        for node in self.contracts.tail:
            if node.op not in ("softmax", "log_softmax", "softmin") or not node.live or self.swap is None:
                continue
            axis = _dim(node)
            if (
                axis is not None
                and len(node.shape) > 1
                and self.swap.batch_axes(node.inputs[0]) == [axis]
                and self._stays(node)
            ):
                yield (
                    node,
                    f"{node.op} works along axis {axis}, on which the {self.swap.rows} examples lie (shape "
                    f"{node.shape})",
                )
        for call in self.contracts.of("nll_loss"):
            axes = [a for a in range(len(call.input.shape)) if log_simplex(call.input.value, a)]
            if axes and call.class_axis not in axes and call.input.shape[axes[0]] > 1:
                yield (
                    call.node,
                    f"the log-probabilities sum to one along axis {axes[0]}, the loss takes its classes from axis "
                    f"{call.class_axis}",
                )
        yield from self._against_onehot()

    def _stays(self, node: Node) -> bool:
        """Whether the examples are still there after the softmax (it is no pooling over a bag)."""
        return any(
            self.swap is not None and out.shape and out.shape[0] == self.swap.rows
            for _, out in self.contracts.wiring.outputs
        )

    def _against_onehot(self) -> Iterator[tuple[Node, str]]:
        for node, live, target in self.contracts.pairs():
            made = primary(live)
            axis = (
                _dim(made)
                if made.op in ("softmax", "log_softmax") and made.shape == live.shape == target.shape
                else None
            )
            if axis is None or not target.tensor.is_floating_point():
                continue
            onehot = [
                a for a in range(len(target.shape)) if target.shape[a] > 1 and bool((target.value.sum(a) == 1).all())
            ]
            if onehot and axis not in onehot and not (0 in onehot and len(onehot) == 1):
                yield node, f"{made.op} works along axis {axis}, the one-hot targets along axis {onehot[-1]}"


def _dim(node: Node) -> int | None:
    dim = node.arg(1, "dim")
    return dim % len(node.shape) if isinstance(dim, int) and node.shape else None
