"""Is nothing lost and nothing wrong said when programs are killed, disks fill up, and nobody listens?"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import goodmeasure as gm
import goodmeasure.report
from goodmeasure.cli import goodmeasure as cli
from goodmeasure.cli import status_of
from goodmeasure.errors import Problem
from goodmeasure.keeping.unfinished import NAME
from turns import by_turns

HERE = Path(__file__).parent
POSIX = pytest.mark.skipif(not hasattr(os, "fork"), reason="what is asked of the system here is asked of POSIX")
Limit = Callable[[int], AbstractContextManager[None]]


def table(yes: str = "1", no: str = "0", target: str = "y", n: int = 300) -> str:
    """Rows of a feature, a calibrated prediction and a target."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    p = 1 / (1 + np.exp(-x))
    cells = zip(x, p, rng.random(n) < p, strict=True)
    return f"x,p,{target}\n" + "".join(f"{a:.4f},{b:.4f},{yes if c else no}\n" for a, b, c in cells)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a table."""
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text(table())
    return tmp_path


def lines_of(program: str, *words: str) -> Iterator[Any]:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(HERE / program), *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))


# --- killed ---


@POSIX
@pytest.mark.parametrize(("work", "first"), by_turns(["score", "predict", "report", "compile"], ["0", "1"]))
def test_of_a_killed_program_the_old_file_stands_or_the_new_one_whole(place: Path, work: str, first: str) -> None:
    Path("out").mkdir(mode=0o700)
    (_, before), *children, (killed, after) = lines_of("dying.py", work, first, "2")
    assert not killed
    assert len(children) >= 3
    assert not [name for name in after if NAME in name], "the next program takes away what killed ones left"
    assert before != after
    for _, files in children:
        assert sum(NAME in name for name in files) <= len(after)
        for name, checksum in files.items():
            assert NAME in name or checksum in (before.get(name), after[name])
        assert before.keys() <= files.keys()


@POSIX
def test_a_program_that_is_asked_to_end_takes_its_copies_away(place: Path) -> None:
    program = "import sys; from goodmeasure.cli import main; main(['score', '-', '--y', 'y', '--p', 'p'])"
    Path("temporary").mkdir()
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": "temporary"},
    )
    while not any(Path("temporary").iterdir()):  # it copies what comes in, and waits for more
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    assert child.communicate(timeout=60)[1] == b"stopped; nothing more was written\n"
    assert child.returncode == 143
    assert not any(Path("temporary").iterdir())


# --- full ---

SAVE = ("score", "t.csv", "--y", "y", "--p", "p", "--save", "out/kept.tally")


def _status(write: Callable[[], object]) -> int:
    """The exit status that a command would have."""
    try:
        write()
    except Problem as refused:
        return refused.exit_status
    return 0


def filling(work: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """A piece of work that writes into ``out``, with another answer than what stands there."""
    if work == "score":
        assert status_of([*SAVE, "--where", "x > 0"]) == 0
        return lambda: status_of([*SAVE])
    studies = [gm.run("t.csv", "y", exclude=("p",), seed=seed, protocol="holdout") for seed in (1, 2)]
    goodmeasure.report.write(studies[0], "out")
    if work == "report":
        texts = goodmeasure.report.texts_of(studies[1])
        monkeypatch.setattr(goodmeasure.report, "texts_of", lambda _: texts)  # drawing takes long, and writes nothing
        return lambda: _status(lambda: goodmeasure.report.write(studies[1], "out"))
    asked = ["predict", "out/model.json", "t.csv", "--out", "out/predicted.csv"]
    assert status_of([*asked, "--where", "x > 0"]) == 0
    return lambda: status_of(asked)


@pytest.mark.parametrize("work", ["score", "predict", "report"])
def test_on_a_full_disk_what_stood_there_stays(
    place: Path, disk_with_room_for: Limit, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    Path("out").mkdir()
    do = filling(work, monkeypatch)
    before = {path.name: path.read_bytes() for path in Path("out").iterdir()}
    for room in (0, 1, 100, 1000, 5000):
        with disk_with_room_for(room):
            assert do() == 3
        assert {path.name: path.read_bytes() for path in Path("out").iterdir()} == before
    assert do() == 0
    assert {path.name for path in Path("out").iterdir()} == before.keys()
    assert {path.name: path.read_bytes() for path in Path("out").iterdir()} != before


# --- unheard ---

TAKEN = {"plain": 0, "err closed": 0, "err full": 0, "err unread": 0, "ascii": 0}
NOT_TAKEN = {"out closed": 3, "out full": 3, "all closed": 3, "out unread": 141}


@POSIX
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_stream_that_takes_nothing_changes_no_answer_and_is_no_fault(place: Path) -> None:
    import unheard

    assert unheard.COMMANDS.keys() - {"nothing", "refused"} == {*cli.list_commands(None)}
    Path("t.csv").write_text(table("ja ✓", "nein", "é"), encoding="utf-8")
    Path("program.py").write_text("def build():\n    return {'outputs': [[0.0, 1.0]], 'targets': [1]}\n")
    goodmeasure.report.write(gm.run("t.csv", "é", exclude=("p",), protocol="holdout"), "trained")
    plain = {}
    for name, streams, status, out, err in lines_of("unheard.py"):
        plain.setdefault(name, (out, err))
        assert "Traceback" not in out + err
        if name == "refused":
            assert status == 3
            assert err in ("", plain[name][1])
        elif name != "audit":
            assert (name, streams, status) == (name, streams, (TAKEN | NOT_TAKEN)[streams])
            assert ("GM012" in err) == (streams in ("out closed", "out full"))
            if name not in unheard.SLOW and streams in TAKEN:
                assert out == plain[name][0]


@POSIX
def test_streams_that_were_closed_before_python_began(place: Path) -> None:
    for shell, status in (("<&- >&- 2>&-", 3), (">&-", 3), ("2>&-", 0), ("<&-", 0)):
        command = f"{sys.executable} -c 'from goodmeasure.cli import main; main()' losses huber {shell}"
        assert subprocess.run(["sh", "-c", command], check=False, capture_output=True).returncode == status


# --- names ---

BYTES = os.fsdecode(b"caf\xe9")


@POSIX
@pytest.mark.skipif(sys.platform == "darwin", reason="file names are UTF-8 there")
def test_names_of_files_are_bytes(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = f"{BYTES}.csv", f"{BYTES} out"
    Path(data).write_text(table())
    score = ["score", data, "--y", "y", "--p", "p"]
    for words in (
        ["choose", data, "--target", "y"],
        ["run", data, "--target", "y", "--exclude", "p", "--protocol", "holdout", "--out", out],
        ["predict", f"{out}/model.json", data, "--out", f"{out}/{BYTES}"],
        [*score, "--save", f"{out}/{BYTES}.tally"],
        ["score", f"{out}/{BYTES}.tally"],
        ["decide", data, "--y", "y", "--p", "p", "--cost", "fn=4", "--cost", "fp=1"],
        ["decide", f"{out}/{BYTES}.tally", "--cost", "fn=4", "--cost", "fp=1"],
    ):
        assert (words, status_of(words)) == (words, 0)
        said = capsys.readouterr()
        (said.out + said.err).encode()
    names = {path.name for path in Path(out).iterdir()}
    assert names == {"report.html", "report.json", "model.json", "model.md", BYTES, f"{BYTES}.tally"}
    for missing in (["score", f"{BYTES} none.csv", "--y", "y", "--p", "p"], ["predict", BYTES, data]):
        assert status_of(missing) == 3
        capsys.readouterr().err.encode()


# --- at once ---


def numbers() -> bytes:
    """Bits of losses, tallies, kernels and fits."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(400, 3))
    z = x @ [1.0, -1.0, 0.5]
    y = (rng.random(400) < 1 / (1 + np.exp(-z))) * 1.0
    loss = gm.losses.binary_cross_entropy()
    mean, gradient = loss.value_and_gradient(y, z)
    fitted = gm.LossClassifier(loss).fit(x, y).coef_
    risk = gm.risk(loss, y, z)
    found = [mean, gradient, loss.best_constant(y), fitted, risk.value, risk.low]
    made = gm.tally(loss, y, {"a": z, "b": z / 2}, cluster=np.arange(400) // 4)
    return b"".join(np.asarray(each, np.float64).tobytes() for each in found) + made.to_bytes()


def test_eight_threads_get_the_bits_of_one() -> None:
    from concurrent.futures import ThreadPoolExecutor

    alone = numbers()
    with ThreadPoolExecutor(8) as pool:
        assert {*pool.map(lambda _: numbers(), range(24))} == {alone}


AT_ONCE = """
import threading
import goodmeasure as gm

y, z = [0.0, 1.0, 1.0, 0.0], [-1.0, 0.5, 2.0, 1.0]
loss = gm.losses.binary_cross_entropy()
firsts = [
    lambda: loss.value_and_gradient(y, z), lambda: gm.losses.huber(delta=1.25).value_and_gradient(y, z),
    lambda: gm.calibration(y * 20, [0.2, 0.9, 0.8, 0.3] * 20), lambda: gm.tally(loss, y, z).to_bytes(),
    lambda: gm.risk(loss, y * 9, z * 9), lambda: gm.choose(y * 9), lambda: gm.signal(loss, y * 9, z * 9),
    lambda: gm.LossClassifier(loss).fit([[v] for v in z * 9], y * 9),
]
begin, done = threading.Barrier(len(firsts)), []

def work(first):
    begin.wait()
    first()
    done.append(first)

threads = [threading.Thread(target=work, args=(first,), daemon=True) for first in firsts]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(60)
print(len(done), len(firsts))
"""
DECORATING = """
import threading
from goodmeasure.keeping.compiled import compiled
from numba.core.compiler_lock import global_compiler_lock

made = []
thread = threading.Thread(target=lambda: made.append(compiled()(lambda x: x + 1)), daemon=True)
with global_compiler_lock:  # as a compilation in another thread holds it
    thread.start()
    thread.join(20)
print(len(made), 1)
"""


@pytest.mark.parametrize("program", [AT_ONCE, DECORATING], ids=["first calls", "a decorator beside a compilation"])
def test_threads_whose_first_calls_come_at_once_do_not_wait_for_each_other(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=100)
    made, asked = done.stdout.split()
    assert (made, done.stderr) == (asked, "")


def _sent(queue: Any) -> None:
    queue.put(numbers())


@POSIX
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_of_a_process_that_was_at_work_get_the_same_bits() -> None:
    alone, context = numbers(), multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    children = [context.Process(target=_sent, args=(queue,)) for _ in range(4)]
    for child in children:
        child.start()
    assert [queue.get() for _ in children] == [alone] * 4
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * 4


def test_rows_cut_into_parts_give_the_bytes_of_one_pass(script: Any) -> None:
    head, row = script("nightly_faults").partitions(3)
    assert head[3:] == ("the bytes of one pass", "other bytes")
    assert row[3:] == (3, 0)
