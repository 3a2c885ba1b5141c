"""Is what runs in a cell of a notebook, in a test, or before a commit audited where it runs?"""

from __future__ import annotations

import importlib.metadata
import warnings
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import goodmeasure as gm  # noqa: E402

pytest_plugins = ["pytester"]

TRAINING = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(4, 3){})
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(3):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(torch.randn(30, 4)), torch.arange(30) % 3).backward()
    optimizer.step()
"""
WRONG, RIGHT = TRAINING.format(", torch.nn.Softmax(1)"), TRAINING.format("")


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shell of IPython, and what it shows."""
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell
    running = shell.instance()
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    running.shown = shown
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running.run_cell("%load_ext goodmeasure")
        yield running
    shell.clear_instance()


def test_a_cell_is_audited_and_its_lines_are_those_of_the_cell(notebook: Any) -> None:
    result = notebook.run_cell(f"%%audit{WRONG}\nmodel", store_history=True)
    assert result.success
    assert isinstance(result.result, torch.nn.Sequential)
    assert "optimizer" in notebook.user_ns
    (report,) = notebook.shown
    assert [f.code for f in report.findings] == ["GM102"]
    assert report.findings[0].where.startswith("In[1]:7 in <module>")
    assert "GM102" in report._repr_html_()


def test_nothing_found_in_a_cell_is_said_with_what_was_looked_at(notebook: Any) -> None:
    notebook.run_cell(f"%%audit{RIGHT}")
    notebook.run_cell("%%audit\nx = 1 + 1")
    good, empty = notebook.shown
    assert good.ok
    assert "cross_entropy of Sequential" in good._repr_html_()
    assert "nothing was looked at" in empty._repr_html_()


def test_a_cell_that_stops_shows_what_was_found_before(notebook: Any, capsys: pytest.CaptureFixture[str]) -> None:
    result = notebook.run_cell(f"%%audit{WRONG}1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert [f.code for f in notebook.shown[0].findings] == ["GM102"]
    broken = notebook.run_cell("%%audit\nx = (")
    assert isinstance(broken.error_before_exec or broken.error_in_exec, SyntaxError)
    assert len(notebook.shown) == 1, "nothing ran"
    refused = notebook.run_cell("%%audit model\n1")
    assert "takes no words" in str(refused.error_in_exec)


def test_a_block_in_a_notebook_shows_its_report(notebook: Any) -> None:
    block = "\n".join(f"    {line}" for line in WRONG.splitlines())
    assert notebook.run_cell(f"import goodmeasure as gm\nwith gm.watch():{block}", store_history=True).success
    assert notebook.shown[0].findings[0].where.startswith("In[1]:8 in <module>")


def test_a_block_in_which_nothing_was_seen_warns_and_one_that_stopped_does_not() -> None:
    with pytest.warns(UserWarning, match="nothing was seen"), gm.watch():
        sum(range(3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ZeroDivisionError), gm.watch():
            1 / 0  # noqa: B018


@pytest.mark.parametrize("call", ["positional", "named", "function", "passed by"])
def test_a_watch_sees_its_loss_however_it_is_called_or_says_that_it_did_not(call: str) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1))
    loss = torch.nn.functional.cross_entropy if call in ("function", "passed by") else torch.nn.CrossEntropyLoss()
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        with gm.watch(model, loss) as watching:
            said = loss if call == "passed by" else watching.loss
            said(input=model(x), target=y) if call in ("named", "function") else said(model(x), y)
    assert len(heard) == 1
    assert ("nothing was seen" if call == "passed by" else "GM102") in str(heard[0].message)


def plugin() -> list[str]:
    """How pytest is told of the fixture where the package is not installed with its entry points."""
    known = {entry.value for entry in importlib.metadata.entry_points(group="pytest11")}
    return [] if "goodmeasure.auditing.pytest_plugin" in known else ["-p", "goodmeasure.auditing.pytest_plugin"]


def test_a_test_fails_where_the_training_in_it_has_findings(pytester: pytest.Pytester) -> None:
    def test(name: str, body: str) -> str:
        lines = "\n".join(f"    {line}" for line in body.splitlines())
        return f"def test_{name}(audited):\n{lines}\n"

    pytester.makepyfile(
        test("wrong", WRONG) + test("right", RIGHT) + test("empty", "x = 1") + test("muted", 'audited.ignoring("GM102")' + WRONG)
        + test("stops", RIGHT + "assert False") + "def test_other(): pass\n"
    )  # fmt: skip
    result = pytester.runpytest_subprocess(*plugin(), "-v")
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines(
        ["*test_wrong FAILED*", "*test_right PASSED*", "*test_empty FAILED*", "*test_muted PASSED*"]
    )
    result.stdout.fnmatch_lines(
        ["*GM102 error*softmax is applied twice*", "*py:* in test_wrong*", "*nothing was looked at*"]
    )
    result.stdout.fnmatch_lines(["*AssertionError*"])


FEW: dict[str, tuple[dict[str, Any], list[str]]] = {
    "outputs alone": ({"outputs": [0.5, -1.0], "targets": [1.0, 0.0]}, ["model=", "step=", "loss="]),
    "with a loss": ({"outputs": [0.5, -1.0], "targets": [1.0, 0.0], "loss": lambda z, y: 0.0}, ["model=", "step="]),
}


@pytest.mark.parametrize("name", FEW)
def test_nothing_found_by_few_rules_says_what_was_not_looked_at_and_what_to_hand_over(name: str) -> None:
    given, wanted = FEW[name]
    found = gm.audit(**given)
    assert not found.findings
    (line,) = found.not_seen
    assert all(each in line for each in wanted)
    assert not any(f" {each}=" in line for each in given)
    assert f"not looked at: {line}" in str(found)


def test_time_that_was_spent_is_told_where_nothing_was_found() -> None:
    found = gm.audit(model=torch.nn.Linear(2, 1), inputs=torch.ones(4, 2), targets=torch.ones(4), budget_s=1e-9)
    assert any("as the time was spent; give more by budget_s=" in line for line in found.not_seen)


def test_a_program_of_which_much_was_looked_at_is_told_as_before() -> None:
    x, y = torch.randn(32, 4), torch.arange(32) % 3
    found = gm.audit(model=torch.nn.Linear(4, 3), loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y, budget_s=60.0)
    assert found.not_seen == ()
