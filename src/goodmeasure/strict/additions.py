"""What other installed packages add: losses, rules, hosts. They say so by entry points, as plug-ins of pytest do."""

from __future__ import annotations

import pkgutil
from collections.abc import Container, Iterator
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from goodmeasure.errors import UsageError
from goodmeasure.strict.definitions import each_once

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

LOSSES, RULES, HOSTS = "goodmeasure.losses", "goodmeasure.rules", "goodmeasure.hosts"


def modules_of(package: ModuleType, group: str) -> Iterator[ModuleType]:
    """The modules of a package of ours, and those that other packages add to it under a group of entry points.

    Errors: GM009 where a module defines a name twice, or what another package adds cannot be loaded.
    """
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        module = import_module(f"{package.__name__}.{name}")
        each_once(str(module.__file__), r"def (\w+)")
        yield module
    for entry in additions(group):
        module = added(entry)
        if not isinstance(module, ModuleType):
            raise UsageError(f"{entry.value} is no module", where=_stated(entry), fix=f"{entry.name} = 'a.module'")
        yield module


def additions(group: str, *, taken: Container[str] = ()) -> Iterator[EntryPoint]:
    """The entry points of a group, in an order that does not depend on how packages were installed.

    Error: GM009 for one whose name is taken, by us or by another package, and for a host that is not called ``to_...``.
    """
    from importlib.metadata import entry_points

    seen: set[str] = set()
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        if group == HOSTS and (entry.name in taken or entry.name in seen or not entry.name.startswith("to_")):
            what = "does not begin with to_" if entry.name[:3] != "to_" else "is taken"
            raise UsageError(f"the name {entry.name} of a host {what}", where=_stated(entry), fix="name it to_theirs")
        seen.add(entry.name)
        yield entry


def added(entry: EntryPoint) -> Any:
    """What an entry point leads to. Error: GM009, naming the package, whatever went wrong in it."""
    try:
        return entry.load()
    except Exception as error:  # it is code of another package: anything may come out of it, and all of it is told
        package = entry.dist.name if entry.dist else entry.value
        raise UsageError(
            f"what {package} adds to goodmeasure cannot be loaded",
            where=_stated(entry),
            seen=f"{type(error).__name__}: {error}",
            fix=f"pip install --upgrade {package}  # or pip uninstall {package}",
        ) from error


def _stated(entry: EntryPoint) -> str:
    return f"entry point {entry.group}: {entry.name} = {entry.value}"
