"""Dropout stays on in the evaluation, and its draws are averaged."""

import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(480, 12)
y = (x[:, :3].sum(1) > 0).long()
net = nn.Sequential(nn.Linear(12, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, 2))
opt = torch.optim.AdamW(net.parameters(), 1e-3)
for epoch in range(4):
    for part in torch.randperm(400).split(40):
        loss = nn.functional.cross_entropy(net(x[part]), y[part])
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        shares = torch.stack([net(x[400:]).softmax(-1) for _ in range(10)]).mean(0)
        print((shares.argmax(-1) == y[400:]).float().mean())
