"""Four micro-batches are summed and never divided."""

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(512, 8)
y = (x[:, 0] > 0).long()
net = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
opt = torch.optim.SGD(net.parameters(), lr=0.1)
accum = 4
opt.zero_grad()
for i, (xb, yb) in enumerate(DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True), start=1):
    torch.nn.functional.cross_entropy(net(xb), yb).backward()
    if i % accum == 0:
        opt.step()
        opt.zero_grad()
