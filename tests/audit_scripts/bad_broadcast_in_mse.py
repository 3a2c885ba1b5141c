"""Regression whose output has a column that the targets lack."""

import torch
import torch.nn as nn

torch.manual_seed(0)
X = torch.randn(256, 8)
y = X[:, 0] * 2 - X[:, 1] + 0.1 * torch.randn(256)
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.MSELoss()
for epoch in range(30):
    for i in range(0, 256, 64):
        optimizer.zero_grad()
        out = model(X[i : i + 64])
        loss = criterion(out, y[i : i + 64])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 0:
        print(epoch, loss.item())
