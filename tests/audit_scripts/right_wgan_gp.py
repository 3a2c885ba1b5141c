"""WGAN gp."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)); D = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
og = torch.optim.Adam(G.parameters(), 1e-4, betas=(0.0, .9)); od = torch.optim.Adam(D.parameters(), 1e-4, betas=(0.0, .9))
real = torch.randn(640, 2) + 3
def penalty(real, fake):
    eps = torch.rand(len(real), 1); mid = (eps * real + (1 - eps) * fake).requires_grad_(True)
    grad = torch.autograd.grad(D(mid).sum(), mid, create_graph=True)[0]
    return ((grad.norm(2, dim=1) - 1) ** 2).mean()
for it, (r,) in enumerate(DataLoader(TensorDataset(real), 32)):
    fake = G(torch.randn(len(r), 4)).detach()
    d = D(fake).mean() - D(r).mean() + 10 * penalty(r, fake)
    od.zero_grad(); d.backward(); od.step()
    if it % 5 == 4:
        g = -D(G(torch.randn(len(r), 4))).mean()
        og.zero_grad(); g.backward(); og.step()
