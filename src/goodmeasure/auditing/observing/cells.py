"""Cells of a running notebook: their names in findings, and where a report is shown."""

from __future__ import annotations

import sys
from typing import Any


def shell() -> Any:
    """The notebook that runs, or ``None``."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None else None


def by_cells(text: str) -> str:
    """The same text with the cells of a running notebook under the names that it gives them, such as In[3]."""
    running = shell()
    for file, number in numbers(running).items() if running is not None else ():
        text = text.replace(file, f"In[{number}]")
    return text


def numbers(shell: Any) -> dict[str, int]:
    """The numbers of the cells that ran, by the names under which they were compiled."""
    return getattr(shell.compile, "_filename_map", {})


def show(report: Any) -> None:
    """Show a report in the output of the cell that runs."""
    sys.modules["IPython"].display.display(report)
