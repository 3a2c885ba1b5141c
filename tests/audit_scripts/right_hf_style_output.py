"""A model that computes its own loss and returns it in a dataclass; batches are dicts."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


@dataclass
class ModelOutput:
    loss: torch.Tensor | None
    logits: torch.Tensor


class Classifier(nn.Module):
    def __init__(self, vocab=50, labels=3):
        super().__init__()
        self.embeddings = nn.Embedding(vocab, 16)
        self.classifier = nn.Linear(16, labels)

    def forward(self, input_ids, attention_mask, labels=None):
        hidden = self.embeddings(input_ids) * attention_mask.unsqueeze(-1)
        pooled = hidden.sum(1) / attention_mask.sum(1, keepdim=True).clamp(min=1)
        logits = self.classifier(pooled)
        loss = nn.functional.cross_entropy(logits, labels) if labels is not None else None
        return ModelOutput(loss, logits)


class Rows(Dataset):
    def __init__(self, n):
        generator = torch.Generator().manual_seed(n)
        self.ids = torch.randint(1, 50, (n, 12), generator=generator)
        self.lengths = torch.randint(3, 13, (n,), generator=generator)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        mask = (torch.arange(12) < self.lengths[i]).long()
        return {"input_ids": self.ids[i] * mask, "attention_mask": mask, "labels": self.ids[i, 0] % 3}


def main():
    torch.manual_seed(0)
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    train, test = DataLoader(Rows(200), batch_size=16, shuffle=True), DataLoader(Rows(40), batch_size=20)
    for _ in range(2):
        model.train()
        for batch in train:
            outputs = model(**batch)
            outputs.loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        model.eval()
        hits = []
        for batch in test:
            with torch.no_grad():
                outputs = model(**batch)
            predictions = torch.argmax(outputs.logits, dim=-1)
            hits.append((predictions == batch["labels"]).float().mean().item())
        print(sum(hits) / len(hits))


if __name__ == "__main__":
    main()
