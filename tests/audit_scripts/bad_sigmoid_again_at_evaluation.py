"""Sigmoid again at evaluation."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(300, 5); y = (x[:, 0] > 0).float().unsqueeze(1)
net = nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid()); opt = torch.optim.Adam(net.parameters(), 1e-2)
for e in range(2):
    for a, b in DataLoader(TensorDataset(x[:240], y[:240]), 24, shuffle=True):
        loss = nn.BCELoss()(net(a), b); opt.zero_grad(); loss.backward(); opt.step()
net.eval()
with torch.no_grad():
    p = torch.sigmoid(net(x[240:]))
    acc = ((p > 0.5).float() == y[240:]).float().mean()
print(acc.item())
