"""Churn from a table; the features are all columns of the frame."""
import pandas as pd
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
df = pd.DataFrame({"age": rng.normal(40, 10, 800), "spend": rng.exponential(50, 800), "calls": rng.poisson(2, 800)})
df["churn"] = (rng.random(800) < 1 / (1 + np.exp(-(df.calls - 3)))).astype(int)

y = torch.tensor(df["churn"].values, dtype=torch.float32)
X = torch.tensor(((df - df.mean()) / df.std()).values, dtype=torch.float32)
n = 600
net = nn.Sequential(nn.Linear(X.shape[1], 16), nn.ReLU(), nn.Linear(16, 1))
opt = torch.optim.Adam(net.parameters(), 1e-2)
bce = nn.BCEWithLogitsLoss()
for epoch in range(150):
    net.train()
    opt.zero_grad()
    loss = bce(net(X[:n]).squeeze(1), y[:n])
    loss.backward()
    opt.step()
net.eval()
with torch.no_grad():
    p = torch.sigmoid(net(X[n:]).squeeze(1))
print("accuracy", ((p > 0.5).float() == y[n:]).float().mean().item())
