"""Take a model's output apart into tensors and put it together again, whatever it is: tensor, tuple, dict,
dataclass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor in an output with the path that reads it, e.g. ``["logits"]`` or ``[0]``."""
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from leaves(part, f"{path}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for position, part in enumerate(value):
            yield from leaves(part, f"{path}[{position}]")
    elif hasattr(value, "__dict__") and not callable(value):
        for key, part in vars(value).items():
            yield from leaves(part, f"{path}.{key}")


def mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same structure with every tensor changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, Mapping):
        twin = copy.copy(value)
        for key, part in value.items():
            twin[key] = mapped(part, change)  # type: ignore[index]
        return twin
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(mapped(part, change) for part in value))
    if type(value) in (list, tuple):
        return type(value)(mapped(part, change) for part in value)
    if hasattr(value, "__dict__") and not callable(value):
        twin = copy.copy(value)
        twin.__dict__.update({key: mapped(part, change) for key, part in vars(value).items()})
        return twin
    return value
