"""Do the pages that hold other libraries' signals beside ours say what is measured now?"""

import re
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest

PAGES = Path(__file__).parent.parent / "docs" / "comparisons"


def table(text):
    """The rows of all tables of a page, but for their heads."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    return [row for row in rows if row[0] != "loss"]


@pytest.fixture
def spelled(script):
    return script("spelled_signals")


@pytest.mark.parametrize("name", ["signals", "pytensor"])
def test_ours_holds_and_every_spelling_is_there(spelled, name):
    rows = table((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    wanted = [(each.loss, f"`{each.how}`") for each in spelled.SPELLINGS]
    assert [(row[0], row[1]) for row in rows][-len(wanted) :] == wanted
    assert {row[-1] for row in rows} == {"holds"}
    for loss in spelled.OURS:
        assert spelled.verdict(loss, lambda y, loss=loss: spelled.ours(loss, y)) == "holds"


def test_the_page_is_what_would_be_written_with_these_versions(script):
    maker = script("comparing_signals")
    written, made = maker.PAGE.read_text(encoding="utf-8"), maker.page()
    asked = next(line for line in made.splitlines() if line.startswith("Asked of"))
    assert made == written or asked not in written, "run python scripts/docs.py comparing_signals"


def test_so_is_that_of_pytensor_where_it_is_installed(script):
    pytest.importorskip("pytensor", reason="it asks for an older Numba: see scripts/comparing_pytensor.py")
    maker = script("comparing_pytensor")
    written = maker.PAGE.read_text(encoding="utf-8")
    assert maker.page() == written or version("pytensor") not in written


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda true: true, "holds"),
        (lambda true: true * (1 + 1e-3), "2 digits at the worst"),
        (np.zeros_like, "0 digits at the worst"),
        (lambda true: true * np.nan, "no number at the worst"),
    ],
)
def test_a_verdict_is_of_what_was_kept(spelled, made, said):
    def signal(y):
        return made(np.array([float(each) for each in spelled.truth("Brier", y)]))

    assert re.match(said, spelled.verdict("Brier", signal))
    assert "from" not in said or spelled.verdict("Brier", signal).endswith("from 1e-06 on")
