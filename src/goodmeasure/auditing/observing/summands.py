"""The summands of a loss that compare data with data: nothing that learns is among their operands."""

from __future__ import annotations

from collections.abc import Iterator

from goodmeasure.auditing.evidence.contracts import KNOWN, place
from goodmeasure.auditing.evidence.trace import Node

_SUMS = ("add", "sub", "rsub")
_SCALES = ("mul", "div", "neg", "mean", "sum")


def blind_summands(loss: Node) -> tuple[tuple[str, str], ...]:
    """The loss functions that are added to a loss and see no output of any model: their names and lines."""
    return tuple((node.op, place(node)) for node in _still(loss) if node.op in KNOWN and not _learns(node))


def _still(loss: Node) -> Iterator[Node]:
    """The summands without gradient, below the numbers with which they are weighed."""
    stack = [loss]
    while stack:
        node = stack.pop()
        if node.tensor.numel() != 1:
            continue
        if node.op in _SUMS or (node.op in _SCALES and node.live):
            stack.extend(node.inputs)
        elif not node.live:
            scaled = node
            while scaled.op in _SCALES and scaled.inputs:
                scaled = scaled.inputs[0]
            yield scaled


def _learns(node: Node) -> bool:
    return any(part.live or part.op == "detach" or part.role == "opaque" for part in node.ancestors())
