"""The hand-written score against the model's outputs."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass
class Scored:
    """``score(targets, outputs)`` with real outputs, and with the same numbers in the shape of the targets."""

    score: Any
    targets: Any
    outputs: Any

    @classmethod
    def gather(cls, dossier: Dossier) -> Scored:
        score, targets = dossier.case.need("score", "targets")
        outputs = dossier.case.get("outputs")
        return cls(score, targets, model_outputs(dossier) if outputs is None else outputs)

    def by_shape(self) -> tuple[float, float] | None:
        """The score as called, and the score of the same numbers in the shape of the targets."""
        targets, outputs = self.targets, self.outputs
        if getattr(outputs, "shape", None) == getattr(targets, "shape", None) or not hasattr(outputs, "reshape"):
            return None
        if math.prod(outputs.shape) != math.prod(targets.shape):
            return None
        as_called, flat = self._value(outputs), self._value(outputs.reshape(targets.shape))
        return (as_called, flat) if as_called is not None and flat is not None else None

    def _value(self, outputs: Any) -> float | None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return float(np.asarray(self.score(self.targets, outputs)).mean())
            except Exception:  # a score of other arguments: not ours to judge
                return None


def model_outputs(dossier: Dossier) -> Any:
    """The model's outputs in the kind of array that the targets are."""
    from goodmeasure.auditing.evidence.contracts import Contracts

    wiring = dossier.get(Contracts).wiring
    if len(wiring.outputs) != 1:
        raise Unavailable("the model has several outputs")
    value = wiring.outputs[0][1].value
    return value.numpy() if isinstance(dossier.case.get("targets"), np.ndarray) else value


def as_array(value: Any) -> Array:
    """Tensor or array as numbers."""
    value = value.detach() if hasattr(value, "detach") else value
    return np.asarray(value, dtype=float)
