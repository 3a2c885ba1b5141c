"""Poisson rate as log."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(256, 5); y = torch.poisson(torch.exp(0.5 + 0.3 * x[:, :1]))
net = nn.Sequential(nn.Linear(5, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softplus())
loss_fn = nn.PoissonNLLLoss()
opt = torch.optim.Adam(net.parameters(), 1e-3)
for e in range(3):
    for a, b in DataLoader(TensorDataset(x, y), 32, shuffle=True):
        loss = loss_fn(net(a), b); opt.zero_grad(); loss.backward(); opt.step()
