"""Whether the values of a column have an order in time."""

from __future__ import annotations

import re

import numpy as np

from goodmeasure.errors import Problem
from goodmeasure.reading.tables import ColumnKind, Values

# A year, and what divides it, written in as many digits everywhere: such texts sort as the times do.
_YEAR_FIRST = re.compile(r"[0-9]{4}([-_/. ]?[QqWwHhSsTt]?[0-9]{1,2}){0,2}")


class TimeIsText(Problem, ValueError):
    """The column of times holds texts that are no dates, so they have no order in time.

    Sorted as texts, "10.1." stands before "9.1.", and rows of the future would be fitted. Dates in any usual form are read;
    mend the cells that are none, or bring a column of numbers that grow with time.
    """

    code = "GM247"


def refuse_texts(values: Values, name: str) -> None:
    """Refuse a column whose texts do not sort as times do. Error: GM247."""
    if ColumnKind.of(values) is not ColumnKind.TEXT:
        return
    known = [cell for cell in values.tolist() if cell is not None]
    shapes = {re.sub("[0-9]", "9", cell) for cell in known}
    if len(shapes) > 1 or not all(map(_YEAR_FIRST.fullmatch, known)):
        cell = next((cell for cell in known if not _is_iso(cell)), known[0])
        raise TimeIsText(
            f"column {name!r} holds texts, which have no order in time",
            where=name,
            seen=f"{cell!r}",
            fix="dates in one form everywhere, such as 2024-01-31",
        )


def _is_iso(cell: str) -> bool:
    try:
        return not np.isnat(np.datetime64(cell))
    except ValueError:
        return False
