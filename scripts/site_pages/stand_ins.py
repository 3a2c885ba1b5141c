"""Stands in for systems that are not installed, so that docstrings can be read where what they describe cannot run.

The site needs the text and the signature of ``to_torch``, and not a gigabyte of torch; Sphinx calls this mocking of imports.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

# What public functions are written with at the top of their modules.
SYSTEMS = ("torch", "jax", "keras", "polars")


class _Kind(type):
    """A class that has whatever is asked of it."""

    def __getattr__(cls, name: str) -> Any:
        return _asked(name)


class _Base:
    """What classes of systems derive from; one of ours asks for what lies behind such a class."""

    apply = None


class _Anything:
    """Whatever is asked of a system that is no class: it can be called, and it decorates."""

    def __getattr__(self, name: str) -> Any:
        return vars(self).setdefault(name, _asked(name))  # the same every time

    def __call__(self, *given: Any, **_: Any) -> Any:
        return given[0] if given and isinstance(given[0], type) else self


def _asked(name: str) -> Any:
    """What a name of a system stands for: a class where it is written as one."""
    if name.startswith("__"):
        raise AttributeError(name)
    return _Kind(name, (type("_Behind", (_Base,), {}),), {}) if name[0].isupper() else _Anything()


class _StandIn(ModuleType):
    """A module that has whatever is asked of it."""

    __path__: Sequence[str] = ()

    def __getattr__(self, name: str) -> Any:
        return vars(self).setdefault(name, _asked(name))


class _Finder(MetaPathFinder, Loader):
    """Finds modules of systems that are not there."""

    def __init__(self, absent: Sequence[str]) -> None:
        self.absent = frozenset(absent)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if fullname.split(".")[0] in self.absent else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is run."""


def stand_in(systems: Sequence[str] = SYSTEMS) -> None:
    """From now on each of these systems that is not installed is found, as a stand-in."""
    sys.meta_path.append(_Finder([name for name in systems if find_spec(name) is None]))
