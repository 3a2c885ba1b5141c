"""Whether examples stay apart: layers that run along the batch, rows that end up elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from goodmeasure.auditing.case import Dossier
from goodmeasure.auditing.evidence.contracts import place
from goodmeasure.auditing.evidence.layout import origin
from goodmeasure.auditing.evidence.swap import Swap
from goodmeasure.auditing.evidence.trace import Node, tensors_in
from goodmeasure.auditing.evidence.wiring import World

_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


@dataclass
class Batch:
    """The example axis of each operation, from two runs that differ in one example."""

    swap: Swap
    sure: bool  # whether the first axis of the inputs must be that of the examples

    @classmethod
    def gather(cls, dossier: Dossier) -> Batch:
        given = dossier.get(World).given
        inputs, targets = list(tensors_in(given.get("inputs"))), list(tensors_in(given.get("targets")))
        steps = {tensor.shape[1] for tensor in inputs if tensor.dim() > 1}
        sure = bool(targets) and targets[0].dim() > 0 and (targets[0].dim() == 1 or targets[0].shape[1] not in steps)
        return cls(dossier.get(Swap), sure)

    def recurrent_along(self) -> Iterator[tuple[str, Node]]:
        """Recurrent and attention layers whose running axis is that of the examples."""
        for node in self.swap.first.nodes if self.sure else ():
            if not node.inputs or len(node.inputs[0].shape) != 3 or node.slot:
                continue
            axes = self.swap.batch_axes(node.inputs[0]) or self._given(node.inputs[0])
            if node.op in _RECURRENT and isinstance(node.args[-1], bool):
                running = 1 if node.args[-1] else 0
                if axes == [running]:
                    yield (
                        f"{node.op} runs along axis {running} of {node.inputs[0].shape}, on which the examples lie",
                        node,
                    )
            elif node.op == "multi_head_attention_forward" and axes == [0] and node.inputs[0].shape[1] > 1:
                yield f"attention runs along axis 0 of {node.inputs[0].shape}, on which the examples lie", node

    def mixed_steps(self) -> Iterator[tuple[str, Node]]:
        """Recurrent layers one of whose sequences holds steps of several examples, because a reshape cut across
        them."""
        for node in self.swap.first.nodes if self.sure else ():
            if (
                node.op not in _RECURRENT
                or node.slot
                or not isinstance(node.args[-1], bool)
                or len(node.inputs[0].shape) != 3
            ):
                continue
            found = origin(node.inputs[0])
            if found is None or found.root.role != "input" or found.root.shape[0] != self.swap.rows:
                continue
            examples = found.coordinates[0].movedim(0 if node.args[-1] else 1, 0).flatten(1)
            if bool((examples != examples[:, :1]).any()):
                yield (
                    f"a sequence that {node.op} sees holds steps of several examples of the input {found.root.shape}",
                    node,
                )

    def _given(self, node: Node) -> list[int]:
        """The example axis of an input itself."""
        return [0] if node.role == "input" and node.shape[0] == self.swap.rows else []

    def moved_rows(self) -> Iterator[tuple[int, list[int]]]:
        """Outputs that change for an input of another row, while that row's own output does not."""
        for _, output in self.swap.first.outputs:
            if not output.shape or output.shape[0] != self.swap.rows or output.op == "leaf":
                continue
            changed = self.swap.changed(output)
            if changed is None:
                continue
            rows = changed.reshape(self.swap.rows, -1).any(1).nonzero().reshape(-1).tolist()
            if rows and self.swap.row not in rows:
                yield self.swap.row, rows[:5]

    def place(self, node: Node) -> str:
        """Where an operation stands."""
        return place(node)
