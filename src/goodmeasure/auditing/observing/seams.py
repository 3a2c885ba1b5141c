"""Seams: attributes of libraries that are replaced while a program is observed, and put back afterwards."""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any

Install = Callable[["Seams"], None]


class Seams:
    """What was replaced so far, and how it is put back: the last first."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def replace(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put what is made of the attribute of an owner in its place."""
        own = name in vars(owner)
        before = vars(owner)[name] if own else getattr(owner, name)
        made = make(before)
        setattr(owner, name, functools.update_wrapper(made, before) if isinstance(made, FunctionType) else made)
        self._undo.append(lambda: setattr(owner, name, before) if own else delattr(owner, name))

    def later(self, undo: Callable[[], None]) -> None:
        """Something else to do at the end."""
        self._undo.append(undo)

    def undo(self) -> None:
        """Put everything back."""
        while self._undo:
            self._undo.pop()()


@contextmanager
def observed(installs: Mapping[str, Install]) -> Iterator[Seams]:
    """Install seams into each of these modules: now where it is imported already, else as soon as it is."""
    seams = Seams()
    waiting = dict(installs)
    for name in [name for name in waiting if _complete(name)]:
        waiting.pop(name)(seams)
    finder = _Finder(seams, waiting)
    sys.meta_path.insert(0, finder)
    try:
        yield seams
    finally:
        sys.meta_path.remove(finder)
        seams.undo()


def _complete(name: str) -> bool:
    module = sys.modules.get(name)
    return module is not None and not getattr(module.__spec__, "_initializing", False)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds what others find, and lets a seam be installed when the module has been executed."""

    def __init__(self, seams: Seams, waiting: dict[str, Install]) -> None:
        self._seams, self._waiting, self._busy = seams, waiting, False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if self._busy or name not in self._waiting:
            return None
        self._busy = True
        try:
            spec = find_spec(name)
        finally:
            self._busy = False
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, lambda: self._waiting.pop(name, _nothing)(self._seams))
        return spec


def _nothing(_: Seams) -> None:
    """A module that was executed a second time has its seams."""


class _Loader(importlib.abc.Loader):
    """Another loader, and what is done once the module has been executed."""

    def __init__(self, inner: Any, after: Callable[[], None]) -> None:
        self._inner, self._after = inner, after

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._inner.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._inner
        if module.__spec__ is not None:
            module.__spec__.loader = self._inner
        self._inner.exec_module(module)
        self._after()
