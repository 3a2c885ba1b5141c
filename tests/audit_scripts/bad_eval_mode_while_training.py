"""model.eval() is called once and never undone."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(400, 10)
y = (x[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 2))
opt = torch.optim.Adam(model.parameters())
train = DataLoader(TensorDataset(x[:300], y[:300]), batch_size=30, shuffle=True)


def accuracy():
    model.eval()
    with torch.no_grad():
        return (model(x[300:]).argmax(1) == y[300:]).float().mean().item()


print("before", accuracy())
for epoch in range(3):
    for xb, yb in train:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(xb), yb)
        loss.backward()
        opt.step()
    print(epoch, accuracy())
