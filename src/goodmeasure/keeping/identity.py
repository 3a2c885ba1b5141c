"""What the machine code of a function follows from: its bytecode, its options, and the values that it names.

Numba takes globals, closures and attributes of modules as constants when it compiles, so their values belong to a function as
much as its bytecode does. A value that cannot be told from another one of its kind is refused.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator, Mapping
from inspect import isbuiltin, isclass, isfunction
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core.dispatcher import Dispatcher
from numba.core.types import Type
from numba.extending import _Intrinsic

from goodmeasure.errors import UsageError, with_article

# Their versions stand in the name of a file, so that what they define is known by its name.
_VERSIONED = {"builtins", "cmath", "llvmlite", "math", "numba", "numpy", "operator"}


def meaning(function: FunctionType, options: Mapping[str, Any], seen: set[FunctionType] | None = None) -> Iterator[str]:
    """All that the machine code of a function follows from, but for the machine; each function once. Error: GM009."""
    seen = set() if seen is None else seen
    yield f"{function.__module__}.{function.__qualname__}"
    for name in sorted(options):
        yield from _value(options[name], f"the option {name}", seen)
    if function in seen:  # it calls itself, or another that calls it
        return
    seen.add(function)
    yield from _value((function.__defaults__, *sorted((function.__kwdefaults__ or {}).items())), "a default", seen)
    for code in _codes(function.__code__):
        yield from _instructions(code, seen)
        for name, value in _named(code, function):
            yield from _value(value, name, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """A code with those of the functions inside it."""
    yield code
    for value in code.co_consts:
        if isinstance(value, CodeType):
            yield from _codes(value)


def _instructions(code: CodeType, seen: set[FunctionType]) -> Iterator[str]:
    yield code.co_code.hex() + code.co_exceptiontable.hex()
    yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars, code.co_argcount, code.co_flags))
    yield from _value(tuple(each for each in code.co_consts if not isinstance(each, CodeType)), "a constant", seen)


def _named(code: CodeType, function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Each value outside that a code reads, by its name; of a module, the value that is taken from it."""
    outside = {**function.__globals__, **_closure(function)}
    steps = [*dis.get_instructions(code)]
    for at, step in enumerate(steps):
        if step.opname in ("LOAD_GLOBAL", "LOAD_DEREF") and step.argval in outside:
            name, value = step.argval, outside[step.argval]
            for attribute in steps[at + 1 :]:
                if not isinstance(value, ModuleType) or attribute.opname not in ("LOAD_ATTR", "LOAD_METHOD"):
                    break
                name, value = f"{name}.{attribute.argval}", getattr(value, attribute.argval, None)
            yield name, value


def _closure(function: FunctionType) -> dict[str, Any]:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    return {name: cell.cell_contents for name, cell in cells}


def _value(value: Any, name: str, seen: set[FunctionType]) -> Iterator[str]:
    """A value to the last bit, with its type."""
    kind = type(value).__qualname__
    if isinstance(value, Dispatcher):
        yield from meaning(value.py_func, value.targetoptions, seen)
    elif isinstance(value, _Intrinsic):
        yield from meaning(value._defn, {}, seen)
    elif isinstance(value, tuple | set | frozenset | dict):
        parts = value.items() if isinstance(value, dict) else value
        texts = ["\n".join(_value(part, name, seen)) for part in parts]
        # A set has another order in each process, and so has a dictionary of options that was made of one.
        yield f"{kind} {texts if isinstance(value, tuple) else sorted(texts)}"
    elif isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        yield f"{name}: {kind} {value.dtype!r} {value.shape} {value.strides} {value.tobytes().hex()}"
    elif isinstance(value, bool | int | float | complex | str | bytes | Type | np.dtype | type(Ellipsis) | None):
        yield f"{name}: {kind} {value!r}"
    elif versioned := _versioned(value):
        yield f"{name}: {versioned}"
    elif isinstance(value, FunctionType):
        yield from meaning(value, {}, seen)
    else:
        raise UsageError(
            f"a compiled function names {name}, which is {with_article(kind)}",
            seen="numbers, texts, tuples, arrays and compiled functions can be told from others of their kind",
            fix=f"pass {name} as an argument, or make it a tuple or an array",
        )


def _versioned(value: Any) -> str:
    """The full name of a module, class or function of a library whose version is known; empty if it is none."""
    if type(value) is np.ufunc:
        name = value.__name__
        return f"numpy.{name}" if vars(np).get(name) is value else ""
    if isinstance(value, ModuleType):
        full = value.__name__
    elif isclass(value) or isfunction(value):
        full = f"{value.__module__}.{value.__qualname__}"
    elif isbuiltin(value):  # a method of NumPy's random state has no module
        full = f"{value.__module__ or type(value.__self__).__module__}.{value.__qualname__}"
    else:
        return ""
    return full if full.split(".")[0] in _VERSIONED else ""
