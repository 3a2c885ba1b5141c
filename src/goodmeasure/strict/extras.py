"""The one door to packages that an extra brings: a module of theirs, or the line that installs it."""

from __future__ import annotations

import re
from collections import Counter
from importlib import import_module
from importlib.metadata import PackageNotFoundError, requires
from typing import Any

from goodmeasure.errors import MissingExtra

# What is asked for only because nothing else was chosen.
_CHOSEN = {"tensorflow": "export KERAS_BACKEND=torch  # or jax; unless told, Keras runs on tensorflow"}
# A line of what the package asks for, if an extra does: the name, and the extra.
_ASKED = re.compile(r"([\w.-]+).*extra == ['\"]([\w-]+)['\"]")
# What is installed under another name than it is imported by.
_INSTALLED_AS = {"mlflow": "mlflow-skinny", "sklearn": "scikit-learn", "xgboost": "xgboost-cpu"}


def needed(module: str, wanted: str) -> Any:
    """A module of a package that is not always there, loaded for something public that needs it. Error: GM008."""
    try:
        return import_module(module)
    except ModuleNotFoundError as missing:
        raise missing_extra(wanted, (missing.name or module).split(".")[0]) from missing
    except ImportError as error:
        package = module.split(".")[0]
        what = f"{wanted} needs {package}, which is installed and does not start"
        raise MissingExtra(what, seen=str(error), fix=f"pip install --upgrade {_shown(package)}") from error


def missing_extra(wanted: str, package: str) -> MissingExtra:
    """The error for something public that needs a package which is not there."""
    fix = _CHOSEN.get(package, f"pip install {_shown(package)}")
    return MissingExtra(f"{wanted} needs {package}, which is not installed", fix=fix)


def _shown(package: str) -> str:
    """What is to be installed for a package, quoted for the shell."""
    name = _INSTALLED_AS.get(package, package)
    extra = extra_of(name)
    return f"'goodmeasure[{extra}]'" if extra else name


def extra_of(package: str) -> str:
    """The extra of goodmeasure that asks for a package, and for the fewest others; empty where none does."""
    try:
        lines = requires("goodmeasure") or []
    except PackageNotFoundError:  # a source tree that is not installed
        lines = []
    asked = [found.groups() for line in lines if (found := _ASKED.match(line))]
    counts = Counter(extra for _, extra in asked)
    having = {extra for name, extra in asked if name.lower() == package}
    return min(having, key=lambda extra: (counts[extra], extra), default="")
