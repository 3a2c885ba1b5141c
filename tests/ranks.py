"""One of two processes that train on uneven shares of a batch: ``python tests/ranks.py RANK FOLDER``.

It writes down how far its gradients are from those of the undivided batch.
"""

import json
import sys
from pathlib import Path

import torch
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

import goodmeasure as gm

# The micro-batches of each rank. With FSDP every forward pass is a meeting of all ranks, so that they have as many.
ROWS = {
    "DDP": ([slice(0, 1), slice(1, 7)], [slice(7, 10)]),
    "FSDP": ([slice(0, 1), slice(1, 7)], [slice(7, 8), slice(8, 10)]),
}


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    """Ten rows of which three have a target that is ignored."""
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(10, 5, dtype=torch.float64, generator=noise)
    return x, torch.tensor([0, 2, -100, 1, 1, -100, 0, 2, -100, 1])


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()


def gradients(model: torch.nn.Module) -> list[torch.Tensor]:
    found = [p.grad.full_tensor() if isinstance(p.grad, DTensor) else p.grad for p in model.parameters()]
    return [each.clone() for each in found]


def undivided(criterion: torch.nn.Module) -> list[torch.Tensor]:
    model, (x, y) = network(), batch()
    criterion(model(x), y).backward()
    return gradients(model)


def padded(x: torch.Tensor, y: torch.Tensor, length: int = 7) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows of a part, filled up with rows that do not count."""
    more = length - len(x)
    return torch.cat([x, torch.full((more, 5), 9.0).to(x)]), torch.cat([y, torch.full((more,), -100)])


def spread(kind: str) -> torch.nn.Module:
    """The network over two ranks."""
    if kind == "DDP":
        return DistributedDataParallel(network())
    return fully_shard(network(), mesh=torch.distributed.init_device_mesh("cpu", (2,)))


def step(kind: str, criterion: torch.nn.Module, rank: int) -> list[torch.Tensor]:
    """The gradients of one step of a rank, which are exchanged at its last micro-batch."""
    model, (x, y) = spread(kind), batch()
    parts = [padded(x[rows], y[rows]) for rows in ROWS[kind][rank]]
    n = gm.global_denominator(sum(criterion.count(targets) for _, targets in parts))
    for i, (inputs, targets) in enumerate(parts):
        last = i == len(parts) - 1
        if kind == "DDP":
            model.require_backward_grad_sync = last
        else:
            model.set_requires_gradient_sync(last)
        criterion(model(inputs), targets, denominator=n).backward()
    return gradients(model)


def main() -> None:
    rank, folder = int(sys.argv[1]), Path(sys.argv[2])
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder / 'meet'}", rank=rank, world_size=2)
    criterion = gm.to_torch(gm.losses.focal(), ignore_index=-100)
    whole, off = undivided(criterion), {}
    for kind in ROWS:
        pairs = zip(whole, step(kind, criterion, rank), strict=True)
        off[kind] = max(float((a - b).abs().max()) for a, b in pairs)
    (folder / f"{rank}.json").write_text(json.dumps(off))
    torch.distributed.barrier()  # a rank that leaves early is a lost connection to the other
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
