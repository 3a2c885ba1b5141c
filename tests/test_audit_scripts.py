"""Is what is wrong in whole scripts found while they run as they are, and are the right ones left alone?"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from goodmeasure.auditing.observing.notebooks import run_notebook
from goodmeasure.cli import status_of
from turns import at_night

for needed in ("torch", "sklearn", "keras", "lightning"):
    pytest.importorskip(needed)

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "audit_scripts").glob("*.py"))
GROUND = {**os.environ, "OMP_NUM_THREADS": "1", "KERAS_BACKEND": "torch"}

# What is said of each script, at warning or worse; of one whose name begins with "right" it is nothing.
FOUND = json.loads((HERE / "audit_scripts" / "findings.json").read_text())


def run_all(folder: Path, scripts: list[Path], **ground: str) -> Iterator[dict[str, Any]]:
    """What comes of each script, run in this folder."""
    command = [sys.executable, str(HERE / "audit_scripts_run.py"), str(folder), *map(str, scripts)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, env=GROUND | ground)
    return map(json.loads, said.stdout.splitlines())


# Each of these would write a model, by another library.
WRITERS = {
    "right_classifier_with_loader": "torch.save",
    "bad_keras_probabilities_as_logits": "digits.keras",
    "right_keras_saves_its_weights": "h5py",
}
FIRST = {tuple(row["codes"]): name for name, row in reversed(FOUND.items())}


def by_day(name: str) -> bool:
    """Of the wrong scripts the first with each finding, and half of the right ones; the others are audited at night."""
    if name in WRITERS:
        return True
    codes = tuple(FOUND.get(name, {"codes": ["new"]})["codes"])
    return FIRST.get(codes, name) == name if codes else crc32(name.encode()) % 2 == 0


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of every script that is asked for, each audited in a process of its own, and what files were left."""
    here = [item for item in request.session.items if item.path == request.path]
    asked = {
        item.callspec.params.get("script")
        for item in here
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    }
    folder = tmp_path_factory.mktemp("run")
    scripts = [path for path in SCRIPTS if path in asked or path.stem in WRITERS]
    return {row["script"]: row for row in run_all(folder, scripts)} | {
        "": {"left": sorted(p.name for p in folder.rglob("*") if p.is_file())}
    }


@pytest.mark.parametrize("script", [at_night(path, unless=by_day(path.stem), id=path.stem) for path in SCRIPTS])
def test_a_script_is_judged_as_it_is(outcomes: dict[str, Any], script: Path) -> None:
    row = outcomes[script.stem]
    assert "crash" not in row, row["crash"]
    assert not row["raised"] or row["after_cut"], row["raised"]
    found = {f["code"]: f for f in row["audit"]["findings"] if f["severity"] != "note"}
    assert sorted(found) == FOUND[script.stem]["codes"], "run make pages, and read what has changed"
    assert row["audit"]["looked_at"], "nothing was looked at"
    assert not [what for what in row["audit"]["not_seen"] if not what.endswith("was not reached")]
    assert not [s for s in row["audit"]["not_applicable"] if s["reason"].startswith("the check itself failed")]
    for finding in found.values():
        assert script.name in finding["where"], "the line is the program's own"
    assert row["cpu"] < 20, "an audit takes a second; a machine that others have busy takes longer"


def test_wrong_scripts_are_found_and_right_ones_left_alone() -> None:
    assert {path.stem for path in SCRIPTS} == FOUND.keys()
    for name, row in FOUND.items():
        assert bool(row["codes"]) == name.startswith("bad_"), name
    assert sum(name.startswith("right_") for name in FOUND) >= 30


