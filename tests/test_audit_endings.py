"""Does an audit say why a program stopped, what is the program's own, and how to go on?"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from goodmeasure.cli import status_of
from turns import at_night

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[1]

# A program, the arguments of the audit, its exit status, and what is said.
ENDS = {
    "gpu": ("raise AssertionError('Torch not compiled with CUDA enabled')", "", 3, "an accelerator that is not here"),
    "driver": ("raise RuntimeError('Found no NVIDIA driver on your system.')", "", 3, "tell it to use the CPU"),
    "data": ("open('customers.csv')", "", 3, "files are looked for from "),
    "cluster": ("import os; os.environ['LOCAL_RANK']", "", 3, "MASTER_ADDR=localhost MASTER_PORT=29500 goodmeasure audit"),
    "ranking": ("raise KeyError('RANKING')", "", 3, "fix   python ranking.py"),
    "interrupt": ("raise KeyboardInterrupt", "", 3, "GM190 KeyboardInterrupt"),
    "child": ("import subprocess, sys; subprocess.run([sys.executable, '-c', '1'])", "", 3, "in which nothing is observed"),
    "other": ("import subprocess; subprocess.run(['true'])", "", 3, "no loss was differentiated"),
    "usage": ("import argparse; p = argparse.ArgumentParser(); p.add_argument('--lr', required=True); p.parse_args()", "", 3,
              "usage.py: error: the following arguments are required: --lr"),
    "help": ("import argparse; argparse.ArgumentParser(description='its words').parse_args()", "-- --help", 3, "its words"),
    "on_jax": ("import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras; m = keras.Sequential([keras.layers.Dense(1)]); "
               "m.compile('sgd', 'mse'); m.fit(keras.ops.ones((8, 2)), keras.ops.ones((8, 1)), verbose=0)", "", 3,
               "fix   KERAS_BACKEND=torch goodmeasure audit on_jax.py"),
    "option": ("1", "--lr 3", 2, "fix   goodmeasure audit option.py -- --lr 3"),
    "typed": ("1", "--formt json", 2, "did you mean --format?"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDS)
def test_how_a_program_ended_and_what_to_do(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    source, arguments, status, expected = ENDS[name]
    monkeypatch.chdir(tmp_path)
    Path(f"{name}.py").write_text(source)
    assert status_of(["audit", f"{name}.py", *arguments.split()]) == status
    said = capfd.readouterr()
    assert expected in said.err
    assert not said.out


def test_an_unknown_option_after_a_module_belongs_to_it(capfd: pytest.CaptureFixture[str]) -> None:
    assert status_of(["audit", "-m", "package.train", "--lr", "3"]) == 2
    assert "goodmeasure audit -m package.train -- --lr 3" in capfd.readouterr().err


@pytest.mark.parametrize("command", ["score", "choose", "losses"])
def test_an_unknown_option_is_told_with_the_name_of_its_command(
    command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status_of([command, "x.csv", "--nothing-like-it"]) == 2
    assert f"goodmeasure {command} --help" in capfd.readouterr().err


WRONG = """
import torch
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1))
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(2):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(torch.randn(30, 4)), torch.arange(30) % 3).backward()
    optimizer.step()
"""


def page() -> str:
    return (ROOT / "docs" / "ci.md").read_text()


def blocks(language: str) -> list[str]:
    return [part.split("```")[0] for part in page().split(f"```{language}\n")[1:]]


def run(command: str, folder: Path) -> int:
    """The status of a line of a shell in which the command line is a module of this Python."""
    inside = "from goodmeasure.cli import main; main()"
    shell = command.replace("goodmeasure ", f"{shlex.quote(sys.executable)} -c {shlex.quote(inside)} ", 1)
    ground = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(["bash", "-c", shell], cwd=folder, env=ground, check=False, capture_output=True).returncode


def lines() -> list[str]:
    """Every line of the page for a shell that runs the audit."""
    github, gitlab, _ = (yaml.safe_load(block) for block in blocks("yaml")[1:])
    steps = [step.get("run", "") for step in github["jobs"]["audit"]["steps"]]
    return [line for line in [*steps, *gitlab["audit"]["script"]] if line.startswith("goodmeasure ")]


@pytest.mark.parametrize("line", [at_night(line, unless="sarif" in line, id=line) for line in lines()])
def test_the_lines_for_ci_fail_where_there_is_a_finding_and_say_where(line: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "train.py").write_text(WRONG)
    assert run(line, tmp_path) == 1
    report = json.loads((tmp_path / line.split("> ")[1]).read_text())
    if "runs" in report:
        place = report["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place == {"artifactLocation": {"uri": "train.py"}, "region": {"startLine": 7}}
    else:
        assert report["findings"][0]["where"].startswith("train.py:7")


def test_the_hook_runs_as_the_page_says(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    (asked,) = yaml.safe_load(blocks("yaml")[0])["repos"][0]["hooks"]
    assert asked["id"] == hook["id"]
    assert not hook["pass_filenames"]
    line = f"{hook['entry']} {shlex.join(asked['args'])}"
    (tmp_path / "train.py").write_text(
        "import argparse\np = argparse.ArgumentParser()\np.add_argument('--epochs')\np.parse_args()" + WRONG
    )
    assert run(line, tmp_path) == 1
    (tmp_path / "train.py").write_text(WRONG.replace(", torch.nn.Softmax(1)", ""))
    assert run(line, tmp_path) == 0


def test_the_job_that_others_call_runs_as_the_page_says(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    called = yaml.safe_load(blocks("yaml")[-1])["jobs"]["audit"]
    place = called["uses"].split("/", 2)[-1].split("@")[0]
    job = yaml.safe_load((ROOT / place).read_text())
    inputs = job[True]["workflow_call"]["inputs"]  # to YAML, "on" is a truth
    given = {name: each.get("default") for name, each in inputs.items()} | called["with"]
    assert given.keys() == inputs.keys()
    assert None not in given.values()
    steps = job["jobs"]["audit"]
    shells = [step["run"] for step in steps["steps"] if "run" in step]
    assert not [shell for shell in shells if "${{" in shell], "nothing of the caller is pasted into a command"
    told = {name: given[re.search(r"inputs\.([\w-]+)", value)[1]] for name, value in steps["env"].items()}
    (tmp_path / "train.py").write_text("import sys\nassert sys.argv[1:] == ['--epochs', '1']\n" + WRONG)
    script = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in told.items())
    line = shells[-1].replace(
        "goodmeasure audit", f"{shlex.quote(sys.executable)} -c 'from goodmeasure.cli import main; main()' audit"
    )
    ground = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        ["bash", "-e", "-c", f"{script}\n{line}"], cwd=tmp_path, env=ground, check=False, capture_output=True
    )
    assert done.returncode == 1, done.stderr
    assert json.loads((tmp_path / "audit.sarif").read_text())["runs"][0]["results"]
