"""The recognised losses in a program: what each was given, which contract it has, and how far its result counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.keras_fit import KerasFit
from goodmeasure.auditing.evidence.ranges import SHAPE, Interval, Ranges, primary
from goodmeasure.auditing.evidence.trace import Node, named
from goodmeasure.auditing.evidence.wiring import Wiring


@dataclass(eq=False)
class LossCall:
    """One call of a known loss: its kind, prediction, target and weights as nodes, and its remaining options."""

    kind: str
    node: Node
    input: Node
    target: Node | None = None
    weight: Node | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The line and the operation."""
        return place(self.node)

    @property
    def class_axis(self) -> int:
        """The axis of the prediction along which the classes lie."""
        if self.options.get("classes_last"):
            return len(self.input.shape) - 1
        return 1 if len(self.input.shape) > 1 else 0

    @property
    def indices(self) -> bool:
        """Whether the target holds class indices rather than probabilities."""
        return self.target is not None and self.kind in CLASSES and not self.target.tensor.is_floating_point()

    def target_values(self) -> torch.Tensor:
        """The numbers of the target (none where there is no target)."""
        return torch.empty(0) if self.target is None else self.target.value

    def counted(self) -> torch.Tensor:
        """The class indices that are not ignored."""
        values = self.target_values().reshape(-1)
        ignored = self.options.get("ignore_index", -100)
        return values[values != ignored]


def _two(name: str) -> Callable[[Node], dict[str, Any]]:
    return lambda node: {"target": node.arg(1, name)}


def _cross_entropy(node: Node) -> dict[str, Any]:
    return {
        "target": node.arg(1, "target"),
        "weight": node.arg(2, "weight"),
        "ignore_index": node.kwargs.get("ignore_index", -100),
        "label_smoothing": node.kwargs.get("label_smoothing", 0.0),
        "reduction": node.kwargs.get("reduction", "mean"),
    }


def _with_logits(node: Node) -> dict[str, Any]:
    return {
        "target": node.arg(1, "target"),
        "weight": node.arg(2, "weight"),
        "pos_weight": node.kwargs.get("pos_weight"),
        "reduction": node.kwargs.get("reduction", "mean"),
    }


def _bce(node: Node) -> dict[str, Any]:
    return {"target": node.arg(1, "target"), "weight": node.arg(2, "weight")}


def _kl(node: Node) -> dict[str, Any]:
    return {
        "target": node.arg(1, "target"),
        "reduction": node.arg(4, "reduction", "mean"),
        "log_target": node.arg(5, "log_target", False),
    }


def _poisson(node: Node) -> dict[str, Any]:
    return {"target": node.arg(1, "target"), "log_input": node.arg(2, "log_input", True)}


def _gaussian(node: Node) -> dict[str, Any]:
    return {"target": node.arg(1, "target"), "var": node.arg(2, "var")}


def _ctc(node: Node) -> dict[str, Any]:
    names = ("targets", "input_lengths", "target_lengths", "blank")
    return {
        ("target" if name == "targets" else name): node.arg(i + 1, name, 0 if name == "blank" else None)
        for i, name in enumerate(names)
    }


KNOWN: dict[str, Callable[[Node], dict[str, Any]]] = {
    "cross_entropy": _cross_entropy, "nll_loss": _cross_entropy, "binary_cross_entropy": _bce,
    "binary_cross_entropy_with_logits": _with_logits, "mse_loss": _two("target"), "l1_loss": _two("target"),
    "smooth_l1_loss": _two("target"), "huber_loss": _two("target"), "kl_div": _kl, "poisson_nll_loss": _poisson,
    "gaussian_nll_loss": _gaussian, "ctc_loss": _ctc, "hinge_embedding_loss": _two("target"), "soft_margin_loss": _two("target"),
    "multi_margin_loss": _two("target"), "multilabel_margin_loss": _two("target"), "multilabel_soft_margin_loss": _two("target"),
    "cosine_embedding_loss": lambda node: {"target": node.arg(2, "target")},
    "margin_ranking_loss": lambda node: {"target": node.arg(2, "target")},
}  # fmt: skip
MEETINGS = named("add sub rsub mul div rdiv pow maximum minimum eq ne gt lt ge le hypot") | {
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "poisson_nll_loss", "gaussian_nll_loss", "kl_div", "soft_margin_loss",
    "hinge_embedding_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
}  # fmt: skip
CLASSES = ("cross_entropy", "nll_loss", "probability_cross_entropy")
DISTANCES = ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss")


