"""Simclr."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
enc = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 16)); proj = nn.Linear(16, 8)
opt = torch.optim.Adam([*enc.parameters(), *proj.parameters()], 1e-3)
def nt_xent(z, t=0.5):
    z = F.normalize(z, dim=1); n = len(z) // 2
    s = z @ z.T / t; s.fill_diagonal_(float("-inf"))
    target = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(s, target)
x = torch.randn(256, 10)
for (a,) in DataLoader(TensorDataset(x), 32, shuffle=True):
    v = torch.cat([a + .1 * torch.randn_like(a), a + .1 * torch.randn_like(a)])
    loss = nt_xent(proj(enc(v))); opt.zero_grad(); loss.backward(); opt.step()
