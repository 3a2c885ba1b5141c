"""Does the audit work from the command line, while training, and as a callback?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")

from goodmeasure.auditing.engine import audit  # noqa: E402
from goodmeasure.auditing.rule import pages  # noqa: E402
from goodmeasure.auditing.watching import watch  # noqa: E402
from goodmeasure.cli.audit import command  # noqa: E402
from goodmeasure.errors import Problem  # noqa: E402

pytestmark = pytest.mark.filterwarnings("default")

PROGRAM = """
import torch
from torch import nn

def build():
    model = nn.Sequential(nn.Linear(4, 3), nn.Softmax(-1))
    return dict(model=model, loss=nn.CrossEntropyLoss(), inputs=torch.randn(20, 4), targets=torch.arange(20) % 3)

def boom():
    raise ValueError("no data")

def number():
    return 3
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "train.py"
    path.write_text(PROGRAM)
    return path


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(command, list(arguments), standalone_mode=False)


def test_command_reports_and_fails(program: Path) -> None:
    result = invoke(f"{program}:build")
    assert result.return_value == 1
    assert "GM102" in result.output
    assert invoke(f"{program}:build", "--ignore", "GM102").return_value == 0
    assert json.loads(invoke(f"{program}:build", "--format", "json").output)["findings"][0]["code"] == "GM102"
    assert json.loads(invoke(f"{program}:build", "--format", "sarif").output)["version"] == "2.1.0"


@pytest.mark.parametrize("spec", ["nowhere.py", "none.py:build", "{}:missing", "{}:boom", "{}:number"])
def test_command_says_what_is_wrong_with_its_argument(program: Path, spec: str) -> None:
    result = invoke(spec.format(program))
    assert isinstance(result.exception, Problem)
    assert result.exception.exit_status in (2, 3)


def test_pages_need_no_framework() -> None:
    probe = "import sys, goodmeasure.auditing as a; a.pages(); print('torch' in sys.modules, 'sklearn' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
    assert len(pages()) > 80


def test_watch_audits_the_first_batch_and_keeps_looking() -> None:
    model = torch.nn.Linear(4, 3)
    loss = torch.nn.CrossEntropyLoss()
    seen: list[str] = []
    with watch(model, loss, every=2, report=lambda f: seen.append(f.code)) as watching:
        for turn in range(4):
            x = torch.randn(20, 4) * (float("nan") if turn == 3 else 1.0)
            loss(model(x), torch.arange(20) % 3)
    assert seen == ["GM302"] == [f.code for f in watching.findings]
    assert not model._forward_pre_hooks
    assert not loss._forward_hooks


def test_watch_wraps_a_function_and_warns() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    with watch(model, torch.nn.functional.cross_entropy) as watching, warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        watching.loss(model(torch.randn(9, 4)), torch.arange(9) % 3).backward()
    assert ["GM102" in str(w.message) for w in heard] == [True]


@pytest.mark.parametrize("wrong", [True, False])
def test_lightning_callback(wrong: bool, capsys: pytest.CaptureFixture[str]) -> None:
    lightning = pytest.importorskip("lightning")
    from goodmeasure.auditing.lightning import LightningAudit

    class Lit(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            last = torch.nn.Softmax(-1) if wrong else torch.nn.Identity()
            self.net = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 3), last)

        def training_step(self, batch: Any, index: int) -> Any:
            value = torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
            self.log("loss", value)
            return value

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    data = torch.utils.data.TensorDataset(torch.randn(40, 4), torch.arange(40) % 3)
    callback = LightningAudit(stop_at="error")
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", callbacks=[callback], **quiet)
    trainer.fit(Lit(), torch.utils.data.DataLoader(data, batch_size=20))
    assert callback.report is not None
    assert [f.code for f in callback.report.findings] == ["GM102"] * wrong
    assert ("GM102" in capsys.readouterr().out) == wrong


@pytest.mark.parametrize("wrong", [True, False])
def test_keras_callback(wrong: bool) -> None:
    keras = pytest.importorskip("keras")
    from goodmeasure.auditing.keras import KerasAudit

    last = None if wrong else "softmax"
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation=last)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    callback = KerasAudit()
    x = torch.randn(40, 4).numpy()
    model.fit(x, (torch.arange(40) % 3).numpy(), verbose=0, callbacks=[callback])
    assert callback.report is not None
    assert ("GM105" in {f.code for f in callback.report.findings}) == wrong
    assert callback.report.ok != wrong


def test_watch_observes_any_code_and_leaves_no_trace() -> None:
    from torch.overrides import _get_current_function_mode
    from torch.utils.data import DataLoader, TensorDataset

    from goodmeasure.auditing.observing.within import Within

    owners = (
        (torch.nn.Module, "__call__"),
        (torch.Tensor, "backward"),
        (torch.optim.Optimizer, "zero_grad"),
        (torch, "save"),
    )
    before = [getattr(owner, name) for owner, name in owners]
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    seen: list[str] = []
    batches = 0
    with watch(report=lambda f: seen.append(f.code)) as watching:
        assert isinstance(watching, Within)
        for x, y in DataLoader(TensorDataset(torch.randn(80, 4), torch.arange(80) % 3), batch_size=10):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            batches += 1
    assert batches == 8, "nothing is cut"
    assert seen == ["GM102"] == [f.code for f in watching.findings]
    assert watching.audit is not None
    assert len(watching.audit.looked_at) == 2
    assert [getattr(owner, name) for owner, name in owners] == before
    assert _get_current_function_mode() is None


def test_what_runs_under_watch_raises_what_it_raises() -> None:
    with pytest.raises(ZeroDivisionError), watch(report=lambda f: None):
        1 / 0  # noqa: B018


def test_one_of_several_targets_is_found_from_the_graph() -> None:
    x = torch.randn(40, 4)
    targets = {"value": x[:, :1] * 2, "weight": torch.rand(40, 1)}
    targets["weight"][0] = 1e-6  # as good as left out, which is no fault

    def loss(output: Any, target: Any, sign: float = 1.0) -> Any:
        return (sign * target["weight"] * (output - target["value"]).square()).mean()

    right = audit(model=torch.nn.Linear(4, 1), loss=loss, inputs=x, targets=targets, task="regression")
    wrong = audit(
        model=torch.nn.Linear(4, 1), loss=lambda o, t: loss(o, t, -1.0), inputs=x, targets=targets, task="regression"
    )
    assert not right.at_least("warning")
    assert "GM306" in {f.code for f in wrong.findings}


def test_what_is_declared_adds_evidence() -> None:
    y = (torch.arange(200) % 4 == 0).long().numpy()
    said = audit(output=lambda X: y, output_kind="label", X=y, y=y, metric="roc_auc")
    assert "GM520" in {f.code for f in said.findings}
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(-1))
    x, labels = torch.randn(30, 4), torch.arange(30) % 3
    assert "GM102" in {f.code for f in audit(model=model, loss=torch.nn.CrossEntropyLoss(), X=x, y=labels).findings}


def test_nothing_found_stands_beside_what_was_looked_at() -> None:
    x, y = torch.randn(30, 4), torch.arange(30) % 3
    said = str(audit(model=torch.nn.Linear(4, 3), loss=torch.nn.CrossEntropyLoss(), inputs=x, targets=y))
    assert "nothing found" in said
    assert "looked at: " in said
    assert "Contracts" in said
    assert "nothing was looked at" in str(audit(costs={"fp": 1.0}))
