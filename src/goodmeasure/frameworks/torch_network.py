"""Networks trained in torch on any loss, epoch by epoch, in double precision on one thread: the same seed gives the same bits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from goodmeasure.fitting.learning import Learning
from goodmeasure.fitting.network import Layer, Network
from goodmeasure.statistics.row_arguments import Floats
from goodmeasure.strict.extras import needed

HIDDEN = (32, 32)
RATE, DECAY = 5e-3, 1e-2
# Steps of an epoch, as far as they leave batches of so many rows.
STEPS, LEAST_ROWS, MOST_ROWS = 50, 32, 1024
# A gradient of this length, in units of a usual row's at the start, is cut: single rows far out do not undo what was learned.
STEEPEST = 10.0


def epochs(asked: Learning) -> Iterator[Network]:
    """The network at the start, which gives the best constant, and after each epoch. Error: GM008 where torch is not there."""
    torch = needed("torch", "--model network")
    training = _Training(torch, asked)
    while True:
        yield training.network()
        training.epoch()


class _Training:
    """Parameters under training, with the rows as tensors.

    Raw outputs are ``start + unit * last layer``, and the loss is divided by how steep it is at the start, so that one rate
    suits every loss and every unit of the target.
    """

    def __init__(self, torch: Any, asked: Learning) -> None:
        from goodmeasure.frameworks.torch import to_torch

        self.torch, self.asked = torch, asked
        self.random = np.random.default_rng(asked.seed)
        self.layers = [tuple(map(self._parameter, each)) for each in _first_layers(asked, self.random)]
        self.flat = [each for layer in self.layers for each in layer]
        self.optimizer = torch.optim.AdamW(self.flat, lr=RATE, weight_decay=DECAY, fused=True)
        self.criterion = to_torch(asked.loss)
        self.x, self.y, self.begun, self.unit = map(torch.from_numpy, (asked.x, asked.y, asked.begun, asked.unit))
        self.weight = None if asked.weight is None else torch.from_numpy(asked.weight)

    def _parameter(self, values: Floats) -> Any:
        return self.torch.from_numpy(values).requires_grad_()

    def network(self) -> Network:
        """The network as it is now, in plain numbers."""
        plain = [Layer(*(each.detach().numpy().copy() for each in layer)) for layer in self.layers]
        unit, last = self.asked.unit, plain[-1]
        return Network((*plain[:-1], Layer(last.weights * unit[:, None], last.biases * unit + self.asked.start)))

    def epoch(self) -> None:
        """One pass over the rows in an order of its own."""
        size = int(np.clip(len(self.y) // STEPS, LEAST_ROWS, MOST_ROWS))
        order = self.torch.from_numpy(self.random.permutation(len(self.y)))
        with _one_thread(self.torch):
            for rows in order.split(size):
                self._step(rows)

    def _step(self, rows: Any) -> None:
        weight = None if self.weight is None else self.weight[rows]
        value = self.criterion(self._raw(rows), self.y[rows], weight) / self.asked.steepness
        self.optimizer.zero_grad()
        value.backward()
        self.torch.nn.utils.clip_grad_norm_(self.flat, STEEPEST)
        self.optimizer.step()

    def _raw(self, rows: Any) -> Any:
        linear = self.torch.nn.functional.linear
        found = linear(self.x[rows], *self.layers[0])
        for layer in self.layers[1:]:
            found = linear(found.relu(), *layer)
        raw = self.begun[rows] + self.unit * found
        return raw[:, 0] if raw.shape[1] == 1 else raw


def _first_layers(asked: Learning, random: np.random.Generator) -> Iterator[tuple[Floats, Floats]]:
    """Weights as He and others (2015) begin; the last layer begins with zeros, which give the best constant."""
    widths = (asked.x.shape[1], *HIDDEN)
    for given, sums in pairwise(widths):
        yield random.normal(size=(sums, given)) * np.sqrt(2 / given), np.zeros(sums)
    outputs = len(asked.start)
    yield np.zeros((outputs, widths[-1])), np.zeros(outputs)


@contextmanager
def _one_thread(torch: Any) -> Iterator[None]:
    """Threads take longer to meet than a small step takes, and would sum in another order on another machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
