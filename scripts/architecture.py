"""The paragraphs of docs/architecture.md about the rooms, from what each room says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "src" / "goodmeasure"
_ROOMS = re.compile(r"(<!-- rooms:.*?-->\n).*?(<!-- end -->)", re.DOTALL)
_FLOOR = re.compile(r"^\| *\d+ [^|]*\|([^|]*)\|", re.MULTILINE)


def paragraph(room: str) -> str:
    """What a room says of itself, and its files."""
    files = sorted(path.stem for path in (PACKAGE / room).glob("*.py") if path.stem != "__init__")
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    said = " ".join((ast.get_docstring(tree) or "").replace("``", "`").split())
    return f"**`{room}/`** {said} *{', '.join(f.strip('_') for f in files)}*" if files else f"**`{room}/`** {said}"


def page() -> str:
    """The page with its paragraphs, in the order of the floors."""
    text = PAGE.read_text(encoding="utf-8")
    rooms = [room for cell in _FLOOR.findall(text) for room in re.findall(r"`(\w+)`", cell) if room != "errors"]
    made = "\n\n".join(map(paragraph, rooms))
    return _ROOMS.sub(lambda found: f"{found[1]}\n{made}\n\n{found[2]}", text)
