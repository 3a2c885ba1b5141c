"""Are compiled functions kept private, whole and fresh, done without where they must be, and never trusted when damaged?"""

import ctypes
import hashlib
import itertools
import math
import multiprocessing
import os
import pickle
import stat
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
from llvmlite import ir
from numba.extending import intrinsic

from goodmeasure import kernels, losses
from goodmeasure.errors import UsageError
from goodmeasure.keeping import compiled, machine_code, private, unfinished
from goodmeasure.kernels import threads
from goodmeasure.kernels.lowering import lowering

SOURCE = """
def run(x: "*float64"):
    x[0] = {number}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """The directory of compiled functions, before it is made."""
    tmp_path.chmod(0o700)
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", str(tmp_path / "cache"))
    private._told.cache_clear()
    yield tmp_path / "cache" / "kernels"
    private._told.cache_clear()


def answer(number, by=None):
    """What the kernel of a number gives, as a process finds it that has met none before."""
    machine = machine_code._Machine(llvm)
    box = ctypes.c_double()
    place = machine.address(SOURCE.format(number=number), by or lowering())
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(place)(ctypes.addressof(box))
    return box.value


def answer_of_a_loop(number):
    """The same of a function that Numba compiles."""
    return _calling("return K * x", K=number)(1.0)


ANSWERS = {"kernel": answer, "loop": answer_of_a_loop}


def kept(home):
    return {path.name: path.read_bytes() for path in home.iterdir()}


def test_what_is_compiled_is_written_whole_into_a_private_folder(home, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert answer(1.5) == 1.5
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [path.suffix for path in home.iterdir()] == [".compiled"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()] == [0o600]
    assert not (tmp_path / "elsewhere").exists()


def test_what_is_kept_is_used(home, monkeypatch):
    assert answer(1.25) == 1.25
    before = kept(home)

    def never(*_):
        raise AssertionError("compiled again")

    monkeypatch.setattr(machine_code._Machine, "compiled", never)
    assert answer(1.25) == 1.25
    assert kept(home) == before


def test_another_source_and_another_lowering_of_it_are_other_files(home):
    assert [answer(number) for number in (2.5, 3.5)] == [2.5, 3.5]
    assert len(kept(home)) == 2
    write, text = lowering()
    twice = machine_code.Lowering(lambda source, name: write(source.replace("2.5", "5.0"), name), text + "twice")
    assert answer(2.5, twice) == 5
    assert answer(2.5) == 2.5
    assert len(kept(home)) == 3


def _calling(body, helper="x", options="", caller="", **named):
    """A function of this body, compiled with these options, that may name a helper."""
    space = {"__name__": "m", "np": np, "math": math, **named}
    exec(f"import numba\n@numba.njit({options})\ndef helper(x):\n    return {helper}\n", space)
    exec(f"from goodmeasure.keeping.compiled import compiled\n@compiled({caller})\ndef call(x):\n    {body}\n", space)
    return space["call"]


def _names(module, **values):
    made = types.ModuleType(module)
    vars(made).update(values)
    return made


def _inner(number):
    return f"def inner(a):\n        return a * {number}\n    return inner(x)"


def _intrinsic(number):
    """A piece of machine code that adds a number."""

    @intrinsic
    def add(typing_context, x):
        def generated(context, builder, signature, given):
            return builder.fadd(given[0], ir.Constant(given[0].type, number))

        return x(x), generated

    return add


# Each line holds functions that differ in one thing that machine code follows from.
APART = {
    "a number": [{"body": "return K * x", "K": k} for k in (2.0, 3.0, 2, True, np.float32(2), np.float64(2), 2j, -0.0, 0.0)],
    "a helper": [{"body": "return helper(x)", "helper": text} for text in ("x", "x + 1", "x + 2")],
    "options of a helper": [{"body": "return helper(x)", "options": text} for text in ("", "fastmath=True", "inline='always'")],
    "options": [
        {"body": "return x", "caller": text}
        for text in ("", "boundscheck=True", "fastmath=True", "fastmath={'nnan', 'contract'}", "error_model='numpy'")
    ],
    "a tuple": [{"body": "return x + T[0]", "T": t} for t in ((1.0, 2.0), (5.0, 2.0), (1, 2.0), (1.0,), ((1.0,), 2.0))],
    "a text": [{"body": "return x + len(T)", "T": t} for t in ("one", "three", b"one")],
    "an array": [
        {"body": "return x + A[0]", "A": np.array(a, dtype=d)}
        for a, d in [([1, 2], "f8"), ([5, 2], "f8"), ([1, 2], "f4"), ([[1, 2]], "f8")]
    ],
    "a number inside a function": [{"body": _inner("K"), "K": k} for k in (2.0, 3.0)],
    "of a module": [{"body": "return x + m.K", "m": _names("m", K=k)} for k in (2.0, 3.0)],
    "of a module in a module": [{"body": "return x + m.n.K", "m": _names("m", n=_names("n", K=k))} for k in (2.0, 3.0)],
    "a function of a library": [{"body": f"return {f}(x)"} for f in ("np.sin", "np.cos", "math.sin", "math.cos")],
    "another name of it": [{"body": "return f(x)", "f": f} for f in (np.sin, np.cos, math.sin, math.cos)],
    "an attribute": [{"body": f"return x.{part}"} for part in ("real", "imag")],
    "an intrinsic": [{"body": "return f(x)", "f": _intrinsic(k)} for k in (2.0, 3.0)],
    "a type": [{"body": "return t(x)", "t": t} for t in (np.float32, np.float64, float, int)],
    "types of locals": [{"body": "return x", "caller": f"locals={{'x': numba.types.{t}}}"} for t in ("float32", "float64")],
}  # fmt: skip


@pytest.mark.parametrize("what", APART)
def test_the_name_of_a_file_follows_from_all_that_its_machine_code_follows_from(what):
    found = [_calling(**each)._cache.meaning for each in APART[what]]
    assert len({*found}) == len(found)
    assert [_calling(**each)._cache.meaning for each in APART[what]] == found


def test_what_a_closure_holds_belongs_to_its_function():
    def adding(number, default):
        def add(x, more=default):
            return x + number + more

        return compiled.compiled()(add)

    assert len({adding(*each)._cache.meaning for each in [(1.0, 2.0), (5.0, 2.0), (1.0, 3.0)]}) == 3
    assert adding(1.0, 2.0)._cache.meaning == adding(1.0, 2.0)._cache.meaning


@pytest.mark.parametrize(
    "what",
    ["a tuple", "an array", "of a module", "a number inside a function", "a function of a library"],
)
def test_what_was_kept_is_not_taken_for_what_differs_in_one_value(home, what):
    for each in APART[what][:2]:
        call = _calling(**each)
        assert call(2.0) == call.py_func(2.0)
    assert len(kept(home)) == 2


def test_code_that_checks_its_bounds_is_not_taken_for_code_that_does_not(home):
    assert _calling("return x[len(x) - 1]")(np.ones(3)) == 1
    with pytest.raises(IndexError):
        _calling("return x[len(x)]", caller="boundscheck=True")(np.ones(3))
    _calling("return x[len(x)]")(np.ones(3))
    with pytest.raises(IndexError):
        _calling("return x[len(x)]", caller="boundscheck=True")(np.ones(3))


def test_a_value_that_changes_before_the_first_call_counts_as_it_is_then(home):
    for number in (2.0, 7.0):
        call = _calling("return K * x", K=1.0)
        call.py_func.__globals__["K"] = number
        assert call(1.0) == number


RECURSION = """
from goodmeasure.keeping.compiled import compiled

