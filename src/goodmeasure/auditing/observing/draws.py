"""Random draws among the operations of a loss: which are compared with an output, and which went into its input."""

from __future__ import annotations

from collections.abc import Iterator

from goodmeasure.auditing.evidence.contracts import place
from goodmeasure.auditing.evidence.drawn import Drawn
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.observing.objective import Anatomy, is_data

_NORMAL = named("randn randn_like normal")
_DISTANCES = named("sub rsub mse_loss l1_loss smooth_l1_loss huber_loss")
_BLENDS = named("add sub rsub mul lerp")


def drawn(anatomy: Anatomy) -> Drawn:
    """The comparison of an output with a draw that nothing else has seen, where another draw blurred the input."""
    below = {id(node): node for end in anatomy.ends for node in end.ancestors()}
    for node, target in _compared(anatomy):
        if id(target) in below:
            draw = next(_levelled(target), None)
            if draw is not None:
                return Drawn(place(node), target.shape, draw.where, repeats=True)
        elif target.op in _NORMAL and (other := next(_blurring(below, target), None)) is not None:
            return Drawn(place(node), target.shape, other.where)
    return Drawn("")


def _compared(anatomy: Anatomy) -> Iterator[tuple[Node, Node]]:
    for node in anatomy.inside.values():
        for part in node.inputs if node.live and node.op in _DISTANCES else ():
            target = part
            while target.op in SHAPE and target.inputs:
                target = target.inputs[0]
            if not target.live:
                yield node, target


def _levelled(target: Node) -> Iterator[Node]:
    """The draws that were blended into a tensor, each example with a weight of its own: noise of many levels."""
    if target.op not in _BLENDS or len(target.inputs) < 2:
        return
    for weighed in target.inputs[:2]:
        for one, other in (weighed.inputs[:2], weighed.inputs[1::-1]) if len(weighed.inputs) > 1 else ():
            draw = one
            while draw.op in SHAPE and draw.inputs:
                draw = draw.inputs[0]
            level = other.value
            apart = level.dim() > 0 and len(level) == len(target.value) and bool((level != level[:1]).any())
            if weighed.op == "mul" and draw.op in _NORMAL and draw.shape == target.shape and apart:
                yield draw


def _blurring(below: dict[int, Node], draw: Node) -> Iterator[Node]:
    """Other draws of the same shape that were blended with data of this shape before a model saw the result."""
    for node in below.values():
        if node.op not in _BLENDS or node.live or len(node.inputs) < 2 or node.shape != draw.shape:
            continue
        one, two = ({id(part): part for part in side.ancestors()} for side in node.inputs[:2])
        for mine, rest in ((one, two), (two, one)):
            draws = [part for part in mine.values() if part.op in _NORMAL and part.shape == draw.shape]
            if draws and any(is_data(part) and part.shape[-1:] == draw.shape[-1:] for part in rest.values()):
                yield draws[0]
