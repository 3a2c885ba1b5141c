"""A study as files: a page that explains itself, a document for programs, and the model."""

from __future__ import annotations

import json
import tempfile
from os import PathLike
from pathlib import Path

from goodmeasure.errors import UsageError
from goodmeasure.report.page import page
from goodmeasure.study.study import Study


def write(study: Study, directory: str | PathLike[str]) -> list[str]:
    """Write report.html, report.json and model.json; they appear when all of them are finished, or none does."""
    place = Path(directory)
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place} is a file, not a directory", fix="--out another/place")
    found = study.to_dict()
    texts = {
        "report.html": page(study),
        "report.json": json.dumps(found, allow_nan=False, indent=1, ensure_ascii=False),
        "model.json": study.model.to_json(),
    }
    try:
        place.mkdir(parents=True, exist_ok=True)
        _at_once(place, texts)
    except OSError as error:
        raise UsageError(f"{place} cannot be written: {error.strerror}", fix="--out another/place") from error
    return [str(place / name) for name in texts]


def _at_once(place: Path, texts: dict[str, str]) -> None:
    """All files are written beside their place first, and then moved there."""
    with tempfile.TemporaryDirectory(dir=place, prefix=".writing-") as folder:
        for name, text in texts.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        for name in texts:
            Path(folder, name).replace(place / name)
