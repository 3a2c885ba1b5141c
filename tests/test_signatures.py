"""Do editors and notebooks see what a function takes, and does a misspelt keyword say which one was meant?"""

import doctest
import importlib
import inspect
import pickle
import pydoc
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

import goodmeasure as gm
from catalogue_losses import definitions
from goodmeasure.auditing import Audit
from goodmeasure.cli.audit import command
from goodmeasure.errors import HyperparameterError, UsageError
from goodmeasure.making.card import asks_for
from goodmeasure.making.definition import Definition
from goodmeasure.strict.calls import strict_keywords
from test_docstrings import KINDS

ROOT = Path(__file__).parent.parent


@gm.loss(target=gm.Positive, activation="exp", asks_for="mean")
def relative(y, mu, *, power: gm.Positive = 2.0):
    """The miss in shares of the prediction.

    Reach for it when one half too much is as bad as one half too little. Nobody 1901.
    """
    return abs(y / mu - 1) ** power


FACTORIES = [*definitions(), relative]
WEIGHTS = {"class_weight": (Sequence[float], ()), "positive_weight": (float | Sequence[float], 1.0)}


# --- factories ---


@pytest.mark.parametrize("factory", FACTORIES, ids=repr)
def test_a_factory_has_the_signature_of_its_hyperparameters(factory):
    signature = inspect.signature(factory)
    assert signature.return_annotation is gm.Loss
    own = dict(factory.defaults)
    assert list(own) == list(signature.parameters)[: len(own)]
    for name, parameter in signature.parameters.items():
        kind = Sequence[float] if isinstance(own.get(name), tuple) else type(own.get(name))
        annotation, default = (kind, own[name]) if name in own else WEIGHTS[name]
        assert (parameter.kind, parameter.annotation) == (parameter.KEYWORD_ONLY, annotation)
        assert parameter.default == default


@pytest.mark.parametrize("factory", FACTORIES, ids=repr)
def test_a_factory_takes_what_its_signature_says_and_nothing_else(factory):
    parameters = inspect.signature(factory).parameters
    plain = factory()
    same = factory(**{name: parameter.default for name, parameter in parameters.items()})
    assert (same.book, same.hyperparameters, same.class_weight) == (plain.book, plain.hyperparameters, ())
    for name, given in {"class_weight": (1.0, 2.0, 3.0), "positive_weight": 3.0}.items():
        if name in parameters:
            assert factory(**{name: given}) != plain
        else:
            with pytest.raises(HyperparameterError, match=r"weight"):
                factory(**{name: given})
    with pytest.raises(HyperparameterError, match="dleta"):
        factory(dleta=1.0)


@pytest.mark.parametrize("factory", FACTORIES, ids=repr)
def test_a_factory_explains_itself(factory):
    page, shown = inspect.getdoc(factory), pydoc.plain(pydoc.render_doc(factory))
    loss = factory()
    words = " ".join(page.split())
    assert page.splitlines()[0] == loss.facts.sentence
    assert page != inspect.getdoc(Definition)
    for part in (loss.facts.advice.split(". ")[0], f"target: {loss.target}", f"asks for: {asks_for(loss)}"):
        assert part in words
    assert "".join(str(loss.book).split()) in "".join(page.split())
    for name, domain in factory.domains:
        assert f"{name}: {domain}; {dict(factory.defaults)[name]} unless given." in page
    for line in page.splitlines():
        assert line in shown


@pytest.mark.parametrize("factory", FACTORIES, ids=repr)
def test_the_example_of_a_factory_runs(factory):
    (found,) = doctest.DocTestFinder(recurse=False).find(factory, factory.name, globs={factory.name: factory})
    assert len(found.examples) >= 2
    assert doctest.DocTestRunner().run(found).failed == 0


@pytest.mark.parametrize("factory", FACTORIES, ids=repr)
def test_a_factory_is_found_where_it_says(factory):
    assert factory.__name__ == factory.__qualname__ == factory.name
    assert inspect.getsource(factory).startswith(("@loss", "@gm.loss"))
    module = importlib.import_module(factory.__module__)
    found = getattr(module, factory.name, None) or getattr(module, factory.name.removeprefix("binary_"))
    assert found.function is factory.function


def test_a_factory_names_its_source():
    assert "Source:\n    Nobody 1901.\n" in relative.__doc__
    assert "Lin et al. 2017." in gm.losses.focal.__doc__.partition("Source:")[2]
    assert "Nobody" not in relative.__doc__.partition("Formula:")[0]


def test_the_class_of_factories_keeps_its_own_docstring():
    assert Definition.__doc__.startswith("A traced formula")
    assert "facts" in inspect.signature(Definition).parameters


