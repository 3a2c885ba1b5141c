"""One thread for trees on a small table: threads take longer to meet at every node than to do their share of it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from goodmeasure.strict.extras import needed

# A hundred trees on so many cells take one thread a fifth of a second.
SMALL = 200_000


def threads_for(cells: int) -> AbstractContextManager[Any]:
    """While it is entered, OpenMP keeps to one thread, unless there are many cells."""
    control = needed("threadpoolctl", "growing trees")
    limited: AbstractContextManager[Any] = control.threadpool_limits(1 if cells <= SMALL else None, user_api="openmp")
    return limited
