"""The padding that an embedding knows of is part of the loss."""

import torch
from torch import nn

torch.manual_seed(0)
PAD = 0


def batch(n=12, longest=9):
    ids = torch.full((n, longest), PAD)
    out = torch.full((n, longest), PAD)
    for r in range(n):
        m = int(torch.randint(3, longest + 1, ()))
        ids[r, :m] = torch.randint(1, 25, (m,))
        out[r, :m] = ids[r, :m] % 4
    return ids, out


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(25, 12, padding_idx=PAD)
        self.rnn = nn.GRU(12, 16, batch_first=True)
        self.head = nn.Linear(16, 4)

    def forward(self, ids):
        return self.head(self.rnn(self.emb(ids))[0])


net = Tagger()
opt = torch.optim.Adam(net.parameters(), 3e-3)
loss_fn = nn.CrossEntropyLoss()
for _ in range(30):
    ids, tags = batch()
    opt.zero_grad()
    loss = loss_fn(net(ids).permute(0, 2, 1), tags)
    loss.backward()
    opt.step()
