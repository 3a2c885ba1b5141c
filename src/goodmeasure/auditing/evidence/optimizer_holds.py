"""Whose parameters an optimizer holds."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.wiring import Wiring, World


@dataclass
class OptimizerHolds:
    """How many tensors of the optimizer are known, and which parameters of the loss it lacks."""

    known: int
    strangers: int
    loss_left_out: list[str]

    @classmethod
    def gather(cls, dossier: Dossier) -> OptimizerHolds:
        dossier.case.need("optimizer", "model")
        given = dossier.get(World).given
        optimizer, model = given["optimizer"], given["model"]
        if not isinstance(optimizer, torch.optim.Optimizer) or not isinstance(model, torch.nn.Module):
            raise Unavailable("not a torch optimizer over a torch module")
        loss = given.get("loss")
        parts = [part for part in (model, loss) if isinstance(part, torch.nn.Module)]
        own = {id(p) for part in parts for p in part.parameters()} | _in_the_graph(dossier)
        held = [id(p) for group in optimizer.param_groups for p in group["params"]]
        lacking = loss.named_parameters() if isinstance(loss, torch.nn.Module) else []
        model_own = {id(p) for p in model.parameters()}
        left_out = [name for name, p in lacking if p.requires_grad and id(p) not in held and id(p) not in model_own]
        return cls(sum(key in own for key in held), sum(key not in own for key in held), left_out)


def _in_the_graph(dossier: Dossier) -> set[int]:
    """The tensors that the loss reaches through no module: a temperature that the loss function holds, for one."""
    wiring = dossier.find(Wiring)
    below = wiring.loss.ancestors() if wiring is not None and wiring.loss is not None else ()
    return {id(node.tensor) for node in below if node.op == "leaf" and node.role == "parameter"}
