"""Locks at a fork: a child has one thread, and a lock that another one held in its parent would never be released there."""

from __future__ import annotations

import os
from typing import Protocol


class Lock(Protocol):
    """What one thread at a time holds."""

    def acquire(self) -> object:
        """Wait for it, and hold it."""

    def release(self) -> None:
        """Let another thread hold it."""


def held_at_fork(lock: Lock) -> None:
    """Let forks wait for a lock: nobody is at work behind it then, so that a child finds nothing half done."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
