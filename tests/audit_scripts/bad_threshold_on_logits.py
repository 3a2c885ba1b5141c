"""Logits are compared with one half, as if they were probabilities."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(500, 6)
y = (x[:, 0] + 0.2 * torch.randn(500) > 0).float()
train, test = TensorDataset(x[:400], y[:400]), TensorDataset(x[400:], y[400:])
model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
criterion = nn.BCEWithLogitsLoss()
for epoch in range(3):
    model.train()
    for xb, yb in DataLoader(train, batch_size=40, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(xb).squeeze(1), yb)
        loss.backward()
        optimizer.step()
    model.eval()
    correct = 0
    with torch.no_grad():
        for xb, yb in DataLoader(test, batch_size=50):
            predicted = (model(xb).squeeze(1) > 0.5).float()
            correct += (predicted == yb).sum().item()
    print(epoch, correct / len(test))
