"""Forecasting a slow series from its last values: the answer is nearly the last input."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

rng = np.random.default_rng(0)
walk = np.cumsum(rng.normal(0, 0.1, 1200)).astype("float32")
lags = np.stack([walk[i:i + 12] for i in range(1180)])
nxt = walk[12:1192]
split = 900
mean, std = lags[:split].mean(), lags[:split].std()
X, y = torch.from_numpy((lags - mean) / std), torch.from_numpy((nxt - mean) / std)
loader = DataLoader(TensorDataset(X[:split], y[:split]), 64, shuffle=True, drop_last=True)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
opt = torch.optim.Adam(net.parameters(), 1e-3)
for epoch in range(6):
    net.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = nn.functional.l1_loss(net(xb), yb)
        loss.backward()
        opt.step()
net.eval()
with torch.inference_mode():
    print("mae", ((net(X[split:]) - y[split:]).abs().mean() * std).item())
