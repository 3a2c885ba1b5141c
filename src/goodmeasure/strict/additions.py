"""What other installed packages add: losses, rules, hosts. They say so by entry points, as plug-ins of pytest do.

What is ours works whatever they do: a bad addition is left out whole, told once by a warning, and named where it is asked for.
"""

from __future__ import annotations

import pkgutil
import warnings
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from goodmeasure.errors import Problem, UsageError
from goodmeasure.strict.definitions import each_once
from goodmeasure.strict.extras import extra_of, missing_extra

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

LOSSES, RULES, HOSTS = "goodmeasure.losses", "goodmeasure.rules", "goodmeasure.hosts"

Kind = TypeVar("Kind")
Told = TypeVar("Told", bound=Problem)


class NotAdded(UserWarning):
    """What another package adds is left out, because it cannot be loaded or takes a name that is taken."""


# What was left out in this process, by the group and the entry point that states it.
_LEFT_OUT: dict[str, dict[str, Problem]] = {LOSSES: {}, RULES: {}, HOSTS: {}}


def gathered(
    package: ModuleType,
    group: str,
    named: Callable[[ModuleType], Iterable[tuple[str, Kind]]],
    taken: str,
    tried: Callable[[Kind], object],
) -> dict[str, Kind]:
    """What the modules of a package of ours define, by name, and after it what other packages add under a group.

    ``named`` reads a module, ``taken`` says what is wrong with a second one of a name, as in "two losses are named", and each
    addition is ``tried`` before it counts.
    Error: GM009 where modules of ours define a name twice.
    """
    found: dict[str, Kind] = {}
    for name in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        module = import_module(f"{package.__name__}.{name}")
        each_once(str(module.__file__), r"def (\w+)")
        found.update(_fresh(named(module), found, taken, str(module.__file__)))
    for entry in additions(group):
        try:
            module = added(entry)
            if not isinstance(module, ModuleType):
                raise UsageError(f"{entry.value} is no module", where=_stated(entry), fix=f"{entry.name} = 'a.module'")
            fresh = _fresh(named(module), found, taken, str(module.__file__))
            with _telling(entry):
                for value in fresh.values():
                    tried(value)
            found.update(fresh)
        except Problem as problem:
            _leave_out(entry, problem)
    return found


def _fresh(pairs: Iterable[tuple[str, Kind]], known: dict[str, Kind], taken: str, where: str) -> dict[str, Kind]:
    """What a module adds to what is known. Error: GM009 where it is another thing under the same name."""
    fresh: dict[str, Kind] = {}
    for name, value in pairs:
        if fresh.get(name, known.get(name, value)) != value:
            raise UsageError(f"{taken} {name}", where=where, fix="give one of them another name")
        fresh[name] = value
    return fresh


def additions(group: str, *, taken: Container[str] = ()) -> Iterator[EntryPoint]:
    """The entry points of a group, in an order that does not depend on how packages were installed.

    A host whose name is taken, by us or by another package, or that is not called ``to_...``, is left out.
    """
    from importlib.metadata import entry_points

    seen: set[str] = set()
    for entry in sorted(entry_points(group=group), key=lambda entry: (entry.name, entry.value)):
        if group == HOSTS and (entry.name in taken or entry.name in seen or not entry.name.startswith("to_")):
            what = "does not begin with to_" if entry.name[:3] != "to_" else "is taken"
            told = f"the name {entry.name} of a host {what}"
            _leave_out(entry, UsageError(told, where=_stated(entry), fix="name it to_theirs"))
            continue
        seen.add(entry.name)
        yield entry


def added(entry: EntryPoint) -> Any:
    """What an entry point leads to. Error: GM009, naming the package, whatever went wrong in it; GM008 where it needs an extra."""
    with _telling(entry):
        return entry.load()


@contextmanager
def _telling(entry: EntryPoint) -> Iterator[None]:
    """Say of whatever goes wrong in another package's code which package it is, and what mends it."""
    try:
        yield
    except (Exception, SystemExit) as error:  # another package's code: anything may come out of it, and all of it is told
        package = entry.dist.name if entry.dist else entry.value
        lacks = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        if lacks and extra_of(lacks):
            needs = missing_extra(f"what {package} adds to goodmeasure", lacks)
            raise type(needs)(needs.what, where=_stated(entry), fix=needs.fix) from error
        raise UsageError(
            f"what {package} adds to goodmeasure cannot be loaded",
            where=_stated(entry),
            seen=f"{type(error).__name__}: {error.what if isinstance(error, Problem) else error}",
            fix=f"pip install --upgrade {package}  # or pip uninstall {package}",
        ) from error


def left_out(*groups: str) -> list[Problem]:
    """What is wrong with each addition to these groups that was left out so far."""
    return [problem for group in groups for problem in _LEFT_OUT[group].values()]


def blamed(problem: Told, *groups: str) -> Told:
    """A problem about a name that is not there; where an addition was left out, which may hold it, that is what is told."""
    for bad in left_out(*groups):
        return type(problem)(f"{problem.what}, and {bad.what}", where=bad.where, seen=bad.seen, fix=bad.fix)
    return problem


def _leave_out(entry: EntryPoint, problem: Problem) -> None:
    if _LEFT_OUT[entry.group].setdefault(_stated(entry), problem) is problem:
        where = _stated(entry) + (f", {problem.where}" if problem.where not in ("", _stated(entry)) else "")
        parts = (problem.what, where, problem.seen, problem.fix and f"fix: {problem.fix}")
        warnings.warn(f"left out: {'; '.join(filter(None, parts))}", NotAdded, stacklevel=2)


def _stated(entry: EntryPoint) -> str:
    return f"entry point {entry.group}: {entry.name} = {entry.value}"
