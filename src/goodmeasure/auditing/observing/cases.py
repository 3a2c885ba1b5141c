"""From one observed backward pass to the keywords that the rules read: model, loss, inputs, targets, optimizer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from goodmeasure.auditing.evidence.contracts import DISTANCES, KNOWN, place
from goodmeasure.auditing.evidence.lines import by_a_library, user_line
from goodmeasure.auditing.evidence.step_run import LossEvent
from goodmeasure.auditing.evidence.trace import Node, named, tensors_in
from goodmeasure.auditing.isolate import copied
from goodmeasure.auditing.observing.draws import drawn
from goodmeasure.auditing.observing.objective import Anatomy, inputs_of
from goodmeasure.auditing.observing.pairs import partners
from goodmeasure.auditing.observing.recorder import Call
from goodmeasure.auditing.observing.replay import NotReplayed, Replay, ReplayedLoss, Steps
from goodmeasure.auditing.observing.rewards import rewarded
from goodmeasure.auditing.observing.steps import YesNo
from goodmeasure.auditing.observing.summands import blind_summands


@dataclass
class ObservedLoss:
    """One loss of a program as a case, and what is known of it besides.

    The graph from which it was read is not kept: it would hold a batch and all that was computed from it.
    """

    given: dict[str, Any]
    names: dict[str, torch.Tensor]  # the program's own parameters
    what: str
    where: str
    called_at: str  # where the output is made
    module: torch.nn.Module | None  # what makes it, where a single module does
    foreign: set[int]  # what the optimizer holds besides
    unasked: frozenset[str]  # rules that need to know what the output is for, where the loss does not show it
    others: list[dict[str, Any]] = field(default_factory=list)  # the same loss on later batches


def seen(anatomy: Anatomy, optimizers: Iterable[Any]) -> ObservedLoss:
    """The case of a loss, on copies of everything; `NotReplayed` says why there is none."""
    call = _single(anatomy)
    inputs = inputs_of(anatomy)
    model, arguments, positions = _model(anatomy, call, inputs)
    target = _alike(anatomy.targets)
    loss = ReplayedLoss(Replay([anatomy.loss], [*anatomy.ends, *target]), positions, _reduction(anatomy))
    _verify(loss, anatomy, target)
    given: dict[str, Any] = {"model": model, "loss": loss, "inputs": arguments, "framework": "torch"}
    given["targets"] = tuple(node.value for node in target) if len(target) > 1 else target[0].value if target else None
    given["used_mask"] = anatomy.mask()
    given["beside"] = len(anatomy.targets) > 1
    given["partners"] = partners(anatomy)
    given["drawn"], given["blind"] = drawn(anatomy), blind_summands(anatomy.loss)
    maximised = any(group.get("maximize") for one in optimizers for group in one.param_groups)
    given["rewarded"] = rewarded(anatomy, maximised)
    names = {name: p for part in (model, loss) for name, p in part.named_parameters()}
    given["optimizer"] = optimizer = _optimizer(optimizers, list(names.values()))
    held = [p for group in optimizer.param_groups for p in group["params"]] if optimizer is not None else []
    foreign = {id(p) for p in held} - {id(p) for p in names.values()}
    what = f"{_named(anatomy)} of {_titled(model, anatomy)} on {anatomy.rows or 'its'} examples"
    where, calls = place(anatomy.loss), anatomy.calls
    return ObservedLoss(
        _copies(given),
        names,
        what,
        where,
        calls[-1].where if calls else where,
        calls[0].module if len(calls) == 1 else None,
        foreign,
        _unasked(anatomy),
    )


# Operations that say that an output is the score or the probability of what the target names.
_OF_SCORES = named(
    "log logsigmoid log_softmax softplus logsumexp log1p sigmoid softmax cross_entropy nll_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits"
)


# What compares outputs as they are in evaluation: a Keras layer is repeated as it trains, its batch statistics with it.
_OF_EVALUATION = frozenset({"GM142", "GM143"})


def _unasked(anatomy: Anatomy) -> frozenset[str]:
    inside = [*anatomy.inside.values(), *(part for end in anatomy.ends for part in [end, *end.inputs])]
    known = [node for node in anatomy.inside.values() if node.op in KNOWN]
    rules = set(_OF_EVALUATION) if any(_of_keras(call.module) for call in anatomy.calls) else set()
    if not any(node.op in _OF_SCORES for node in inside) or _cut_to_size(anatomy, known):
        rules |= {"GM306", "GM310"}
    if any(node.op not in DISTANCES for node in known) or any(node.op in _OF_SCORES for node in inside):
        rules.add("GM308")
    if by_a_library() and anatomy.loss.where == user_line():
        rules.add("GM403")  # a trainer's own loss: how its parts are weighed is written nowhere in the program
    return frozenset(rules)


def _cut_to_size(anatomy: Anatomy, known: list[Node]) -> bool:
    """Whether a loss compares only a part of the outputs or targets, or fills them up: their places then differ."""
    if any(part.op == "pad" for node in known for operand in node.inputs[1:2] for part in operand.ancestors()):
        return True
    sizes = {node.tensor.numel() for node in anatomy.targets[:1]}
    compared = {part.tensor.numel() for node in known for part in node.inputs[1:2]}
    return bool(compared) and not compared & sizes


def _alike(targets: list[Node]) -> list[Node]:
    """The first target, and others that look like it: which of them is the one, nobody can tell."""
    return targets[:1] + [other for other in targets[1:] if _look(other) == _look(targets[0])]


def _look(node: Node) -> tuple[Any, ...]:
    value = node.value
    yes_no = value.dtype == torch.bool or bool(((value == 0) | (value == 1)).all())
    return node.shape, value.is_floating_point(), yes_no


def _single(anatomy: Anatomy) -> Call | None:
    """The one call that makes every output from data, where there is such a call."""
    if len(anatomy.calls) != 1 or _of_keras(anatomy.calls[0].module):
        return None
    call = anatomy.calls[0]
    made = {id(tensor) for _, tensor in call.outputs()}
    whole = all(id(end.tensor) in made for end in anatomy.ends)
    fed = any(tensor.requires_grad for tensor in tensors_in((call.args, call.kwargs)))
    return call if whole and not fed else None


def _model(anatomy: Anatomy, call: Call | None, inputs: list[Node]) -> tuple[torch.nn.Module, Any, list[int]]:
    arguments = _arguments(call) if call is not None else None
    if call is not None and arguments is not None:
        at = {id(tensor): position for position, (_, tensor) in enumerate(call.outputs())}
        return call.module, arguments, [at[id(end.tensor)] for end in anatomy.ends]
    replay = Replay(anatomy.ends, inputs)
    model = Steps(replay, _parts(anatomy, {id(value) for value in replay.parameters.values()}))
    return model, tuple(node.value for node in inputs), list(range(len(anatomy.ends)))


def _parts(anatomy: Anatomy, repeated: set[int]) -> list[torch.nn.Module]:
    """The modules that make the outputs, and those whose parameters are repeated besides: they have names there."""
    own = [one.module for one in anatomy.calls]
    beside = [one.module for one in anatomy.around if any(id(p) in repeated for p in one.module.parameters())]
    return [module for module in dict.fromkeys([*own, *beside]) if not _of_keras(module)]


def _of_keras(module: torch.nn.Module) -> bool:
    """Whether a module is a Keras layer, whose variables are not copied: what it computed is repeated instead."""
    return any(kind.__module__.startswith("keras") for kind in type(module).__mro__)


def _arguments(call: Call) -> Any:
    """What the module was called with, as a tuple of positions or a dict of keywords."""
    if not call.kwargs:
        return call.args
    if not call.args:
        return call.kwargs
    bound = inspect.signature(call.module.forward).bind(*call.args, **call.kwargs)
    kinds = {parameter.kind for parameter in inspect.signature(call.module.forward).parameters.values()}
    return None if inspect.Parameter.VAR_POSITIONAL in kinds else dict(bound.arguments)


def _copies(given: dict[str, Any]) -> dict[str, Any]:
    memo: dict[int, Any] = {}
    try:
        return {name: copied(value, memo) for name, value in given.items()}
    except Exception:  # an object of the program that cannot be copied: the rules then look at it as it is at the end
        return given


def _verify(loss: ReplayedLoss, anatomy: Anatomy, target: list[Node]) -> None:
    """Whether repeating the recorded operations gives the loss that was seen."""
    with torch.no_grad():
        again = loss.replay(*(node.value for node in [*anatomy.ends, *target]))[0]
    one, two = float(again.double().sum()), float(anatomy.loss.value.double().sum())
    near = 0.03 if any(node.tensor.dtype in (torch.float16, torch.bfloat16) for node in anatomy.ends) else 1e-3
    if not (one == two or math.isclose(one, two, rel_tol=near, abs_tol=1e-6) or (one != one and two != two)):
        raise NotReplayed(f"repeated, the operations give {one:.4g} where the program got {two:.4g}")


def _optimizer(optimizers: Iterable[Any], parameters: list[Any]) -> Any:
    """The optimizer that holds these parameters; the only one there is, where it holds none of them."""
    wanted = {id(p) for p in parameters}
    known = list(optimizers)
    own = [one for one in known if any(id(p) in wanted for group in one.param_groups for p in group["params"])]
    if len(own) == 1:
        return own[0]
    return known[0] if len(known) == 1 and not own else None


def event(anatomy: Anatomy) -> LossEvent:
    """The loss as a part of its training step."""
    node, weight = anatomy.loss, anatomy.weight
    value = float(node.value.double().mean())
    if not anatomy.targets or node.op not in KNOWN:
        return LossEvent(0, 0, value, weight)
    labels, ignored = anatomy.targets[0].value, node.kwargs.get("ignore_index", -100)
    return LossEvent(labels.shape[0], int((labels != ignored).sum()), value, weight)


_YES_NO = ("binary_cross_entropy", "binary_cross_entropy_with_logits")


def yes_no(anatomy: Anatomy) -> YesNo:
    """The yes-or-no losses inside a loss: whose outputs they score, and with which targets."""
    judges = frozenset(id(p) for call in anatomy.calls for p in call.module.parameters())
    scored = [node for node in anatomy.inside.values() if node.op in _YES_NO and len(node.inputs) > 1]
    return YesNo(judges, tuple(_constant(node.inputs[1].value) for node in scored))


def _constant(targets: torch.Tensor) -> float | None:
    first = targets.reshape(-1)[0] if targets.numel() else None
    return float(first) if first is not None and bool((targets == first).all()) else None


def _reduction(anatomy: Anatomy) -> str:
    return str(anatomy.loss.kwargs.get("reduction", "mean"))


def _named(anatomy: Anatomy) -> str:
    node = anatomy.loss
    return node.op if node.op in KNOWN else "a loss"


def _titled(model: torch.nn.Module, anatomy: Anatomy) -> str:
    if not isinstance(model, Steps):
        return type(model).__name__
    return " and ".join(dict.fromkeys(type(call.module).__name__ for call in anatomy.calls)) or "plain tensors"
