"""Is every generated page what its maker would write today?"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture
def docs(script):
    return script("docs")


def test_generated_pages_are_current(docs):
    quick = [name for name in docs.MAKERS if name not in docs.RUNS_PROGRAMS]
    assert [page.name for page, _ in docs.stale(quick)] == [], "run make pages"


def test_a_page_that_differs_is_said_and_made(docs, script, monkeypatch, tmp_path, capsys):
    page = tmp_path / "catalogue.md"
    catalogue = script("catalogue")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(catalogue, "PAGE", page)
    monkeypatch.setattr(catalogue, "page", lambda: "the page\n")
    assert docs.main(["catalogue", "--check"]) == 1
    assert "catalogue.md is out of date: run make pages" in capsys.readouterr().out
    assert not page.exists()
    assert docs.main(["catalogue"]) == 0
    assert page.read_text() == "the page\n"
    assert docs.main(["catalogue", "--check"]) == 0


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("**/*.md")), ids=lambda path: path.stem)
def test_scripts_that_a_page_names_are_there(page):
    for script in re.findall(r"scripts/\w+\.py", page.read_text(encoding="utf-8")):
        assert (ROOT / script).exists(), script
