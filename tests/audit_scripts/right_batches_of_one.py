"""Batches of one."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(50, 5); y = x.sum(1, keepdim=True)
m = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1)); opt = torch.optim.SGD(m.parameters(), .01)
for a, b in DataLoader(TensorDataset(x, y), 1, shuffle=True):
    loss = (m(a) - b).pow(2).mean(); opt.zero_grad(); loss.backward(); opt.step()
