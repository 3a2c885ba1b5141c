"""What a module may define: each name once, where modules are the only list of losses, words and rules."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from goodmeasure.errors import UsageError


def each_once(file: str, defines: str) -> None:
    """Refuse a module that defines a name twice: the later would take the place of the first in silence. Error: GM009.

    ``defines`` is how a line that defines one begins, with the name as its group.
    """
    found = re.findall(f"^{defines}", Path(file).read_text(encoding="utf-8"), re.MULTILINE)
    for name, count in Counter(found).items():
        if count > 1:
            raise UsageError(f"{name} is defined {count} times", where=file, fix="give one of them another name")
