"""One trunk, three heads, learned weights of the terms."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class MultiTask(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(10, 32), nn.ReLU())
        self.heads = nn.ModuleDict({"price": nn.Linear(32, 1), "kind": nn.Linear(32, 4), "sold": nn.Linear(32, 1)})
        self.log_var = nn.Parameter(torch.zeros(3))

    def forward(self, x):
        h = self.trunk(x)
        return {name: head(h) for name, head in self.heads.items()}


def losses(out, price, kind, sold):
    return torch.stack(
        [
            nn.functional.mse_loss(out["price"].squeeze(1), price),
            nn.functional.cross_entropy(out["kind"], kind),
            nn.functional.binary_cross_entropy_with_logits(out["sold"].squeeze(1), sold),
        ]
    )


torch.manual_seed(0)
x = torch.randn(320, 10)
data = TensorDataset(x, x[:, 0] + 0.1 * torch.randn(320), x[:, 1:5].argmax(1), (x[:, 5] > 0).float())
model = MultiTask()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    for xb, *targets in DataLoader(data, batch_size=32, shuffle=True):
        parts = losses(model(xb), *targets)
        loss = (torch.exp(-model.log_var) * parts + model.log_var).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(parts.tolist())
