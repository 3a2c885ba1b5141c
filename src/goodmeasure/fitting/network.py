"""Networks as plain numbers: layers of weighted sums, with the positive parts of each handed to the next.

A model needs nothing but NumPy to predict, and a file of it holds nothing that could be run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import numpy as np

from goodmeasure.statistics.row_arguments import Floats

# Rows at a time, so that what layers hand on is small beside the rows.
_ROWS = 1 << 14


class WrittenNetwork(TypedDict):
    """A network as plain values, ready for JSON: of each layer a row of weights for each sum, and what it begins from."""

    weights: list[list[list[float]]]
    biases: list[list[float]]


@dataclass(frozen=True)
class Layer:
    """Weighted sums of what the layer is given: ``weights`` (sums, given), and ``biases`` that they begin from."""

    weights: Floats
    biases: Floats

    def __call__(self, given: Floats) -> Floats:
        return np.asarray(given @ self.weights.T + self.biases)


@dataclass(frozen=True)
class Network:
    """Raw outputs that are the last layer's sums."""

    layers: tuple[Layer, ...]

    def __call__(self, matrix: Floats) -> Floats:
        parts = [self._raw(matrix[k : k + _ROWS]) for k in range(0, max(len(matrix), 1), _ROWS)]
        found = np.concatenate(parts)
        return found[:, 0] if found.shape[1] == 1 else found

    def _raw(self, rows: Floats) -> Floats:
        found = self.layers[0](rows)
        for layer in self.layers[1:]:
            found = layer(np.maximum(found, 0.0))
        return found

    def shifted(self, by: float | Floats) -> Network:
        """The same network with so much added to all of its raw outputs, or to each."""
        *before, last = self.layers
        return Network((*before, replace(last, biases=last.biases + by)))

    def to_dict(self) -> WrittenNetwork:
        """The network as plain values, ready for JSON."""
        return {
            "weights": [layer.weights.tolist() for layer in self.layers],
            "biases": [layer.biases.tolist() for layer in self.layers],
        }

    @staticmethod
    def from_dict(state: WrittenNetwork) -> Network:
        """The network that `to_dict` described, which was checked."""
        return Network(tuple(map(_layer, state["weights"], state["biases"])))


def _layer(weights: Sequence[Any], biases: Sequence[Any]) -> Layer:
    return Layer(np.array(weights, dtype=np.float64), np.array(biases, dtype=np.float64))
