"""Whether a training step is the same however its batch is split: into micro-batches, over ranks, with padding."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch

from goodmeasure.errors import Problem, ShapeMismatch, UsageError, shorter
from goodmeasure.frameworks.torch_arguments import only_tensors
from goodmeasure.strict.calls import strict_keywords

Joined = Literal["mean", "sum", "by itself"]
Part = tuple[torch.Tensor, ...]

_LOOKED_AT = 8  # rows of which it is found out how much they count


class PartitionDependence(Problem, AssertionError):
    """The loss of a training step, or its gradient, depends on how the batch is split.

    A mean of part means weighs the examples of small parts more. Divide the sum of every part by the count of the whole
    step: ``criterion(input, target, denominator=count)``, with `global_denominator` where there are ranks.
    """

    code = "GM015"


@strict_keywords
def assert_partition_invariant(
    loss_fn: Callable[..., Any],
    batch: torch.Tensor | Sequence[torch.Tensor],
    *,
    joined: Joined = "mean",
    parameters: Iterable[torch.Tensor] = (),
    padding: Sequence[float] | None = None,
    tolerance: float | None = None,
) -> None:
    """Check that a loss and its gradient are the undivided batch's however the batch is split into parts.

    The parts are uneven, and padded if it is said what padding is; one of them holds nothing else. Dropout must be
    off.

    Args:
        loss_fn: the loss of a part, called as ``loss_fn(*part)``; or a whole step, as ``joined`` says.
        batch: tensors of one first axis, such as (input, target), (n, ...) each.
        joined: what the trainer makes of the losses of its parts: "mean" divides by their number, as gradient accumulation
            and DDP do; "sum" adds them up. "by itself": ``loss_fn`` is called with the list of parts and returns the loss
            of the step, or None where it called ``backward`` for each part.
        parameters: tensors of any shape that gradients are taken of, such as ``model.parameters()``; by default the first
            of the batch, (n, ...).
        padding: the number that each tensor of the batch holds in a row of padding, such as ``(0.0, -100)``.
        tolerance: by which part of its size the gradient may differ; by default a thousand roundings.

    Raises:
        GM003: there are fewer than two rows, or the tensors have unequal first axes.
        GM009: the function returns no number, gives two answers for one batch, or has nothing that learns; something is no
            tensor, the padding is not one number a tensor, or the tolerance negative.
        GM015: the loss or its gradient depends on the split. The message says which mean the function is.

    Example:
        >>> import goodmeasure as gm
        >>> import torch
        >>> z, y = torch.tensor([1.5, 2.0, 0.0]), torch.tensor([1.0, 30.0, 0.5])
        >>> criterion = gm.to_torch(gm.losses.huber(), denominator=3.0)
        >>> gm.assert_partition_invariant(criterion, (z, y), joined="sum")
    """
    given = (batch,) if isinstance(batch, torch.Tensor) else tuple(batch)
    learned = [parameters] if isinstance(parameters, torch.Tensor) else list(parameters)
    _check(given, learned, padding, tolerance)
    trial = _Trial.of(loss_fn, given, joined, learned, padding)
    with trial.own_gradients():
        whole, again = trial.step([trial.rows]), trial.step([trial.rows])
        most = tolerance if tolerance is not None else min(1e3 * torch.finfo(whole.dtype).eps, 0.05)
        if whole.off(again) > most:
            raise UsageError(
                "the function gives two answers for one batch", seen=f"{whole} and {again}", fix="model.eval()"
            )
        for parts in _splits(len(given[0]), padding is not None):
            split = trial.step(parts)
            if not whole.off(split) <= most:
                raise _dependence(trial, parts, whole, split)


def _check(
    batch: Part, parameters: list[torch.Tensor], padding: Sequence[float] | None, tolerance: float | None
) -> None:
    for name, tensors in (("batch", batch), ("parameters", parameters)):
        only_tensors(None, (), **{f"{name}[{i}]": each for i, each in enumerate(tensors)})
    lengths = [len(each) if each.ndim else 0 for each in batch]
    if not lengths or len(set(lengths)) > 1 or lengths[0] < 2:
        raise ShapeMismatch(
            "a batch is tensors of two rows or more, as many in each",
            seen=f"{lengths} rows",
            fix="batch = (input, target)",
        )
    if padding is not None and (not isinstance(padding, Sequence) or len(padding) != len(batch)):
        raise UsageError(
            f"padding={shorter(padding)}, and the batch has {len(batch)} tensors: one number each",
            fix="padding=(0.0, -100)",
        )
    if tolerance is not None and not 0 <= tolerance < math.inf:
        raise UsageError(f"tolerance={shorter(tolerance)} is negative or not finite", fix="tolerance=1e-6")
    if not any(each.requires_grad for each in parameters) and (parameters or not batch[0].is_floating_point()):
        raise UsageError(
            "no gradient can be taken: parameters that learn, or the first tensor of the batch, must be floating-point",
            seen=", ".join(str(each.dtype) for each in parameters or batch),
            fix="parameters=model.parameters()",
        )


# Parts are lists of row numbers; -1 is a row of padding.
Rows = list[int]


def _splits(n: int, padded: bool) -> Iterator[list[Rows]]:
    """Ways to split rows: at one place or two, unevenly, and the same with parts filled up to one length."""
    cuts = {(1,), (n // 2,), (n - 1,), (max(n // 4, 1), max(n // 4 + 1, n * 2 // 3))}
    for cut in sorted(cuts):
        ends = [0, *cut, n]
        parts = [list(range(a, b)) for a, b in pairwise(ends) if b > a]
        yield parts
        if padded:
            longest = max(map(len, parts))
            yield [[*part, *[-1] * (longest - len(part))] for part in parts]
    if padded:
        yield [list(range(n)), [-1]]


@dataclass(frozen=True)
class _Step:
    """The loss of a step and its gradients."""

    loss: float
    gradients: list[torch.Tensor]

    def __str__(self) -> str:
        return f"{self.loss:.6g}"

    @property
    def dtype(self) -> torch.dtype:
        return self.gradients[0].dtype

    def off(self, other: _Step) -> float:
        """By which part of its size another differs, in its loss or its gradient; infinite where that is no number."""
        size = sum(float(g.double().square().sum()) for g in self.gradients) ** 0.5
        pairs = zip(self.gradients, other.gradients, strict=True)
        apart = sum(float((a.double() - b.double()).square().sum()) for a, b in pairs) ** 0.5
        found = [apart / size if size else apart, abs(other.loss - self.loss) / (abs(self.loss) or 1.0)]
        return max(x if x == x else math.inf for x in found)


@dataclass(frozen=True)
class _Trial:
    """A function, the batch it is tried on, and what its gradients are taken of."""

    loss_fn: Callable[..., Any]
    batch: Part
    joined: Joined
    wanted: list[torch.Tensor]
    padding: Sequence[float] | None

    @staticmethod
    def of(
        loss_fn: Callable[..., Any],
        batch: Part,
        joined: Joined,
        parameters: list[torch.Tensor],
        padding: Sequence[float] | None,
    ) -> _Trial:
        if parameters:
            return _Trial(loss_fn, batch, joined, [p for p in parameters if p.requires_grad], padding)
        first = batch[0].detach().clone().requires_grad_()
        return _Trial(loss_fn, (first, *batch[1:]), joined, [first], padding)

    @property
    def rows(self) -> Rows:
        return list(range(len(self.batch[0])))

    @contextmanager
    def own_gradients(self) -> Iterator[None]:
        """Gradients that were there are put back in the end."""
        kept = [each.grad for each in self.wanted]
        yield
        for each, gradient in zip(self.wanted, kept, strict=True):
            each.grad = gradient

    def part(self, rows: Rows) -> Part:
        """The rows of a part, and its padding behind them."""
        here = [row for row in rows if row >= 0]
        found = [each[here] for each in self.batch]
        if len(here) == len(rows) or self.padding is None:
            return tuple(found)
        filled = (
            each.new_full((len(rows) - len(here), *each.shape[1:]), by)
            for each, by in zip(found, self.padding, strict=True)
        )
        return tuple(torch.cat([each, more]) for each, more in zip(found, filled, strict=True))

    def loss(self, rows: Rows) -> float:
        """The function's answer for some rows."""
        with torch.no_grad():
            return float(self.loss_fn(*self.part(rows)))

    def step(self, parts: list[Rows]) -> _Step:
        """The loss of all parts, and its gradients."""
        for each in self.wanted:
            each.grad = None
        made = [self.part(rows) for rows in parts]
        if self.joined == "by itself":
            found = self.loss_fn(made)
        else:
            found = sum(map(_number, (self.loss_fn(*part) for part in made)))
            found = found / len(made) if self.joined == "mean" else found
        if found is not None and _number(found).requires_grad:
            found.backward()
        gradients = [torch.zeros_like(each) if each.grad is None else each.grad.clone() for each in self.wanted]
        return _Step(0.0 if found is None else float(found.detach()), gradients)


