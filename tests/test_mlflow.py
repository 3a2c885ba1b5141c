"""Does MLflow get what a study says: the question, the numbers with their intervals, and the files?"""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest

import goodmeasure as gm
from goodmeasure.errors import UsageError


@pytest.fixture(scope="module")
def study() -> gm.Study:
    hours = [i % 12 for i in range(240)]
    passed = ["yes" if 2 * h + i % 7 > 12 else "no" for i, h in enumerate(hours)]
    costs = gm.Costs(false_negative=4, false_positive=1)
    return gm.run({"hours": hours, "passed": passed}, "passed", positive="yes", costs=costs, protocol="holdout")


class Refused(Exception):
    """What MLflow says of what it does not take."""


class Recorded:
    """What stands in for MLflow, with the rules that it has for names and values."""

    exceptions = SimpleNamespace(MlflowException=Refused)

    def __init__(self, *, active: bool) -> None:
        self.run = SimpleNamespace(info=SimpleNamespace(run_id="run-1"))
        self.params: dict[str, str] = {}
        self.metrics: dict[str, float] = {}
        self.tags: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.active, self.began = active, 0

    def active_run(self) -> Any:
        return self.run if self.active else None

    @contextmanager
    def start_run(self, *, run_name: str) -> Any:
        self.began += 1
        yield self.run

    def log_params(self, found: dict[str, str]) -> None:
        assert all(isinstance(value, str) and len(value) <= 500 for value in found.values())
        self.params = found

    def log_metrics(self, found: dict[str, float]) -> None:
        assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz_.0123456789") for name in found)
        assert all(map(math.isfinite, found.values()))
        self.metrics = found

    def set_tags(self, found: dict[str, str]) -> None:
        self.tags = found

    def log_artifacts(self, place: str, folder: str) -> None:
        self.files = {f"{folder}/{path.name}": path.read_text(encoding="utf-8") for path in Path(place).iterdir()}


@pytest.mark.parametrize("active", [True, False])
def test_a_study_is_logged_to_the_active_run_or_to_one_of_its_own(
    active: bool, study: gm.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Recorded(active=active)
    monkeypatch.setitem(sys.modules, "mlflow", found)
    assert gm.log_mlflow(study) == "run-1"
    assert found.began == (not active)
    assert found.params["target"] == "passed"
    assert found.params["loss"] == "binary_cross_entropy()"
    assert "metric" not in found.params  # it was not asked
    report = study.judged.report
    assert found.metrics["mean_loss"] == report.value
    assert (found.metrics["mean_loss.low"], found.metrics["mean_loss.high"]) == (report.low, report.high)
    assert study.decided is not None
    assert found.metrics["cost_a_row"] == study.decided.best.cost.value
    assert found.tags["goodmeasure.verdict"] == study.verdict.word
    assert set(found.files) == {
        f"goodmeasure/{name}" for name in ("report.html", "report.json", "model.json", "model.md")
    }


@pytest.mark.parametrize(("active", "mends"), [(True, "mlflow.start_run()"), (False, "mlflow.set_tracking_uri(")])
def test_what_mlflow_refuses_is_told_with_a_line_that_mends_it(
    active: bool, mends: str, study: gm.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Recorded(active=active)
    monkeypatch.setitem(sys.modules, "mlflow", found)
    monkeypatch.setattr(found, "set_tags", Mock(side_effect=Refused("no store is known")))
    with pytest.raises(UsageError, match="no store is known") as told:
        gm.log_mlflow(study)
    assert mends in told.value.fix


def test_mlflow_itself_takes_it(study: gm.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
    run = mlflow.MlflowClient().get_run(gm.log_mlflow(study))
    assert run.info.status == "FINISHED"
    assert run.data.metrics["mean_loss"] == study.judged.report.value
    assert run.data.tags["goodmeasure.verdict"] == study.verdict.word
