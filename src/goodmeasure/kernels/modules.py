"""Printed kernels as modules of this process, each made once; what is compiled in them is kept on disk by `keeping`."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import sys
import threading
from collections.abc import Iterator
from types import ModuleType

_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a lock that another thread held at the fork would never be released in the child
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def load(source: str) -> ModuleType:
    """The module of this source."""
    name = f"goodmeasure_kernel_{hashlib.sha256(source.encode()).hexdigest()[:32]}"
    with _lock:
        if name not in sys.modules:
            with _without_collection():
                _make(name, source)
        return sys.modules[name]


def _make(name: str, source: str) -> None:
    module = ModuleType(name)
    sys.modules[name] = module  # Numba looks the module of a function that was kept up by its name
    try:
        exec(compile(source, f"<{name}>", "exec"), vars(module))
    except BaseException:
        del sys.modules[name]
        raise


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """A compilation makes many objects and few cycles: looking for these takes a sixth of its time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()