# --- editors ---


RIGHT = """
import goodmeasure as gm
from goodmeasure.losses import focal

made: gm.Loss = gm.losses.huber(delta=2.0)
also: gm.Loss = gm.losses.mse()
here: gm.Loss = focal(class_weight=(1.0, 2.0)) + focal(gamma=1.0)
name: str = gm.losses.catalogue()["huber"].name
gm.check(gm.losses.huber)
"""
WRONG = {
    "gm.losses.huber(dleta=2.0)": 'Unexpected keyword argument "dleta"',
    "gm.losses.huber(2.0)": "Too many positional arguments",
    "gm.losses.hubber()": 'has no attribute "hubber"',
    'gm.run("table.csv", "y", costs=3)': 'incompatible type "int"',
    "gm.run(data, target, postive=1)": 'Unexpected keyword argument "postive"',
    "gm.audit(modle=1)": 'Unexpected keyword argument "modle"',
}


def test_a_type_checker_knows_the_factories_and_their_hyperparameters(tmp_path):
    from mypy import api

    program = tmp_path / "program.py"
    program.write_text(RIGHT + "data, target = 'table.csv', 'y'\n" + "\n".join(WRONG) + "\n", encoding="utf-8")
    said, failed, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--strict", str(program)])
    assert not failed
    wrong = [line for line in said.splitlines() if ": error: " in line and "program.py" in line]
    assert len(wrong) == len(WRONG), said
    for line, expected in zip(wrong, WRONG.values(), strict=True):
        assert expected in line


# --- the facade ---


def taken(call):
    """The names of what a call takes, without the one that a method is asked of, each with its kind."""
    parameters = inspect.signature(call).parameters.values()
    return {p.name: p.kind.name for p in parameters if p.name != "self"}


FUNCTIONS = {name: found for name in dir(gm) if inspect.isfunction(found := getattr(gm, name))}
CLASSES = {name: found for name in dir(gm) if inspect.isclass(found := getattr(gm, name))}


def methods(kind):
    """What a class and its ancestors in goodmeasure can be asked by name."""
    for name in dir(kind):
        held = inspect.getattr_static(kind, name)
        found = getattr(held, "__func__", getattr(held, "fn", held))  # of a static method; of one under a condition
        ours = inspect.isfunction(found) and found.__module__.startswith("goodmeasure")
        if ours and (name == "__call__" or not name.startswith("_")):
            yield name, found


# What torch calls forward by has rules of its own.
METHODS = {
    f"{kind.name}.{name}": found
    for kind in KINDS
    for name, found in methods(kind.found)
    if kind.name != "TorchLoss" and taken(found).keys() and "VAR_KEYWORD" not in taken(found).values()
}
CALLS = {**FUNCTIONS, **CLASSES, **METHODS}


def of(calls):
    return pytest.mark.parametrize("name", calls)


def said_by(name):
    """What a call is named in an error: a method by itself, a result that can be called as one."""
    owner, _, method = name.rpartition(".")
    return owner if method == "__call__" else method


@of(FUNCTIONS)
def test_a_public_function_lists_all_that_it_takes(name):
    assert not {"VAR_KEYWORD", "VAR_POSITIONAL"} & set(taken(FUNCTIONS[name]).values())


@of([*FUNCTIONS, *CLASSES])
def test_what_the_facade_names_is_what_its_home_defines(name):
    found = getattr(gm, name)
    assert getattr(importlib.import_module(found.__module__), name) is found


@of(CALLS)
def test_a_misspelt_keyword_names_the_one_that_was_meant(name):
    for keyword in [p for p in taken(CALLS[name]) if len(p) > 3]:
        misspelt = keyword + keyword[-1]
        with pytest.raises(UsageError, match=rf"(?i){said_by(name)} takes no {misspelt}=") as error:
            CALLS[name](**{misspelt: None})
        assert isinstance(error.value, TypeError)
        assert error.value.fix.lower() == f"{said_by(name)}(..., {keyword}=...)".lower()


@of(CALLS)
def test_a_keyword_like_no_other_is_refused_with_all_that_are_taken(name):
    with pytest.raises(UsageError, match=r"without zzz=") as error:
        CALLS[name](zzz=None)
    assert error.value.seen == f"it takes {', '.join(taken(CALLS[name]))}"


def test_a_function_without_keywords_says_so():
    with pytest.raises(UsageError, match="it takes no keywords"):
        strict_keywords(lambda: None)(zzz=None)


