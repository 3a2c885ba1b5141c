"""A study as files and as text: a page that explains itself, a document for programs, a summary for the terminal.

It arranges: numbers come from the study, marks from `drawing`.
"""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path

from goodmeasure.reading.writing import folder, write_whole
from goodmeasure.report.page import page
from goodmeasure.study.study import Study


def write(study: Study, directory: str | PathLike[str]) -> list[str]:
    """Write report.html, report.json and model.json; they appear when all of them are finished, or none does."""
    place = folder(Path(directory))
    found = study.to_dict()
    texts = {
        "report.html": page(study),
        "report.json": json.dumps(found, allow_nan=False, indent=1, ensure_ascii=False),
        "model.json": study.model.to_json(),
    }
    # The name of a file need not be UTF-8: its bytes are then written as escapes.
    write_whole({place / name: text.encode(errors="backslashreplace") for name, text in texts.items()})
    return [str(place / name) for name in texts]
