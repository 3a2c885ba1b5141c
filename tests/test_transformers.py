"""Does the recipe for Hugging Face's Trainer give the gradient of the undivided batch?"""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

import goodmeasure as gm  # noqa: E402

PAGE = Path(__file__).parents[1] / "docs" / "torch.md"
pytestmark = pytest.mark.filterwarnings("default")


def recipe(name: str) -> Any:
    """The function of this name in the section of the page that is about the Trainer."""
    section = PAGE.read_text().split("### Hugging Face Trainer")[1].split("\n### ")[0]
    scope = {"gm": gm, "criterion": gm.to_torch(gm.losses.cross_entropy(), ignore_index=-100)}
    for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
        exec(block, scope)
    return scope[name]


@pytest.fixture(autouse=True, scope="module")
def little_to_collect() -> None:
    """A Trainer collects garbage at its end, which would walk through all that the suite has imported: a second each time."""
    gc.freeze()


SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
QUIET = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def tagger() -> Any:
    torch.manual_seed(0)
    config = transformers.BertConfig(vocab_size=40, num_labels=4, max_position_embeddings=16, **SIZES, **QUIET)
    return transformers.BertForTokenClassification(config)


def speaker() -> Any:
    torch.manual_seed(0)
    still = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=40, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=1, eos_token_id=2, **still
        )
    )


def rows() -> list[dict[str, Any]]:
    """Rows of very different length, the long ones first; their first token has no label."""
    torch.manual_seed(1)
    made = []
    for length in (12, 12, 11, 10, 3, 2, 2, 3, 2, 4, 2, 2):
        ids = torch.zeros(12, dtype=torch.long)
        ids[:length] = torch.randint(3, 40, (length,))
        labels = torch.where(ids > 0, ids % 4, -100)
        labels[0] = -100
        made.append({"input_ids": ids, "attention_mask": (ids > 0).long(), "labels": labels})
    return made


def stepped(model: Any, compute_loss: Any, folder: Path, micro: int) -> Any:
    """The gradient of the first step of a Trainer, in parts of so many rows."""
    found = []

    class Keep(transformers.TrainerCallback):  # type: ignore[name-defined, misc]
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            found.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))

    args = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=micro, gradient_accumulation_steps=12 // micro, max_steps=1,
        max_grad_norm=0, report_to=[], use_cpu=True, save_strategy="no", disable_tqdm=True, train_sampling_strategy="sequential",
    )  # fmt: skip
    transformers.Trainer(model, args, train_dataset=rows(), compute_loss_func=compute_loss, callbacks=[Keep()]).train()
    return found[0]


@pytest.mark.parametrize(("make", "name"), [(tagger, "compute_loss"), (speaker, "compute_next_token_loss")])
def test_the_gradient_of_parts_is_that_of_the_whole(make: Any, name: str, tmp_path: Path) -> None:
    compute_loss = recipe(name)
    model, batch = make(), torch.utils.data.default_collate(rows())
    labels = batch.pop("labels")
    compute_loss(model(**batch), labels).backward()
    whole = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
    for micro in (12, 4, 2):
        torch.testing.assert_close(stepped(make(), compute_loss, tmp_path, micro), whole, rtol=1e-4, atol=1e-6)


def test_a_mean_of_means_is_another_gradient(tmp_path: Path) -> None:
    def means(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), labels.flatten()) / 6

    wrong, right = stepped(tagger(), means, tmp_path, 2), stepped(tagger(), recipe("compute_loss"), tmp_path, 2)
    assert float((wrong - right).norm() / right.norm()) > 0.1
