"""The loss is rebuilt from a number: nothing flows back."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(100, 3)
y = x @ torch.tensor([[1.0], [2.0], [3.0]])
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(20):
    predictions = model(x)
    error = float(((predictions - y) ** 2).mean())
    loss = torch.tensor(error, requires_grad=True)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