@compiled()
def factorial(x):
    return 1 if x < 2 else x * factorial(x - 1)

print(factorial(5))
"""


def test_a_function_that_calls_itself_is_kept(home, tmp_path):
    (tmp_path / "program.py").write_text(RECURSION)
    for _ in range(2):  # compiled, then loaded
        said = subprocess.run([sys.executable, tmp_path / "program.py"], capture_output=True, check=True, text=True)
        assert said.stdout == "120\n"
        assert len(kept(home)) == 1


REFUSED = {
    "list": [1.0, 2.0],
    "object": object(),
    "function": len.__call__,
    "array of objects": np.array([None, object()]),
    "a universal function of the user": np.frompyfunc(abs, 1, 1),
    "module": subprocess,
    "class": Path,
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_value_that_cannot_be_told_from_another_is_refused_by_its_name(home, what):
    with pytest.raises(UsageError, match=r"names THING, which is an? ") as told:
        _calling("return THING", THING=REFUSED[what])(1.0)
    assert "THING" in told.value.fix
    with pytest.raises(UsageError, match=r"m\.THING"):
        _calling("return m.THING(x)", m=_names("m", THING=REFUSED[what]))._cache.meaning  # noqa: B018


def test_the_name_of_a_file_is_the_same_in_every_process():
    program = (
        "from goodmeasure.keeping.compiled import compiled\n"
        "@compiled(fastmath={'nnan', 'ninf', 'nsz', 'contract'})\n"
        "def call(x):\n    return x in {'a', 'b', 'c', 'd'}\n"
        "print(call._cache.meaning)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(said) == 1


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
@pytest.mark.parametrize("mask", [0o000, 0o002, 0o022, 0o077])
@pytest.mark.parametrize("variable", ["GOODMEASURE_CACHE_DIR", "XDG_CACHE_HOME", "HOME"])
def test_what_is_made_above_the_folder_is_private_too(monkeypatch, tmp_path, mask, variable):
    tmp_path.chmod(0o700)
    for each in ("GOODMEASURE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(each, raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "a" / "b"))
    before = os.umask(mask)
    try:
        folder = private.directory()
    finally:
        os.umask(before)
    made = [path for path in tmp_path.rglob("*") if path.is_dir()]
    assert folder in made
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o700}
    assert private.directory() == folder


def test_the_folder_is_the_one_that_is_set_or_in_the_cache_of_the_user(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    for name in ("GOODMEASURE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert private.directory() == tmp_path / ".cache" / "goodmeasure" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of all"))
    assert private.directory() == tmp_path / "cache of all" / "goodmeasure" / "kernels"
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", str(tmp_path / "own"))
    assert private.directory() == tmp_path / "own" / "kernels"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
@pytest.mark.parametrize("spoil", ["open", "link", "parent", "file"])
def test_a_folder_that_others_could_write_to_is_not_used_and_that_is_said_once(home, spoil, tmp_path):
    home.parent.mkdir(mode=0o700)
    if spoil == "open":
        home.mkdir()
        home.chmod(0o777)
    elif spoil == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        home.symlink_to(tmp_path / "real")
    elif spoil == "file":
        home.write_text("")
    else:
        home.mkdir(mode=0o700)
        home.parent.chmod(0o777)
    number = {"open": 4.5, "link": 5.5, "parent": 6.5, "file": 7.5}[spoil]
    with pytest.warns(private.NotKept, match="GOODMEASURE_CACHE_DIR") as said:
        assert answer(number) == number
    assert len(said) == 1
    assert private.directory() is None
    assert not list(tmp_path.rglob("*.compiled"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a directory away")
def test_a_folder_of_another_user_is_not_used(home):
    home.mkdir(mode=0o700, parents=True)
    os.chown(home, 65534, 65534)
    with pytest.warns(private.NotKept, match="this user alone"):
        assert answer(4.25) == 4.25
    assert not kept(home)


class Trap:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return os.abort, ()


DAMAGE = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "one bit": lambda data: data[:500] + bytes([data[500] ^ 1]) + data[501:],
    "the checksum": lambda data: bytes(32) + data[32:],
    "longer": lambda data: data + b"x",
    "another": lambda data: pickle.dumps(Trap()),
    "text": lambda data: b"nothing that was compiled",
}


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_compiled_anew_and_replaced(home, damage, kind):
    assert ANSWERS[kind](8.5) == 8.5
    (place,) = home.iterdir()
    whole = place.read_bytes()
    place.write_bytes(DAMAGE[damage](whole))
    assert ANSWERS[kind](8.5) == 8.5
    mended = place.read_bytes()
    assert hashlib.sha256(mended[32:]).digest() == mended[:32]


def test_a_file_of_another_function_is_never_taken_for_this_one(home):
    assert (answer(9.5), answer(10.5)) == (9.5, 10.5)
    assert len(kept(home)) == 2


def test_a_disk_without_room_takes_nothing_and_stops_nothing(home, disk_with_room_for):
    with disk_with_room_for(100):
        assert answer(11.5) == 11.5
    assert kept(home) == {}


def test_without_a_place_to_write_kernels_are_compiled_in_memory(home, monkeypatch):
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", "/proc/no-such-place")
    with pytest.warns(private.NotKept):
        assert answer(12.5) == 12.5


def test_no_function_is_compiled_by_another_way():
    package = Path(kernels.__file__).parent.parent
    texts = {p: p.read_text("utf-8") for p in package.rglob("*.py") if p.name not in {"compiled.py", "machine_code.py"}}
    ways = ("njit", "cfunc(", "cache=True", "llvmlite.binding")
    assert [path for path, text in texts.items() if any(way in text for way in ways)] == []


def test_what_a_killed_program_left_is_taken_away_and_what_lives_is_not(tmp_path):
    left = tmp_path / f"{unfinished.NAME}left"
    left.write_text("half")
    folder = tmp_path / f"{unfinished.NAME}folder"
    (folder / "below").mkdir(parents=True)
    other = tmp_path / ".goodmeasure-of-the-user"
    other.write_text("mine")
    alive, path = unfinished.begin_file(tmp_path)
    second, more = unfinished.begin_file(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([path, more, other])
    os.close(alive)
    os.close(second)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a file away")
def test_what_another_user_left_stays(tmp_path):
    left = tmp_path / f"{unfinished.NAME}left"
    left.write_text("half")
    os.chown(left, 65534, 65534)
    os.close(unfinished.begin_file(tmp_path)[0])
    assert left.exists()


PROGRAM = """
import numpy as np
from goodmeasure import kernels, losses
y, z = np.array([0.0, 1.0]), np.array([0.5, -0.5])
print(repr(kernels.value_and_gradient(losses.absolute_error(), y, z)[0]))
"""


def test_processes_at_once_do_not_disturb_each_other(home):
    def start():
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    for _ in range(2):  # compiled at once, then loaded at once
        both = [start(), start(), start()]
        assert [p.communicate(timeout=120) for p in both] == [("1.0\n", "")] * 3
    assert {path.suffix for path in home.iterdir()} == {".compiled"}


def _in_child(connection):
    loss = losses.binary_cross_entropy()
    z = np.linspace(-3, 3, 400_000, dtype=np.float32)
    connection.send(kernels.value_and_gradient(loss, (z > 0).astype(np.float32), z)[0])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_kernels_go_on_after_a_fork():
    here, there = multiprocessing.Pipe()
    before = threads.get_threads()
    try:
        threads.set_threads(2)
        _in_child(there)  # the parent's pool has its threads now
        child = multiprocessing.get_context("fork").Process(target=_in_child, args=(there,))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        assert here.recv() == here.recv()
    finally:
        threads.set_threads(before)


FOUND = {
    "kernel": lambda number: machine_code.address(SOURCE.format(number=float(number)), lowering()),
    "loop": answer_of_a_loop,
}


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("kind", ANSWERS)
def test_a_child_compiles_whatever_threads_were_at_work_at_the_fork(home, kind):
    numbers, ended = itertools.count(1), threading.Event()

    def work():
        while not ended.is_set():
            found(next(numbers))

    found = FOUND[kind]
    found(0)
    other = threading.Thread(target=work)
    other.start()
    try:
        for k in range(4):
            time.sleep(0.007 * (k + 1))
            child = multiprocessing.get_context("fork").Process(target=found, args=(-1 - k,))
            child.start()
            child.join(30)
            hangs = child.exitcode is None
            child.kill()
            assert not hangs
            child.join()
    finally:
        ended.set()
        other.join()


def test_threads_are_as_many_as_the_setting_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
    assert threads._default() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads._default() >= 1
    for none in ("0", "", "many", "-2"):
        monkeypatch.setenv("OMP_NUM_THREADS", none)
        assert threads._default() >= 1
    with pytest.raises(UsageError):
        threads.set_threads(0)


def test_importing_compiles_nothing():
    program = "import sys, goodmeasure, goodmeasure.kernels; print({'numba', 'llvmlite'} & {*sys.modules})"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "set()\n"
    )


def test_an_error_in_a_block_reaches_the_caller():
    def work(i):
        if i == 3:
            raise ValueError("block 3")
        return i

    with pytest.raises(ValueError, match="block 3"):
        threads.for_each(8, work)
    assert threads.for_each(8, lambda i: i * i) == [i * i for i in range(8)]
