"""Does the recipe for conda say what pyproject.toml says?"""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
RECIPE = (ROOT / "conda" / "recipe.yaml").read_text(encoding="utf-8")


def listed(heading: str) -> list[str]:
    """The entries of the list under a heading of the recipe."""
    found = re.search(rf"^( *){heading}:\n((?:\1 +- .*\n)+)", RECIPE, re.MULTILINE)
    assert found, heading
    return [line.split("- ", 1)[1] for line in found[2].splitlines()]


def as_conda(requirement: str) -> str:
    """A requirement of Python's packages as conda writes it."""
    return re.sub(r"(?<=[\w])(?=[<>=!])", " ", requirement, count=1)


def test_the_recipe_asks_for_what_the_core_asks_for():
    project = PROJECT["project"]
    python = as_conda(f"python{project['requires-python']}")
    assert listed("run") == [python, *map(as_conda, project["dependencies"])]
    assert as_conda(PROJECT["build-system"]["requires"][0]) in listed("host")


def test_the_recipe_installs_the_same_commands():
    assert listed("entry_points") == [f"{name} = {where}" for name, where in PROJECT["project"]["scripts"].items()]


@pytest.mark.parametrize("field", ["version", "license", "description"])
def test_the_recipe_is_of_this_package(field):
    spelled = {"description": "summary"}.get(field, field)
    assert f"{spelled}: {PROJECT['project'][field]}\n" in RECIPE
