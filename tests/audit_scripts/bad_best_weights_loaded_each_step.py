"""Keeps the best weights, and goes back to them... every time."""
import copy
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(500, 5)
y = torch.sin(x.sum(1, keepdim=True))
train_x, train_y, val_x, val_y = x[:400], y[:400], x[400:], y[400:]
model = nn.Sequential(nn.Linear(5, 40), nn.ReLU(), nn.Linear(40, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.MSELoss()
best = copy.deepcopy(model.state_dict())
best_loss = 0.0
for epoch in range(100):
    for k in range(0, 400, 50):
        optimizer.zero_grad()
        loss = loss_fn(model(train_x[k:k + 50]), train_y[k:k + 50])
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            val = loss_fn(model(val_x), val_y).item()
        if val < best_loss:
            best, best_loss = copy.deepcopy(model.state_dict()), val
        model.load_state_dict(best)
print("validation", val)
