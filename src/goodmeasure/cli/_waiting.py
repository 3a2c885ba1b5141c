"""Threads that wait for each other soon sleep: those that spin take the time of whoever else works on the machine."""

from __future__ import annotations

import os

# OpenMP (trees) and OpenBLAS (products) read them when they are loaded. Beside other programs a thread that spins waits for
# one that has no core: on a million rows trees took 102 s of processor time where they take 31. On a quiet machine a thread
# that sleeps at once wakes too late: trees took 27 s by the clock where they take 20 after some ten microseconds of spinning.
OPENMP = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "20000"}
OPENBLAS = {"OPENBLAS_THREAD_TIMEOUT": "4"}


def let_sleep() -> None:
    """Let threads of libraries that are loaded from now on sleep while they wait, unless the user said how they wait."""
    for settings in (OPENMP, OPENBLAS):
        if not settings.keys() & os.environ.keys():
            os.environ.update(settings)
