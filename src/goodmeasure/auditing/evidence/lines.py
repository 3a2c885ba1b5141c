"""On which line of a program something happens."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HERE = str(Path(__file__).parent) + os.sep
_PACKAGED = f"{os.sep}site-packages{os.sep}"
# What passes a call on for a program: this package, the standard library, code without a file.
_PASSED_ON = (str(Path(__file__).parents[2]) + os.sep, str(Path(os.__file__).parent) + os.sep, "<")
_told: list[str] = []  # the lines of recorded operations that are being repeated


@contextmanager
def told(where: str) -> Iterator[None]:
    """Inside, operations stand on this line of the program: the one on which they were recorded."""
    _told.append(where)
    try:
        yield
    finally:
        _told.pop()


def user_line() -> str:
    """``file:line in function`` of the innermost frame that belongs to the program; empty where a library was called
    directly."""
    if _told:
        return _told[-1]
    frame = inspect.currentframe()
    frame = frame.f_back if frame is not None else None
    asking = frame.f_code.co_filename if frame is not None else ""
    passed_on = (*_PASSED_ON, *_torch())
    while frame is not None:
        path = frame.f_code.co_filename
        if path.startswith(_HERE):
            if path not in (asking, __file__):
                return ""
        elif _is_its_own(path, passed_on):
            return f"{path}:{frame.f_lineno} in {frame.f_code.co_name}"
        frame = frame.f_back
    return ""


def _is_its_own(path: str, passed_on: tuple[str, ...]) -> bool:
    """Whether code of this file is the program's own; a cell of a notebook has a name in place of a file."""
    return path.startswith("<ipython-input") or not (path.startswith(passed_on) or _PACKAGED in path)


def _torch() -> tuple[str, ...]:
    """Where torch lies, which may be beside the other packages."""
    module = sys.modules.get("torch")
    return (f"{Path(str(module.__file__)).parent}{os.sep}",) if module is not None else ()
