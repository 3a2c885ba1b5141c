"""Where compiled kernels live between runs: a directory that nobody else can write to, or nowhere.

A file is named by a hash of its source (formula and words alike), of Numba, NumPy and Python, and of the processor, so that a
change in any of them is another file and nothing stale is ever loaded. Files appear whole or not at all, so that any number
of processes may print and compile the same kernel at once.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import importlib.util
import os
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

_lock = threading.RLock()


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a lock that another thread held at the fork would never be released in the child
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def _wanted() -> Path:
    given = os.environ.get("GOODMEASURE_CACHE_DIR")
    if given:
        return Path(given) / "kernels"
    base = os.environ.get("XDG_CACHE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return Path(base or "~/.cache").expanduser() / "goodmeasure" / "kernels"


def _is_private(folder: Path) -> bool:
    """Whether the folder is ours alone, and nobody else can put another one in its place."""
    if os.name == "nt":
        return folder.is_dir()  # a user's own profile folder is protected by its access list
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        return False
    for parent in folder.resolve().parents:
        status = parent.stat()
        open_to_others = status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX
        if status.st_uid not in (0, os.geteuid()) or open_to_others:
            return False
    return True


def directory() -> Path | None:
    """The private directory of kernels, made if need be; None where there can be none."""
    try:
        folder = _wanted()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder) and os.access(folder, os.W_OK | os.X_OK) else None
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None


@cache
def _machine() -> str:
    import llvmlite.binding
    import numba
    import numpy as np

    features = llvmlite.binding.get_host_cpu_features().flatten()
    cpu = (llvmlite.binding.get_host_cpu_name(), features, os.environ.get("NUMBA_CPU_NAME", ""))
    return repr((numba.__version__, np.__version__, sys.version, *cpu, os.environ.get("NUMBA_CPU_FEATURES", "")))


def load(source: str) -> ModuleType:
    """The module of this source, whose functions ask for ``cache=CACHE``: from the cache, or compiled now."""
    key = hashlib.sha256(f"{_machine()}\n{source}".encode()).hexdigest()[:32]
    name = f"goodmeasure_kernel_{key}"
    with _lock:
        if name not in sys.modules:
            folder = directory()
            with _without_collection():
                module = _from_disk(name, source, folder) if folder else None
                sys.modules[name] = module or _in_memory(name, source)
        return sys.modules[name]


def _in_memory(name: str, source: str) -> ModuleType:
    module = ModuleType(name)
    exec(compile(f"CACHE = False\n{source}", f"<{name}>", "exec"), vars(module))
    return module


def _from_disk(name: str, source: str, folder: Path) -> ModuleType | None:
    """The module from the private directory, written there first if need be; None if the disk does not let us."""
    path, text = folder / f"{name}.py", f"CACHE = True\n{source}"
    try:
        if not path.is_file() or path.read_text("utf-8") != text:
            _write(path, text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # Numba looks a cached function's module up by its name
        with _beside_the_source():
            spec.loader.exec_module(module)
    except OSError:
        sys.modules.pop(name, None)
        return None
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
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


@contextlib.contextmanager
def _beside_the_source() -> Iterator[None]:
    """Numba keeps compiled code next to its source, which is private, and not where a setting for other programs says."""
    import numba

    elsewhere, numba.config.CACHE_DIR = numba.config.CACHE_DIR, ""
    try:
        yield
    finally:
        numba.config.CACHE_DIR = elsewhere
