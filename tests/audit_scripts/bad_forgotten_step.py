"""Everything but optimizer.step()."""

import torch
from torch.utils.data import DataLoader, TensorDataset


def train(model, loader, optimizer, loss_fn, epochs=3):
    history = []
    for _ in range(epochs):
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(inputs), targets)
            loss.backward()
            history.append(loss.item())
    return history


torch.manual_seed(0)
x = torch.randn(256, 6)
y = x @ torch.randn(6, 1)
model = torch.nn.Linear(6, 1)
print(train(model, DataLoader(TensorDataset(x, y), 32), torch.optim.SGD(model.parameters(), 0.01), torch.nn.MSELoss())[-1])
