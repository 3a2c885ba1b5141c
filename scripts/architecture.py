"""The paragraphs of docs/architecture.md about the rooms, from what each says of itself, and the figures of the house."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

from house import FIGURES, House

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PACKAGE = ROOT / "src" / "goodmeasure"
_FLOOR = re.compile(r"^\| *(\d+) [^|]*\|([^|]*)\|", re.MULTILINE)
# What the page shows, as it was at commit 57b93f1, before the rooms were made. Lengths change with every line that is
# written: they are what house.py prints.
BEFORE: Mapping[str, object] = {
    "files in the root": 37,
    "folders in the root": 16,
    "floors, the longest chain of rooms": 15,
    "arrows between rooms": 255,
    "loops of files, at load": 0,
    "loops of files, hidden imports counted": "2, of 4 files at most",
    "loops of files, any import": "4, of 19 files at most",
    "hidden imports": 66,
    "repeated names of files": 18,
    "repeated names of public classes": 15,
    "public callables": 82,
    "with parameters, shapes in the docstring": "8 of 73",
    "with parameters, error codes in the docstring": "11 of 73",
    "with parameters, a source in the docstring": "2 of 73",
}


def floors() -> dict[str, int]:
    """The floor of each room, from the ground up, read from the table of the page: it is written nowhere else."""
    rows = _FLOOR.findall(PAGE.read_text(encoding="utf-8"))
    return {room: int(floor) for floor, cell in rows for room in re.findall(r"`(\w+)`", cell)}


def paragraph(room: str) -> str:
    """What a room says of itself, and its files."""
    files = sorted(path.stem for path in (PACKAGE / room).glob("*.py") if path.stem != "__init__")
    tree = ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8"))
    said = " ".join((ast.get_docstring(tree) or "").replace("``", "`").split())
    return f"**`{room}/`** {said} *{', '.join(f.strip('_') for f in files)}*" if files else f"**`{room}/`** {said}"


def figures() -> str:
    """The house before the rooms were made, and now."""
    house = House(PACKAGE)
    rows = [f"| {name} | {before} | {FIGURES[name](house)} |" for name, before in BEFORE.items()]
    return "\n".join(["| figure | before | now |", "|---|---|---|", *rows])


def page() -> str:
    """The page with its paragraphs, in the order of the floors, and its figures."""
    rooms = "\n\n".join(paragraph(room) for room in floors() if room != "errors")
    text = PAGE.read_text(encoding="utf-8")
    for name, made in (("rooms", rooms), ("figures", figures())):
        begin, rest = re.split(rf"(?<=<!-- {name}: made by scripts/architecture.py -->\n)", text)
        text = f"{begin}\n{made}\n\n<!-- end -->{rest.partition('<!-- end -->')[2]}"
    return text
