"""Calls about columns of a frame, which is given by its name: one that comes first is refused with the call that was meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from goodmeasure.deriving.record import Record
from goodmeasure.errors import UsageError
from goodmeasure.reading.tables import listed

P = ParamSpec("P")
R = TypeVar("R")
_USUAL_LOSS = "binary_cross_entropy()"
# One of these is enough.
_SCORES = ("z", "prediction")


def data_last(**usual: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a frame that comes before the loss an error that says the call that was meant.

    ``usual`` are the arguments behind the loss that a call needs, with what stands for those that were not given.
    """

    def decorated(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def called(*given: P.args, **named: P.kwargs) -> R:
            first = given[0] if given else named.get("loss")
            if hasattr(type(first), "columns"):
                words = _meant(given[1:], named, usual)
                raise UsageError(
                    f"{function.__name__} takes the loss first, and a frame by its name",
                    seen=f"a frame with the columns {listed(_names(first))}",
                    fix=f"gm.{function.__name__}({', '.join(words)}, data=frame)",
                )
            return function(*given, **named)

        return called

    return decorated


def _names(frame: Any) -> Sequence[str]:
    """The names of its columns; a table of Arrow calls these otherwise."""
    return list(getattr(frame, "column_names", frame.columns))


def _meant(given: Sequence[Any], named: Mapping[str, Any], usual: Mapping[str, Any]) -> list[str]:
    """The arguments of the call that was meant, as they are typed."""
    loss = next((repr(each) for each in (*given, *named.values()) if isinstance(each, Record)), _USUAL_LOSS)
    columns = [each for each in given if not isinstance(each, Record)]
    known = {name: each for name, each in named.items() if name not in ("loss", "data")}
    placed = [*usual][: len(columns)]
    lacking = [name for name in usual if name not in placed and name not in known]
    if known.keys() & {*_SCORES}:
        lacking = [name for name in lacking if name not in _SCORES]
    known |= {name: usual[name] for name in lacking}
    return [
        f"gm.losses.{loss}",
        *(_typed(each, usual[name]) for each, name in zip(columns, placed, strict=False)),
        *(f"{name}={_typed(each, usual.get(name, name))}" for name, each in known.items()),
    ]


def _typed(given: Any, usual: Any) -> str:
    """Names of columns as they were given; of anything else, such as an array, what stands for it."""
    return repr(given if isinstance(given, str | list | tuple | dict) else usual)
