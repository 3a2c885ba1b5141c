"""A language model that shifts and flattens its labels itself; padding is left out of them."""

from dataclasses import dataclass

import torch
from torch import nn

PAD, VOCAB = 0, 40


@dataclass
class Output:
    loss: torch.Tensor
    logits: torch.Tensor


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, 24)
        self.rnn = nn.GRU(24, 24, batch_first=True)
        self.head = nn.Linear(24, VOCAB)

    def forward(self, input_ids, attention_mask, labels):
        hidden, _ = self.rnn(self.embed(input_ids) * attention_mask.unsqueeze(-1))
        logits = self.head(hidden)
        shifted = nn.functional.pad(labels, (0, 1), value=-100)[:, 1:]
        loss = nn.functional.cross_entropy(logits.view(-1, VOCAB), shifted.reshape(-1), ignore_index=-100)
        return Output(loss, logits)


def batches(n):
    generator = torch.Generator().manual_seed(n)
    for _ in range(n):
        ids = torch.randint(1, VOCAB, (8, 20), generator=generator)
        lengths = torch.randint(5, 20, (8, 1), generator=generator)
        ids[torch.arange(20) >= lengths] = PAD
        yield {"input_ids": ids, "attention_mask": (ids != PAD).long(), "labels": ids.masked_fill(ids == PAD, -100)}


def main():
    torch.manual_seed(0)
    model = LanguageModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step, batch in enumerate(batches(30)):
        output = model(**batch)
        output.loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % 10 == 0:
            print(step, output.loss.item())


if __name__ == "__main__":
    main()
