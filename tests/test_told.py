"""Does what pages show run as it stands, and print what stands beneath it?"""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from told import pages


@pytest.fixture
def told(script):
    return script("told")


@pytest.mark.parametrize("page", pages(), ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # a page shows no warnings
def test_a_page_prints_what_it_shows(told, page):
    assert told.told(page) == told.target(page).read_text(encoding="utf-8"), f"run scripts/told.py {page}"


@pytest.fixture
def page(tmp_path):
    def write(text):
        path = tmp_path / "page.md"
        path.write_text(text)
        return path

    return write


def test_what_is_printed_takes_the_place_of_what_is_not_true(told, page):
    written = page("```python\nx = 2\nx + 1\n```\n\n```text\n4\n```\n\nAnd:\n\n```python\nx\n```\n")
    assert (
        told.told(written)
        == "```python\nx = 2\nx + 1\n```\n\n```text\n3\n```\n\nAnd:\n\n```python\nx\n```\n\n```text\n2\n```\n"
    )


def test_lines_that_are_left_out_stay_out_while_the_rest_is_true(told, page):
    kept = "```python\nprint(1, 2, 3, sep='\\n')\n```\n\n```text\n1\n...\n3\n```\n"
    assert told.told(page(kept)) == kept
    assert "2" in told.told(page(kept.replace("\n3\n", "\n4\n")))


def test_commands_are_run_in_a_folder_of_their_own(told, page):
    told_page = told.told(page("```sh\ngoodmeasure losses --asks interval\n```\n"))
    assert "interval" in told_page.split("```text")[1]
    assert not Path("goodmeasure-out").exists()


@pytest.mark.parametrize("line", ["rm -rf /tmp/nothing", "goodmeasure losses no_such_loss"])
def test_what_is_no_command_of_ours_or_fails_stops_the_page(told, page, line):
    with pytest.raises((ValueError, RuntimeError)):
        told.told(page(f"```sh\n{line}\n```\n"))
