"""Matrix factorisation."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class MF(nn.Module):
    def __init__(self, n, k, d=8):
        super().__init__(); self.u = nn.Embedding(n, d); self.i = nn.Embedding(k, d); self.bu = nn.Embedding(n, 1); self.bi = nn.Embedding(k, 1)
    def forward(self, u, i): return (self.u(u) * self.i(i)).sum(1) + self.bu(u).squeeze(1) + self.bi(i).squeeze(1)
u = torch.randint(0, 50, (600,)); i = torch.randint(0, 40, (600,)); r = (torch.randint(1, 6, (600,))).float()
m = MF(50, 40); opt = torch.optim.Adam(m.parameters(), 1e-2, weight_decay=1e-5)
for e in range(2):
    for a, b, c in DataLoader(TensorDataset(u, i, r), 64, shuffle=True):
        loss = F.mse_loss(m(a, b), c); opt.zero_grad(); loss.backward(); opt.step()
    print(e, loss.item() ** .5)
