"""Training code in plain NumPy: its loss, its hand-written gradient, its loop."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable

Array = np.ndarray[Any, np.dtype[np.float64]]
_ENTRIES = 24


@dataclass
class ArrayCode:
    """``loss(outputs, targets)``, ``grad(outputs, targets)`` and ``train()`` of a program without a framework."""

    loss: Any
    grad: Any
    train: Any
    outputs: Array
    targets: Any

    @classmethod
    def gather(cls, dossier: Dossier) -> ArrayCode:
        if dossier.case.framework != "numpy":
            raise Unavailable("not plain NumPy code")
        loss, targets = dossier.case.need("loss", "targets")
        outputs = dossier.case.get("outputs")
        if outputs is None:
            outputs = called(dossier.case.get("model"), dossier.case.get("inputs"))
        if outputs is None:
            raise Unavailable("no outputs to probe the loss at")
        return cls(loss, dossier.case.get("grad"), dossier.case.get("train"), np.asarray(outputs, dtype=float), targets)

    def value(self, outputs: Array, targets: Any = None) -> float | None:
        """The loss, averaged where it is one number per example."""
        found = called(self.loss, outputs, self.targets if targets is None else targets)
        return None if found is None else float(np.mean(np.asarray(found, dtype=float)))

    def written(self) -> Array | None:
        """The hand-written gradient at the given outputs."""
        found = called(self.grad, self.outputs, self.targets)
        return None if found is None else np.asarray(found, dtype=float)

    def compared(self) -> tuple[Array, Array] | None:
        """Entries of the hand-written gradient beside finite differences of the loss."""
        grad = self.written()
        if grad is None or grad.shape != self.outputs.shape:
            return None
        pairs = []
        for index in self._entries():
            slope = self._slope(index)
            if slope is None:
                return None
            pairs.append((grad[index], slope))
        written, slopes = (np.array(part) for part in zip(*pairs, strict=True))
        return written, slopes

    def _entries(self) -> Iterator[tuple[int, ...]]:
        chosen = np.linspace(0, self.outputs.size - 1, min(_ENTRIES, self.outputs.size)).astype(int)
        for flat in chosen:
            yield tuple(int(i) for i in np.unravel_index(flat, self.outputs.shape))

    def _slope(self, index: tuple[int, ...]) -> float | None:
        step = 1e-5 * max(1.0, abs(float(self.outputs[index])))
        ends = []
        for sign in (1, -1):
            moved = self.outputs.copy()
            moved[index] += sign * step
            ends.append(self.value(moved))
        return None if None in ends else (ends[0] - ends[1]) / (2 * step)  # type: ignore[operator]

    def by_shape(self) -> tuple[float, float] | None:
        """The loss as called, and with the outputs in the shape of the targets."""
        shape = getattr(self.targets, "shape", None)
        if shape is None or shape == self.outputs.shape or math.prod(shape) != self.outputs.size:
            return None
        one, two = self.value(self.outputs), self.value(self.outputs.reshape(shape))
        return (one, two) if one is not None and two is not None and self._any_order(one) else None

    def _any_order(self, value: float) -> bool:
        """Whether the loss stays the same when the targets alone are shuffled, as a table of all pairs does."""
        shuffled = [self.value(self.outputs, np.roll(self.targets, shift, axis=0)) for shift in (1, 2, 3)]
        return all(v is not None and abs(v - value) <= 1e-9 * max(1.0, abs(value)) for v in shuffled)

    def extremes(self) -> Iterator[tuple[float, float]]:
        """Finite outputs at which the loss is not finite: the output and the loss."""
        spread = self.outputs.min() < 0 or self.outputs.max() > 1
        for size in (50.0, -50.0, 800.0, -800.0) if spread else ():
            value = self.value(np.full_like(self.outputs, size))
            if value is not None and not np.isfinite(value):
                yield size, value


def called(function: Any, *args: Any) -> Any:
    """What a function of the program returns, or ``None`` where it refuses these arguments."""
    if not callable(function):
        return None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*args)
        except Exception:  # another signature, or the program refuses a probe
            return None
