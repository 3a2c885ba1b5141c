"""Settings and fixtures that all tests share."""

import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

import goodmeasure
from goodmeasure.engines.dask import UNSEEN

# Tests are small and run side by side: the threads of BLAS, OpenMP and torch took up to nine times as long to wake as to work.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("KERAS_BACKEND", "torch")
os.environ.setdefault("MPLBACKEND", "agg")
# Tests start hundreds of processes, and each would compile every module that it imports, a second or more of work; from the
# second on they read what the first one left, as they do wherever nobody has switched that off.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
settings.register_profile("suite", max_examples=50, deadline=None, derandomize=True)
settings.load_profile("suite")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is imported and collected lives until the end: to look for garbage among it took two fifths of the collection.

    It is put aside for good; what tests make is looked through as ever, only less often.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


@pytest.fixture(autouse=True, scope="session")
def kernels_share_their_blocks() -> None:
    """Compiled kernels hand blocks to a second thread all the same, as they do wherever there is more than one core."""
    goodmeasure.threads = 2


@pytest.fixture(scope="session")
def script() -> Iterator[Callable[[str], ModuleType]]:
    """A module of the folder ``scripts`` by its name; they import each other as they do when they are run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(Path(__file__).parent.parent / "scripts")
        yield import_module


@pytest.fixture(scope="module")
def a_cluster_at_hand() -> Iterator[None]:
    """A cluster of Dask in this process, which commands take as the program's own; one of processes takes seconds to start."""
    distributed = pytest.importorskip("distributed")
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=1, **UNSEEN):
        yield


@pytest.fixture
def disk_with_room_for() -> Callable[[int], AbstractContextManager[None]]:
    """Files may not grow beyond so many bytes: what a full disk does, without one."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
