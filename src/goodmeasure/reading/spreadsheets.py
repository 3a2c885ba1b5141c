"""Texts that a spreadsheet would take for formulas and run."""

from __future__ import annotations

from typing import Any

from goodmeasure.reading.remarks import Remark

MARKS = ("=", "+", "-", "@", "\t", "\r", "\n")


class RunsInSpreadsheets(Remark):
    """Texts were written that begin as formulas do: a spreadsheet that opens the file may run them.

    Excel, LibreOffice and Google Sheets take a cell for a formula that begins with ``=``, ``+``, ``-`` or ``@``, behind a
    tab or a line break too. Texts are written as they stand in the table, because a program that reads them needs them so.
    For a spreadsheet, ``goodmeasure predict --for-spreadsheets`` puts an apostrophe before each, which makes it a text.
    """

    code = "GM210"
    severity = "warning"


def runs(cell: Any) -> bool:
    """Whether a spreadsheet would take a cell for a formula: a text that begins like one, and is no number."""
    return isinstance(cell, str) and cell.startswith(MARKS) and not _is_number(cell)


def disarmed(cell: Any) -> Any:
    """The cell as a spreadsheet shows it without running it."""
    return f"'{cell}" if runs(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell == cell.strip()
