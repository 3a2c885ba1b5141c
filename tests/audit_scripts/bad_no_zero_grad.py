"""Gradients are never cleared."""

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(320, 5)
y = (x.sum(1) > 0).long()
dl = DataLoader(TensorDataset(x, y), 32, shuffle=True)
net = torch.nn.Linear(5, 2)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
ce = torch.nn.CrossEntropyLoss()
for _ in range(2):
    for a, b in dl:
        loss = ce(net(a), b)
        loss.backward()
        opt.step()
print(loss.item())
