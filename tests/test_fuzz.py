"""A slice of the fuzz target: a few seeded inputs of every kind, and the rules themselves on what breaks them."""

from __future__ import annotations

import random

import pytest

import goodmeasure.cli
from goodmeasure.cli import status_of

EACH = 2
SLOW = ("audit", "demo", "run")


@pytest.fixture(scope="module")
def cases(script):
    return script("fuzzing.cases")


@pytest.fixture(scope="module")
def trial(script, cases):
    return script("fuzzing.trial")


def made(cases):
    """Inputs of every kind but that of 100,000 columns, which takes seconds."""
    for make in cases.KINDS:
        tried = (make(random.Random(f"slice {make.__name__} {i}")) for i in range(100) if make.__name__ != "wide")
        quick = (case for case in tried if case.words[0] not in SLOW or make.__name__ == "damaged_program")
        yield from (case for case, _ in zip(quick, range(EACH), strict=False))


def test_no_input_of_the_slice_breaks_a_rule(cases, trial):
    broken = {tuple(case.words): found for case in made(cases) if (found := trial.broken(case))}
    assert broken == {}


def test_the_same_table_written_otherwise_gives_the_same_numbers(script):
    count, found = script("fuzzing.same").differing(0, 1)
    assert (found, count >= 9) == ([], True)


def test_every_command_has_a_line_and_every_option_is_swept(script):
    commands = script("fuzzing.commands")
    known = set(goodmeasure.cli.goodmeasure.list_commands(None))
    assert set(commands.NEEDS) == known
    swept = {(command, words[0].split("=")[0]) for command, words in commands.sweep()}
    assert swept == {(command, option.opts[0]) for command in known for option in commands.options(command)}


def test_a_case_is_the_same_for_the_same_seed(cases):
    assert [cases.key(cases.case(5, i)) for i in range(20)] == [cases.key(cases.case(5, i)) for i in range(20)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ((70, "", "a fault"), "exit 70"),
        ((0, "\x1b[31m", ""), "U+001B"),
        ((0, "\u202e", ""), "U+202E"),
        ((3, "", "Error: no"), "without a code"),
        ((1, "Traceback (most recent call last)", ""), "traceback"),
    ],
)
def test_the_rules_find_what_breaks_them(trial, said, told):
    assert any(told in found for found in trial._of_words(trial.Said(*said)))


def test_a_file_that_was_changed_is_found(cases, trial):
    case = cases.Case("x", ["score", "t.csv"], {"t.csv": b"a"})
    assert list(trial._of_files(case, {"t.csv": b"a"}, {"t.csv": b"b"})) == ["the file 't.csv' was changed"]
    assert list(trial._of_files(case, {"t.csv": b"a"}, {})) == ["the file 't.csv' was removed"]


def test_a_closed_standard_output_is_no_fault(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdout", None)
    assert status_of(["explain", "GM003"]) == 0


def test_names_that_are_not_utf_8_are_taken(cases, trial, script):
    tables = script("fuzzing.tables")
    odd = b"\xe9".decode("utf-8", "surrogateescape")
    for words in (
        ["score", f"{odd}.csv", "--y", "yes", "--p", "p", "--save", f"{odd}.tally"],
        ["predict", "model.json", f"{odd}.csv", "--out", f"{odd}.out"],
        ["run", f"{odd}.csv", "--target", "yes", "--out", odd, "--json"],
        ["score", f"{odd}.csv", "--y", "yes", "--p", "p", "--positive", odd],
    ):
        files = {f"{odd}.csv": tables.as_csv(tables.table()), "model.json": cases.model()}
        assert trial.broken(cases.Case("names", words, files)) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--seed 0 --inputs 3000"),
        (["--seed", "1", "--inputs", "50", "--seconds", "9"], "--seed 1 --inputs 50 --seconds 9"),
    ],
)
def test_the_command_on_the_page_is_the_one_that_ran(script, words, said):
    fuzz = script("fuzz")
    asked = fuzz.parser().parse_args(words)
    assert fuzz.command(asked) == f"python scripts/fuzz.py --write {said}"
    assert fuzz.command(asked) in fuzz.page([], [], asked, 1.0)
