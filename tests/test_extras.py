"""Does something public that needs a package which is not there say which extra to install?"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from absent import asked
from goodmeasure.strict import extras

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
IMPORTED_AS = {"mlflow-skinny": "mlflow", "scikit-learn": "sklearn", "xgboost-cpu": "xgboost"}
WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import goodmeasure as gm
from goodmeasure.errors import MissingExtra
try:
    gm.to_torch
except MissingExtra as error:
    print(error)
"""


SINGLE = sorted(EXTRAS.keys() - {"all"})


def brought(extra: str) -> list[str]:
    """The packages that an extra brings; several may bring the same."""
    return [re.match(r"[\w-]+", line)[0] for line in EXTRAS[extra]]


@pytest.mark.parametrize("extra", SINGLE)
def test_a_missing_package_names_its_extra(extra, monkeypatch):
    monkeypatch.setattr(extras, "requires", lambda _: [*PROJECT["dependencies"], *asked()])
    fixes = []
    for named in brought(extra):
        package = IMPORTED_AS.get(named, named)
        error = extras.missing_extra("goodmeasure.this", package)
        assert f"goodmeasure.this needs {package}" in str(error)
        assert error.fix in [f"pip install 'goodmeasure[{each}]'" for each in SINGLE if named in brought(each)]
        fixes.append(error.fix)
    assert f"pip install 'goodmeasure[{extra}]'" in fixes, "what is its own names it"


def test_what_each_extra_is_for_is_a_program_that_a_clean_environment_runs(script):
    uses = script("uses")
    assert uses.USES.keys() == set(SINGLE)
    for extra in SINGLE:
        compile(uses.program(extra), extra, "exec")


def test_all_brings_every_extra():
    (line,) = EXTRAS["all"]
    assert set(re.search(r"\[(.*)\]", line)[1].split(",")) == EXTRAS.keys() - {"all"}


def test_a_package_of_no_extra_is_named_itself(monkeypatch):
    monkeypatch.setattr(extras, "requires", lambda _: PROJECT["dependencies"])
    assert extras.missing_extra("goodmeasure.this", "scrapy").fix == "pip install scrapy"
    assert "KERAS_BACKEND=torch" in extras.missing_extra("goodmeasure.this", "tensorflow").fix


def test_what_is_asked_of_the_package_says_so():
    said = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, text=True, check=True).stdout
    assert "goodmeasure.to_torch needs torch, which is not installed" in said
    assert re.search(r"fix +pip install", said)
