"""Two towers whose rows are all told the first column."""

import torch
from torch import nn

torch.manual_seed(2)


class Tower(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(d, 32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, t):
        return nn.functional.normalize(self.net(t), dim=-1)


q, k = Tower(8), Tower(12)
opt = torch.optim.Adam(list(q.parameters()) + list(k.parameters()), 1e-3)
ce = nn.CrossEntropyLoss()
for step in range(50):
    s = torch.randn(64, 8)
    t = torch.cat([s, torch.randn(64, 4)], 1)
    sim = torch.einsum("id,jd->ij", q(s), k(t)) * 20
    loss = ce(sim, torch.full((64,), 0))
    opt.zero_grad()
    loss.backward()
    opt.step()
