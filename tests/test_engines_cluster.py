"""Do machines that die or hold unequal parts still give the bits of one pass? (Starts processes: -k "not cluster"
leaves out.)"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import goodmeasure as gm
from goodmeasure import losses
from goodmeasure.cli import status_of
from goodmeasure.engines import duckdb as local
from goodmeasure.engines.request import Request
from goodmeasure.reading.tables import NoSuchFile
from goodmeasure.tallying.accumulate import tally
from goodmeasure.tallying.shards import Part
from goodmeasure.tallying.tally import Tally

LOSSES = (losses.binary_cross_entropy(), losses.binary_brier())
REQUEST = Request(LOSSES, "y", (("a", ("p",)), ("b", ("q",))))


def rows(n: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(n)
    p = rng.random(n)
    return {"y": (rng.random(n) < p) * 1.0, "p": p, "q": p**2}


def in_memory(table: dict[str, np.ndarray]) -> Tally:
    return tally(list(LOSSES), table["y"], prediction={"a": table["p"], "b": table["q"]})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The same 9,000 rows in seven files."""
    table = rows(9000)
    for i, part in enumerate(np.array_split(np.arange(9000), 7)):
        lines = [",".join(map(repr, row)) for row in zip(*(v[part].tolist() for v in table.values()), strict=True)]
        (tmp_path / f"part-{i}.csv").write_text("\n".join([",".join(table), *lines]))
    return tmp_path


def test_a_worker_killed_in_the_middle_costs_only_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    dd, pd = pytest.importorskip("dask.dataframe"), pytest.importorskip("pandas")
    from goodmeasure.engines import clusters, dask

    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, silence_logs=50, **dask.UNSEEN
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        monkeypatch.setattr(clusters, "part_of", _slow_part)
        killer = threading.Timer(0.8, os.kill, (next(iter(pids.values())), signal.SIGKILL))
        killer.start()
        made = dask.tally_files(str(folder / "part-*.csv"), REQUEST, client=client)
        killer.join()
        assert next(iter(pids.values())) not in client.run(os.getpid).values()
        # The program's own client serves frames and files as well, without being named.
        assert dask.active() is client
        monkeypatch.undo()
        again = dask.tally_files(str(folder / "part-*.csv"), REQUEST)
        with pytest.raises(NoSuchFile, match="gone"):  # between listing and reading
            clusters.tally_shards(dask.DaskFiles(client, (str(folder / "gone.csv"),)), REQUEST)
        frame = dd.from_pandas(pd.DataFrame(rows(9000)), npartitions=5)
        framed = gm.tally(list(LOSSES), "y", prediction={"a": "p", "b": "q"}, data=frame)
        asked = client.run_on_scheduler(lambda dask_scheduler: {str(key) for key in dask_scheduler.task_prefixes})
        assert {"part_of", "frompandas"} <= asked
    assert made.to_bytes() == again.to_bytes() == framed.to_bytes() == in_memory(rows(9000)).to_bytes()
    assert made.risk().value == in_memory(rows(9000)).risk().value


def _slow_part(file: str, request: Request) -> Part:
    """One file, slowly enough that a worker dies with work in hand."""
    time.sleep(0.5)
    return local.part_of(file, request)


def _rank(rank: int, port: int, results: object) -> None:
    import torch.distributed as distributed

    from goodmeasure.engines.distributed import all_reduce

    distributed.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    table = rows(900)
    at = slice(0, 850) if rank == 0 else slice(850, 900)
    mine = in_memory({k: v[at] for k, v in table.items()})
    results[rank] = all_reduce(mine).to_bytes()
    distributed.destroy_process_group()


def test_ranks_of_a_training_run_get_the_bits_of_one_pass() -> None:
    torch = pytest.importorskip("torch")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        results = manager.dict()
        ranks = [context.Process(target=_rank, args=(rank, port, results)) for rank in (0, 1)]
        for each in ranks:
            each.start()
        for each in ranks:
            each.join(60)
        whole = in_memory(rows(900)).to_bytes()
        assert results[0] == results[1] == whole


def test_a_command_starts_processes_of_its_own(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distributed")
    said = []
    for engine in ("dask", "duckdb"):
        assert status_of(["score", str(folder / "*.csv"), "--y", "y", "--p", "p", "--engine", engine]) == 0
        said.append(capsys.readouterr().out.replace(f" --engine {engine}", ""))
    assert said[0] == said[1]


def test_a_cluster_on_this_machine_takes_no_fixed_port() -> None:
    """Two commands side by side: the second one meets nothing that the first one holds. (A warning fails a test.)"""
    distributed = pytest.importorskip("distributed")
    from goodmeasure.engines import dask

    with distributed.Client(processes=False, n_workers=1, **dask.UNSEEN), dask.started(None, 1) as client:
        served = client.run_on_scheduler(
            lambda dask_scheduler: (dask_scheduler.http_server.address, dask_scheduler.http_server.port)
        )
        (heard,) = client.run(lambda: logging.getLogger("distributed.worker").getEffectiveLevel()).values()
    assert served[0] == "127.0.0.1"
    assert served[1] != 8787
    assert heard == logging.CRITICAL, "a worker that is asked to end may not write what it was about to say"


@pytest.mark.parametrize(
    "error", [RuntimeError("Nanny failed to start."), TimeoutError("no answer"), OSError("closed")]
)
def test_a_cluster_that_does_not_start_is_an_error_of_its_own(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    distributed = pytest.importorskip("distributed")
    from goodmeasure.engines import dask

    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(distributed, "Client", fails)
    with pytest.raises(dask.ClusterFailed, match="GM725 the processes of the cluster did not start"):
        dask.tally_files(str(folder / "*.csv"), REQUEST)
