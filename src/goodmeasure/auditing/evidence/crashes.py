"""What the program itself raised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from goodmeasure.auditing.case import Dossier, Unavailable
from goodmeasure.auditing.evidence import kind

_ELSEWHERE = ("cuda", "mps", "nvidia", "out of memory", "not compiled with")


@dataclass
class Crashes:
    """Exceptions of the program by stage."""

    found: list[tuple[str, Exception, str]]

    @classmethod
    def gather(cls, dossier: Dossier) -> Crashes:
        found: list[tuple[str, Exception, str]] = []
        if dossier.case.get("model") is None and dossier.case.get("fit") is None:
            raise Unavailable("nothing to run")
        if dossier.case.get("model") is not None:
            found += _of_model(dossier)
        if dossier.case.get("fit") is not None:
            from goodmeasure.auditing.evidence.fitted import fit_error

            found += fit_error(dossier)
        elsewhere = [error for _, error, _ in found if any(word in str(error).lower() for word in _ELSEWHERE)]
        if elsewhere:
            raise Unavailable(f"the program needs a device that is not here ({elsewhere[0]})")
        return cls(found)

    def all(self) -> Iterator[tuple[str, Exception, str]]:
        """Stage, exception and line."""
        yield from self.found


def _of_model(dossier: Dossier) -> list[tuple[str, Exception, str]]:
    step: Any = dossier.find(kind("StepRun"))
    if step is not None:
        return [("training step", *step.crash)] if step.crash else []
    keras: Any = dossier.find(kind("KerasFit"))
    wiring: Any = keras.wiring if keras else dossier.find(kind("Wiring"))
    crash = wiring.crash if wiring else None
    return [(f"{crash.stage} pass", crash.error, crash.where)] if crash else []
