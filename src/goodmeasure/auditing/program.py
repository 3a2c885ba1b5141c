"""Load a program from a file for an audit: ``FILE.py:FUNCTION``, whose result is the keywords of :func:`audit`."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from goodmeasure.auditing.case import where_raised
from goodmeasure.auditing.engine import audit
from goodmeasure.errors import Problem, UsageError
from goodmeasure.reading.paths import is_file
from goodmeasure.strict.calls import check_keywords


class ProgramStops(Problem, RuntimeError):
    """The program under audit raised an exception before there was anything to audit.

    The file is run, and then the function that builds model, loss and batch; one of them stopped. Run the file by itself to
    see the whole traceback, or add ``--traceback``.
    """

    code = "GM190"


def load(spec: str) -> dict[str, Any]:
    """Run the function that a ``FILE.py:FUNCTION`` names and return the case it builds."""
    path, _, name = spec.rpartition(":")
    file = Path(path)
    if not path or not name.isidentifier() or file.suffix != ".py":
        raise UsageError(
            f"{spec!r} does not name a program",
            seen=f"FILE.py:FUNCTION, e.g. {file.name or 'train.py'}:build",
            fix=f"goodmeasure audit {file.name if file.suffix == '.py' else 'train.py'}:build",
        )
    if not is_file(file):
        raise UsageError(f"there is no file {path}", where=path, fix="goodmeasure audit train.py:build")
    build = getattr(_running(lambda: _module(file), path), name, None)
    if not callable(build):
        raise UsageError(
            f"{path} has no function {name}", where=path, fix=f"def {name}(): return dict(model=..., loss=...)"
        )
    case = _running(build, spec)
    if not isinstance(case, Mapping):
        raise UsageError(
            f"{name} returns {type(case).__name__}",
            where=path,
            seen="a dict with the keywords of goodmeasure.audit",
            fix="return dict(model=model, loss=loss, inputs=x, targets=y)",
        )
    check_keywords(case, inspect.signature(audit).parameters, "audit", where=spec)
    return dict(case)


def _running(call: Callable[[], Any], where: str) -> Any:
    try:
        return call()
    except Exception as error:
        at = where_raised(error) or where
        raise ProgramStops(f"{type(error).__name__}: {error}", where=at, fix="run the file by itself") from error


def _module(file: Path) -> ModuleType:
    name = f"_audited_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(file.parent.resolve()))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(file.parent.resolve()))
    return module