def loss_call(node: Node) -> LossCall | None:
    """The contract of this operation, where it is a loss that is known here."""
    if node.op not in KNOWN or not node.inputs:
        return None
    options = KNOWN[node.op](node)
    first = node.arg(0, "input", node.arg(0, "log_probs", node.arg(0, "input1")))
    if not isinstance(first, Node):
        return None
    target, weight = options.pop("target", None), options.pop("weight", None)
    return LossCall(
        node.op,
        node,
        first,
        target if isinstance(target, Node) else None,
        weight if isinstance(weight, Node) else None,
        options,
    )


@dataclass
class Contracts:
    """Every recognised loss call that the loss was computed from, and the attainable ranges of their inputs."""

    calls: list[LossCall]
    ranges: Ranges
    wiring: Wiring
    task: str

    @classmethod
    def gather(cls, dossier: Dossier) -> Contracts:
        keras = dossier.find(KerasFit)
        wiring = keras.wiring if keras else dossier.get(Wiring)
        if wiring.loss is None and not wiring.nodes:
            raise Unavailable("nothing was computed")
        reaching = wiring.reaching()
        found = [call for node in wiring.nodes if (not reaching or id(node) in reaching) and (call := loss_call(node))]
        if keras and keras.kind and wiring.outputs:
            found = [LossCall(keras.kind, *keras.call(), options=keras.options)]
        return cls(found, Ranges(), wiring, dossier.case.task)

    def range(self, node: Node) -> Interval:
        """The attainable interval of a node, never narrower than what was seen."""
        lo, hi = self.ranges.of(node)
        value = node.value
        if not value.numel() or not value.is_floating_point():
            return lo, hi
        finite = value[torch.isfinite(value)]
        return (min(lo, float(finite.min())), max(hi, float(finite.max()))) if finite.numel() else (lo, hi)

    def of(self, *kinds: str) -> list[LossCall]:
        """The calls of these kinds."""
        return [call for call in self.calls if call.kind in kinds]

    @cached_property
    def tail(self) -> list[Node]:
        """The nodes from which the loss follows without another learned operation: the last mile, and its first
        stones."""
        found: dict[int, Node] = {}
        ends = [self.wiring.loss] if self.wiring.loss else [node for _, node in self.wiring.outputs]
        stack = [*ends, *([self.wiring.trace.failed] if self.wiring.trace.failed else [])]
        while stack:
            node = stack.pop()
            if id(node) in found:
                continue
            found[id(node)] = node
            if not learned(node):
                stack.extend(node.inputs)
        return sorted(found.values(), key=lambda node: node.index)

    def pairs(self) -> Iterator[tuple[Node, Node, Node]]:
        """Every elementwise meeting of a live tensor with one that follows from the targets alone: operation, live,
        target."""
        for node in self.wiring.nodes:
            if node.op not in MEETINGS or len(node.args) < 2:
                continue
            a, b = node.args[0], node.args[1]
            if not isinstance(a, Node) or not isinstance(b, Node):
                continue
            for live, other in ((a, b), (b, a)):
                if live.live and not other.live and other.depends_on("target"):
                    yield node, live, other

    def compared_leaves(self) -> list[torch.Tensor]:
        """The tensors of the targets that outputs are compared with: in a known loss, or by a difference."""
        met = [call.target for call in self.calls if call.target is not None and call.input.live]
        met += [target for node, _, target in self.pairs() if node.op in ("sub", "rsub", "eq", "ne")]
        found = {id(part.tensor): part.tensor for one in met for part in one.ancestors() if part.role == "target"}
        return list(found.values())

    distances = DISTANCES
    labelled = (*CLASSES, "binary_cross_entropy", "binary_cross_entropy_with_logits")

    def whole_target(self, call: LossCall) -> bool:
        """Whether the call is given the caller's targets as they are, one label per example."""
        return (
            call.target is not None and primary(call.target).role == "target" and len(primary(call.target).shape) == 1
        )

    def learned_alone(self, node: Node) -> bool:
        """Whether a node follows from parameters and constants without the data (a learned temperature, for one)."""
        return not (node.depends_on("input") or node.depends_on("target"))

    def sums_raw_scores(self, node: Node) -> bool:
        """Whether a sum of raw scores, and not only of their powers or shares, went into a node."""
        sums = (part for part in self.tail_of(node) if part.op in ("sum", "mean") and part.inputs[0].live)
        return any(self._raw_mixture(part.inputs[0]) for part in sums)

    def _raw_mixture(self, node: Node) -> bool:
        """Whether a node is made of raw scores by nothing but sums and products."""
        lo, hi = self.range(node)
        if not lo < 0 < hi:
            return False
        if self.unbounded(node):
            return True
        plain = node.op in SHAPE or node.op in ("add", "sub", "rsub", "mul", "neg")
        return plain and any(self._raw_mixture(part) for part in node.inputs if part.live)

    def mixed_in_loss(self, output: Node) -> bool:
        """Whether the loss mixes the entries of an output with others (an embedding that is compared, not scores)."""
        mixing = _PRODUCTS | {"linear", "cdist", "pairwise_distance", "cosine_similarity", "triplet_margin_loss"}
        later = (node for node in self.wiring.nodes if node.stage == "loss" and node.op in mixing)
        return any(output in node.ancestors() for node in later)

    def tail_of(self, node: Node) -> list[Node]:
        """The part of the last mile that a node follows from."""
        ancestors = {id(part) for part in node.ancestors()}
        return [part for part in self.tail if id(part) in ancestors]

    def weights_that_stretch(self) -> Iterator[tuple[Node, Node, Node]]:
        """Per-example weights that meet per-example losses in another rank, so that both are stretched."""
        for node in self.wiring.nodes:
            if node.stage != "loss" or node.op not in (
                "mul",
                "binary_cross_entropy",
                "binary_cross_entropy_with_logits",
            ):
                continue
            weight = node.arg(2, "weight") if node.op != "mul" else None
            parts = [node.args[0], weight if node.op != "mul" else node.args[1]] if len(node.args) > 1 else []
            if len(parts) != 2 or not all(isinstance(part, Node) for part in parts):
                continue
            live, other = parts if parts[0].live else parts[::-1]
            known = other.depends_on("target") and node.op == "mul"
            if live.live and not other.live and not known:
                yield node, live, other

    def squared_by_self(self) -> Iterator[tuple[str, Node]]:
        """Cross-entropies over a symmetric table of similarities in which every row finds itself most similar."""
        seen = [(call.where, call.input) for call in self.of("cross_entropy")]
        seen += [(place(n), n.inputs[0]) for n in self.tail if n.op in ("log_softmax", "logsumexp") and n.inputs]
        for where, scores in seen:
            value = scores.value
            if value.dim() != 2 or value.shape[0] != value.shape[1] or value.shape[0] < 4 or not scores.live:
                continue
            even = torch.allclose(value, value.T, rtol=1e-4, atol=1e-5)
            if even and bool((value.diagonal() >= value.amax(1) - 1e-6).all()) and float(value.std()) > 0:
                yield where, scores

    def dropped_scores(self) -> Iterator[LossCall]:
        """Recognised losses whose input is the result of dropout."""
        for call in self.calls:
            made = primary(call.input)
            if (
                made.op in ("dropout", "alpha_dropout", "dropout1d", "dropout2d")
                and made.arg(2, "training", True)
                and float(made.arg(1, "p", 0.5)) > 0
            ):
                yield call

    def class_weights(self) -> Iterator[tuple[str, list[float], list[float]]]:
        """Class weights next to the counts of the classes: where, weights, counts."""
        for call in self.of("cross_entropy", "nll_loss"):
            if call.weight is not None and call.indices:
                yield call.where, _numbers(call.weight.value), _counts(call.counted(), call.weight.value.numel())
        for call in self.of("binary_cross_entropy_with_logits"):
            weight = call.options.get("pos_weight")
            target = call.target_values()
            if isinstance(weight, Node) and weight.value.numel() == 1 and target.numel():
                ones = float(target.sum())
                yield call.where, [1.0, float(weight.value)], [target.numel() - ones, ones]
        for node in self.wiring.nodes:
            if (
                node.op in ("getitem", "index_select", "take", "gather")
                and node.inputs
                and node.inputs[0].role == "constant"
            ):
                table, index = node.inputs[0].value, node.inputs[-1]
                if table.dim() == 1 and table.numel() > 1 and table.is_floating_point() and index is not node.inputs[0]:
                    labels = index.value.reshape(-1)
                    if index.depends_on("target") and not labels.is_floating_point() and labels.dtype != torch.bool:
                        yield place(node), _numbers(table), _counts(labels, table.numel())

    def weighs_its_loss(self, node: Node, loss: Node) -> bool:
        """Whether a factor computed from a loss multiplies that same loss later on."""
        for user in self.wiring.nodes:
            if user.op in ("mul", "rmul") and len(user.inputs) == 2:
                a, b = ({id(p) for p in part.ancestors()} for part in user.inputs)
                if (id(node) in a and id(loss) in b) or (id(node) in b and id(loss) in a):
                    return True
        return False

    def joined_shape(self, a: Node, b: Node) -> tuple[int, ...] | None:
        """The shape in which two tensors meet, or ``None`` where they do not fit."""
        try:
            return tuple(torch.broadcast_shapes(a.shape, b.shape))
        except RuntimeError:
            return None

    def stretched_on_purpose(self, node: Node) -> bool:
        """Whether the program itself inserted an axis (``[:, None]``, ``unsqueeze``) in the loss."""
        while node.op in SHAPE and node.inputs:
            if node.stage == "loss" and (
                node.op == "unsqueeze" or (node.op == "getitem" and len(node.shape) > len(node.inputs[0].shape))
            ):
                return True
            node = node.inputs[0]
        return False

    def soft_targets(self) -> Iterator[tuple[str, torch.Tensor, int]]:
        """Targets that are rows of probabilities: of cross-entropy, or multiplied with log-softmax by hand."""
        for call in self.of("cross_entropy", "probability_cross_entropy"):
            values = call.target_values()
            if call.target is not None and values.shape == call.input.value.shape and values.is_floating_point():
                yield call.where, values, call.class_axis
        for node, live, target in self.pairs():
            root = primary(target)
            root = primary(root.inputs[0]) if root.op == "neg" else root
            whole = (
                node.op == "mul"
                and live.shape == target.shape
                and root.role == "target"
                and target.tensor.is_floating_point()
            )
            if whole:
                for axis in range(1, len(live.shape)):
                    if live.shape[axis] > 1 and self.log_simplex(live, axis):
                        yield place(node), target.value.abs(), axis

    def normalisations(self, *, logs_only: bool = False) -> Iterator[tuple[Node, int, str]]:
        """Every place of the last mile that normalises over classes: node, axis, where. Recognised losses come
        first."""
        for call in self.of("cross_entropy"):
            yield Node(call.kind, call.node.tensor, (call.input,), where=call.where), call.class_axis, call.where
        names = ("log_softmax", "logsumexp") if logs_only else ("log_softmax", "logsumexp", "softmax", "softmin")
        for node in self.tail:
            axis = axis_of(node) if node.op in names else None
            if axis is not None and node.live:
                yield node, axis, place(node)

    def sigmoids(self, *, losses_only: bool = False) -> Iterator[tuple[Node, Node]]:
        """Every sigmoid of the last mile, alone or inside a loss, with what it is applied to."""
        for call in self.of("binary_cross_entropy_with_logits", "multilabel_soft_margin_loss"):
            yield call.node, call.input
        if not losses_only:
            for node in self.tail:
                if node.op in ("sigmoid", "logsigmoid") and node.inputs:
                    yield node, node.inputs[0]

    def distribution_axes(self, call: LossCall) -> list[int]:
        """The axes along which this call may hold its distribution."""
        last = len(call.input.shape) - 1
        return (
            [call.class_axis]
            if call.kind == "nll_loss"
            else [last]
            if call.kind == "ctc_loss"
            else sorted({min(1, last), last})
        )

    def unbounded(self, node: Node) -> bool:
        """Whether the number comes straight from a learned layer, with nothing that bounds it."""
        return learned(self.source(node)) and self.source(node).op not in ("embedding",)

    def place(self, node: Node) -> str:
        """Where an operation stands."""
        return place(node)

    def source(self, node: Node) -> Node:
        """The operation that made these numbers, below shapes, copies and casts."""
        return primary(node)

    def simplex(self, node: Node, axis: int) -> bool:
        """Whether the values are shares along an axis."""
        return simplex(node.value, axis)

    def log_simplex(self, node: Node, axis: int) -> bool:
        """Whether the values are logarithms of shares along an axis."""
        return log_simplex(node.value, axis)

    def users(self, node: Node) -> list[Node]:
        """The operations that read this node."""
        return [other for other in self.wiring.nodes if node in other.inputs]


