"""Do the callbacks look at every form of batch, step and loss, and say so where they do not?"""

from __future__ import annotations

import os
from typing import Any

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("default")


def lightning_codes(softmax: bool, manual: bool, forgets: bool) -> list[str]:
    """What the callback finds in a module whose batches are dictionaries."""
    lightning = pytest.importorskip("lightning")
    from goodmeasure.auditing.lightning import LightningAudit

    torch.manual_seed(0)

    class Lit(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.automatic_optimization = not manual
            self.body, self.head = torch.nn.Linear(4, 8), torch.nn.Linear(8, 3)

        def training_step(self, batch: Any, index: int) -> Any:
            scores = self.head(self.body(batch["features"]).relu())
            loss = torch.nn.functional.cross_entropy(scores.softmax(1) if softmax else scores, batch["label"])
            if manual:
                for optimizer in self.optimizers():
                    if not forgets:
                        optimizer.zero_grad()
                self.manual_backward(loss)
                for optimizer in self.optimizers():
                    optimizer.step()
            return loss

        def configure_optimizers(self) -> Any:
            parts = (self.body, self.head) if manual else (self,)
            return tuple(torch.optim.SGD(part.parameters(), 0.1) for part in parts)

    rows = [{"features": torch.randn(4), "label": k % 3} for k in range(64)]
    callback = LightningAudit()
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", callbacks=[callback], **quiet)
    trainer.fit(Lit(), torch.utils.data.DataLoader(rows, batch_size=16))
    assert callback.report is not None
    assert any("cross_entropy" in what for what in callback.report.looked_at)
    return [f.code for f in callback.report.findings]


@pytest.mark.parametrize(
    ("softmax", "manual", "forgets", "found"),
    [
        (False, False, False, []),
        (True, False, False, ["GM102"]),
        (False, True, False, []),
        (False, True, True, ["GM401"]),
    ],
)
def test_a_lightning_module_of_any_form_is_looked_at(
    softmax: bool, manual: bool, forgets: bool, found: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert lightning_codes(softmax, manual, forgets) == found
    said = capsys.readouterr().out
    assert (found[0] if found else "looked at:") in said


def test_a_lightning_training_that_stops_leaves_nothing_behind() -> None:
    before = torch.nn.Module.__call__
    lightning = pytest.importorskip("lightning")
    from goodmeasure.auditing.lightning import LightningAudit

    class Lit(lightning.LightningModule):  # type: ignore[name-defined, misc]
        def training_step(self, batch: Any, index: int) -> Any:
            raise ZeroDivisionError

        def configure_optimizers(self) -> Any:
            return None

    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    callback = LightningAudit()
    trainer = lightning.Trainer(max_epochs=1, accelerator="cpu", callbacks=[callback], **quiet)
    with pytest.raises(ZeroDivisionError):
        trainer.fit(Lit(), torch.utils.data.DataLoader(torch.randn(8, 2)))
    assert torch.nn.Module.__call__ is before
    assert callback.report is not None
    assert "nothing was looked at" in str(callback.report)


@pytest.mark.parametrize("form", ["dict", "list"])
@pytest.mark.parametrize("wrong", [False, True])
def test_every_loss_of_a_keras_model_is_looked_at(form: str, wrong: bool, capsys: pytest.CaptureFixture[str]) -> None:
    keras = pytest.importorskip("keras")
    from goodmeasure.auditing.keras import KerasAudit

    inputs = keras.Input((4,))
    kind = keras.layers.Dense(3, activation=None if wrong else "softmax", name="kind")(inputs)
    value = keras.layers.Dense(1, name="value")(inputs)
    named = form == "dict"
    model = keras.Model(inputs, {"kind": kind, "value": value} if named else [kind, value])
    losses = {"kind": "sparse_categorical_crossentropy", "value": "mse"}
    targets = {"kind": (torch.arange(40) % 3).numpy(), "value": torch.randn(40, 1).numpy()}
    model.compile("sgd", losses if named else list(losses.values()))
    callback = KerasAudit()
    model.fit(torch.randn(40, 4).numpy(), targets if named else list(targets.values()), verbose=0, callbacks=[callback])
    assert callback.report is not None
    assert ("GM105" in {f.code for f in callback.report.findings}) == wrong
    assert len(callback.report.looked_at) == 2
    assert "GM100" not in capsys.readouterr().out


def test_a_training_step_of_ones_own_is_not_taken_for_a_right_one(capsys: pytest.CaptureFixture[str]) -> None:
    keras = pytest.importorskip("keras")
    from goodmeasure.auditing.keras import KerasAudit

    class Net(keras.Model):  # type: ignore[name-defined, misc]
        def call(self, x: Any) -> Any:
            return x

        def train_step(self, data: Any) -> Any:
            return {"loss": 0.0}

    model = Net()
    model.compile("sgd")
    model.fit(torch.randn(40, 4).numpy(), torch.zeros(40).numpy(), verbose=0, callbacks=[callback := KerasAudit()])
    assert callback.report is not None
    assert "nothing was looked at" in capsys.readouterr().out
    assert "no loss is compiled" in callback.report.not_seen[0]
