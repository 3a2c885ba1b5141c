"""What a program makes of its outputs: the labels it decides on, and the scores it computes by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from goodmeasure.auditing.evidence.asked_for_labels import AskedForLabels
from goodmeasure.auditing.evidence.leaves import leaves
from goodmeasure.auditing.evidence.trace import Node, named, tensors_in
from goodmeasure.auditing.observing.objective import is_data
from goodmeasure.auditing.observing.recorder import Call, Recorder
from goodmeasure.auditing.observing.replay import NotReplayed, Replay

_LABELS = named("gt ge lt le round argmax max topk")
_CASTS = named("float long int to double squeeze view reshape flatten detach cpu type bool getitem unsqueeze mul add")
_READ = named("numpy tolist array")
_NUMBERS = named("item float tolist __float__ int")
_MANY = 12


@dataclass(frozen=True)
class Labelling:
    """Labels that follow from the output of a module, as a function of that output."""

    module: torch.nn.Module
    where: str
    decide: Labels
    learned: frozenset[int]  # the parameters that the output follows from
    judged: AskedForLabels = field(default_factory=AskedForLabels)


@dataclass(frozen=True)
class Scoring:
    """A number that follows from output and target of an evaluation, as a function of both."""

    module: torch.nn.Module
    where: str
    score: ReplayedScore
    targets: torch.Tensor
    outputs: torch.Tensor
    learned: frozenset[int]


class Labels:
    """``decide(output)``: the recorded operations between output and labels."""

    def __init__(self, replay: Replay, position: int) -> None:
        self._replay, self._position = replay, position

    def __call__(self, output: Any) -> torch.Tensor:
        return self._replay(list(leaves(output))[self._position][1])[0]


class ReplayedScore:
    """``score(targets, outputs)``: the recorded operations between both and the number."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay

    def __call__(self, targets: torch.Tensor, outputs: torch.Tensor) -> float:
        return float(self._replay(outputs, targets)[0].double().mean())


@dataclass
class Scenes:
    """The decisions and scores seen so far, each place once."""

    recorder: Recorder
    decisions: dict[str, Labelling] = field(default_factory=dict)
    scores: dict[str, Scoring] = field(default_factory=dict)
    read: int = 0  # records so far

    @property
    def full(self) -> bool:
        """Whether enough places were seen."""
        return len(self.decisions) + len(self.scores) >= _MANY or self.read >= 4 * _MANY

    def close(self) -> None:
        """Read what was recorded since the last batch."""
        if not self.recorder.calls or self.full:
            return
        self.read += 1
        with self.recorder.quiet():
            for call in self.recorder.calls:
                if call.parametric and call.end >= 0:
                    self._read(call)

    def _read(self, call: Call) -> None:
        inputs = {id(tensor) for tensor in tensors_in((call.args, call.kwargs))}
        for position, (_, tensor) in enumerate(call.outputs()):
            output = self.recorder.node(tensor)
            if output.op == "leaf" or not output.shape:
                continue
            follows = self._following(output)
            data = {id(node) for node in self._data(follows) if id(node.tensor) not in inputs}
            for label in self._labels(output, follows, data):
                self._decision(call, position, output, label)
            for number, target in self._numbers(output, follows, data):
                self._score(call, output, number, target)

    def _following(self, output: Node) -> dict[int, Node]:
        found = {id(output): output}
        for node in self.recorder.nodes[output.index + 1 :]:
            if any(id(part) in found for part in node.inputs):
                found[id(node)] = node
        return found

    def _data(self, follows: dict[int, Node]) -> Iterator[Node]:
        """The data that meet what follows from an output, which is the first of it."""
        for node in list(follows.values())[1:]:
            for part in node.inputs:
                if id(part) not in follows:
                    yield from (leaf for leaf in part.ancestors() if is_data(leaf))

    def _labels(self, output: Node, follows: dict[int, Node], data: set[int]) -> Iterator[Node]:
        """The labels among what follows: they are compared with data, or read out as numbers."""
        read = {id(node) for node, name, _, _ in self.recorder.reads if name in _READ}
        for node in follows.values():
            if node is output or node.op not in _LABELS or (node.op in ("max", "topk") and node.slot != 1):
                continue
            if any(id(part) in data for part in node.ancestors()):
                continue
            for cast in self._casts(node, follows):
                users = [other for other in follows.values() if cast in other.inputs and other.op in ("eq", "ne")]
                met = any(id(leaf) in data for user in users for leaf in user.ancestors())
                if met or (id(cast) in read and not node.tensor.is_floating_point()):
                    yield cast
                    break

    def _casts(self, node: Node, follows: dict[int, Node]) -> Iterator[Node]:
        """A node, and what is made of it by casts and shapes alone."""
        yield node
        for other in follows.values():
            if other.op in _CASTS and other.inputs and other.inputs[0] is node and len(other.inputs) == 1:
                yield from self._casts(other, follows)

    def _numbers(self, output: Node, follows: dict[int, Node], data: set[int]) -> Iterator[tuple[Node, Node]]:
        """The numbers that are read out and follow from output and a target of as many entries."""
        for node, name, _, _ in self.recorder.reads:
            if name not in _NUMBERS or id(node) not in follows or node.live or node.tensor.numel() != 1:
                continue
            known = {id(one): one for one in self._beside(node, follows) if one.tensor.numel() == output.tensor.numel()}
            if len(known) == 1 and output.tensor.numel() > 1 and any(id(p) in data for p in node.ancestors()):
                yield node, next(iter(known.values()))

    def _beside(self, node: Node, follows: dict[int, Node]) -> Iterator[Node]:
        """What meets the output's followers on the way to a number."""
        for part in node.ancestors():
            if id(part) in follows:
                yield from (one for one in part.inputs if id(one) not in follows and not one.live)

    def _decision(self, call: Call, position: int, output: Node, label: Node) -> None:
        if label.where in self.decisions:
            return
        try:
            replay = Replay([label], [output])
        except NotReplayed:
            return
        judged = (
            AskedForLabels(self._at_work(call, label), _across(output, label))
            if not call.learning
            else AskedForLabels()
        )
        self.decisions[label.where] = Labelling(
            call.module, label.where, Labels(replay, position), _learned(output), judged
        )

    def _at_work(self, call: Call, label: Node) -> tuple[str, ...]:
        """The layers that were as in training, where this is no training and no average over several draws."""
        below = {id(node) for node in label.ancestors()}
        calls = [one for one in self.recorder.calls if one.parametric]
        asked = [one for one in calls if any(id(self.recorder.node(tensor)) in below for _, tensor in one.outputs())]
        return call.at_work if len(asked) == 1 and not any(one.learning for one in calls) else ()

    def _score(self, call: Call, output: Node, number: Node, target: Node) -> None:
        if number.where in self.scores:
            return
        try:
            replay = Replay([number], [output, target])
        except NotReplayed:
            return
        self.scores[number.where] = Scoring(
            call.module,
            number.where,
            ReplayedScore(replay),
            target.value.clone(),
            output.value.clone(),
            _learned(output),
        )


def _across(output: Node, label: Node) -> str:
    """The line of a softmax between an output and its labels that runs over the examples."""
    for node in label.ancestors():
        shares = node.op in ("softmax", "log_softmax") and node.index > output.index
        if shares and len(node.shape) == 2 and node.shape == output.shape and node.arg(1, "dim") in (0, -2):
            return node.where
    return ""


def _learned(output: Node) -> frozenset[int]:
    return frozenset(id(node.tensor) for node in output.ancestors() if node.role == "parameter")
