"""Loaders of batches under observation: each batch is announced, and after enough of them the data seem to be over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from torch.utils.data import DataLoader, dataloader

from goodmeasure.auditing.evidence.lines import user_line
from goodmeasure.auditing.observing.seams import Seams
from goodmeasure.auditing.observing.torch_seams import TorchProgram

_EVALUATING_S = 2.0  # for which an evaluation goes on once the training was cut


def install(seams: Seams, program: TorchProgram) -> None:
    """Let every `DataLoader` hand out its batches through here, in this process alone."""

    def make(run: Any) -> Any:
        def __iter__(self: DataLoader) -> Any:
            if not program.recorder.listening:
                return run(self)
            return Watched(self, program)

        return __iter__

    seams.replace(DataLoader, "__iter__", make)


class Watched:
    """The batches of a loader, as far as they are needed."""

    def __init__(self, loader: DataLoader, program: TorchProgram) -> None:
        self._loader, self._program, self._where = loader, program, user_line()
        self._batches = _here(loader)
        self._handed, self._started = 0, time.monotonic()
        self._trained = program.backwards

    def __iter__(self) -> Watched:
        return self

    def __len__(self) -> int:
        return len(self._loader)

    def __next__(self) -> Any:
        if self._over():
            self._program.cut.short(self._where)
            raise StopIteration
        batch = next(self._batches)
        self._handed += 1
        self._program.batch(batch)
        return batch

    def _over(self) -> bool:
        """Whether the program has seen enough of this loader: one batch of it at least."""
        program = self._program
        if program.limits.all or not self._handed or not program.recorder.enough:
            return False
        if program.backwards > self._trained:
            return True
        return bool(program.cut.where) and time.monotonic() - self._started > _EVALUATING_S

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batches, name)


def _here(loader: DataLoader) -> Iterator[Any]:
    """The batches, made in this process: workers would have to be ended when the data are over."""
    if not loader.num_workers:
        return iter(loader._get_iterator())
    kept = loader.num_workers, loader.timeout
    loader.num_workers, loader.timeout = 0, 0
    try:
        return iter(dataloader._SingleProcessDataLoaderIter(loader))
    finally:
        loader.num_workers, loader.timeout = kept
