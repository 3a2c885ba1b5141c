"""What is served, against what was trained."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence.scored import Array, as_array, model_outputs


@dataclass
class Served:
    """``serve(inputs)`` as deployed, twice, as arrays."""

    first: Array
    second: Array
    model: Array | None
    yes_no: bool
    targets: Array | None = None
    raw: Array | None = None

    @classmethod
    def gather(cls, dossier: Dossier) -> Served:
        serve, inputs = dossier.case.need("serve", "inputs")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                first, second = (as_array(_called(serve, inputs)) for _ in range(2))
            except Exception as error:
                raise Unavailable(f"serve could not be called ({type(error).__name__})") from error
        targets = dossier.case.get("targets")
        yes_no = targets is not None and set(np.unique(as_array(targets))) <= {0.0, 1.0}
        numbers = (
            None if (v := dossier.case.get(name)) is None else as_array(v).reshape(-1) for name in ("targets", "raw")
        )
        return cls(first, second, as_array(model_outputs(dossier)), yes_no, *numbers)

    def scale_kept(self) -> Iterator[tuple[float, float, float]]:
        """The mean of what is served, of the targets trained on, and of the raw targets that those are a linear image
        of."""
        values, small, raw = self.first.reshape(-1).astype(float), self.targets, self.raw
        if small is None or raw is None or not values.shape == small.shape == raw.shape or values.size < 8:
            return
        if min(float(part.std()) for part in (values, small, raw)) == 0 or abs(np.corrcoef(small, raw)[0, 1]) < 0.99:
            return
        near, far = (abs(values.mean() - part.mean()) / part.std() for part in (small, raw))
        if near < 1 and far > 3 and values.std() < 3 * small.std():
            yield float(values.mean()), float(small.mean()), float(raw.mean())

    def squashed(self) -> Iterator[str]:
        """Signs of a second activation in what is served."""
        values = self.first
        if values.size < 8:
            return
        if self.yes_no and values.min() >= 0.5 and values.max() <= 0.7311:
            yield f"all {values.size} served values lie in [0.5, 0.7311], the range of a sigmoid of a sigmoid"
        classes = values.shape[-1] if values.ndim > 1 else 1
        flattest = math.e / (math.e + classes - 1)  # the most that a softmax of shares can give to one class
        trained = self.model
        if classes < 3 or trained is None or trained.shape != values.shape or values.max() > flattest + 1e-6:
            return
        if values.shape == trained.shape and np.allclose(np.exp(trained).sum(-1), 1, atol=1e-4):
            trained = np.exp(trained)  # logarithms of shares
        shares = all(np.allclose(part.sum(-1), 1, atol=1e-4) for part in (values, trained))
        if shares and not np.allclose(trained, values, atol=1e-5):
            yield "the served shares are those of a softmax applied to a softmax"


def _called(serve: Any, inputs: Any) -> Any:
    return serve(*inputs) if isinstance(inputs, tuple) else serve(inputs)
