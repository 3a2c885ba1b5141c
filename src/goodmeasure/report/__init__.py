"""A study as files and as text: a page that explains itself, a document for programs, a summary for the terminal.

It arranges: numbers come from the study, marks from `drawing`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from os import PathLike
from pathlib import Path

from goodmeasure.decisions.costs import Costs
from goodmeasure.errors import UsageError
from goodmeasure.reading.writing import folder, refuse_other_kind, write_whole
from goodmeasure.report import compared, scored
from goodmeasure.report.model_card import MARK, card
from goodmeasure.report.page import page
from goodmeasure.strict.calls import strict_keywords
from goodmeasure.study import form
from goodmeasure.study.comparing import Comparison
from goodmeasure.study.study import MODEL_FILE, Study
from goodmeasure.tallying.tally import Tally

MARKS = {
    "report.html": b"<!doctype html>\n<!-- goodmeasure report -->\n",
    "report.json": b'{\n "format": "goodmeasure report"',
    MODEL_FILE: form.MARK,
    "model.md": MARK.encode(),
}
FILES = tuple(MARKS)


def write(study: Study, directory: str | PathLike[str]) -> list[str]:
    """Write report.html, report.json, model.json and model.md; they appear when all of them are finished, or none does.

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


@strict_keywords
def write_report(found: Study | Tally | Comparison, path: str | PathLike[str], *, costs: Costs | None = None) -> str:
    """Write a study, a comparison of models, or a tally of scored rows, as one page that is readable offline.

    Args:
        found: what `run`, ``study.compare(other)`` or `tally` gave.
        path: where the page goes: a new file, an empty one, or a report to replace.
        costs: what mistakes cost, for a tally of yes and no; a study has its own.

    Returns:
        The path.

    Raises:
        GM009: a file of another kind stands there, costs do not go with what was found, a tally was read without its
            losses, or no model can be judged
        GM012: the disk is full, or the place takes no files

    Example:
        >>> import goodmeasure as gm
        >>> found = gm.tally(gm.losses.binary_cross_entropy(), [0, 1] * 40, [-1.0, 1.0] * 40)
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as place:
        ...     gm.write_report(found, f"{place}/page.html").endswith("page.html")
        True
    """
    text = _page_of(found, costs)
    write_whole({Path(path): text.encode(errors="backslashreplace")}, [MARKS["report.html"]])
    return str(path)


def _page_of(found: Study | Tally | Comparison, costs: Costs | None) -> str:
    if isinstance(found, Tally):
        if not found.losses:
            raise UsageError("the tally knows its losses by name alone", fix="Tally.from_bytes(data, losses=[loss])")
        if costs is not None and found.schema.kind != "outcome":
            raise UsageError("costs of misses and false alarms are of yes and no", fix="leave costs out")
        return scored.page(scored.ScoredRows(found, "y", "data", costs, following="goodmeasure explain calibration"))
    if costs is not None:
        raise UsageError("a study has the costs that it was asked with", fix="gm.run(..., costs=costs)")
    return compared.page(found) if isinstance(found, Comparison) else page(found)


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
    return dict(zip(FILES, (page(study), document, study.model.to_json(), card(study)), strict=True))
