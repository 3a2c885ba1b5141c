"""The encoder's result is detached on the way to the head, though the optimizer holds both."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(12, 24), nn.ReLU())
        self.head = nn.Linear(24, 3)

    def forward(self, x):
        features = self.encoder(x).detach()
        return self.head(features)


torch.manual_seed(0)
x = torch.randn(240, 12)
y = x[:, :3].argmax(1)
model = Model()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=24, shuffle=True):
        loss = nn.CrossEntropyLoss()(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(loss.item())
