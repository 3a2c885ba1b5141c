"""Arcface."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class Arc(nn.Module):
    def __init__(self, d, k, s=16., mg=.2): super().__init__(); self.W = nn.Parameter(torch.randn(k, d)); self.s, self.mg = s, mg
    def forward(self, z, y):
        cos = F.linear(F.normalize(z), F.normalize(self.W)).clamp(-1 + 1e-6, 1 - 1e-6); th = torch.acos(cos); one = F.one_hot(y, cos.size(1)).bool()
        return F.cross_entropy(self.s * torch.where(one, torch.cos(th + self.mg), cos), y)
x = torch.randn(300, 10); y = x[:, :5].argmax(1); net = nn.Sequential(nn.Linear(10, 32), nn.ReLU(), nn.Linear(32, 8)); head = Arc(8, 5)
opt = torch.optim.SGD([{"params": net.parameters()}, {"params": head.parameters(), "lr": .05}], .01, momentum=.9)
for a, b in DataLoader(TensorDataset(x, y), 30, shuffle=True):
    loss = head(net(a), b); opt.zero_grad(); loss.backward(); opt.step()
