"""Filling gaps in multivariate series; only hidden values are scored."""
import torch
import torch.nn as nn

torch.manual_seed(0)
N, L, C = 256, 20, 6
t = torch.arange(L).float()
series = torch.sin(t[None, :, None] * torch.rand(N, 1, C) + torch.rand(N, 1, C) * 6)
lengths = torch.randint(8, L + 1, (N,))


class Filler(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(2 * C, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, C)

    def forward(self, x, known):
        return self.head(self.rnn(torch.cat([x * known, known.float()], -1))[0])


def masked_mse(pred, true, mask):
    mask = mask.expand_as(true).float()
    return ((pred - true) ** 2 * mask).sum() / mask.sum().clamp(min=1)


model = Filler()
opt = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(5):
    for idx in torch.randperm(N).split(32):
        true = series[idx]
        real = (torch.arange(L)[None] < lengths[idx][:, None]).unsqueeze(-1)
        known = torch.rand(len(idx), L, C) > 0.3
        loss = masked_mse(model(true, known & real), true, ~known & real)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss.item())