def _number(found: Any) -> torch.Tensor:
    """What a function returned, which is a tensor of one number."""
    if not (isinstance(found, torch.Tensor) and found.numel() == 1):
        raise UsageError("the function returns no number", seen=f"{type(found).__name__}", fix="return loss.mean()")
    return found


# --- which mean it is ---


def _dependence(trial: _Trial, parts: list[Rows], whole: _Step, split: _Step) -> PartitionDependence:
    sizes = " + ".join(_size(part) for part in parts)
    meaning, fix = ("", _FIX) if trial.joined == "by itself" else _meaning(trial)
    return PartitionDependence(
        f"{len(trial.rows)} rows as {sizes} have the loss {split}, undivided {whole}",
        where=f"joined={trial.joined!r}",
        seen=f"the gradient is off by {_gradient_off(whole, split):.2g} of its size"
        + (f"; {meaning}" if meaning else ""),
        fix=fix,
    )


_FIX = "loss = criterion(input, target, denominator=criterion.count(all_targets)), added up over the parts"


def _size(part: Rows) -> str:
    padded = part.count(-1)
    return f"{len(part) - padded}" + (f" ({padded} more of padding)" if padded else "")


def _gradient_off(whole: _Step, split: _Step) -> float:
    return _Step(0.0, whole.gradients).off(_Step(0.0, split.gradients))


