"""Programs of Hugging Face's Trainer, wrong and right: the source of each, what is exchanged in it, and what is found."""

from __future__ import annotations

START = """
import numpy as np
import torch
from transformers import {names}, Trainer, TrainingArguments

torch.manual_seed(0)
rng = np.random.default_rng(0)
rows = [rng.integers(3, 40, rng.integers(4, 12)) for _ in range(64)]


def padded(ids, filler=0):
    return torch.tensor([*ids, *[filler] * (12 - len(ids))])


"""
ARGUMENTS = """
args = TrainingArguments(
    "out", per_device_train_batch_size=8, learning_rate=1e-3, report_to=[], use_cpu=True, disable_tqdm=True,
    eval_strategy="epoch", save_strategy="epoch"
)
trainer = Trainer(model, args, train_dataset=data, eval_dataset=data[:16], compute_metrics=compute_metrics)
trainer.train()
trainer.save_model("final")
"""
SIZES = "hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, max_position_embeddings=32"

SEQUENCES = (
    START.format(names="BertConfig, BertForSequenceClassification")
    + f"""
data = [
    {{"input_ids": padded(r), "attention_mask": padded(np.ones_like(r)), "labels": torch.tensor(int(r[0]) % 3)}} for r in rows
]
model = BertForSequenceClassification(BertConfig(vocab_size=40, num_labels=3, {SIZES}))


def compute_metrics(prediction):
    logits, labels = prediction
    return {{"accuracy": float((logits.argmax(-1) == labels).mean())}}

"""
    + ARGUMENTS
)
TAGS = (
    START.format(names="BertConfig, BertForTokenClassification")
    + f"""
data = [
    {{"input_ids": padded(r), "attention_mask": padded(np.ones_like(r)), "labels": padded(r % 4, -100)}} for r in rows
]
model = BertForTokenClassification(BertConfig(vocab_size=40, num_labels=4, {SIZES}))


def compute_metrics(prediction):
    said, labels = prediction.predictions.argmax(-1), prediction.label_ids
    kept = labels != -100
    return {{"accuracy": float((said == labels)[kept].mean())}}

"""
    + ARGUMENTS
)
LANGUAGE = (
    START.format(names="GPT2Config, GPT2LMHeadModel")
    + """
data = [{"input_ids": padded(r), "attention_mask": padded(np.ones_like(r)), "labels": padded(r, -100)} for r in rows]
model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_positions=32, n_embd=16, n_layer=1, n_head=2))


def compute_metrics(prediction):
    said, labels = prediction.predictions.argmax(-1)[:, :-1], prediction.label_ids[:, 1:]
    kept = labels != -100
    return {"accuracy": float((said == labels)[kept].mean())}

"""
    + ARGUMENTS
)
IN_TWO = 'eval_strategy="epoch", gradient_accumulation_steps=2'
OWN_LOSS = """

def compute_loss(outputs, labels, num_items_in_batch=None):
    return torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), labels.flatten())

trainer = Trainer("""
MEANS = """

class Own(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        outputs = model(inputs["input_ids"], attention_mask=inputs["attention_mask"])
        loss = torch.nn.functional.cross_entropy(outputs.logits.flatten(0, 1), inputs["labels"].flatten())
        return (loss, outputs) if return_outputs else loss

trainer = Own("""
SOFTMAX = MEANS.replace("outputs.logits.flatten(0, 1)", "torch.softmax(outputs.logits, -1)")

# The program, what is exchanged in it, and what is found.
PROGRAMS: dict[str, tuple[str, dict[str, str], list[str]]] = {
    "right_sequences": (SEQUENCES, {}, []),
    "right_tags": (TAGS, {}, []),
    "right_language": (LANGUAGE, {}, []),
    "right_smoothed_and_accumulated": (LANGUAGE, {'eval_strategy="epoch"': IN_TWO + ", label_smoothing_factor=0.1"}, []),
    "right_frozen_body": (SEQUENCES, {"args =": "model.bert.requires_grad_(False)\nargs ="}, []),
    "bad_metric_over_rows": (SEQUENCES, {"logits.argmax(-1) == labels": "logits.argmax(0)[labels] == labels"}, ["GM555"]),
    "bad_metric_counts_padding": (TAGS, {"(said == labels)[kept]": "(said == labels)"}, ["GM555"]),
    "bad_metric_not_shifted": (
        LANGUAGE, {"argmax(-1)[:, :-1]": "argmax(-1)", "label_ids[:, 1:]": "label_ids"}, ["GM555"]
    ),
    "bad_metric_of_pairs": (
        SEQUENCES,
        {"num_labels=3": "num_labels=1", "int(r[0]) % 3": "float(r[0])", "logits.argmax(-1) == labels": "(logits - labels) ** 2"},
        ["GM556"],
    ),
    "bad_padding_taught": (TAGS, {"padded(r % 4, -100)": "padded(r % 4)"}, ["GM313"]),
    "bad_padding_spoken": (LANGUAGE, {"padded(r, -100)": "padded(r)"}, ["GM313"]),
    "bad_shifted_twice": (LANGUAGE, {"padded(r, -100)": "padded(r[1:], -100)"}, ["GM119"]),
    "bad_not_shifted": (
        LANGUAGE, {"trainer = Trainer(": OWN_LOSS, "args, train": "args, compute_loss_func=compute_loss, train"}, ["GM119"]
    ),
    "bad_mean_of_means": (TAGS, {"trainer = Trainer(": MEANS, 'eval_strategy="epoch"': IN_TWO}, ["GM403"]),
    "bad_softmax_twice": (SEQUENCES, {"trainer = Trainer(": SOFTMAX}, ["GM102"]),
}  # fmt: skip
