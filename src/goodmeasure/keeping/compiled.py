"""Functions that Numba compiles, kept on disk between runs: one file a function and signature, checked before it is used.

A file is named by all that its machine code follows from: the function's bytecode and options, the values and functions that it
names (`identity`), Numba with its settings, NumPy, Python and the processor. So a change in any of them is another file, and
nothing stale is loaded. What is in a file is unpickled, so it stands in the private directory alone; one that is damaged is
compiled anew and replaced.
"""

from __future__ import annotations

import hashlib
import pickle
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import _Cache
from numba.core.compiler import CompileResult
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.serialize import dumps

from goodmeasure.keeping.checked import keep, kept
from goodmeasure.keeping.forking import held_at_fork
from goodmeasure.keeping.identity import meaning
from goodmeasure.keeping.private import directory

_VERSIONS = (numba.__version__, llvmlite.__version__, np.__version__, sys.version)
# What the environment tells Numba of every function.
_SETTINGS = ("BOUNDSCHECK", "DEBUGINFO_DEFAULT", "LOOP_VECTORIZE", "OPT", "SLP_VECTORIZE")
# Numba makes its target on first use, under two locks that a decorator and a compilation take in opposite order: two threads
# whose first calls came at once would wait for each other for ever. So it is made here, once, while this module is imported.
_TARGET = cpu_target.target_context
held_at_fork(global_compiler_lock)


def compiled(**options: Any) -> Callable[[Any], Any]:
    """Compile a function on its first call, and keep what was compiled. The options are those of ``numba.njit``."""

    def decorate(function: Any) -> Any:
        dispatcher = numba.njit(**options)(function)
        dispatcher._cache = Kept(function, options)
        return dispatcher

    return decorate


class Kept(_Cache):  # type: ignore[misc,unused-ignore]
    """What Numba asks where it keeps the compiled forms of a function."""

    def __init__(self, function: FunctionType, options: Mapping[str, Any]) -> None:
        self.function, self.options = function, options

    @property
    def meaning(self) -> str:
        """What the function means now: Numba looks its globals up when it compiles, and so does this. Error: GM009."""
        return hashlib.sha256(
            "\n".join(meaning(self.function, self.options)).encode("utf-8", "surrogatepass")
        ).hexdigest()

    @property
    def cache_path(self) -> str | None:
        """The directory, for those who ask Numba for it."""
        folder = directory()
        return None if folder is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled form of a signature, or None if it is not there whole."""
        place = self._place(sig, target_context.codegen())
        data = kept(place) if place else None
        if data is None:
            return None
        target_context.refresh()
        return CompileResult._rebuild(target_context, *pickle.loads(data))

    def save_overload(self, sig: Any, cres: Any) -> None:
        """Keep a compiled form; where the disk does not let us, it is used all the same."""
        place = self._place(sig, cres.codegen)
        if place is not None:
            keep(place, dumps(cres._reduce()))

    def _place(self, sig: Any, codegen: Any) -> Path | None:
        folder = directory()
        if folder is None:
            return None
        settings = [str(getattr(config, name, None)) for name in _SETTINGS]
        key = repr((self.meaning, str(sig), codegen.magic_tuple(), _VERSIONS, settings))
        return folder / f"{hashlib.sha256(key.encode()).hexdigest()}.compiled"

    def enable(self) -> None:
        """Nothing to do: it is always on."""

    def disable(self) -> None:
        """Nothing to do: it is always on."""

    def flush(self) -> None:
        """Nothing to do: what is stale has another name."""
