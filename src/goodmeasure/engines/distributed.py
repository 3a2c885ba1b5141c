"""torch.distributed: every rank tallies the rows it holds, and all ranks get the tally of all of them."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

import numpy as np

from goodmeasure.tallying.tally import Tally


def all_reduce(tally: Tally, group: Any = None) -> Tally:
    """The sum of every rank's tally, on every rank; a rank without rows gives the tally of an empty batch.

    The states travel as bytes (their lengths first), because sums without rounding are as long as their data need.
    Rows that a sampler repeats to fill the last batch are counted as often as they are tallied: use one that does
    not pad.
    """
    import torch
    from torch import distributed

    data = np.frombuffer(tally.to_bytes(), dtype=np.uint8).copy()
    device = _device(distributed.get_backend(group))
    lengths = [torch.zeros(1, dtype=torch.int64, device=device) for _ in range(distributed.get_world_size(group))]
    distributed.all_gather(lengths, torch.tensor([len(data)], device=device), group=group)
    sizes = [int(length) for length in lengths]
    padded = torch.zeros(max(sizes), dtype=torch.uint8, device=device)
    padded[: len(data)] = torch.from_numpy(data).to(device)
    gathered = [torch.zeros_like(padded) for _ in sizes]
    distributed.all_gather(gathered, padded, group=group)
    parts = [Tally.from_bytes(each[:size].cpu().numpy().tobytes()) for each, size in zip(gathered, sizes, strict=True)]
    made = reduce(add, parts)
    return Tally(made.schema, made.groups, tally.losses)


def _device(backend: str) -> str:
    return "cuda" if backend == "nccl" else "cpu"
