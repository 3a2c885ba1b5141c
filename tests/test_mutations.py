"""Does scripts/mutate.py change what it says, leave alone what it says, and tell a test that notices from one that does not?"""

import ast
import json

import pytest

MODULE = '''
"""A module. 1 + 1 < 2."""
from math import sqrt

LIMIT = 0.5


def spread(x: list[float], ddof: int = 1, wide: bool = False) -> float:
    """The standard deviation, 1 < 2."""
    n = len(x)
    if n <= ddof and not wide:
        raise ValueError(f"{n + 1} values" + "!")
    mean = sum(x) / n
    total = 0.0
    for value in x[1:]:
        total += (value - mean) ** 2
    total = max(total, LIMIT)
    return float(sqrt(total / (n - ddof)))


def said(x: float) -> str:
    return f"{x + 1}" if x < 0 else "none"
'''


@pytest.fixture
def operators(script):
    return script("mutations.operators")


@pytest.fixture
def found(operators):
    return operators.mutants("room/module.py", MODULE)


@pytest.mark.parametrize(
    ("operator", "before", "after"),
    [
        ("comparison", "n <= ddof", "(n < ddof)"),
        ("condition", "n <= ddof and not wide", "not (n <= ddof and (not wide))"),
        ("and, or", "n <= ddof and not wide", "n <= ddof or not wide"),
        ("unary", "not wide", "wide"),
        ("arithmetic", "sum(x) / n", "sum(x) * n"),
        ("arithmetic", "n - ddof", "(n + ddof)"),
        ("arithmetic", "(value - mean) ** 2", "(value - mean) * 2"),
        ("arithmetic", "total += (value - mean) ** 2", "total -= (value - mean) ** 2"),
        ("deleted", "total += (value - mean) ** 2", "pass"),
        ("deleted", "total = max(total, LIMIT)", "pass"),
        ("deleted", 'raise ValueError(f"{n + 1} values" + "!")', "pass"),
        ("min, max", "max(total, LIMIT)", "min(total, LIMIT)"),
        ("dropped call", "sqrt(total / (n - ddof))", "total / (n - ddof)"),
        ("slice", "1:", ":"),
        ("constant", "1", "0"),
        ("constant", "2", "3"),
        ("constant", "0.5", "0.6"),
        ("constant", "0.0", "1.0"),
        ("default", "1", "0"),
        ("default", "False", "True"),
        ("return", "return float(sqrt(total / (n - ddof)))", "return sqrt(total / (n - ddof))"),
    ],
)
def test_each_operator_changes_one_piece(found, operator, before, after):
    assert [m.after for m in found if (m.operator, m.before) == (operator, before)] == [after]


def test_what_is_read_and_not_computed_with_is_left_alone(found):
    texts = {m.before for m in found}
    assert not [text for text in texts if "1 < 2" in text or text in ('"!"', "n + 1", "x < 0", "x + 1")]
    assert not [m for m in found if m.function == "said"]


def test_every_mutant_is_another_program_with_a_name_of_its_own(found):
    programs = [ast.dump(ast.parse(m.applied(MODULE))) for m in found]
    assert len({*programs, ast.dump(ast.parse(MODULE))}) == len(found) + 1
    assert len({m.name for m in found}) == len(found)


def test_a_name_and_a_draw_stay_when_other_functions_change(operators, found):
    later = operators.mutants("room/module.py", MODULE.replace("LIMIT = 0.5", "LIMIT = 0.5\nMOST = 9"))
    assert {m.name for m in found} < {m.name for m in later}
    assert {m.name: m.rank(3) for m in later}.items() > {m.name: m.rank(3) for m in found}.items()


def test_texts_are_code_where_kernels_are_printed(operators):
    assert operators.mutants("kernels/module.py", "def said(x) -> str:\n    return x + 1\n")
    assert not operators.mutants("study/module.py", "def said(x) -> str:\n    return x + 1\n")


