"""Threads that wait for each other sleep: those that spin take the time of whoever else works on the machine."""

from __future__ import annotations

import os

# OpenMP (trees) and OpenBLAS (products) read them when they are loaded. Beside other programs a thread that spins waits for one
# that has no core: on a million rows trees took 102 s of processor time where they take 31.
ASLEEP = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_THREAD_TIMEOUT": "4"}


def let_sleep() -> None:
    """Let threads of libraries that are loaded from now on sleep while they wait, unless the user said how they wait."""
    for name, value in ASLEEP.items():
        os.environ.setdefault(name, value)
