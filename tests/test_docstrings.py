"""Is everything public documented by one form, and is what the docstrings say true?

The form: one sentence that a stranger understands; a paragraph if need be; then, where they apply, the sections below in
their order. Arrays say their shape, errors their code, and examples are run.
"""

from __future__ import annotations

import dataclasses
import doctest
import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import goodmeasure as gm
from catalogue_losses import definitions
from goodmeasure.cli.explain import page
from goodmeasure.errors import HyperparameterError, Problem
from misuses import MISUSES

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from public_surface import SECTIONS, Public, everything

WIDTH = 120
SHAPE = re.compile(r"\((?:n|m|K|2|features|outputs)\b|\(\)|of (?:the|their) (?:same )?shape")
ARRAYS = re.compile(r"ArrayLike|Floats|NDArray|Tensor")
NAMED_LIKE_ARRAYS = {"y", "z", "p", "X", "scores", "sample_weight", "cluster", "prediction", "before", "mask"}
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS


EVERYTHING = everything()
# Their pages are put together from their records, so what they raise is the same for all.
FACTORIES = [Public(f"losses.{each.name}", each, inspect.getdoc(each) or "") for each in definitions()]
FUNCTIONS = [each for each in EVERYTHING if "." not in each.name and inspect.isfunction(each.found)]
KINDS = [each for each in EVERYTHING if inspect.isclass(each.found)]
MODULES = sorted(
    ".".join(file.relative_to(Path(gm.__file__).parent.parent).with_suffix("").parts).removesuffix(".__init__")
    for file in Path(gm.__file__).parent.rglob("*.py")
    if ">>> " in file.read_text(encoding="utf-8")
)


def of(those: list[Public]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("public", those, ids=[each.name for each in those])


@of(EVERYTHING + FACTORIES)
def test_the_first_line_is_one_sentence(public):
    first, _, rest = public.page.partition("\n")
    assert first.endswith("."), first
    assert not re.search(r"[.!?] [A-Z]", first), "one sentence"
    assert not rest or rest.startswith("\n"), "then an empty line"


@of(EVERYTHING + FACTORIES)
def test_sections_are_those_of_the_form_in_its_order(public):
    headings = re.findall(r"^(\w+):$", public.page, flags=re.MULTILINE)
    assert headings == sorted(set(headings) & set(SECTIONS), key=SECTIONS.index)
    assert all(len(line) <= WIDTH for line in public.page.splitlines())


@of(EVERYTHING + FACTORIES)
def test_every_parameter_is_described_and_no_other(public):
    described = public.entries("Args")
    if inspect.isclass(public.found):
        assert set(public.takes) <= {*described, *public.entries("Attributes")}
    else:
        assert list(described) == list(public.takes)
    assert all(described.values())


@of(EVERYTHING)
def test_arrays_say_their_shape(public):
    fields = inspect.get_annotations(public.found) if inspect.isclass(public.found) else {}
    for name, told in {**public.entries("Args"), **public.entries("Attributes")}.items():
        kind = {**public.takes, **{field: str(each) for field, each in fields.items()}}.get(name, "")
        if ARRAYS.search(kind) or (kind == "Any" and name in NAMED_LIKE_ARRAYS):
            assert SHAPE.search(told), f"{name}: {told}"


@of([each for each in EVERYTHING + FACTORIES if not inspect.isclass(each.found) and each.takes])
def test_what_comes_back_is_said(public):
    returns = inspect.signature(public.found).return_annotation
    assert ("Returns" in public.parts) == (returns not in (inspect.Signature.empty, None, "None"))


@of([each for each in KINDS if dataclasses.is_dataclass(each.found)])
def test_every_field_is_described_and_no_other(public):
    own = inspect.get_annotations(public.found)
    fields = [f.name for f in dataclasses.fields(public.found) if f.name in own and not f.name.startswith("_")]
    assert list(public.entries("Attributes")) == fields


@of([each for each in EVERYTHING + FACTORIES if "GM" in each.page])
def test_codes_are_explained(public):
    for code in re.findall(r"GM\d+", public.page):
        assert code in page(code)


@of(EVERYTHING)
def test_what_it_raises_itself_is_named(public):
    assert public.raises() <= public.errors


@of([each for each in EVERYTHING if "Raises" in each.parts])
def test_every_error_that_is_named_is_raised(public):
    assert public.errors == set(MISUSES.get(public.name, {})), "each has its row in misuses.py"
    for code, misuse in MISUSES[public.name].items():
        with pytest.raises((Problem, ValueError)) as caught:
            misuse()
        assert getattr(caught.value, "code", type(caught.value).__name__) == code


@of(FACTORIES)
def test_a_factory_raises_what_it_says(public):
    assert public.errors == {"GM002"}
    with pytest.raises(HyperparameterError):
        public.found(no_such_thing=1.0)


@of([each for each in [*FUNCTIONS, *KINDS, *FACTORIES] if not hasattr(each.found, "__members__")])
def test_there_is_an_example(public):
    assert ">>> import goodmeasure as gm" in public.parts.get("Example", "")


STUDIES = {}


@pytest.fixture
def each_study_once(monkeypatch):
    """Examples that ask the same question read the same study."""
    plain = gm.run

    def run(*given, **named):
        key = repr((given, named))
        if key not in STUDIES:
            STUDIES[key] = plain(*given, **named)
        return STUDIES[key]

    monkeypatch.setattr(gm, "run", run)


@pytest.mark.usefixtures("each_study_once")
@pytest.mark.parametrize("module", MODULES)
def test_examples_run_as_printed(module):
    runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
    for example in doctest.DocTestFinder().find(import_module(module), module, globs={}):
        told: list[str] = []
        assert not runner.run(example, out=told.append).failed, "".join(told)


def test_the_table_of_misuses_holds_nothing_else():
    assert set(MISUSES) <= {each.name for each in EVERYTHING}
