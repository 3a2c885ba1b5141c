"""Tables of pairs among the operations of a loss: examples of one kind times examples of another."""

from __future__ import annotations

from goodmeasure.auditing.evidence.contracts import place
from goodmeasure.auditing.evidence.partners import Partners
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.observing.objective import Anatomy

_CHOOSES = ("cross_entropy", "nll_loss")
_PRODUCTS = named("matmul mm __matmul__ einsum")
_SCALES = SHAPE | named("mul div add sub log_softmax t transpose mT T")
_FEWEST = 8  # rows that are told the same by no chance


def partners(anatomy: Anatomy) -> Partners:
    """The first table of pairs all of whose rows are told one column: only one of them can be right."""
    for node in anatomy.inside.values():
        if node.op not in _CHOOSES or len(node.inputs) < 2:
            continue
        scores, labels = node.inputs[0], node.inputs[1].value
        rows = labels.numel()
        told_one = labels.dim() == 1 and rows >= _FEWEST and bool((labels == labels[0]).all())
        if told_one and scores.shape == (rows, rows) and _of_pairs(scores):
            return Partners(place(node), rows, int(labels[0]))
    return Partners("")


def _of_pairs(scores: Node) -> bool:
    """Whether a table is a product of two kinds of examples, with a row of it for each."""
    while scores.op in _SCALES and scores.inputs:
        scores = scores.inputs[0]
    return scores.op in _PRODUCTS and len(scores.inputs) == 2 and all(part.live for part in scores.inputs)
