"""Real tables that scikit-learn ships, each with a question worth asking of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from goodmeasure.decisions.costs import Costs
from goodmeasure.errors import UsageError
from goodmeasure.reading.writing import folder, write_whole
from goodmeasure.strict.extras import needed


@dataclass(frozen=True)
class Example:
    """A table with a target, and what is asked about it."""

    name: str
    target: str
    story: str
    load: Callable[[], Any] = field(repr=False)
    asked: dict[str, Any]

    def write(self, directory: str | PathLike[str]) -> str:
        """Write the table as CSV into a directory; its path is returned."""
        place = folder(Path(directory))
        found = self.load()
        named = hasattr(found, "target_names")
        target = [str(found.target_names[k]) for k in found.target] if named else found.target.tolist()
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([*found.feature_names, self.target])
        lines.writerows([*row, label] for row, label in zip(found.data.tolist(), target, strict=True))
        _write_once(place / f"{self.name}.csv", text.getvalue().encode())
        return str(place / f"{self.name}.csv")


def _write_once(place: Path, data: bytes) -> None:
    """Write a table where none stands, or this one. Error: GM009."""
    if place.is_file() and place.read_bytes() not in (b"", data):
        raise UsageError(f"{place} is another table, and would be replaced", fix="--out another/place")
    write_whole({place: data}, [data])


def _shipped() -> Any:
    return needed("sklearn.datasets", "an example")


def _tumours() -> Any:
    return _shipped().load_breast_cancer()


def _diabetes() -> Any:
    return _shipped().load_diabetes(scaled=False)


def _wines() -> Any:
    return _shipped().load_wine()


def example(task: str) -> Example:
    """The example of a kind of target: "binary", "regression" or "multiclass"."""
    return {
        "binary": Example(
            "tumours",
            "diagnosis",
            "569 breast tumours, each measured under the microscope (Wolberg, Street and Mangasarian 1995).\n"
            "Which are malignant? A missed malignant tumour is said to cost 40, a needless biopsy 5.",
            _tumours,
            {"positive": "malignant", "costs": Costs(false_negative=40, false_positive=5)},
        ),
        "regression": Example(
            "diabetes",
            "progression",
            "442 diabetes patients (Efron, Hastie, Johnstone and Tibshirani 2004). How far does the disease progress in a year?",
            _diabetes,
            {},
        ),
        "multiclass": Example(
            "wines",
            "cultivar",
            "178 Italian wines by chemical analysis (Aeberhard and Forina 1991). From which of three cultivars is each made?",
            _wines,
            {},
        ),
    }[task]