def test_a_loss_points_to_the_hyperparameter_that_was_meant():
    with pytest.raises(HyperparameterError, match="no hyperparameter dleta") as error:
        gm.losses.huber(dleta=1)
    assert error.value.fix == "huber(delta=1.0)"
    with pytest.raises(HyperparameterError, match="it has gamma, class_weight") as error:
        gm.losses.focal(clas_weight=(1.0, 2.0))
    assert error.value.fix == "focal(class_weight=())"


@of(FUNCTIONS)
def test_a_public_function_can_be_sent_to_another_process(name):
    assert pickle.loads(pickle.dumps(FUNCTIONS[name])) is FUNCTIONS[name]
    assert re.match(rf"(@data_last\(.*\)\n)?@strict_keywords\ndef {name}\(", inspect.getsource(FUNCTIONS[name]))


def _fitting(parameter):
    """Something that the annotation of a parameter allows."""
    numbers = {"float": 0.5, "int": 3}
    return next(
        (v for kind, v in numbers.items() if kind in parameter.annotation),
        print if "Callable" in parameter.annotation else parameter.name,
    )


def test_a_case_is_what_the_audit_was_given_under_its_keywords(monkeypatch):
    seen = {}

    def examine(given, rules, budget_s):
        seen.update(given)
        return Audit((), (), (), "", 0.0)

    monkeypatch.setattr("goodmeasure.auditing.engine.examine", examine)
    parameters = inspect.signature(gm.audit).parameters.values()
    given = {p.name: _fitting(p) for p in parameters if p.name != "budget_s"}
    gm.audit(**given, budget_s=1.0)
    assert seen == given


@pytest.mark.parametrize(("options", "seconds"), [([], 3.0), (["--budget", "2"], 2.0)])
def test_the_budget_that_a_program_declares_holds_unless_another_is_given(tmp_path, monkeypatch, options, seconds):
    program, seen = tmp_path / "train.py", []
    program.write_text("def build():\n    return dict(loss=print, budget_s=3.0)\n", encoding="utf-8")

    def examine(given, rules, budget_s):
        seen.append(budget_s)
        return Audit((), (), (), "", 0.0)

    monkeypatch.setattr("goodmeasure.auditing.engine.examine", examine)
    assert CliRunner().invoke(command, [f"{program}:build", *options]).exception is None
    assert seen == [seconds]


def test_a_hostile_key_of_a_program_does_not_reach_the_terminal(tmp_path):
    program = tmp_path / "train.py"
    program.write_text("def build():\n    return {'\\x1b[31mmodel': None}\n", encoding="utf-8")
    error = CliRunner().invoke(command, [f"{program}:build"]).exception
    assert isinstance(error, UsageError)
    assert "\\x1b[31mmodel" in str(error)
    assert str(error).replace("\n", "").isprintable()


def test_other_names_for_what_the_audit_takes_are_not_passed_over():
    with pytest.raises(UsageError, match=r"audit\(\.\.\., loss=\.\.\.\)"):
        gm.audit(model=None, loss_fn=None)
    with pytest.raises(UsageError, match=r"audit\(\.\.\., inputs=\.\.\.\)"):
        gm.audit(model=None, input=None)


def test_a_program_to_audit_is_held_to_the_same_keywords(tmp_path):
    program = tmp_path / "train.py"
    program.write_text("def build():\n    return dict(model=None, loss_fn=None)\n", encoding="utf-8")
    error = CliRunner().invoke(command, [f"{program}:build"]).exception
    assert isinstance(error, UsageError)
    assert (error.where, error.fix) == (f"{program}:build", "audit(..., loss=...)")


def test_a_condition_is_for_files():
    with pytest.raises(UsageError, match="where="):
        gm.run({"x": [1.0, 2.0], "y": [1.0, 2.0]}, "y", where="x > 1")


@pytest.mark.parametrize(
    "ask",
    [
        lambda factory: gm.risk(factory, [1.0, 2.0], [1.0, 3.0]),
        lambda factory: gm.compare(factory, [1.0, 2.0], [1.0, 3.0], [1.0, 2.0]),
        lambda factory: gm.signal(factory, [1.0, 2.0], [1.0, 3.0]),
        lambda factory: gm.tally(factory, [1.0, 2.0], [1.0, 3.0]),
        lambda factory: gm.weighted(factory, positive=2.0),
        gm.to_torch,
        lambda factory: factory.value([1.0], [1.0]),
    ],
)
def test_forgotten_brackets_are_told_of(ask):
    with pytest.raises(UsageError, match=r"huber makes losses.*\n.*fix +huber\(\)"):
        ask(gm.losses.huber)
    assert not hasattr(gm.losses.huber, "nothing_that_a_loss_has")
