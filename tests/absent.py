"""Packages that are installed, and kept out of this process as if they were not."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

# What no part of the core may need: the extras of the package, and what comes with them.
EXTRAS = (
    *("numba", "llvmlite", "pyarrow", "duckdb", "sklearn", "joblib", "threadpoolctl", "matplotlib", "pandas", "polars"),
    *("rich", "pygments"),
    *(
        "torch",
        "jax",
        "keras",
        "xgboost",
        "lightgbm",
        "catboost",
        "onnx",
        "openpyxl",
        "sqlglot",
        "dask",
        "distributed",
        "pyspark",
    ),
)


def asked() -> list[str]:
    """What a wheel of this tree asks for beside its dependencies: an extra of extras is written out, and stands first."""
    page = Path(__file__).parent.parent / "pyproject.toml"
    found = tomllib.loads(page.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    found["all"] = [line for name, lines in found.items() if name != "all" for line in lines]
    return [f"{line}; extra == '{name}'" for name, lines in sorted(found.items()) for line in lines]


def keep_out(packages: Iterable[str]) -> None:
    """From now on these packages are not found."""
    absent = frozenset(packages)

    class Finder(PathFinder):
        """Looks everywhere that Python does, for all the rest."""

        @classmethod
        def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
            """Where a module is; nowhere if its package is kept out."""
            return None if fullname.split(".")[0] in absent else super().find_spec(fullname, path, target)

    sys.meta_path[:] = [Finder if finder is PathFinder else finder for finder in sys.meta_path]
