"""The accuracy compares a column with a row: every prediction with every label."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 6)
y = (x[:, 0] > 0).float()
model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x[:320], y[:320]), batch_size=32, shuffle=True):
        loss = nn.functional.binary_cross_entropy_with_logits(model(xb), yb.unsqueeze(1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    logits = model(x[320:])
    accuracy = ((torch.sigmoid(logits) > 0.5) == y[320:]).float().mean().item()
print(f"accuracy {accuracy:.3f}")
