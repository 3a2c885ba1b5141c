"""GAN generator detached."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2)); D = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 1))
og = torch.optim.Adam(G.parameters(), 1e-3); od = torch.optim.Adam(D.parameters(), 1e-3); bce = nn.BCEWithLogitsLoss()
real = torch.randn(256, 2) + 3
for (r,) in DataLoader(TensorDataset(real), 32):
    fake = G(torch.randn(len(r), 4)).detach()
    d = bce(D(r), torch.ones(len(r), 1)) + bce(D(fake), torch.zeros(len(r), 1))
    od.zero_grad(); d.backward(); od.step()
    g = bce(D(fake), torch.ones(len(r), 1))
    og.zero_grad(); g.backward(); og.step()
