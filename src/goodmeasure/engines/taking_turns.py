"""Stretches of a table, shared out among threads: each reads one of its own, and takes turns at another's where none is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, RLock
from typing import TypeVar

from goodmeasure.engines.shard import Origin
from goodmeasure.reading.blocks import Block, Stretch

Stretches = Iterator[tuple[Origin, Stretch]]
"""Stretches of files or of a frame, in their order."""
Take = Callable[[Origin, Block], None]
Made = TypeVar("Made")


class _Open:
    """A stretch that is being read, the how-many-th of all."""

    def __init__(self, order: int, origin: Origin, stretch: Stretch) -> None:
        self.order, self.origin, self.beside = order, origin, stretch.beside
        self.threads = 0
        self.ended = False
        self._reading, self._turn = stretch.blocks, Lock()
        self._blocks = enumerate(self._reading)

    def block(self) -> tuple[int, Block] | None:
        """The next block, and the how-many-th it is; None at the end."""
        with self._turn:
            found = next(self._blocks, None)
        self.ended = self.ended or found is None
        return found

    def close(self) -> None:
        """Close the file, which else stays open as long as somebody holds an error with where it came from."""
        with self._turn:
            self._reading.close()


class Shared:
    """Blocks of stretches, each of which one thread gets. Of several errors that of the earliest is raised, as in order."""

    def __init__(self, stretches: Stretches) -> None:
        self._waiting, self._known = stretches, 0
        self._open: list[_Open] = []
        self._turn = RLock()
        # Of which stretch and which block of it the earliest error is, and the error.
        self._failed: tuple[tuple[float, float], Exception | None] = ((math.inf, math.inf), None)

    def take(self, taking: Take, most: float = math.inf) -> None:
        """Take blocks until so many were taken, none is left, or one of an earlier stretch was refused."""
        while most > 0 and (stretch := self._joined()) is not None:
            at = math.inf  # what ends the reading of a stretch comes after all blocks that were read
            try:
                while most > 0 and self._counts(stretch) and (found := stretch.block()) is not None:
                    at, block = found
                    taking(stretch.origin, block)
                    at, most = math.inf, most - 1
            except Exception as error:
                self._fail(stretch.order, at, error)
                stretch.close()
            finally:
                with self._turn:
                    stretch.threads -= 1

    def end(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._failed[1] is not None:
            raise self._failed[1]

    def stop(self) -> None:
        """Let no thread take another block."""
        with self._turn:
            self._failed = (-1, 0), None

    def _counts(self, stretch: _Open) -> bool:
        return stretch.order < self._failed[0][0]

    def _fail(self, order: int, at: float, error: Exception) -> None:
        with self._turn:
            if (order, at) < self._failed[0]:
                self._failed = (order, at), error

    def _joined(self) -> _Open | None:
        """A stretch that nobody reads, else one of its own, else one to take turns at."""
        with self._turn:
            self._open = [stretch for stretch in self._open if not stretch.ended and self._counts(stretch)]
            left = [stretch for stretch in self._open if not stretch.threads]
            alone = [stretch for stretch in self._open if not stretch.beside]
            for stretch in [*left, *alone, *self._another(bool(left or alone)), *self._open][:1]:
                stretch.threads += 1
                return stretch
        return None

    def _another(self, enough: bool) -> list[_Open]:
        """The next stretch that waits, opened now, unless there are others to read first."""
        if enough or self._failed[0][0] < math.inf:
            return []
        self._known += 1
        try:
            origin, stretch = next(self._waiting)
        except StopIteration:
            return []
        except Exception as error:
            self._fail(self._known, 0, error)
            return []
        self._open.append(_Open(self._known, origin, stretch))
        return self._open[-1:]


def shared(stretches: Stretches, work: Callable[[Callable[[Take], None]], Made], threads: int) -> list[Made]:
    """What each of so many threads, and this one before them, made of the blocks that it took.

    The first block is taken alone: what its rows need is compiled once.
    """
    blocks = Shared(stretches)
    made = [work(lambda taking: blocks.take(taking, most=1))]
    with ThreadPoolExecutor(threads) as pool:
        try:
            made += [each.result() for each in [pool.submit(work, blocks.take) for _ in range(threads)]]
        except BaseException:  # such as an interrupt, for which the others need not go on to the end
            blocks.stop()
            raise
    blocks.end()
    return made