def place(node: Node) -> str:
    """Where an operation stands: the program's line, or the stage where a library was called directly, and its name."""
    stage = {"loss": "loss(output, targets)", "decide": "decide(output)"}.get(node.stage, "model(inputs)")
    return f"{node.where or stage} ({node.op})"


LEARNED = named("linear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d bilinear embedding "
    "embedding_bag "
                    "gru lstm rnn_tanh rnn_relu gru_cell lstm_cell multi_head_attention_forward batch_norm "
                    "layer_norm group_norm "
                    "instance_norm rms_norm addmm baddbmm scaled_dot_product_attention")  # fmt: skip
_PRODUCTS = named("matmul mm bmm einsum tensordot")


def learned(node: Node) -> bool:
    """Whether this operation mixes its operand by parameters, as a layer does."""
    if node.op in LEARNED:
        return True
    if node.op in ("add", "sub"):  # a bias that is added by hand
        return any(part.role == "parameter" for part in node.inputs) and any(learned(part) for part in node.inputs)
    return node.op in _PRODUCTS and any(primary(part).role == "parameter" for part in node.inputs)


def simplex(value: torch.Tensor, axis: int) -> bool:
    """Whether every slice along an axis holds shares: not negative, and one in all."""
    if not value.is_floating_point() or value.dim() <= axis or value.shape[axis] < 2 or value.numel() < 4:
        return False
    sums = value.sum(axis)
    return (
        bool((value >= -1e-6).all())
        and bool(((sums - 1).abs() < 2e-3).all())
        and bool((value.max() - value.min()) > 1e-6)
    )


def log_simplex(value: torch.Tensor, axis: int) -> bool:
    """Whether every slice along an axis holds logarithms of shares."""
    if not value.is_floating_point() or value.dim() <= axis:
        return False
    return bool((torch.logsumexp(value.float(), axis).abs() < 2e-2).all())


def axis_of(node: Node) -> int | None:
    """The axis along which a softmax or logsumexp node works."""
    dim = node.arg(1, "dim")
    if isinstance(dim, tuple) and len(dim) == 1:
        dim = dim[0]
    return dim % max(1, node.inputs[0].tensor.dim()) if isinstance(dim, int) and node.inputs else None


def _numbers(values: torch.Tensor) -> list[float]:
    return [float(v) for v in values.reshape(-1)]


def _counts(labels: torch.Tensor, classes: int) -> list[float]:
    kept = labels[(labels >= 0) & (labels < classes)].long()
    return _numbers(torch.bincount(kept, minlength=classes))
