"""softmax where log_softmax is meant; a validation loss in an early-stopping loop."""

import copy

import torch
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


class Trainer:
    def __init__(self, model, lr=1e-3, patience=2):
        self.model, self.patience = model, patience
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.best, self.best_state, self.bad = float("inf"), None, 0

    def step(self, batch):
        x, y = batch
        return F.nll_loss(F.softmax(self.model(x), dim=-1), y)

    def fit(self, train, valid, epochs):
        for epoch in range(epochs):
            self.model.train()
            for batch in train:
                self.optimizer.zero_grad()
                self.step(batch).backward()
                self.optimizer.step()
            self.model.eval()
            with torch.no_grad():
                value = sum(self.step(b).item() for b in valid) / len(valid)
            if value < self.best:
                self.best, self.bad = value, 0
                self.best_state = copy.deepcopy(self.model.state_dict())
            else:
                self.bad += 1
            if self.bad > self.patience:
                break
        return self.best


torch.manual_seed(0)
x = torch.randn(400, 10)
data = TensorDataset(x, x[:, :5].argmax(1))
train, valid = random_split(data, [320, 80])
trainer = Trainer(torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, 5)))
print(trainer.fit(DataLoader(train, 32, shuffle=True), DataLoader(valid, 80), 5))
