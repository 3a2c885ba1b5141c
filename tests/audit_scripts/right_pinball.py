"""Pinball."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
def pinball(q, y, levels):
    d = y.unsqueeze(1) - q
    return torch.maximum(levels * d, (levels - 1) * d).mean()
levels = torch.tensor([.1, .5, .9])
x = torch.rand(400, 3); y = x[:, 0] * 3 + torch.randn(400) * (0.2 + x[:, 1])
m = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 3)); opt = torch.optim.Adam(m.parameters(), 5e-3)
for e in range(2):
    for a, b in DataLoader(TensorDataset(x, y), 40, shuffle=True):
        loss = pinball(m(a), b, levels); opt.zero_grad(); loss.backward(); opt.step()
with torch.no_grad(): print(((m(x) > y[:, None]).float().mean(0)).tolist())
