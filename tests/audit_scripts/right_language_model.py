"""Next-character prediction with a GRU: the targets are the inputs, one step later."""

import torch
from torch import nn

text = "the quick brown fox jumps over the lazy dog. " * 40
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])
block, batch = 16, 8


class CharRNN(nn.Module):
    def __init__(self, vocab):
        super().__init__()
        self.emb = nn.Embedding(vocab, 16)
        self.rnn = nn.GRU(16, 32, batch_first=True)
        self.head = nn.Linear(32, vocab)

    def forward(self, idx):
        hidden, _ = self.rnn(self.emb(idx))
        return self.head(hidden)


def get_batch():
    starts = torch.randint(len(ids) - block - 1, (batch,))
    x = torch.stack([ids[s : s + block] for s in starts])
    y = torch.stack([ids[s + 1 : s + block + 1] for s in starts])
    return x, y


torch.manual_seed(0)
model = CharRNN(len(chars))
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
for step in range(30):
    xb, yb = get_batch()
    logits = model(xb)
    loss = nn.functional.cross_entropy(logits.view(-1, logits.size(-1)), yb.view(-1))
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
print(loss.item())
