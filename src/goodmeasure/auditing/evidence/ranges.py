"""What values a node can ever take: interval arithmetic over the recorded graph, with parameters free."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from goodmeasure.auditing.evidence.trace import Node, named

Interval = tuple[float, float]
INF = math.inf
FREE: Interval = (-INF, INF)

_FIXED: dict[str, Interval] = {
    "sigmoid": (0, 1), "hardsigmoid": (0, 1), "softmax": (0, 1), "softmin": (0, 1), "gumbel_softmax": (0, 1), "tanh": (-1, 1),
    "log_softmax": (-INF, 0), "logsigmoid": (-INF, 0), "sin": (-1, 1), "cos": (-1, 1), "erf": (-1, 1), "softsign": (-1, 1),
    "relu6": (0, 6), "softplus": (0, INF), "square": (0, INF), "abs": (0, INF), "sqrt": (0, INF), "norm": (0, INF),
    "vector_norm": (0, INF), "linalg_norm": (0, INF), "linalg_vector_norm": (0, INF), "cdist": (0, INF),
    "pairwise_distance": (0, INF),
    "rsqrt": (0, INF), "normalize": (-1, 1), "var": (0, INF), "std": (0, INF), "gelu": (-0.17, INF), "silu": (-0.279, INF),
    "mse_loss": (0, INF), "l1_loss": (0, INF), "smooth_l1_loss": (0, INF), "huber_loss": (0, INF), "cross_entropy": (0, INF),
    "atan": (-math.pi / 2, math.pi / 2), "mish": (-0.31, INF), "one_hot": (0, 1),
    "gt": (0, 1), "ge": (0, 1), "lt": (0, 1), "le": (0, 1), "eq": (0, 1), "ne": (0, 1),
}  # fmt: skip

SHAPE = named(
    "view reshape permute transpose transpose_all transpose_last squeeze unsqueeze flatten unflatten getitem "
    "contiguous clone to "
    "float double half bfloat16 expand expand_as repeat select index_select narrow movedim moveaxis swapaxes "
    "swapdims t chunk split "
    "unbind gather masked_select take_along_dim view_as reshape_as type type_as roll flip ravel tensor_split "
    "repeat_interleave tile "
    "atleast_1d atleast_2d requires_grad diagonal diag adjoint unfold"
)
_KEEPS = SHAPE | named("detach max min amax amin mean median topk sort cat stack hstack vstack concat where "
    "masked_fill "
                           "maximum minimum adaptive_avg_pool2d adaptive_avg_pool1d avg_pool2d avg_pool1d "
                           "max_pool2d max_pool1d "
                           "interpolate pad nan_to_num cummax kthvalue dropout lerp broadcast_to tril triu")  # fmt: skip


def primary(node: Node) -> Node:
    """The node below shape changes, copies and casts: the operation that made these numbers."""
    while node.op in SHAPE and node.inputs:
        node = node.inputs[0]
    return node


class Ranges:
    """Attainable intervals, remembered per node; what is not understood can take any value."""

    def __init__(self) -> None:
        self._known: dict[int, Interval] = {}

    def of(self, node: Node) -> Interval:
        """The smallest interval that is known to hold every attainable value of this node."""
        for part in reversed(_order(node)):
            if id(part) not in self._known:
                self._known[id(part)] = self._one(part)
        return self._known[id(node)]

    def _seen(self, node: Node) -> Interval:
        return self._known.get(id(node), FREE)

    def _one(self, node: Node) -> Interval:
        if not node.inputs or not node.op:
            return _leaf(node)
        if node.op in _FIXED:
            return _FIXED[node.op]
        if (own := _RULES.get(node.op)) is not None:
            return own(self, node)
        if node.op in _KEEPS:
            return self._hull(node)
        return FREE

    def _hull(self, node: Node) -> Interval:
        parts = [self._seen(part) for part in node.inputs if part.tensor.dtype != torch.bool or len(node.inputs) == 1]
        if node.op in ("getitem", "gather", "index_select", "take_along_dim", "masked_select"):
            parts = parts[:1]
        numbers = [
            float(a)
            for a in node.args[1:]
            if isinstance(a, (int, float)) and not isinstance(a, bool) and node.op in ("masked_fill", "where")
        ]
        parts += [(n, n) for n in numbers]
        return (min(lo for lo, _ in parts), max(hi for _, hi in parts)) if parts else FREE

    def operand(self, node: Node, position: int) -> Interval:
        """The interval of an operand, which may be a Python number."""
        if len(node.args) <= position:
            return FREE
        arg = node.args[position]
        if isinstance(arg, Node):
            return self._seen(arg)
        return (float(arg), float(arg)) if isinstance(arg, (int, float)) else FREE


def _order(node: Node) -> list[Node]:
    """Ancestors, every node before its inputs (reverse it to evaluate)."""
    found = {id(part): part for part in node.ancestors()}
    return sorted(found.values(), key=lambda part: (part.op != "leaf", part.index), reverse=True)


def _leaf(node: Node) -> Interval:
    if node.role == "constant" or node.role == "target":
        value = node.value
        if value.numel() and value.dtype != torch.bool and not value.is_complex():
            finite = value[torch.isfinite(value)] if value.is_floating_point() else value
            return (float(finite.min()), float(finite.max())) if finite.numel() else FREE
        return (0.0, 1.0) if value.dtype == torch.bool else FREE
    return FREE


def _times(x: float, y: float) -> float:
    return 0.0 if x == 0 or y == 0 else x * y


def product(a: Interval, b: Interval) -> Interval:
    """The interval of ``x * y``."""
    ends = [_times(x, y) for x in a for y in b]
    return min(ends), max(ends)


def quotient(a: Interval, b: Interval) -> Interval:
    """The interval of ``x / y``; free where the divisor may be zero from both sides."""
    lo, hi = b
    if lo < 0 < hi:
        return FREE
    if lo >= 0:
        return product(a, (1 / hi if hi else INF, 1 / lo if lo else INF))
    return product(a, (1 / hi if hi else -INF, 1 / lo))


def _add(ranges: Ranges, node: Node) -> Interval:
    a, b = ranges.operand(node, 0), ranges.operand(node, 1)
    return a[0] + b[0], a[1] + b[1]


def _sub(ranges: Ranges, node: Node) -> Interval:
    a, b = ranges.operand(node, 0), ranges.operand(node, 1)
    if node.op == "rsub":
        a, b = b, a
    return a[0] - b[1], a[1] - b[0]


def _mul(ranges: Ranges, node: Node) -> Interval:
    if len(node.args) > 1 and node.args[0] is node.args[1]:
        return 0.0, INF
    return product(ranges.operand(node, 0), ranges.operand(node, 1))


def _div(ranges: Ranges, node: Node) -> Interval:
    a, b = ranges.operand(node, 0), ranges.operand(node, 1)
    return quotient(b, a) if node.op == "rdiv" else quotient(a, b)


def _monotone(function: Callable[[float], float]) -> Callable[[Ranges, Node], Interval]:
    def apply(ranges: Ranges, node: Node) -> Interval:
        lo, hi = ranges.operand(node, 0)
        return function(lo), function(hi)

    return apply


def _exp(x: float) -> float:
    return 0.0 if x == -INF else INF if x > 700 else math.exp(x)


def _log(x: float) -> float:
    return -INF if x <= 0 else math.log(x)


def _neg(ranges: Ranges, node: Node) -> Interval:
    lo, hi = ranges.operand(node, 0)
    return -hi, -lo


def _pow(ranges: Ranges, node: Node) -> Interval:
    exponent = node.arg(1, "exponent")
    lo, hi = ranges.operand(node, 0)
    if isinstance(exponent, (int, float)) and float(exponent) % 2 == 0:
        return 0.0, INF
    if lo >= 0 and isinstance(exponent, (int, float)) and exponent > 0:
        return lo**exponent, INF if hi == INF else hi**exponent
    return (0.0, INF) if lo >= 0 else FREE


def _clamp(ranges: Ranges, node: Node) -> Interval:
    lo, hi = ranges.operand(node, 0)
    low, high = node.arg(1, "min"), node.arg(2, "max")
    if node.op == "clamp_min":
        high = None
    if node.op == "clamp_max":
        low, high = None, node.arg(1, "max")
    if node.op == "hardtanh":
        low, high = node.arg(1, "min_val", -1.0), node.arg(2, "max_val", 1.0)
    if isinstance(low, (int, float)):
        lo, hi = max(lo, low), max(hi, low)
    if isinstance(high, (int, float)):
        lo, hi = min(lo, high), min(hi, high)
    return lo, hi


def _leaky(ranges: Ranges, node: Node) -> Interval:
    lo, hi = ranges.operand(node, 0)
    slope = node.arg(1, "negative_slope", node.arg(1, "alpha", 0.01))
    slope = slope if isinstance(slope, (int, float)) else 1.0
    if node.op == "elu":
        return max(lo, -float(node.arg(1, "alpha", 1.0))), max(hi, 0.0)
    return (lo if lo >= 0 else lo * slope if slope else 0.0), hi


def _relu(ranges: Ranges, node: Node) -> Interval:
    lo, hi = ranges.operand(node, 0)
    return max(lo, 0.0), max(hi, 0.0)


def _sum(ranges: Ranges, node: Node) -> Interval:
    lo, hi = ranges.operand(node, 0)
    many = max(1, node.inputs[0].tensor.numel() // max(1, node.tensor.numel()))
    return (lo * many if lo else 0.0), (hi * many if hi else 0.0)


def _cosine(ranges: Ranges, node: Node) -> Interval:
    both = [ranges.operand(node, 0), ranges.operand(node, 1)]
    return (0.0 if all(lo >= 0 for lo, _ in both) else -1.0), 1.0


def _matmul(ranges: Ranges, node: Node) -> Interval:
    """A product of unit vectors is a cosine; one of shares and numbers is a mixture of these numbers."""
    tensors = [part for part in node.inputs if part.tensor.dim() >= 1]
    if len(tensors) != 2 or any(part.role == "parameter" for part in tensors):
        return FREE
    a, b = (part.value for part in tensors)
    if all(_unit(part) for part in (a, b)):
        return _cosine(ranges, node) if node.op != "einsum" else (-1.0, 1.0)
    nonnegative = all(ranges.of(part)[0] >= 0 for part in tensors)
    if ranges.of(tensors[0]) == (0, 1) and a.dim() >= 1 and bool(((a.sum(-1) - 1).abs() < 1e-4).all()):
        return ranges.of(tensors[1])
    return (0.0, INF) if nonnegative else FREE


def _unit(value: torch.Tensor) -> bool:
    if value.dim() < 2 or not value.is_floating_point() or value.shape[-1] < 2:
        return False
    return any(bool(((value.norm(dim=axis) - 1).abs() < 1e-3).all()) for axis in (-1, -2))


_RULES: dict[str, Callable[[Ranges, Node], Interval]] = {
    "add": _add, "radd": _add, "sub": _sub, "rsub": _sub, "mul": _mul, "rmul": _mul, "div": _div, "rdiv": _div, "neg": _neg,
    "exp": _monotone(_exp), "expm1": _monotone(lambda x: _exp(x) - 1), "log": _monotone(_log),
    "log1p": _monotone(lambda x: _log(1 + x)), "pow": _pow, "clamp": _clamp, "clamp_min": _clamp, "clamp_max": _clamp,
    "hardtanh": _clamp, "leaky_relu": _leaky, "elu": _leaky, "relu": _relu, "threshold": _relu, "sum": _sum, "nansum": _sum,
    "cosine_similarity": _cosine, "matmul": _matmul, "mm": _matmul, "bmm": _matmul, "einsum": _matmul,
}  # fmt: skip
