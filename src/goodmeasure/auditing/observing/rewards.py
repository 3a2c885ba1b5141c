"""Rewards among the operations of a loss: whether an action that earned more is made likelier or rarer.

Whether a number is a reward or a cost stands in no operation. The program's own name for it says so, and where there is none,
nothing is said. A short name, such as r, says so where it weighs the probability of an action that was drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import torch

from goodmeasure.auditing.evidence.contracts import place
from goodmeasure.auditing.evidence.lines import user_frames
from goodmeasure.auditing.evidence.ranges import SHAPE
from goodmeasure.auditing.evidence.rewarded import Rewarded
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.observing.objective import Anatomy

_REWARD = re.compile(r"(^|_)(rewards?|returns?|advantages?|advs?|rets?)(_|$)")
_SHORT = re.compile(r"^([rRGA]|rs|rews?|gains?|payoffs?|points?|wins?|hits?|success(es)?|correct|solved)(_?\d*)$")
_COST = re.compile(r"(^|_)(costs?|loss(es)?|penalt(y|ies)|neg|negative|minus|regrets?)(_|$)")
_LOGARITHMS = named("log log_softmax logsumexp logsigmoid log_sigmoid")
_LOSSES = named("cross_entropy nll_loss")
_KEEPS = SHAPE | named("detach float double to unbind iter getitem stack cat sub div tensor clone")


def rewarded(anatomy: Anatomy, maximised: bool) -> Rewarded:
    """The first product of probabilities and rewards that the loss makes smaller where rewards are large."""
    names = dict(_names())
    for product, live, weight in _products(anatomy) if names else ():
        found, likely = _name(weight, names), _likelihood(live)
        if found is None or not likely:
            continue
        name, sign = found
        if not _REWARD.search(name) and not _of_a_draw(live):
            continue
        downhill = -sign * likely * _slope(anatomy, product) * (-1 if maximised else 1)
        if downhill < 0:
            return Rewarded(place(product), name, "their losses" if likely < 0 else "probabilities of actions")
    return Rewarded("")


def _names() -> Iterator[tuple[int, str]]:
    """What the program itself calls rewards, among the variables in sight and the attributes of what they belong to."""
    for frame in user_frames():
        held = dict(frame.f_locals)
        for name, value in [*held.items(), *getattr(held.get("self"), "__dict__", {}).items()]:
            rewards = _REWARD.search(name) or _SHORT.search(name)
            if isinstance(value, torch.Tensor) and rewards and not _COST.search(name):
                yield id(value), name


def _products(anatomy: Anatomy) -> Iterator[tuple[Node, Node, Node]]:
    for node in sorted(anatomy.inside.values(), key=lambda one: one.index):
        if node.op == "mul" and node.live and len(node.inputs) == 2:
            one, two = node.inputs
            if one.live != two.live:
                yield (node, one, two) if one.live else (node, two, one)


def _name(weight: Node, names: dict[int, str]) -> tuple[str, int] | None:
    """What a weight is called, or what it was made of by shifting and scaling, and the sign between both."""
    sign = 1
    while id(weight.tensor) not in names:
        numbers = [float(part) for part in weight.args if isinstance(part, (int, float)) and not isinstance(part, bool)]
        if not weight.inputs or weight.op not in _KEEPS | {"neg", "mul"}:
            return None
        if weight.op == "neg" or (weight.op == "mul" and numbers and numbers[0] < 0):
            sign = -sign
        elif weight.op == "mul" and not numbers:
            return None
        weight = weight.inputs[0]
    return names[id(weight.tensor)], sign


def _likelihood(live: Node) -> int:
    """1 for what grows with the probability of an action, -1 for what falls with it, 0 for anything else."""
    inner = live
    while inner.op in SHAPE and inner.inputs:
        inner = inner.inputs[0]
    if inner.op in _LOSSES:
        return -1
    if inner.op == "exp" and inner.inputs[0].op in ("sub", "rsub"):
        return 1  # the ratio of new and old probabilities
    if inner.op == "neg":
        return -_likelihood(inner.inputs[0])
    logarithm = any(part.op in _LOGARITHMS for part in inner.ancestors())
    return 1 if logarithm and inner.op in _CHOSEN and bool((inner.value <= 0).all()) else 0


def _of_a_draw(live: Node) -> bool:
    """Whether probabilities are those of actions that were drawn at random."""
    chosen = (part for part in live.ancestors() if part.op in _PICKS)
    beside = (one for part in chosen for one in part.inputs if not one.live)
    return any(part.op in _DRAWS for one in beside for part in one.ancestors())


_PICKS = named("gather getitem take_along_dim index_select mul sub")
_DRAWS = named("multinomial bernoulli")

_CHOSEN = named("gather getitem take_along_dim index_select mul sum add sub log log_softmax logsigmoid")


def _slope(anatomy: Anatomy, product: Node) -> float:
    """The sign of what a larger product does to the number that is minimised; 0 where it is not one sign everywhere."""
    grad: Any = torch.autograd.grad(anatomy.loss.tensor.sum(), product.tensor, retain_graph=True, allow_unused=True)[0]
    if grad is None or not bool(grad.any()):
        return 0.0
    same = bool((grad >= 0).all()) or bool((grad <= 0).all())
    return float(grad.sum().sign()) * (1.0 if anatomy.weight > 0 else -1.0) if same else 0.0
