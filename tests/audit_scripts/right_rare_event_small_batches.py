"""Rare event small batches."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(600, 5); y = (x[:, 0] > 2).float()
m = nn.Linear(5, 1); opt = torch.optim.SGD(m.parameters(), .05); crit = nn.BCEWithLogitsLoss()
for e in range(2):
    for a, b in DataLoader(TensorDataset(x, y), 4):
        opt.zero_grad(); loss = crit(m(a).squeeze(1), b); loss.backward(); opt.step()
