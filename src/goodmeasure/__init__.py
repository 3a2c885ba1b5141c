"""Says what good means in one formula, and derives the rest: the signal, the activation, the kernels, the decision.

Everything public is loaded when it is first used, so that ``import goodmeasure`` brings in NumPy at most.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from goodmeasure import losses as losses
    from goodmeasure.definition import loss as loss
    from goodmeasure.loss import Loss as Loss

# Where each public name is defined: the one list of them, from which the names above are checked.
_HOME = {
    "Binary": "domains",
    "Classes": "domains",
    "Count": "domains",
    "Fraction": "domains",
    "Level": "domains",
    "Loss": "loss",
    "NonNegative": "domains",
    "Outcome": "domains",
    "Positive": "domains",
    "Real": "domains",
    "UnitInterval": "domains",
    "check": "checks",
    "loss": "definition",
}
_MODULES = ("losses", "words")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"goodmeasure.{name}")
    if name not in _HOME:
        raise AttributeError(f"goodmeasure has no {name}")
    found = getattr(import_module(f"goodmeasure.{_HOME[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*_HOME, *_MODULES, "__version__"})