SMALL = {
    "src/goodmeasure/__init__.py": "",
    "src/goodmeasure/small.py": "FACTOR = 2\n\n\ndef twice(x):\n    return FACTOR * x\n\n\ndef spare(x):\n    return x + 0\n",
    "tests/test_twice.py": (
        "from goodmeasure.small import spare, twice\n\n"
        "def test_it_is_twice():\n    assert twice(3) == 6\n\n"
        "def test_nothing_is_asked_of_it():\n    spare(3)\n"
    ),
}
RECORDED = {
    "seconds": {f"tests/test_twice.py::test_{name}": 0.01 for name in ("it_is_twice", "nothing_is_asked_of_it")},
    "lines": {
        "tests/test_twice.py::test_it_is_twice": {"small.py": [5]},
        "tests/test_twice.py::test_nothing_is_asked_of_it": {"small.py": [9]},
    },
}


@pytest.fixture
def house(script, monkeypatch, tmp_path):
    """A package of one module with two tests, recorded."""
    for name, text in SMALL.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    recording, trying = script("mutations.recording"), script("mutations.trying")
    places = {"ROOT": tmp_path, "PACKAGE": tmp_path / "src" / "goodmeasure", "STATE": tmp_path / "build" / "mutations"}
    for name, place in places.items():
        monkeypatch.setattr(recording, name, place)
        monkeypatch.setattr(trying, name, place)
    monkeypatch.setattr(recording, "RECORDS", tmp_path / "records")
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "test_twice.json").write_text(json.dumps(RECORDED))
    return tmp_path


def test_a_test_notices_or_does_not(operators, script, house):
    source, trying = SMALL["src/goodmeasure/small.py"], script("mutations.trying")
    record = script("mutations.recording").Record()
    found = {m.name.split(": ")[1]: m for m in operators.mutants("small.py", source)}
    assert set(found) == {"2 -> 3", "FACTOR * x -> FACTOR / x", "x + 0 -> x - 0", "0 -> 1"}
    noticed, missed = trying.attempt(found["2 -> 3"], record), trying.attempt(found["x + 0 -> x - 0"], record)
    assert (noticed.outcome, noticed.by) == ("killed", "tests/test_twice.py::test_it_is_twice")
    assert (missed.outcome, missed.tests) == ("survived", 1), "of the test that runs the line"
    assert (house / "src/goodmeasure/small.py").read_text() == source, "never changed in place"
    assert trying.attempt(None, record, record.quickest(9)).outcome == "survived"


UNRECORDABLE = {
    "a library that is not there": ("mutations/plugin.py", "import no_such_library", "no_such_library"),
    "no word at all": ("pytest/__main__.py", "", "it said nothing"),
}


@pytest.mark.parametrize("case", UNRECORDABLE)
def test_a_record_that_could_not_be_made_is_an_error_that_says_why(script, house, monkeypatch, case):
    recording = script("mutations.recording")
    name, text, why = UNRECORDABLE[case]
    file = house / "scripts" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    (file.parent / "__init__.py").write_text("")
    monkeypatch.setattr(recording, "SCRIPTS", house / "scripts")
    with pytest.raises(recording.NothingRecorded, match=f"nothing of test_twice.py: .*{why}"):
        recording.record([house / "tests" / "test_twice.py"])
    assert not recording.is_recorded(house / "tests" / "test_twice.py"), "an old record is none of these tests"


@pytest.mark.parametrize("held", [None, {"seconds": {}, "lines": {}}, {"seconds": RECORDED["seconds"], "lines": {}}])
def test_mutants_are_not_tried_where_nothing_is_recorded(script, house, held, monkeypatch, capsys):
    file = house / "records" / "test_twice.json"
    file.unlink() if held is None else file.write_text(json.dumps(held))
    monkeypatch.setattr("sys.argv", ["mutate.py", "run", "small.py"])
    mutate = script("mutate")
    monkeypatch.setattr(mutate, "PACKAGE", house / "src" / "goodmeasure")
    with pytest.raises(SystemExit, match=r"no test is known to run any line: python scripts/mutate.py record"):
        mutate.main()
    assert "survived" not in capsys.readouterr().out


def test_what_is_called_equivalent_is_a_mutant_still(operators, script):
    """A change near it gives it another name: then it must be looked at again."""
    results, recording = script("mutations.results"), script("mutations.recording")
    named = results.equivalent()
    modules = {name.split(" ")[0] for name in named}
    there = {
        m.name for module in modules for m in operators.mutants(module, (recording.PACKAGE / module).read_text("utf-8"))
    }
    assert set(named) <= there
    assert all(named.values()), "each has a reason"
