"""Does a public docstring have the one form: a sentence, what is taken, what comes back, what is raised, an example?"""

import doctest
import inspect
import re

import pytest

import goodmeasure as gm
from catalogue_losses import definitions
from goodmeasure.errors import problems

SECTIONS = ("Formula", "Args", "Returns", "Raises", "Source", "Example")
_HEAD = re.compile(rf"^({'|'.join(SECTIONS)}):$", re.MULTILINE)
_RAISES = re.compile(r"(GM\d{3}(?:(?:, | to )GM\d{3})*): .+")


def methods(kind):
    """The public methods of a class, by name."""
    members = inspect.getmembers(kind, inspect.isfunction)
    return {
        f"{kind.__name__}.{name}": found for name, found in members if name == "__call__" or not name.startswith("_")
    }


FORMED = {
    **{name: getattr(gm, name) for name in ("audit", "check", "loss", "run", "watch", "weighted")},
    **methods(gm.Loss),
}
FACTORIES = {definition.name: definition for definition in definitions()}


def sections(page):
    """What stands before the first section, and each section by its name, in the order in which they stand."""
    first, *rest = _HEAD.split(page)
    return first, {name: inspect.cleandoc(body) for name, body in zip(rest[::2], rest[1::2], strict=True)}


@pytest.mark.parametrize("name", [*FORMED, *FACTORIES])
def test_a_docstring_has_the_form(name):
    found = {**FORMED, **FACTORIES}[name]
    told, parts = sections(inspect.getdoc(found))
    sentence, *others = told.split("\n")
    assert re.fullmatch(r"[A-Z].{10,120}\.", sentence), "the first line is a sentence"
    assert not any(others[:1]), "a paragraph stands apart from the sentence"
    assert list(parts) == [section for section in SECTIONS if section in parts]
    assert {"Returns", "Example"} <= parts.keys()


@pytest.mark.parametrize("name", [*FORMED, *FACTORIES])
def test_every_parameter_is_told_of_and_no_other(name):
    found = {**FORMED, **FACTORIES}[name]
    _, parts = sections(inspect.getdoc(found))
    told = re.findall(r"^(\w+): \S", parts.get("Args", ""), re.MULTILINE)
    assert told == [parameter for parameter in inspect.signature(found).parameters if parameter != "self"]


@pytest.mark.parametrize("name", [*FORMED, *FACTORIES])
def test_errors_are_told_by_codes_that_exist(name):
    _, parts = sections(inspect.getdoc({**FORMED, **FACTORIES}[name]))
    known = {kind.code for kind in problems()}
    for line in re.findall(r"^\S.*", parts.get("Raises", ""), re.MULTILINE):
        codes = _RAISES.fullmatch(line)
        assert codes, line
        assert set(re.findall(r"GM\d{3}", codes[1])) <= known, line


@pytest.mark.parametrize("name", ["Loss", *FORMED])
def test_an_example_runs_as_printed(name):
    found = gm.Loss if name == "Loss" else FORMED[name]
    (example,) = doctest.DocTestFinder(recurse=False).find(found, name, globs={})
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0
