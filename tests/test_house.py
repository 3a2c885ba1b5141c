"""Does scripts/house.py count what it says, on a house small enough to count by hand?"""

import shutil

import pytest

FILES = {
    "__init__.py": """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from small.attic import open_window as open_window
    from small.hall.door import Door as Door
""",
    "cellar.py": "def dig():\n    from small.hall import door\n    return door\n",
    "hall/__init__.py": "",
    "hall/door.py": """
from typing import TYPE_CHECKING
from ..cellar import dig
if TYPE_CHECKING:
    from small.attic import window
class Frame:
    def paint(self, colour):
        \"\"\"Paints. GM001: it is wet.\"\"\"
class Door(Frame):
    def __init__(self, width): ...
    def open(self): ...
    @property
    def shut(self): ...
""",
    "attic/__init__.py": "from small.attic.window import open_window as open_window\n",
    "attic/window.py": """
from small.hall.door import Door
def open_window(y):
    \"\"\"Opens it.

    Args:
        y: (n,) or (n, K).

    Source: Vitruvius 1914.
    \"\"\"
class Frame: ...
""",
    "attic/door.py": "",
}


@pytest.fixture
def house(script):
    return script("house")


@pytest.fixture
def small(house, tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "src" / "small" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return house.House(house.package(tmp_path))


@pytest.mark.parametrize(
    ("figure", "found"),
    [
        ("files in the root", 1),
        ("folders in the root", 2),
        ("floors, the longest chain of rooms", 1),  # the attic stands on the hall, which its own door looks up to
        ("arrows between rooms", 4),
        ("loops of files, at load", "0"),
        ("loops of files, hidden imports counted", "1, of 2 files at most"),
        ("loops of files, any import", "1, of 3 files at most"),
        ("hidden imports", 1),
        ("repeated names of files", 1),
        ("repeated names of public classes", 1),
        ("files", 7),
        ("functions", 6),
        ("lines of a function (median, p90, longest)", "2 / 6 / 8"),
        ("the same without its docstring", "1 / 2 / 3"),
        ("public callables", 4),
        ("with parameters, shapes in the docstring", "1 of 3"),
        ("with parameters, error codes in the docstring", "1 of 3"),
        ("with parameters, a source in the docstring", "1 of 3"),
    ],
)
def test_a_small_house_is_counted(house, small, figure, found):
    assert house.FIGURES[figure](small) == found


def test_a_loop_is_one_floor(house):
    graph = {"roof": {"left"}, "left": {"right", "ground"}, "right": {"left"}, "ground": set(), "shed": set()}
    assert house.loops(graph) == [{"left", "right"}]
    assert house.floors(graph) == 3


def test_what_is_public_is_found_through_those_that_hand_it_on(small):
    assert [each.name for each in small.public] == ["Door", "Door.open", "Door.paint", "open_window"]


def test_trees_stand_side_by_side(house, small, capsys, tmp_path):
    other = shutil.copytree(small.package, tmp_path / "other")
    (other / "shed.py").write_text("")
    house.main([str(other), str(small.package)])
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["files", "in", "the", "root", "2", "1"]
    assert "classes of one name: Frame" in rows, "of the last tree"


def test_a_folder_without_a_package_is_refused(house, tmp_path):
    with pytest.raises(SystemExit, match="holds no package"):
        house.main([str(tmp_path)])
