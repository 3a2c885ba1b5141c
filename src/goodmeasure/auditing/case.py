"""The thing under audit: what the caller handed over, and the shared, cached evidence about it."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Kind = TypeVar("Kind")


SPENT = "the time budget of"  # how the reason begins where no time was left


class Unavailable(Exception):
    """This evidence cannot be had for this case; the text says why."""


@dataclass(frozen=True)
class Case:
    """The keywords of :func:`goodmeasure.auditing.audit`, as given; what was not given is ``None``."""

    framework: str
    given: Mapping[str, Any]

    def get(self, name: str) -> Any:
        """What was given under this name, or ``None``."""
        return self.given.get(name)

    def need(self, *names: str) -> tuple[Any, ...]:
        """What was given under these names; :class:`Unavailable` names the first that is missing."""
        for name in names:
            if self.given.get(name) is None:
                raise Unavailable(f"no {name} given")
        return tuple(self.given[name] for name in names)

    @property
    def task(self) -> str:
        """What the caller says the output is for, or an empty string."""
        return str(self.given.get("task") or "")


@dataclass
class Dossier:
    """Evidence about one case, gathered on first demand, once, within a time budget."""

    case: Case
    budget_s: float
    started: float = field(default_factory=time.monotonic)
    _known: dict[type, Any] = field(default_factory=dict)

    @property
    def gathered(self) -> tuple[str, ...]:
        """The kinds of evidence that there are, by name."""
        return tuple(sorted(kind.__name__ for kind, known in self._known.items() if not isinstance(known, Unavailable)))

    def spent(self) -> float:
        """Seconds since the audit began."""
        return time.monotonic() - self.started

    def get(self, kind: type[Kind]) -> Kind:
        """The evidence of this kind; raises :class:`Unavailable` with the reason where there is none."""
        if kind not in self._known:
            if self.spent() > self.budget_s:
                raise Unavailable(f"{SPENT} {self.budget_s:g} s was spent")
            self._known[kind] = self._gathered(kind)
        known = self._known[kind]
        if isinstance(known, Unavailable):
            raise known
        return known  # type: ignore[no-any-return]

    def find(self, kind: type[Kind]) -> Kind | None:
        """The evidence of this kind, or ``None``."""
        try:
            return self.get(kind)
        except Unavailable:
            return None

    def _gathered(self, kind: Any) -> Any:
        try:
            return kind.gather(self)
        except Unavailable as reason:
            return reason


def framework_of(given: Mapping[str, Any]) -> str:
    """The framework that a case belongs to, by the types of its parts."""
    if declared := given.get("framework"):
        return str(declared)
    for name in ("model", "estimator", "loss"):
        for kind in type(given.get(name)).__mro__:
            root = kind.__module__.split(".")[0]
            if root in ("keras", "lightgbm", "xgboost", "sklearn", "torch"):
                return root
    return "torch" if given.get("model") is not None else "numpy"


_LIBRARIES = (f"{Path(os.__file__).parent}{os.sep}", f"{Path(__file__).parent}{os.sep}", "<")


_NOT_ITS_OWN = ("site-packages", "goodmeasure/auditing", "<frozen ")


def where_raised(error: BaseException) -> str:
    """The innermost line of the program itself on which an exception passed."""
    if isinstance(error, SyntaxError) and error.filename:  # of a text that was never run
        return f"{error.filename}:{error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    outside = [f for f in frames if not any(part in f.filename for part in _NOT_ITS_OWN)]
    own = [f for f in outside if not f.filename.startswith(_LIBRARIES)] or outside
    return f"{own[-1].filename}:{own[-1].lineno} in {own[-1].name}" if own else ""
