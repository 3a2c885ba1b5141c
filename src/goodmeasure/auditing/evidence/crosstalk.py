"""What one position of the input does to the others when the model predicts: across examples, and back in time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.batch import Batch
from goodmeasure.auditing.evidence.contracts import place
from goodmeasure.auditing.evidence.leaves import leaves, mapped
from goodmeasure.auditing.evidence.swap import Swap
from goodmeasure.auditing.evidence.trace import Node, named, tensors_in
from goodmeasure.auditing.evidence.wiring import World, as_call, eager
from goodmeasure.auditing.isolate import untouched

_COLLECTIVE = named(
    "mean sum amax amin max min median std var var_mean std_mean norm vector_norm softmax log_softmax normalize logsumexp "
    "cumsum sort argmax scaled_dot_product_attention"
)
_APART = named(
    "binary multiclass multilabel regression count sequence language_model segmentation ordinal quantile autoencoder vae "
    "multitask density ctc"
) | {""}


@dataclass
class Crosstalk:
    """The model in eval mode, called again with part of its input replaced."""

    model: Any
    inputs: Any
    targets: Any
    task: str
    dossier: Dossier

    @classmethod
    def gather(cls, dossier: Dossier) -> Crosstalk:
        given = dossier.get(World).given
        if dossier.case.framework != "torch" or not isinstance(given.get("model"), torch.nn.Module):
            raise Unavailable("the model is not a torch module")
        dossier.case.need("inputs", "targets")
        return cls(given["model"], given["inputs"], given["targets"], dossier.case.task, dossier)

    def _predict(self, inputs: Any) -> list[torch.Tensor]:
        args, kwargs = as_call(inputs)
        state = torch.get_rng_state()
        modes = [(module, module.training) for module in self.model.modules()]
        with untouched(self.model), eager(), warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            try:
                for module, _ in modes:
                    module.training = False
                torch.manual_seed(0)
                return [tensor for _, tensor in leaves(self.model(*args, **kwargs))]
            except Exception as error:  # the program refuses a probe: no reading
                raise Unavailable(f"the model refuses changed inputs ({type(error).__name__})") from error
            finally:
                torch.set_rng_state(state)
                for module, mode in modes:
                    module.training = mode

    def among_examples(self) -> Iterator[tuple[Node, int, list[int]]]:
        """Operations that run over the examples, where replacing one example moves the prediction for others."""
        swap = self.dossier.get(Swap)
        if self.task not in _APART or not self.dossier.get(Batch).sure or self._relates(swap.rows):
            return
        mixing = [node for node in swap.first.nodes if node.stage == "forward" and self._over_examples(node, swap)]
        if not mixing:
            return
        others = [row for row in self._moved(swap.rows) if row != 0]
        if others:
            yield mixing[0], 0, others[:5]

    def _moved(self, rows: int) -> list[int]:
        def change(tensor: torch.Tensor) -> torch.Tensor:
            if tensor.dim() == 0 or tensor.shape[0] != rows:
                return tensor
            twin = tensor.clone()
            twin[0] = tensor[1] * 3 if tensor.is_floating_point() else tensor[1]
            return twin

        moved: set[int] = set()
        for one, two in zip(self._predict(self.inputs), self._predict(mapped(self.inputs, change)), strict=False):
            if one.shape == two.shape and one.dim() and one.shape[0] == rows and one.is_floating_point():
                if one.dim() > 1 and one.shape[1] == rows:  # a table of examples against examples
                    continue
                moved |= set(_differ(one, two).reshape(rows, -1).any(1).nonzero().reshape(-1).tolist())
        return sorted(moved)

    def _relates(self, rows: int) -> bool:
        """Whether the program says how examples hang together (a graph), so that they may speak to each other."""
        given = list(tensors_in(self.inputs))
        tables = [*given, *self.model.buffers(), *(v for m in self.model.modules() for v in tensors_in(vars(m)))]
        square = any(t.layout != torch.strided or tuple(t.shape[-2:]) == (rows, rows) for t in tables)
        edges = any(t.dim() == 2 and 2 in t.shape and t.dtype in (torch.int64, torch.int32) for t in tables)
        return square or edges or sum(t.shape[:1] != (rows,) and t.dim() > 0 for t in given) > 0

    def _over_examples(self, node: Node, swap: Swap) -> bool:
        """Whether an operation sums, averages or normalises along the axis of the examples."""
        if node.op not in _COLLECTIVE or node.slot or not node.inputs:
            return False
        axes = swap.batch_axes(node.inputs[0]) or ([0] if node.inputs[0].role == "input" else [])
        rank = len(node.inputs[0].shape)
        if len(axes) != 1 or rank < 2:
            return False
        position, name = (2, "dim") if node.op in ("norm", "normalize", "vector_norm") else (1, "dim")
        dim = node.arg(position, name, node.kwargs.get("axis", 1 if node.op == "normalize" else None))
        dims = dim if isinstance(dim, tuple) else (dim,)
        return any(isinstance(d, int) and not isinstance(d, bool) and d % rank == axes[0] for d in dims)

    def back_in_time(self) -> Iterator[tuple[int, int, float]]:
        """Outputs that move when only later inputs are changed, where the target is the next input: how many
        positions, of how many, by how much."""
        for tokens in tensors_in(self.inputs):
            if self._next_of(tokens) is None:
                continue
            cut = tokens.shape[1] - 2
            for one, two in self._with_other(tokens, slice(cut, None)):
                early = _differ(one, two)[:, :cut].any(2).any(0)
                if bool(early.any()):
                    yield int(early.sum()), cut, float((one - two)[:, :cut].abs().max())
                    return

    def one_way(self, tokens: torch.Tensor) -> bool:
        """Whether each output of a sequence knows of earlier inputs, and of no later ones."""
        cut = tokens.shape[1] - 2
        if cut < 1:
            return False
        late, soon = list(self._with_other(tokens, slice(cut, None))), list(self._with_other(tokens, slice(0, 1)))
        back = any(bool(_differ(one, two)[:, :cut].any()) for one, two in late)
        return bool(late) and not back and any(bool(_differ(one, two)[:, 1:].any()) for one, two in soon)

    def _with_other(self, tokens: torch.Tensor, places: slice) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Outputs by position, as they are, and with other inputs of this sequence at these places."""
        twin = tokens.clone()
        twin[:, places] = tokens.roll(1, 0)[:, places]
        if torch.equal(twin, tokens):
            twin[:, places] = tokens.roll(places.start or 1, 1)[:, places]
        changed = _exchanged(self.inputs, tokens, twin)
        for one, two in zip(self._predict(self.inputs), self._predict(changed), strict=False):
            if one.shape == two.shape and one.dim() == 3 and one.shape[:2] == tokens.shape[:2]:
                yield one, two

    def _next_of(self, sequence: torch.Tensor) -> torch.Tensor | None:
        """The target that holds, at each position, the next element of this input."""
        if sequence.dim() < 2 or sequence.shape[1] < 5:
            return None
        varied = len(torch.unique(sequence)) >= 4
        for target in tensors_in(self.targets):
            if target.shape != sequence.shape or not varied or target.dtype != sequence.dtype:
                continue
            ahead, now = target[:, :-1], sequence[:, 1:]
            known = ahead >= 0 if not target.is_floating_point() else torch.ones_like(ahead, dtype=torch.bool)
            if bool(known.any()) and float((ahead == now)[known].double().mean()) > 0.9:
                return target
        return None

    def place(self, node: Node) -> str:
        """Where an operation stands."""
        return place(node)


def _differ(one: torch.Tensor, two: torch.Tensor) -> torch.Tensor:
    return ~torch.isclose(one.double(), two.double(), rtol=1e-4, atol=1e-6)


def _exchanged(inputs: Any, old: torch.Tensor, new: torch.Tensor) -> Any:
    return mapped(inputs, lambda tensor: new if tensor is old else tensor)
