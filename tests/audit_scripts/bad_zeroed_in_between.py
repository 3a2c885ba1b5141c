"""zero_grad between backward and step, in a helper."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Trainer:
    def __init__(self, model, lr=1e-2):
        self.model = model
        self.opt = torch.optim.SGD(model.parameters(), lr=lr)
        self.loss = nn.SmoothL1Loss()

    def update(self):
        self.opt.zero_grad()
        self.opt.step()

    def fit(self, loader, epochs):
        for e in range(epochs):
            total = 0
            for x, y in loader:
                loss = self.loss(self.model(x), y)
                loss.backward()
                self.update()
                total += loss.item()
            print(e, total / len(loader))
        return self


torch.manual_seed(0)
x = torch.randn(300, 4)
Trainer(nn.Linear(4, 1)).fit(DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), 30), epochs=4)