def test_a_program_whose_training_was_cut_writes_no_model(outcomes: dict[str, Any]) -> None:
    assert not [name for name in outcomes[""]["left"] if name.endswith((".pt", ".pth", ".ckpt", ".keras", ".h5"))]
    for name, writes in WRITERS.items():
        assert writes in outcomes[name]["ended"]


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """The audit of a program, begun."""
    path = os.pathsep.join(filter(None, [str(HERE.parent / "src"), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", "from goodmeasure.cli import main; main()", "audit", *arguments]
    heard: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=cwd, env=GROUND | {"PYTHONPATH": path}, **heard)


def ended(audit: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """What an audit said, once it is over."""
    said, told = audit.communicate()
    return subprocess.CompletedProcess(audit.args, audit.returncode, said, told)


def goodmeasure(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return ended(started(*arguments, cwd=cwd))


TRAIN = """
import argparse, atexit, os, sys
import torch

parser = argparse.ArgumentParser()
parser.add_argument("--classes", type=int, required=True)
given = parser.parse_args()
atexit.register(lambda: print("handlers ran", file=sys.stderr))
torch.manual_seed(0)
x, y = torch.randn(64, 5), torch.arange(64) % given.classes
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=16)
model = torch.nn.Sequential(torch.nn.Linear(5, given.classes), torch.nn.Softmax(dim=1))
opt = torch.optim.SGD(model.parameters(), 0.1)
try:
    for epoch in range(3):
        for a, b in loader:
            opt.zero_grad()
            torch.nn.functional.cross_entropy(model(a), b).backward()
            opt.step()
    print("steps made")
    os.makedirs("checkpoints")
    open("checkpoints/model.pt", "w").write("half trained")
finally:
    print("finally ran", file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "train.py").write_text(TRAIN)
    (tmp_path / "train.py").write_text(TRAIN)
    return tmp_path


def test_a_program_gets_its_own_arguments_and_writes_nothing(folder: Path) -> None:
    said = goodmeasure("train.py", "--format", "json", "--", "--classes", "3", cwd=folder)
    assert said.returncode == 1, said.stderr
    report = json.loads(said.stdout)
    assert [f["code"] for f in report["findings"]] == ["GM102"]
    assert report["findings"][0]["where"].startswith("train.py:18 in <module>")
    assert "steps made" in said.stderr
    assert "finally ran" in said.stderr
    assert "handlers ran" in said.stderr
    assert not (folder / "checkpoints").exists()


def test_a_module_runs_to_its_end_where_that_is_asked(folder: Path) -> None:
    said = goodmeasure("-m", "--all", "package.train", "--ignore", "GM102", "--", "--classes", "3", cwd=folder)
    assert said.returncode == 0, said.stderr
    assert "3 steps of SGD" in said.stdout
    assert (folder / "checkpoints" / "model.pt").exists()


def test_a_program_is_ended_at_its_last_step(folder: Path) -> None:
    said = goodmeasure("train.py", "--stop", "--", "--classes", "3", cwd=folder)
    assert said.returncode == 1, said.stderr
    assert "steps made" not in said.stderr
    assert "finally ran" in said.stderr


LOOPS = {
    "for": "for epoch in range(10**6):\n    {step}",
    "slices": "for epoch in range(10**6):\n    for k in range(0, 60, 20):\n        {step}\n    print(epoch)",
    "permuted": "for epoch in range(10**6):\n    for rows in torch.randperm(60).split(20):\n        {step}",
    "while": "k = 0\nwhile k < 10**6:\n    k += 1\n    {step}",
    "while_true": "k = 0\nwhile True:\n    k += 1\n    {step}\n    if k > 10**6:\n        break",
    "function": "def train():\n    for epoch in range(10**6):\n        {step}\ntrain()",
    "zip": "for a, b in zip(range(10**6), range(10**6)):\n    {step}",
    "mapped": "for k in map(int, range(10**6)):\n    {step}",
    "generated": "def parts():\n    while True:\n        yield 1\nfor k, part in enumerate(parts()):\n    {step}",
    "zip_in_function": (
        "def train():\n    for e in range(10**6):\n        for a, b in zip(x.split(2), y.split(2)):\n            {step}\ntrain()"
    ),
    "while_zip": "e = 0\nwhile e < 10**6:\n    e += 1\n    for a, b in zip(x.split(2), y.split(2)):\n        {step}",
    # what no loop of the program and no loader of torch can end: from its next step on the program writes nothing
    "named": "parts = [0] * 20\nfor part in parts:\n    {step}",
    "map": "def one(k):\n    {step}\nlist(map(one, range(20)))",
    "listed": "[({steps}) for k in (1,) * 20]",
}
STEP = "opt.zero_grad(); loss = ((model(x) - y) ** 2).mean(); loss.backward(); opt.step(); made.append(1)"
IN_A_LIST = "opt.zero_grad(), ((model(x) - y) ** 2).mean().backward(), opt.step(), made.append(1)"
UNBOUND = ("named", "map", "listed")  # their steps are counted by nobody


HEAD = (
    "import torch\nmodel, x, y, made = torch.nn.Linear(4, 1), torch.randn(60, 4), torch.randn(60, 1), []\n"
    "opt = torch.optim.SGD(model.parameters(), 0.1)\n"
)


@pytest.mark.parametrize("name", LOOPS)
def test_a_loop_without_a_loader_ends_after_the_steps_that_were_asked_for(written: Any, name: str) -> None:
    folder, row = written[0], written[1][name]
    assert not row["raised"], row
    assert "before open model.pt" in row["ended"]
    last = len((folder / f"{name}.py").read_text().splitlines())
    assert row["audit"]["not_seen"] == [f"{name}.py:{last}: was not reached"]
    assert (folder / "model.pt").read_text() == "precious"


def test_a_range_is_a_range_to_the_program(written: Any) -> None:
    row = written[1]["asks"]
    assert not row["raised"], row
    assert row["audit"]["looked_at"]


HANDLES = """
import csv, gzip, logging, pathlib
import numpy as np
log = open("a.csv", "w", newline=""); rows = csv.writer(log); rows.writerow(["before"]); log.flush()
raw = open("b.bin", "wb", 0); raw.write(b"before")
logging.basicConfig(filename="c.log", level="INFO", format="%(message)s"); logging.info("before")
mapped = np.memmap("d.bin", dtype="float32", mode="w+", shape=(4,))
"""
WRITES = {
    "rows": "rows.writerow(['after'])",
    "printed": "print('after', file=log)",
    "raw": "raw.write(b'after')",
    "logged": "logging.info('after')",
    "cut": "raw.truncate(0)",
}


DATABASE = """
import sqlite3
kept, held = sqlite3.connect("runs.db"), sqlite3.connect(":memory:")
for one in (kept, held):
    one.execute("create table t (v)")
    one.execute("insert into t values (1)")
    one.commit()
"""


WRITE = "held.execute('insert into t values (2)'); kept.execute('insert into t values (2)')"
CHANGES = {"asked": WRITE, "caught": f"try: {WRITE}\nexcept sqlite3.Error: pass"}


OPENED = """
import gzip, io, pathlib
with open("r.txt", "w+") as one:
    one.writelines(["a\\n", "b\\n"]); one.seek(0)
    assert one.read() == "a\\nb\\n" and one.mode == "w+" and isinstance(one, io.TextIOWrapper)
with open("r.txt", "r+b") as one:
    one.write(b"X"); one.seek(0)
    assert one.read(1) == b"X" and isinstance(one, io.BufferedRandom)
open("s.txt", "w").write("at once")
assert pathlib.Path("s.txt").read_text() == "at once", "a file that nobody holds is closed"
with gzip.open("t.gz", "wt") as one:
    one.write("packed")
assert gzip.open("t.gz", "rt").read() == "packed"
for wrong in ({"mode": "wb", "encoding": "utf-8"}, {"mode": "w", "buffering": 0}, {"mode": "xyz"}):
    try:
        open("u.txt", **wrong)
    except ValueError:
        continue
    raise AssertionError(wrong)
"""


ASKS = "assert isinstance(range(3), range) and not isinstance([0], range) and range(3)[-1] == 2, 'changed'"
IN_A_THREAD = (
    f"import threading\ndef train():\n    for _ in range(3):\n        {STEP}\n"
    "one = threading.Thread(target=train)\none.start()\none.join()\n"
)


def loop_and_more(name: str) -> str:
    """A program with this loop, which counts the steps that were made of it and then would write a model."""
    most = 20 if name in UNBOUND else 6
    tail = f"\nassert 3 <= len(made) <= {most}, len(made)\nopen('model.pt', 'w')\nprint('never')\n"
    return HEAD + LOOPS[name].format(step=STEP, steps=IN_A_LIST) + tail


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]]]:
    """What came of programs that train by torch alone; what writes to what it opened before is in a folder of its own."""
    folder, train = tmp_path_factory.mktemp("written"), HEAD + LOOPS["slices"].format(step=STEP)
    (folder / "model.pt").write_text("precious")
    texts = {name: f"{HANDLES}{train}\n{write}\nprint('never')\n" for name, write in WRITES.items()}
    texts |= {name: f"{DATABASE}{train}\n{change}\nkept.commit()\n" for name, change in CHANGES.items()}
    texts["opens"] = OPENED
    for name in texts:
        (folder / name).mkdir()
    apart = {name: f"import os; os.chdir({name!r})\n{text}" for name, text in texts.items()}
    first = LOOPS[next(iter(LOOPS))].format(step=STEP)
    together = {name: loop_and_more(name) for name in LOOPS}
    together |= {"asks": f"{HEAD}{ASKS}\n{first}", "threads": HEAD + IN_A_THREAD}
    assert not apart.keys() & together.keys()
    for name, text in (apart | together).items():
        (folder / f"{name}.py").write_text(text)
    rows = run_all(folder, sorted(folder.glob("*.py")), LIBRARIES="torch._dynamo")  # which an optimizer imports
    return folder, {row["script"]: row for row in rows}


@pytest.mark.parametrize("name", WRITES)
def test_what_was_opened_before_the_cut_is_not_written_to(written: Any, name: str) -> None:
    folder, rows = written[0] / name, written[1]
    assert not rows[name]["raised"], rows[name]
    assert "before write to" in rows[name]["ended"] or "before truncate" in rows[name]["ended"]
    assert (folder / "a.csv").read_text().split() == ["before"]
    assert (folder / "b.bin").read_bytes() == b"before"
    assert (folder / "c.log").read_text().split() == ["before"]
    if sys.platform == "linux":
        assert {"a.csv", "b.bin", "c.log", "d.bin"} <= {Path(path).name for path in rows[name]["left_open"]}


@pytest.mark.parametrize("name", CHANGES)
def test_a_database_is_not_written_to_after_the_cut(written: Any, name: str) -> None:
    folder, rows = written
    assert not rows[name]["raised"], rows[name]
    assert "before a statement that changes runs.db" in rows[name]["ended"]
    with sqlite3.connect(folder / name / "runs.db") as database:
        assert database.execute("select v from t").fetchall() == [(1,)]


def test_files_are_opened_as_python_opens_them(written: Any) -> None:
    assert not written[1]["opens"]["raised"], written[1]["opens"]


CATCHES = "while True:\n    try:\n        sum(range(10**6))\n    except Exception:\n        pass"
STUCK = {"spins": "while True:\n    pass", "sleeps": "import time\ntime.sleep(1000)", "catches": CATCHES}


# A lock that is taken twice is never given, whatever signal comes; through `PyDLL` no other thread runs meanwhile.
LOCKED = (
    "import ctypes\nheld, lock = ctypes.create_string_buffer(64), ctypes.{}(None).pthread_mutex_lock\n"
    "lock(held)\nlock(held)\nprint('never')\n"
)
LIBRARIES = ("CDLL", "PyDLL") if sys.platform == "linux" else ()  # a lock of Linux


@pytest.fixture(scope="module")
def out_of_time(tmp_path_factory: pytest.TempPathFactory) -> dict[str, subprocess.CompletedProcess[str]]:
    """What is said of programs that never end. Those inside a library wait beside the others, which must be heard in seconds."""

    def begun(name: str, text: str, budget: str) -> subprocess.Popen[str]:
        folder = tmp_path_factory.mktemp(name)
        (folder / "train.py").write_text(text)
        return started("train.py", "--budget", budget, cwd=folder)

    start, said = time.monotonic(), {}
    waiting = {name: begun(name, LOCKED.format(name), "1") for name in LIBRARIES}
    for name, stuck in STUCK.items():
        body = "".join(f"    {line}\n" for line in stuck.splitlines())
        text = f"try:\n{body}finally:\n    print('finally')\nprint('never')\n"
        said[name] = ended(begun(name, text, "2"))
    said |= {name: ended(audit) for name, audit in waiting.items()}
    assert time.monotonic() - start < 60
    return said


@pytest.mark.parametrize("name", STUCK)
def test_a_budget_holds_inside_the_code_of_a_program(name: str, out_of_time: Any) -> None:
    said = out_of_time[name]
    assert "its time was spent" in said.stderr
    assert "finally" in said.stderr
    assert "never" not in said.stderr


MAGICS = {
    "said as it stands": "text = '''\n!no magic\n'''\nassert 'no magic' in text",
    "divided": "left = (7\n    % 4)\nassert left == 3",
    "timed": "!pip list\n%time n = 3\nassert n == 3",
    "listed": "names = !ls\nassert names == []",
    "asked": "import os\nos?\nos.path??\n?os",
    "continued": "!pip install \\\n    nothing\nn = 1\nassert n == 1",
    "by the shell": "get_ipython().run_line_magic('matplotlib', 'inline')\nassert get_ipython() is not None",
}


@pytest.mark.parametrize("name", MAGICS)
def test_a_cell_keeps_its_python_whatever_magic_stands_in_it(name: str, tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": MAGICS[name].splitlines(keepends=True)}]
    (tmp_path / "cells.ipynb").write_text(json.dumps({"cells": cells}))
    run_notebook(str(tmp_path / "cells.ipynb"))


def test_a_training_in_another_thread_is_told_as_not_seen(written: Any) -> None:
    row = written[1]["threads"]
    assert not row["raised"], row
    assert any("in another thread" in what for what in row["audit"]["not_seen"])


@pytest.mark.skipif(sys.platform != "linux", reason="a lock of Linux")
@pytest.mark.parametrize(
    ("library", "said"), [("CDLL", "did not return in its time"), ("PyDLL", "that lets nothing else run")]
)
def test_a_budget_holds_inside_a_call_that_does_not_return(library: str, said: str, out_of_time: Any) -> None:
    told = out_of_time[library]
    assert said in told.stderr
    assert "train.py:4" in told.stderr, "where it stood"
    assert "train.py:5: was not reached" in told.stderr or library == "PyDLL"
    assert told.returncode == 3


ENDS = {
    "usage": (
        "import argparse; p = argparse.ArgumentParser(); p.add_argument('-x', '--rows', required=True);"
        "p.add_argument('data'); p.parse_args()",
        "fix   goodmeasure audit train.py -- --rows ROWS DATA",
    ),
    "status": ("import sys; sys.exit(4)", "fix   python train.py   until it runs"),
    "data": ("open('nowhere.csv')", "FileNotFoundError"),
    "empty": ("print('only this')", "write def build(): return dict("),
    "gone": ("import os; os._exit(7)", "GM191"),
}


@pytest.mark.parametrize("name", ENDS)
def test_how_a_program_ended_is_said(tmp_path: Path, name: str) -> None:
    source, expected = ENDS[name]
    (tmp_path / "train.py").write_text(source)
    said = goodmeasure("train.py", cwd=tmp_path)
    assert said.returncode == 3
    assert expected in said.stderr
    assert "nothing found" not in said.stdout


def test_what_was_seen_before_a_program_stopped_is_told(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN.replace('print("steps made")', "1 / 0").replace("range(3)", "range(1)"))
    said = goodmeasure("train.py", "--all", "--", "--classes", "3", cwd=tmp_path)
    assert "GM102" in said.stdout
    assert "ZeroDivisionError" in said.stderr
    assert "train.py:20" in said.stderr
    assert said.returncode == 3


NOTEBOOK = [
    "%matplotlib inline\n!pip install nothing\nimport torch",
    "%%bash\nls",
    "model, x, y = torch.nn.Linear(4, 1), torch.randn(60, 4), torch.randn(60)\nopt = torch.optim.SGD(model.parameters(), 0.1)",
    "%%audit\nfor _ in range(3):\n    loss = torch.nn.functional.mse_loss(model(x), y)\n    loss.backward()\n    opt.step()",
]


def test_the_cells_of_a_notebook_are_a_program(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in NOTEBOOK]
    (tmp_path / "plan.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Plan"]}, *cells]})
    )
    said = goodmeasure("plan.ipynb", "--format", "json", cwd=tmp_path)
    assert said.returncode == 1, said.stderr
    found = {f["code"]: f["where"] for f in json.loads(said.stdout)["findings"]}
    assert found["GM101"].startswith("plan.ipynb[5]:3 in <module>")
    assert "GM401" in found


NOT_PROGRAMS = {
    "none.py": (None, 2, "GM009 there is no file none.py"),
    "folder": ("a folder", 2, "GM009 folder is a directory"),
    "cut.ipynb": ('{"cells": [', 2, "GM009 cut.ipynb is not a notebook"),
    "list.ipynb": ("[1, 2]", 2, "GM009 list.ipynb is not a notebook"),
    "cells.ipynb": ('{"cells": [3]}', 2, "GM009 cells.ipynb is not a notebook"),
    "text.py": ("import torch\nx = (", 3, "text.py:2"),
    "my words.py": ("raise ValueError('early')", 3, "fix   python 'my words.py'"),
    "says.py": ("import sys; sys.exit('no data here')", 3, "no data here"),
}


@pytest.mark.parametrize("name", NOT_PROGRAMS)
def test_what_is_no_program_is_told_by_what_it_is(name, tmp_path, monkeypatch, capfd):
    text, status, said = NOT_PROGRAMS[name]
    monkeypatch.chdir(tmp_path)
    if text == "a folder":
        Path(name).mkdir()
    elif text is not None:
        Path(name).write_text(text)
    assert status_of(["audit", name]) == status
    assert said in capfd.readouterr().err


def test_a_module_that_is_not_there_is_run_by_itself_as_a_module(capfd):
    assert status_of(["audit", "-m", "no_such_module"]) == 3
    assert "fix   python -m no_such_module" in capfd.readouterr().err
    assert status_of(["audit", "x.py", "--budget", "-1"]) == 2
