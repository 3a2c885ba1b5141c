"""Mixture density."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class MDN(nn.Module):
    def __init__(self, k=3):
        super().__init__(); self.h = nn.Sequential(nn.Linear(1, 24), nn.Tanh()); self.pi = nn.Linear(24, k); self.mu = nn.Linear(24, k); self.s = nn.Linear(24, k)
    def forward(self, x):
        h = self.h(x); return F.log_softmax(self.pi(h), 1), self.mu(h), F.softplus(self.s(h)) + 1e-3
x = torch.rand(300, 1) * 6; y = torch.sin(x) + .1 * torch.randn_like(x)
m = MDN(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for a, b in DataLoader(TensorDataset(x, y), 50, shuffle=True):
    lp, mu, s = m(a)
    loss = -torch.logsumexp(lp + torch.distributions.Normal(mu, s).log_prob(b), 1).mean()
    opt.zero_grad(); loss.backward(); opt.step()
