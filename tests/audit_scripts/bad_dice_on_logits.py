"""Dice on logits."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class Blobs(Dataset):
    def __len__(self): return 40
    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        m = (torch.rand(1, 12, 12, generator=g) > 0.7).float()
        return m + 0.5 * torch.randn(1, 12, 12, generator=g), m
class DiceLoss(nn.Module):
    def forward(self, pred, target, smooth=1.):
        pred = pred.contiguous().view(-1); target = target.contiguous().view(-1)
        inter = (pred * target).sum()
        return 1 - (2. * inter + smooth) / (pred.sum() + target.sum() + smooth)
net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))
opt = torch.optim.Adam(net.parameters()); crit = DiceLoss()
for epoch in range(2):
    for x, y in DataLoader(Blobs(), batch_size=8):
        opt.zero_grad(); loss = crit(net(x), y); loss.backward(); opt.step()
