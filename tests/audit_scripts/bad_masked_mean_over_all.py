"""Masked mean over all."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class DS(Dataset):
    def __init__(self): self.n = torch.randint(2, 9, (120,))
    def __len__(self): return 120
    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i); s = torch.zeros(8, 3); n = int(self.n[i]); s[:n] = torch.randn(n, 3, generator=g)
        m = torch.zeros(8); m[:n] = 1
        return s, s.sum(1), m
net = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1)); opt = torch.optim.Adam(net.parameters())
for s, y, m in DataLoader(DS(), 20):
    err = (net(s).squeeze(-1) - y) ** 2
    loss = (err * m).mean()
    opt.zero_grad(); loss.backward(); opt.step()
