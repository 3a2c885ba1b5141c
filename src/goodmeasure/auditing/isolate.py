"""Keep the caller's objects as they are: deep copies that follow closures, and a guard that puts state back."""

from __future__ import annotations

import copy
import functools
import random
import sys
import types
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_STATEFUL = ("torch", "numpy")  # globals of these kinds are copied with the function that mentions them


def copied(value: Any, memo: dict[int, Any]) -> Any:
    """A deep copy that also copies what functions close over, so that a step run on it leaves the original alone."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, weakref.ref) and value() is not None:  # schedulers wrap an optimizer's step around one
        return weakref.ref(copied(value(), memo))
    if isinstance(value, types.FunctionType):
        return _copied_function(value, memo)
    if isinstance(value, types.MethodType):
        return types.MethodType(value.__func__, copied(value.__self__, memo))
    if isinstance(value, functools.partial):
        parts = (copied(part, memo) for part in value.args)
        return functools.partial(
            copied(value.func, memo), *parts, **{k: copied(v, memo) for k, v in value.keywords.items()}
        )
    if type(value) is dict:
        return {key: copied(part, memo) for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(copied(part, memo) for part in value)
    twin = copy.deepcopy(value, memo)
    if hasattr(value, "param_groups"):  # optimizers leave what they do not pickle out of a copy
        for name, part in vars(value).items():
            if name not in vars(twin):
                twin.__dict__[name] = copied(part, memo)
    return twin


def _copied_function(function: types.FunctionType, memo: dict[int, Any]) -> types.FunctionType:
    if _of_a_library(function):
        return function
    cells = tuple(types.CellType() for _ in function.__closure__ or ())
    scope = dict(function.__globals__)
    twin = types.FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells or None)
    twin.__kwdefaults__, twin.__module__, twin.__qualname__ = (
        function.__kwdefaults__,
        function.__module__,
        function.__qualname__,
    )
    twin.__dict__.update(function.__dict__)
    memo[id(function)] = twin
    for cell, original in zip(cells, function.__closure__ or (), strict=True):
        try:
            cell.cell_contents = copied(original.cell_contents, memo)
        except ValueError:  # a cell that is still empty: a name that is bound later
            continue
    twin.__defaults__ = copied(function.__defaults__, memo)
    for name in _names(function.__code__):
        held = scope.get(name)
        own = isinstance(held, types.FunctionType) and held.__globals__ is function.__globals__
        if own or (not isinstance(held, (type, types.ModuleType)) and _stateful(held)):
            scope[name] = copied(held, memo)
    return twin


def _of_a_library(function: types.FunctionType) -> bool:
    """Whether a library's own function, which holds nothing of the program: a wrapper with a weak reference does."""
    libraries = sys.stdlib_module_names | {*_STATEFUL, "keras", "sklearn"}
    held = [cell.cell_contents for cell in function.__closure__ or () if _filled(cell)]
    known = bool(function.__module__) and function.__module__.split(".")[0] in libraries
    return known and not any(isinstance(one, weakref.ref) for one in held)


def _filled(cell: types.CellType) -> bool:
    try:
        cell.cell_contents  # noqa: B018  (reading it is the test)
    except ValueError:
        return False
    return True


def _names(code: types.CodeType) -> set[str]:
    nested = (part for part in code.co_consts if isinstance(part, types.CodeType))
    return set(code.co_names).union(*(_names(part) for part in nested))


def _stateful(value: Any) -> bool:
    if type(value) in (list, tuple):
        return any(_stateful(part) for part in value)
    if type(value) is dict:
        return any(_stateful(part) for part in value.values())
    return any(kind.__module__.split(".")[0] in _STATEFUL for kind in type(value).__mro__) and not callable_builtin(
        value
    )


def callable_builtin(value: Any) -> bool:
    """Whether this is a framework's own function rather than a thing with state."""
    import numpy as np

    return isinstance(value, (types.FunctionType, types.BuiltinFunctionType, np.ufunc))


@contextmanager
def untouched(*things: Any) -> Iterator[None]:
    """Put back, bit for bit: buffers, gradients, modes and attributes of modules, and every random generator."""
    import numpy as np

    torch = sys.modules.get("torch")
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002  (programs seed the legacy generator)
    modules = _modules(things) if torch else []
    kept = [(module, dict(module.__dict__), _held(module)) for module in modules]
    seed = torch.get_rng_state() if torch else None
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        if torch:
            torch.set_rng_state(seed)
        for module, attributes, held in kept:
            _put_back(module, attributes, held)


def _modules(things: tuple[Any, ...]) -> list[Any]:
    import torch

    roots = [thing for thing in things if isinstance(thing, torch.nn.Module)]
    return list(dict.fromkeys(part for root in roots for part in root.modules()))


def _held(module: Any) -> tuple[Any, ...]:
    """The dictionaries of a module, and copies of what can be written in place: buffers and gradients."""
    tables = {
        name: dict(value)
        for name in ("_parameters", "_buffers", "_modules")
        if (value := module.__dict__.get(name)) is not None
    }
    buffers = [(b, b.detach().clone()) for b in tables.get("_buffers", {}).values() if b is not None]
    gradients = [
        (p, p.grad, None if p.grad is None else p.grad.detach().clone())
        for p in tables.get("_parameters", {}).values()
        if p is not None
    ]
    return tables, buffers, gradients


def _put_back(module: Any, attributes: dict[str, Any], held: tuple[Any, ...]) -> None:
    import torch

    tables, buffers, gradients = held
    module.__dict__.clear()
    module.__dict__.update(attributes)
    for name, table in tables.items():
        module.__dict__[name].clear()
        module.__dict__[name].update(table)
    with torch.no_grad():
        for buffer, value in buffers:
            if not torch.equal(buffer, value):
                buffer.copy_(value)
        for parameter, grad, value in gradients:
            parameter.grad = grad
            if grad is not None and not torch.equal(grad, value):
                grad.copy_(value)
