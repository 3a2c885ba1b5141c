"""What a call may be given: a keyword or value that a function does not take is an error that names the nearest one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import getattr_static, signature
from types import FunctionType
from typing import ParamSpec, TypeVar

from goodmeasure.errors import UsageError, nearest
from goodmeasure.strict.annotations import check_values, kinds_of

P = ParamSpec("P")
R = TypeVar("R")
Kind = TypeVar("Kind", bound=type)

# What other libraries call an argument.
ELSEWHERE = {
    "weight": "sample_weight",
    "weights": "sample_weight",
    "groups": "cluster",
    "confidence": "level",
    "random_state": "seed",
    "y_true": "y",
    "y_pred": "prediction",
}


def check_keywords(given: Iterable[object], known: Iterable[str], function: str, *, where: str = "") -> None:
    """Refuse the first keyword that a function does not take, and name the nearest one that it does. Error: GM009."""
    names = list(known)
    for name in map(str, given):
        if name not in names:
            shown = name if name.isidentifier() else repr(name)  # it may hold the escape codes of a terminal
            close = [other for other in [ELSEWHERE.get(name)] if other in names] or nearest(name, names)
            raise UsageError(
                f"{function} takes no {shown}=",
                where=where,
                seen=f"it takes {', '.join(names) or 'no keywords'}",
                fix=f"{function}(..., {close[0]}=...)" if close else f"{function}(...) without {shown}=",
            )


def strict_keywords(function: Callable[P, R]) -> Callable[P, R]:
    """Make a keyword or value that a function does not take a usage error that names the nearest one. Error: GM009."""
    return _strict(function, function.__name__)


def strict_class(kind: Kind) -> Kind:
    """Hold the making of a class and its own public methods to what `strict_keywords` asks of a function."""
    # What __init__ is inherited is held here too, under the name of this class. An estimator of scikit-learn takes whatever it
    # is made with, and looks at it when it fits.
    members = {"__init__": getattr_static(kind, "__init__"), **vars(kind)}
    names = {"__init__": kind.__name__, "__call__": kind.__name__.lower()}
    for name, member in members.items():
        if not name.startswith("_") or name in names:
            if isinstance(member, FunctionType):
                looks = name != "__init__" or not hasattr(kind, "get_params")
                setattr(kind, name, _strict(member, names.get(name, name), values=looks))
            elif isinstance(member, staticmethod):
                setattr(kind, name, staticmethod(_strict(member.__func__, name)))
    return kind


def _strict(function: Callable[P, R], name: str, *, values: bool = True) -> Callable[P, R]:
    parameters = signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return function  # it says by itself which it knows
    # In the order of the signature: a message lists them.
    known = dict.fromkeys(p.name for p in parameters if p.name != "self")
    order = [p.name for p in parameters]

    @wraps(function)
    def strict(*given: P.args, **named: P.kwargs) -> R:
        if named:
            check_keywords(named, known, name)
        if values and (kinds := kinds_of(function)):
            check_values(kinds, {**dict(zip(order, given, strict=False)), **named}, name)
        return function(*given, **named)

    return strict
