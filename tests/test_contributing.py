"""Does CONTRIBUTING.md say what is true: do its recipes, followed to the letter in a copy, add what they promise?

Paths are looked up for docs/architecture.md as well.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COPIED = ("src", "tests", "scripts", "docs")
_BLOCK = re.compile(r"^```(?:python\n# (\S+)|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Recipe:
    """The blocks of a section: what goes at the end of which file, and what is run then."""

    written: list[tuple[str, str]]
    run: list[str]


def recipe(title):
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    assert section.count("```python") + section.count("```sh") == len(_BLOCK.findall(section)), "blocks have a file"
    blocks = [(found[1], found[2]) for found in _BLOCK.finditer(section)]
    return Recipe(
        [(file, text) for file, text in blocks if file],
        [line for file, text in blocks if not file for line in text.splitlines()],
    )


@dataclass
class House:
    """A copy of the repository."""

    root: Path

    def write(self, recipe):
        for file, text in recipe.written:
            path = self.root / file
            path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n\n\n{text}", encoding="utf-8")

    def run(self, line):
        """What a line of the page prints, with its exit status."""
        settings = {**os.environ, "PYTHONPATH": "src", "OMP_NUM_THREADS": "1"}
        return subprocess.run(
            line, shell=True, cwd=self.root, env=settings, capture_output=True, text=True, check=False
        )

    def follow(self, recipe):
        """Every line of a recipe after what it writes; what each prints."""
        self.write(recipe)
        printed = []
        for line in recipe.run:
            done = self.run(line)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
            printed.append(done.stdout)
        return printed

    def page(self, name):
        return (self.root / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture
def house(tmp_path):
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name)  # what is compiled too: times are kept, so it holds
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return House(tmp_path)


def passed(printed):
    """How many tests passed, none of which failed."""
    return int(re.search(r"(\d+) passed", printed)[1])


USES = """
import numpy as np, pytest
import goodmeasure as gm
from goodmeasure import kernels
from goodmeasure.formulas.latex import latex

loss = gm.losses.talwar(c=3.0)
y, z = np.random.default_rng(0).normal(size=(2, 5000))
compiled = kernels.value_and_gradient(loss, y, z)
assert compiled[0] == pytest.approx(float(loss.value(y, z).mean()), rel=1e-12)
assert compiled[1] == pytest.approx(loss.gradient(y, z) / 5000, rel=1e-12)
assert latex(loss.book).startswith(r"\\begin{cases}")
weighed = [no.alternative for step in gm.choose(y).steps for no in step.rejected]
assert "talwar" in weighed
"""


def test_a_loss_is_one_block_in_one_file(house):
    steps = recipe("Add a loss")
    assert [file for file, _ in steps.written] == ["src/goodmeasure/losses/real.py"]
    steps.run = [line for line in steps.run if "goodmeasure losses" in line]
    (card,) = house.follow(steps)
    assert "asks for               where the bulk of the targets lies" in card
    (house.root / "uses.py").write_text(USES)
    used = house.run(".venv/bin/python uses.py")
    assert used.returncode == 0, used.stderr


@pytest.mark.nightly  # it makes every page anew; of the losses that there are test_docs asks it by day
def test_the_recipe_of_a_loss_makes_its_pages_and_leaves_none_unmade(house, script):
    steps = recipe("Add a loss")
    *_, tests = house.follow(steps)
    assert passed(tests) >= 5
    assert "[`talwar`](losses/talwar.md)" in house.page("catalogue.md")
    assert "the squared miss up to c" in house.page("losses/talwar.md").lower()
    made = " ".join(steps.run).split()
    others = " ".join(set(script("docs").MAKERS) - script("docs").RUNS_PROGRAMS - set(made))
    left = house.run(f".venv/bin/python scripts/docs.py --check {others}")
    assert left.returncode == 0, f"the recipe leaves a page unmade: {left.stdout}"


def test_a_word_is_one_row(house):
    steps = recipe("Add a word")
    explained, tests = house.follow(steps)
    assert "in a book   log(1/(1 + exp(-x)))" in explained
    assert passed(tests) >= 8
    imported = house.run(f"{sys.executable} -c 'from goodmeasure.words import log_sigmoid as w; print(w.name)'")
    assert imported.stdout == "log_sigmoid\n"


def test_a_word_with_a_wrong_row_fails_by_its_name(house):
    steps = recipe("Add a word")
    steps.written[0] = (steps.written[0][0], steps.written[0][1].replace("sigmoid(-x),)", "sigmoid(x),)"))
    house.write(steps)
    done = house.run(steps.run[-1].replace("tests/test_words.py ", ""))
    assert done.returncode == 1
    assert "test_the_derivative_of_a_word_is_its_slope[log_sigmoid]" in done.stdout


def test_an_audit_rule_is_one_function_and_two_programs(house):
    steps = recipe("Add an audit rule")
    programs = house.root / "tests" / "audit_programs"
    kept = {Path(file).name for file, _ in steps.written}
    for path in programs.glob("*.py"):  # auditing all of them again is what test_audit.py does
        if path.name not in kept:
            path.unlink()
    before = json.loads((programs / "findings.json").read_text())
    _, page, tests = house.follow(steps)
    after = json.loads((programs / "findings.json").read_text())
    assert page.startswith("# GM137: a class that occurs has the weight zero")
    assert passed(tests) == 2
    assert after.pop("bad_classification.bad_weight_of_zero")["codes"] == ["GM137"]
    assert after == {name: row for name, row in before.items() if name.startswith("bad_classification.")}
    assert "| GM137 | warning |" in house.page("audit.md")


def test_what_recipes_write_is_clean(house):
    steps = [recipe(title) for title in ("Add a loss", "Add a word", "Add an audit rule")]
    for each in steps:
        house.write(each)
    # Audit programs are left out of what ruff finds by itself, so files that are written to are named.
    files = " ".join(sorted({file for each in steps for file, _ in each.written}))
    for line in (f".venv/bin/ruff check src tests {files}", f".venv/bin/ruff format --check src tests {files}"):
        done = house.run(line)
        assert done.returncode == 0, done.stdout


# A folder with its slash, or a file; not what begins with a dot or goes on after it.
_PATH = re.compile(r"(?<![\w./-])(?:[\w-]+/)+(?:[\w-]+\.\w+)?(?![\w*])|(?<![\w./-])[\w-]+\.(?:py|md)\b")
PATHS = {
    (page, path)
    for page in ("CONTRIBUTING.md", "docs/architecture.md")
    for path in _PATH.findall((ROOT / page).read_text(encoding="utf-8"))
}


def is_there(path):
    """From the root or from the package; a file that is named alone, in any room."""
    package = ROOT / "src" / "goodmeasure"
    found = [place / path for place in (ROOT, package)] if "/" in path else [ROOT / path, *package.rglob(path)]
    return any(each.is_dir() if path.endswith("/") else each.is_file() for each in found)


@pytest.mark.parametrize(("page", "path"), sorted(PATHS))
def test_every_path_of_a_page_is_there(page, path):
    assert is_there(path), f"{page} speaks of {path}"
