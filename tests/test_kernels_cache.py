"""Does the cache of kernels keep them private, whole and fresh, and do without where it must?"""

import multiprocessing
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from goodmeasure import kernels, losses
from goodmeasure.errors import UsageError
from goodmeasure.kernels import cache, threads

SOURCE = '''"""A kernel of one line."""
from numba import carray, cfunc, types


@cfunc(types.void(types.CPointer(types.float64)), cache=CACHE, nopython=True)
def run(x_):
    x = carray(x_, (1,))
    x[0] = {number}
'''


@pytest.fixture
def home(tmp_path, monkeypatch):
    tmp_path.chmod(0o700)
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kernels"


def answer(module):
    import ctypes

    box = ctypes.c_double()
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(module.run.address)(ctypes.addressof(box))
    return box.value


def test_a_kernel_is_written_whole_into_a_private_folder(home, monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "elsewhere"))
    assert answer(cache.load(SOURCE.format(number=1.5))) == 1.5
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert [p.suffix for p in home.iterdir() if p.is_file()] == [".py"]
    assert list((home / "__pycache__").glob("*.nbi"))
    assert not (tmp_path / "elsewhere").exists()


def test_another_source_is_another_file(home):
    assert [answer(cache.load(SOURCE.format(number=n))) for n in (2.5, 3.5)] == [2.5, 3.5]
    assert len(list(home.glob("*.py"))) == 2


def test_the_folder_is_the_one_that_is_set_or_in_the_cache_of_the_user(monkeypatch, tmp_path):
    tmp_path.chmod(0o700)
    for name in ("GOODMEASURE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.directory() == tmp_path / ".cache" / "goodmeasure" / "kernels"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of all"))
    assert cache.directory() == tmp_path / "cache of all" / "goodmeasure" / "kernels"
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", str(tmp_path / "own"))
    assert cache.directory() == tmp_path / "own" / "kernels"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as POSIX has them")
@pytest.mark.parametrize("spoil", ["open", "link", "parent"])
def test_a_folder_that_others_could_write_to_is_not_used(home, spoil, tmp_path):
    home.parent.mkdir(mode=0o700)
    if spoil == "open":
        home.mkdir()
        home.chmod(0o777)
    elif spoil == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        home.symlink_to(tmp_path / "real")
    else:
        home.mkdir(mode=0o700)
        home.parent.chmod(0o777)
    assert cache.directory() is None
    number = {"open": 4.5, "link": 5.5, "parent": 6.5}[spoil]
    assert answer(cache.load(SOURCE.format(number=number))) == number
    assert not list(home.glob("*.py"))


def test_what_stands_in_a_file_of_the_right_name_is_compared_with_the_source(home):
    source = SOURCE.format(number=7.5)
    module = cache.load(source)
    path = Path(module.__file__)
    del sys.modules[module.__name__]
    path.write_text("raise SystemExit('executed')\n")
    assert answer(cache.load(source)) == 7.5


def test_without_a_place_to_write_kernels_are_compiled_in_memory(monkeypatch):
    monkeypatch.setenv("GOODMEASURE_CACHE_DIR", "/proc/no-such-place")
    assert cache.directory() is None
    assert answer(cache.load(SOURCE.format(number=8.5))) == 8.5


PROGRAM = """
import numpy as np
from goodmeasure import kernels, losses
y, z = np.array([0.0, 1.0]), np.array([0.5, -0.5])
print(repr(kernels.value_and_gradient(losses.absolute_error(), y, z)[0]))
"""


def test_two_processes_at_once_do_not_disturb_each_other(home):
    def start():
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    for _ in range(2):  # compiled at once, then loaded at once
        both = [start(), start()]
        assert [p.communicate(timeout=120) for p in both] == [("1.0\n", "")] * 2
    assert not list(home.glob("*.new"))


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


def test_threads_are_as_many_as_the_setting_says(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3,1")
    assert threads._default() == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads._default() >= 1
    with pytest.raises(UsageError):
        threads.set_threads(0)


def test_importing_compiles_nothing():
    program = "import sys, goodmeasure, goodmeasure.kernels; print('numba' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "False\n"
    )


def test_an_error_in_a_block_reaches_the_caller():
    def work(i):
        if i == 3:
            raise ValueError("block 3")
        return i

    with pytest.raises(ValueError, match="block 3"):
        threads.for_each(8, work)
    assert threads.for_each(8, lambda i: i * i) == [i * i for i in range(8)]