def _meaning(trial: _Trial) -> tuple[str, str]:
    """What the function is, in words, and what mends it: read off its answers for rows and pairs of them."""
    rows = trial.rows[:_LOOKED_AT]
    alone = {row: trial.loss([row]) for row in rows}
    first = next((row for row in rows if alone[row] == alone[row] and alone[row] != 0), None)
    if first is None:
        return "no row alone has a loss", _FIX
    pairs = {row: trial.loss([first, row]) for row in rows if row != first}
    if all(_close(pairs[row], alone[first] + (alone[row] if alone[row] == alone[row] else 0.0)) for row in pairs):
        return (
            "the function is a sum",
            'joined="sum": add the losses of the parts up, and do not divide by their number',
        )
    return f"the function is {_mean_of([1.0, *(_share(alone[first], alone[r], pairs[r]) for r in pairs)])}", _FIX


def _share(first: float, other: float, both: float) -> float:
    """How much a row counts in a mean beside the first; NaN where that is not seen."""
    if other != other or _close(both, first):
        return 0.0 if other != other or not _close(other, first) else math.nan
    return (first - both) / (both - other) if both != other else math.inf


def _mean_of(shares: list[float]) -> str:
    seen = [share for share in shares if share == share]
    if any(share < 0 or share == math.inf for share in seen):
        return "no mean of its rows, however they are weighted"
    if all(_close(share, 1.0) for share in seen):
        return "a mean over its rows: each part divides by its own number"
    if all(share == 0 or _close(share, 1.0) for share in seen):
        return "a mean over the rows that count: each part divides by its own number of them"
    shown = " : ".join(f"{share:.3g}" for share in seen)
    return f"a weighted mean: each part divides by its own weights or tokens, of which its rows have {shown}"


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-4 * max(abs(a), abs(b))
