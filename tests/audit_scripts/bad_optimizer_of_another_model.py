"""The model is rebuilt after the optimizer was made."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def build():
    return nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))


torch.manual_seed(0)
x = torch.randn(300, 4)
y = x[:, :3].argmax(1)
model = build()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
model = build()  # a fresh start
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=30, shuffle=True):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        optimizer.step()
    print(loss.item())
