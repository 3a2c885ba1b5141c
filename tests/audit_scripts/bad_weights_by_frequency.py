"""Weights by frequency."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(400, 6); y = (x[:, 0] > 1.2).long()
counts = torch.bincount(y).float()
weights = counts / counts.sum()
net = nn.Linear(6, 2); opt = torch.optim.SGD(net.parameters(), 0.1)
crit = nn.CrossEntropyLoss(weight=weights)
for a, b in DataLoader(TensorDataset(x, y), 100, shuffle=True):
    opt.zero_grad(); loss = crit(net(a), b); loss.backward(); opt.step()
