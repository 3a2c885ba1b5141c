"""Graph network."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
A = (torch.rand(40, 40) < .1).float(); A = ((A + A.T) > 0).float() + torch.eye(40); d = A.sum(1).rsqrt(); A = d[:, None] * A * d
class GCN(nn.Module):
    def __init__(self): super().__init__(); self.a = nn.Linear(8, 16); self.b = nn.Linear(16, 3)
    def forward(self, x, A): return self.b(A @ F.relu(self.a(A @ x)))
x = torch.randn(40, 8); y = (A @ x)[:, :3].argmax(1); train = torch.rand(40) < .6
m = GCN(); opt = torch.optim.Adam(m.parameters(), 1e-2, weight_decay=5e-4)
for e in range(20):
    m.train(); opt.zero_grad(); out = m(x, A); loss = F.cross_entropy(out[train], y[train]); loss.backward(); opt.step()
m.eval(); pred = m(x, A).argmax(1); print((pred[~train] == y[~train]).float().mean().item())
