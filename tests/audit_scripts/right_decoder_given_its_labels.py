"""An encoder and a decoder that shifts the labels itself, and hands them to the loss in a row."""

import torch
from torch import nn

PAD, VOCAB, HIDDEN = 0, 30, 24


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(VOCAB, HIDDEN, padding_idx=PAD)
        self.encoder = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.decoder = nn.GRU(HIDDEN, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, VOCAB)

    def forward(self, input_ids, attention_mask, labels):
        _, state = self.encoder(self.embed(input_ids) * attention_mask.unsqueeze(-1))
        started = nn.functional.pad(labels, (1, 0), value=PAD)[:, :-1]
        hidden, _ = self.decoder(self.embed(started.masked_fill(started == -100, PAD)), state)
        logits = self.head(hidden)
        loss = nn.functional.cross_entropy(logits.view(-1, VOCAB), labels.view(-1), ignore_index=-100)
        return {"loss": loss, "logits": logits}


def batches(n):
    generator = torch.Generator().manual_seed(n)
    for _ in range(n):
        ids = torch.randint(1, VOCAB, (8, 12), generator=generator)
        lengths = torch.randint(4, 12, (8, 1), generator=generator)
        ids[torch.arange(12) >= lengths] = PAD
        backwards = ids.flip(1)
        yield {
            "input_ids": ids,
            "attention_mask": (ids != PAD).long(),
            "labels": backwards.masked_fill(backwards == PAD, -100),
        }


def main():
    torch.manual_seed(0)
    model = Translator()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step, batch in enumerate(batches(40)):
        output = model(**batch)
        optimizer.zero_grad()
        output["loss"].backward()
        optimizer.step()
        if step % 10 == 0:
            print(step, output["loss"].item())


if __name__ == "__main__":
    main()
