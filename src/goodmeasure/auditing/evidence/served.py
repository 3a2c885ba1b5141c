"""What is served, against what was trained."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..case import Dossier, Unavailable
from .scored import Array, as_array, model_outputs


@dataclass
class Served:
    """``serve(inputs)`` as deployed, twice, as arrays."""

    first: Array
    second: Array
    model: Array | None
    yes_no: bool

    @classmethod
    def gather(cls, dossier: Dossier) -> Served:
        serve, inputs = dossier.case.need("serve", "inputs")
        call = lambda: as_array(serve(*inputs) if isinstance(inputs, tuple) else serve(inputs))  # noqa: E731
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                first, second = call(), call()
            except Exception as error:
                raise Unavailable(f"serve could not be called ({type(error).__name__})") from error
        targets = dossier.case.get("targets")
        yes_no = targets is not None and set(np.unique(as_array(targets))) <= {0.0, 1.0}
        return cls(first, second, as_array(model_outputs(dossier)), yes_no)

    def squashed(self) -> Iterator[str]:
        """Signs of a second activation in what is served."""
        values = self.first
        if values.size < 8:
            return
        if self.yes_no and values.min() >= 0.5 and values.max() <= 0.7311:
            yield f"all {values.size} served values lie in [0.5, 0.7311], the range of a sigmoid of a sigmoid"
        classes = values.shape[-1] if values.ndim > 1 else 1
        if (
            classes > 2
            and np.allclose(values.sum(-1), 1, atol=1e-4)
            and values.max() <= math.e / (math.e + classes - 1) + 1e-6
        ):
            spread = (
                self.model is not None
                and self.model.shape == values.shape
                and np.allclose(self.model.sum(-1), 1, atol=1e-4)
            )
            if spread and not np.allclose(self.model, values, atol=1e-5):
                yield "the served shares are those of a softmax applied to a softmax"
