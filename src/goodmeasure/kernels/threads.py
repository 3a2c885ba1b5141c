"""How many threads kernels use, and the pool that they run on.

Work is cut into blocks whose boundaries depend on the shape alone, and their sums are merged in order: the number of threads
changes the time and nothing else.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from goodmeasure.errors import UsageError

_pool: ThreadPoolExecutor | None = None
_count: int | None = None


def _default() -> int:
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(int(given), 256) if given.isdigit() and int(given) > 0 else available


def get_threads() -> int:
    """How many threads a kernel may use; ``OMP_NUM_THREADS`` where set, otherwise the cores that this process may use."""
    global _count  # noqa: PLW0603 - read from the environment once, like every other OpenMP library does
    if _count is None:
        _count = _default()
    return _count


def set_threads(count: int) -> None:
    """Use this many threads from now on; results do not change by it."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise UsageError(f"{count!r} threads were asked for", fix="goodmeasure.threads = 2")
    global _count  # noqa: PLW0603 - one process has one pool
    _count = count
    _forget_pool()


def _forget_pool() -> None:
    global _pool  # noqa: PLW0603 - threads do not survive a fork: the child makes its own
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)


BLOCK = 1 << 17  # numbers that a block holds at least: waking another thread takes as long as so many


def block_of(numbers: int) -> int:
    """How many numbers a block holds: blocks enough to share out, none so short that handing it out costs as much as its work.

    It depends on nothing but how many numbers there are.
    """
    return min(max(numbers >> 4, BLOCK), 1 << 19)


def for_each(blocks: int, work: Callable[[int], Any]) -> list[Any]:
    """The results of ``work(0), ..., work(blocks - 1)`` in order; the caller's thread works too."""
    threads = min(get_threads(), blocks)
    if threads == 1:
        return [work(i) for i in range(blocks)]
    global _pool  # noqa: PLW0603
    if _pool is None:
        _pool = ThreadPoolExecutor(get_threads() - 1, thread_name_prefix="goodmeasure")
    results: list[Any] = [None] * blocks
    take = itertools.count()  # the next block, handed out one at a time

    def drain() -> None:
        for i in take:
            if i >= blocks:
                return
            results[i] = work(i)

    others = [_pool.submit(drain) for _ in range(threads - 1)]
    try:
        drain()
    finally:
        for other in others:
            other.result()
    return results
