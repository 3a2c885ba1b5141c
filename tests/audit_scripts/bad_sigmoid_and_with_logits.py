"""A sigmoid in the model and another in the loss."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Churn(Dataset):
    def __init__(self, n=300):
        g = torch.Generator().manual_seed(1)
        self.x = torch.randn(n, 7, generator=g)
        self.y = (self.x[:, 0] - self.x[:, 3] > 0).float().unsqueeze(1)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.y[i]


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 1), nn.Sigmoid())

    def forward(self, x):
        return self.layers(x)


torch.manual_seed(0)
model = MLP()
optim = torch.optim.Adam(model.parameters())
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(3):
    for x, y in DataLoader(Churn(), batch_size=25, shuffle=True):
        loss = loss_fn(model(x), y)
        optim.zero_grad()
        loss.backward()
        optim.step()
print(loss.item())
