"""Frozen backbone in eval."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self): super().__init__(); self.backbone = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()); self.head = nn.Linear(8, 2)
    def forward(self, x): return self.head(self.backbone(x))
net = Net()
for p in net.backbone.parameters(): p.requires_grad = False
opt = torch.optim.Adam(filter(lambda p: p.requires_grad, net.parameters()), 1e-3)
x = torch.randn(120, 3, 8, 8); y = (x.mean((1, 2, 3)) > 0).long()
for e in range(2):
    net.train(); net.backbone.eval()
    for a, b in DataLoader(TensorDataset(x, y), 12, shuffle=True):
        opt.zero_grad(); l = F.cross_entropy(net(a), b); l.backward(); opt.step()
    net.eval(); correct = 0
    with torch.no_grad():
        for a, b in DataLoader(TensorDataset(x, y), 60): correct += net(a).max(1)[1].eq(b).sum().item()
