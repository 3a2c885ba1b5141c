"""From the scalar on which ``backward`` was called: which tensors are the model's output, which are its targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import torch

from goodmeasure.auditing.evidence.contracts import KNOWN, MEETINGS, learned
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.observing.recorder import Call, Recorder
from goodmeasure.auditing.observing.replay import MADE, NotReplayed

_READ_IN = named("tensor as_tensor from_numpy asarray")
_COMPARES = frozenset(("sub", "rsub", "eq", "ne", "cdist", "pairwise_distance", *KNOWN))


@dataclass
class Anatomy:
    """The parts of one loss: the outputs it compares, the calls that made them, its targets, and the scalar itself."""

    loss: Node
    weight: float  # with which it reaches backward
    ends: list[Node]
    calls: list[Call]
    targets: list[Node]
    inside: dict[int, Node]  # the operations between outputs and loss
    around: list[Call] = field(default_factory=list)  # every call of a module that was recorded

    def mask(self) -> torch.Tensor | None:
        """What the program multiplies with, where it is ones and zeros in the shape of the target."""
        for node, part in _beside(self.inside, {id(end) for end in self.ends}):
            if node.op in ("mul", "rmul") and self.targets and part.shape == self.targets[0].shape:
                value = part.value
                if part is not self.targets[0] and bool(((value == 0) | (value == 1)).all()) and bool(value.any()):
                    return value.bool()
        return None

    @property
    def rows(self) -> int:
        """The examples of the output."""
        return self.ends[0].shape[0] if self.ends[0].shape else 0


def dissect(recorder: Recorder, scalar: torch.Tensor) -> Anatomy:
    """Find the parts of a loss in what was recorded; `NotReplayed` says why it cannot be done."""
    loss, weight = base(recorder.node(scalar))
    if loss.tensor.is_leaf:
        return _unconnected(recorder, loss)
    below = {id(node): node for node in loss.ancestors()}
    chosen = [part for call in recorder.calls for part in _models(call, loss, below, recorder)]
    boundary = {id(node): (node, call) for call in chosen for node in _ends_of(call, loss, below, recorder)}
    inside, ends = _region(loss, boundary, chosen)
    if not ends:
        ends = _compared(loss, below)
        inside, _ = _region(loss, {id(node) for node in ends}, [])
    if not ends:
        raise NotReplayed("nothing between parameters and loss is an output that is compared with something")
    makers = [boundary[id(node)][1] for node in ends if id(node) in boundary]
    return Anatomy(loss, weight, ends, list(dict.fromkeys(makers)), _targets(inside, ends), inside, recorder.calls)


def _unconnected(recorder: Recorder, loss: Node) -> Anatomy:
    """A loss that was made of a number: what the last model said does not lead to it."""
    said = [call for call in recorder.calls if call.parametric and call.learning]
    ends = [recorder.node(tensor) for _, tensor in said[-1].outputs() if tensor.requires_grad] if said else []
    if not ends:
        raise NotReplayed("the loss comes from outside the recorded torch operations")
    return Anatomy(loss, 1.0, ends, said[-1:], [], {})


def base(loss: Node) -> tuple[Node, float]:
    """The loss below the numbers that it is multiplied with or divided by, and its weight in all."""
    weight = 1.0
    while loss.op in ("mul", "div", "rmul", "neg"):
        if len(loss.inputs) != 1:
            scale = loss.inputs[1]
            if scale.op not in MADE | {"leaf"} or scale.live or scale.tensor.numel() != 1 or loss.op == "rmul":
                break
            factor = float(scale.value)
        elif loss.op == "neg":
            factor = -1.0 if loss.inputs[0].op in KNOWN else 0.0  # minus a known loss; minus anything else may be one
        else:
            numbers = [float(part) for part in loss.args if isinstance(part, (int, float))]
            factor = numbers[0] if len(numbers) == 1 else 0.0
        if not factor:
            break
        weight = weight / factor if loss.op == "div" else weight * factor
        loss = loss.inputs[0]
    return loss, weight


def _models(call: Call, loss: Node, below: dict[int, Node], recorder: Recorder) -> Iterator[Call]:
    """The calls that make outputs: the outermost ones with parameters in which no loss is computed."""
    if not call.parametric:
        return
    reached = [node for _, tensor in call.outputs() if id(node := recorder.node(tensor)) in below and node.op != "leaf"]
    computes_losses = call.holds(loss) or (bool(reached) and all(not node.shape for node in reached))
    if not computes_losses or _ends_of(call, loss, below, recorder):
        yield call
        return
    for child in call.children:
        yield from _models(child, loss, below, recorder)


def _ends_of(call: Call, loss: Node, below: dict[int, Node], recorder: Recorder) -> list[Node]:
    found = [recorder.node(tensor) for _, tensor in call.outputs()]
    return [
        node
        for node in found
        if id(node) in below and node is not loss and node.live and node.op != "leaf" and node.shape
    ]


def _region(loss: Node, boundary: Collection[int], chosen: list[Call]) -> tuple[dict[int, Node], list[Node]]:
    """What lies between the loss and the outputs, and the outputs that gradient reaches.

    What a teacher said, without gradient or cut from it later, is a constant, unless gradient reaches no output at all.
    """
    inside: dict[int, Node] = {}
    ends: dict[int, Node] = {}
    cut: dict[int, Node] = {}
    flowing, aside = [loss], list[Node]()
    while flowing or aside:
        through = bool(flowing)  # what gradient reaches comes first
        node = (flowing or aside).pop()
        if id(node) in inside or id(node) in ends:
            continue
        within = any(call.holds(node) and not call.holds(loss) for call in chosen)
        if node is not loss and (id(node) in boundary or within or node.op == "grad"):
            if node.live:
                (ends if through else cut)[id(node)] = node
            continue
        inside[id(node)] = node
        (flowing if node.live and through else aside).extend(node.inputs)
    return inside, sorted((ends or cut).values(), key=lambda node: node.index)


def _compared(loss: Node, below: dict[int, Node]) -> list[Node]:
    """Where no module was called: the first thing that follows from data and parameters and meets other data."""
    for node in sorted(below.values(), key=lambda one: one.index):
        if node.op not in MEETINGS | KNOWN.keys() or len(node.inputs) < 2 or not node.live:
            continue
        for live, other in (node.inputs[:2], node.inputs[1::-1]):
            data, own = ({id(part) for part in one.ancestors() if is_data(part)} for one in (other, live))
            made = any(learned(part) or part.op == "mul" for part in live.ancestors())
            if live.live and not other.live and data - own and own and made:
                return [live]
    return []


def is_data(node: Node) -> bool:
    """Whether a tensor was read in: it follows from no other, and asks for no gradient."""
    return not node.live and bool(node.shape) and (node.op == "leaf" or node.op in _READ_IN) and node.role != "opaque"


def _targets(inside: dict[int, Node], ends: list[Node]) -> list[Node]:
    """The data that meet the outputs: what is compared with them first, then what chooses among them, then the rest.

    Nothing where outputs are weighed with numbers of either sign: what is rewarded and punished is no target.
    """
    rows = {node.shape[0] for node in ends if node.shape}
    read = {id(part) for end in ends for part in end.ancestors()}
    found: dict[int, tuple[int, Node]] = {}
    for node, part in _beside(inside, {id(node) for node in ends}):
        if (
            node.op in ("mul", "rmul", "div")
            and part.shape
            and part.tensor.dtype.is_floating_point
            and _both_signs(part)
        ):
            return []
        rank = 0 if node.op in _COMPARES else 1 if not part.tensor.dtype.is_floating_point else 2
        for source in _sources(part, rows, read):
            found[id(source)] = min(found.get(id(source), (9, source)), (rank, source), key=lambda one: one[0])
    ranked = [
        node for _, node in sorted(found.values(), key=lambda one: one[0]) if node.role == "batch" or _varies(node)
    ]
    return [node for node in ranked if id(node) not in read] or ranked


def _beside(inside: dict[int, Node], ends: set[int]) -> Iterator[tuple[Node, Node]]:
    """Each operation between outputs and loss through which gradient flows, with a tensor that comes in from the side."""
    for node in sorted(inside.values(), key=lambda one: (one.op == "leaf", one.index)):
        for part in node.inputs if node.live else ():
            if not part.live and id(part) not in ends and not _from_outputs(part, ends):
                yield node, part


def _from_outputs(node: Node, ends: set[int]) -> bool:
    return any(id(part) in ends for part in node.ancestors())


def _both_signs(node: Node) -> bool:
    value = node.value
    return value.numel() > 1 and bool((value < 0).any()) and bool((value > 0).any())


def _sources(node: Node, rows: set[int], read: set[int]) -> Iterator[Node]:
    """The data behind a tensor beside the outputs, below casts and shapes: of a batch, or with an entry an example."""
    found = None
    while True:
        if found is None and node.shape and node.shape[0] in rows:
            found = node
        if node.role == "batch" and id(node) not in read:
            found = node
        if not (node.op in SHAPE or node.op == "pad") or not node.inputs:
            break
        node = node.inputs[0]
    if found is not None:
        yield found


def _roots(node: Node, rows: int) -> Iterator[Node]:
    """The first tensors with an entry an example from which a tensor was computed."""
    for part in _made_of(node):
        fits = not part.live and bool(part.shape) and part.shape[0] == rows
        if fits and not any(one.shape and one.shape[0] == rows for one in part.inputs):
            yield part


def _made_of(node: Node) -> Iterator[Node]:
    """A node and what its numbers were computed from; what was drawn or filled follows from nothing."""
    seen: set[int] = set()
    stack = [node]
    while stack:
        part = stack.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            stack.extend(() if part.op in MADE else part.inputs)


def _varies(node: Node) -> bool:
    value = node.value
    return value.numel() > 1 and bool((value != value.reshape(-1)[0]).any())


def inputs_of(anatomy: Anatomy) -> list[Node]:
    """The data from which the outputs were computed."""
    below = {id(node): node for end in anatomy.ends for node in end.ancestors()}
    data = [node for node in below.values() if is_data(node) and node.value.numel()]
    batch = [node for node in data if node.role == "batch"]
    if batch:
        return batch
    return list({id(node): node for end in anatomy.ends for node in _roots(end, anatomy.rows)}.values())
