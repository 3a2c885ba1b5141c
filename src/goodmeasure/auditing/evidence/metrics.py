"""Metrics that a program computes of targets and outputs, asked about outputs of known meaning."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable

Array = np.ndarray[Any, np.dtype[Any]]

# Metrics that are 1 where every output is right, by their usual names.
_ONE = frozenset(
    ["accuracy", "acc", "balanced_accuracy", "f1", "macro_f1", "micro_f1", "f1_macro", "f1_micro", "f1_score", "precision",
     "recall", "matthews_correlation", "mcc", "kappa", "top1", "hit_rate"]
)  # fmt: skip
_ABSENT = -100  # the label of what is not to be scored


@dataclass
class Metrics:
    """``metrics(targets, outputs)``: named numbers, of class labels and of scores or labels for them."""

    metrics: Callable[[Any, Any], Mapping[str, Any]]
    targets: Array
    outputs: Array
    ahead: int  # by how many positions the labels lie ahead of the outputs that they are compared with

    @classmethod
    def gather(cls, dossier: Dossier) -> Metrics:
        metrics, targets, outputs = dossier.case.need("metrics", "targets", "outputs")
        if not isinstance(targets, np.ndarray) or not isinstance(outputs, np.ndarray):
            raise Unavailable("several outputs or several targets")
        return cls(metrics, targets, outputs, int(dossier.case.get("ahead") or 0))

    def values(self, outputs: Array) -> dict[str, float]:
        """The metrics of these outputs that are numbers."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                said = self.metrics(self.targets, outputs)
            except Exception:  # the program refuses a probe: no reading
                return {}
        return {name: float(value) for name, value in said.items() if np.ndim(value) == 0 and _number(value)}

    def perfect(self, ahead: int) -> Array | None:
        """Outputs that are right about every label; ``None`` where it is not known what is right."""
        labels = self._ahead(ahead)
        if self.targets.dtype.kind not in "iu" or not (labels >= 0).any():
            return None
        known = np.where(labels >= 0, labels, 0)
        if self.outputs.shape == self.targets.shape and self.outputs.dtype.kind in "iu":
            return known.astype(self.outputs.dtype)
        if self.outputs.shape[:-1] != self.targets.shape or self.outputs.shape[-1] <= max(1, known.max()):
            return None
        return np.where(np.arange(self.outputs.shape[-1]) == known[..., None], 9.0, -9.0).astype(self.outputs.dtype)

    def _ahead(self, ahead: int) -> Array:
        if not ahead:
            return self.targets
        filler = np.full_like(self.targets[..., :ahead], _ABSENT)
        return np.concatenate([self.targets[..., ahead:], filler], axis=-1)

    def missed(self) -> Iterator[tuple[str, float, str]]:
        """Metrics that are not 1 where every output is right: the name, what it is, and what that means."""
        right = self.perfect(self.ahead)
        if right is None:
            return
        said, present = self.values(right), self.targets >= 0
        other = self.perfect(0) if self.ahead and self.outputs.ndim == 3 else None
        copied = self.values(other) if other is not None else {}
        for name, value in said.items():
            if name.removeprefix("eval_").lower() not in _ONE or value > 1 - 1e-6:
                continue
            share = float(present.mean())
            if copied.get(name, 0.0) > 1 - 1e-6:
                yield name, value, "it is 1 where the scores at a position name the token that was read there"
            elif share < 1 and abs(value - share) < 1e-6:
                yield name, value, f"{share:.3g} of the labels are there, and the metric counts the rest as wrong"
            else:
                yield name, value, ""

    def mixed(self) -> Iterator[tuple[str, float, float]]:
        """Metrics that change when the same outputs are given the shape of the targets: the name, as it is, and then.

        They are asked about outputs that differ as the targets do: those of a new model are all alike.
        """
        if self.outputs.size != self.targets.size or self.outputs.shape == self.targets.shape:
            return
        noise = np.random.default_rng(0).standard_normal(self.outputs.shape) * (self.targets.std() or 1.0)
        outputs = (self.outputs + noise).astype(self.outputs.dtype)
        as_called, paired = self.values(outputs), self.values(outputs.reshape(self.targets.shape))
        for name in as_called.keys() & paired.keys():
            if not np.isclose(as_called[name], paired[name], rtol=1e-4, atol=1e-8, equal_nan=True):
                yield name, as_called[name], paired[name]


def _number(value: Any) -> bool:
    return isinstance(value, (int, float, np.generic)) or hasattr(value, "item")
