"""What the audit says of every wrong fixture program, and what its framework says: tests/audit_programs/findings.json."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

PROGRAMS = Path(__file__).resolve().parent.parent / "tests" / "audit_programs"
PAGE = PROGRAMS / "findings.json"


def programs() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """Every wrong program: its name and the function that builds it."""
    for path in sorted(PROGRAMS.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"audit_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        for name, build in list(vars(module).items()):
            if name.startswith("bad_"):
                yield f"{path.stem}.{name}", build


def host_says(case: dict[str, Any]) -> str:
    """What the framework itself does with a program: it raises, it warns, or it says nothing."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            run(case)
        except Exception:  # whatever a wrong program stops with
            return "raises"
    own = (w.category for w in heard if w.category.__module__ == "builtins")
    return "warns" if any(issubclass(kind, (UserWarning, RuntimeWarning)) for kind in own) else "silent"


def run(case: dict[str, Any]) -> None:
    """One step of a program as its author runs it."""
    if case.get("step") is not None:
        case["step"](case["model"], case["loss"], case["inputs"], case["targets"], case["optimizer"])
    elif case["framework"] == "keras":
        case["model"].fit(case["inputs"], case["targets"], epochs=1, verbose=0)
    elif case["framework"] == "torch":
        descend(case["model"], case["loss"], case["inputs"], case["targets"])
    elif case.get("fit") is not None:
        case["fit"]()


def descend(model: Any, loss: Any, inputs: Any, targets: Any) -> None:
    """The value of a torch loss, and its gradient if it has one."""
    import torch

    several = inputs if isinstance(inputs, tuple) else (inputs,)
    value = loss(model(**inputs) if isinstance(inputs, dict) else model(*several), targets)
    if isinstance(value, torch.Tensor) and value.requires_grad:
        value.sum().backward()


def findings() -> dict[str, dict[str, Any]]:
    """The codes found in every wrong program, and what its framework says about it."""
    import torch

    from goodmeasure.auditing.engine import audit

    rows = {}
    for name, build in programs():
        torch.manual_seed(0)
        codes = {finding.code for finding in audit(**build()).at_least("warning")}
        rows[name] = {"codes": sorted(codes), "host": host_says(build())}
    return rows


def page() -> str:
    """The findings as JSON."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return json.dumps(findings(), indent=1, sort_keys=True) + "\n"
