"""The loss as the training step calls it: what the step does to output and targets on the way belongs to it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import torch

from goodmeasure.auditing.isolate import untouched


class _Reached(Exception):
    """The step has come to its loss: the arguments."""

    def __init__(self, output: Any, targets: Any) -> None:
        super().__init__()
        self.output, self.targets = output, targets


class _Spoken:
    """Stands where the model stands: its one call returns an output that is known already."""

    def __init__(self, model: Any, output: Any) -> None:
        self._model, self._output, self.calls = model, output, 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        return self._output

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


class StepLoss(torch.nn.Module):  # type: ignore[misc]  # torch has no types here
    """``loss(output, targets)`` with the preparation that the step does in between."""

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__()
        object.__setattr__(self, "given", given)
        self.inner = given["loss"]

    def arguments(self, output: Any, targets: Any) -> tuple[Any, Any] | None:
        """What the step hands to the loss for this output, or ``None`` where it does not come that far."""
        given = self.given
        model = _Spoken(given["model"], output)

        def reached(*args: Any, **_: Any) -> Any:
            raise _Reached(*args)

        try:
            given["step"](model, reached, given["inputs"], targets, given.get("optimizer"))
        except _Reached as end:
            return (end.output, end.targets) if model.calls == 1 else None
        return None

    def forward(self, output: Any, targets: Any) -> Any:
        """The loss of the prepared arguments."""
        found = self.arguments(output, targets)
        return self.inner(*(found or (output, targets)))

    def __getattr__(self, name: str) -> Any:
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("inner"), name)


def prepared_loss(given: dict[str, Any], fresh: Callable[[], dict[str, Any]]) -> StepLoss | None:
    """The loss with the step's preparation, where the step reshapes or converts what it compares; else ``None``.

    Judged on a copy that is thrown away: one call of a model with one output, and one call of the loss.
    """
    if any(given.get(name) is None for name in ("step", "model", "loss", "inputs", "targets")):
        return None
    twin = fresh()
    model, inputs, targets, loss = (twin[name] for name in ("model", "inputs", "targets", "loss"))
    if not isinstance(model, torch.nn.Module) or not isinstance(targets, torch.Tensor) or not callable(loss):
        return None
    with untouched(model, loss), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            output = model(**inputs) if isinstance(inputs, dict) else model(*_positions(inputs))
            found = StepLoss(twin).arguments(output, targets) if isinstance(output, torch.Tensor) else None
        except Exception:  # a program that stops by itself: said elsewhere
            return None
        if found is None or not _reshaped(output, found[0]) & _reshaped(targets, found[1]):
            return None
        same = found[0].shape == output.shape and found[1].shape == targets.shape and found[1].dtype == targets.dtype
        return None if same or _calls(twin) != 1 else StepLoss(given)


def _positions(inputs: Any) -> tuple[Any, ...]:
    return inputs if isinstance(inputs, tuple) else (inputs,)


def _reshaped(before: torch.Tensor, after: Any) -> bool:
    """Whether these are the same numbers in the same order."""
    if not isinstance(after, torch.Tensor) or after.numel() != before.numel():
        return False
    return bool(torch.equal(after.detach().double().reshape(-1), before.detach().double().reshape(-1)))


def _calls(twin: dict[str, Any]) -> int:
    """How often the step calls its loss."""
    count = [0]

    def counted(*args: Any, **kwargs: Any) -> Any:
        count[0] += 1
        return twin["loss"](*args, **kwargs)

    try:
        twin["step"](twin["model"], counted, twin["inputs"], twin["targets"], twin.get("optimizer"))
    except Exception:  # the program stops by itself: said elsewhere
        return 0
    return count[0]
