"""An encoder and a decoder as separate modules under one optimizer, with a mask over padded steps."""

import itertools

import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.GRU(4, 16, batch_first=True)
decoder = nn.Linear(16, 1)
optimizer = torch.optim.Adam(itertools.chain(encoder.parameters(), decoder.parameters()), lr=1e-2)
for step in range(20):
    lengths = torch.randint(4, 11, (24,))
    x = torch.randn(24, 10, 4)
    target = x[..., 0].cumsum(1)
    mask = (torch.arange(10)[None] < lengths[:, None]).float()
    hidden, _ = encoder(x)
    out = decoder(hidden).squeeze(-1)
    loss = ((out - target) ** 2 * mask).sum() / mask.sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
