"""A study as files and as text: a page that explains itself, a document for programs, a summary for the terminal.

It arranges: numbers come from the study, marks from `drawing`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from os import PathLike
from pathlib import Path

from goodmeasure.reading.writing import folder, refuse_other_kind, write_whole
from goodmeasure.report.page import page
from goodmeasure.study import form
from goodmeasure.study.study import MODEL_FILE, Study

MARKS = {
    "report.html": b"<!doctype html>\n<!-- goodmeasure report -->\n",
    "report.json": b'{\n "format": "goodmeasure report"',
    MODEL_FILE: form.MARK,
}
FILES = tuple(MARKS)


def write(study: Study, directory: str | PathLike[str]) -> list[str]:
    """Write report.html, report.json and model.json; they appear when all of them are finished, or none does.

    Raises:
        GM009: a file stands where the directory should be, or one of another kind where one of these should
        GM012: the disk is full, or the place takes no files
    """
    place = folder(Path(directory))
    texts = texts_of(located(study, directory))
    # The name of a file need not be UTF-8: its bytes are then written as escapes, which JSON reads back.
    files = {place / name: text.encode(errors="backslashreplace") for name, text in texts.items()}
    write_whole(files, MARKS.values())
    return [str(place / name) for name in texts]


def located(study: Study, directory: str | PathLike[str]) -> Study:
    """The study as it speaks of its files, which are written into a directory."""
    return replace(study, folder=str(Path(directory)))


def refuse_others(directory: str | PathLike[str]) -> None:
    """Refuse a directory in which a file of another kind would be replaced, before anything is computed. Error: GM009."""
    for name, mark in MARKS.items():
        refuse_other_kind(Path(directory) / name, mark)


def texts_of(study: Study) -> dict[str, str]:
    """What stands in each file, by its name."""
    document = json.dumps(study.to_dict(), allow_nan=False, indent=1, ensure_ascii=False)
    return dict(zip(FILES, (page(study), document, study.model.to_json()), strict=True))
