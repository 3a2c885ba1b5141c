"""Denoising autoencoder."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class AE(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Sequential(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)); self.d = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 16))
    def forward(self, x): return self.d(self.e(x))
x = torch.rand(300, 16); lab = torch.zeros(300)
m = AE(); opt = torch.optim.Adam(m.parameters()); crit = nn.MSELoss()
for e in range(2):
    for img, _ in DataLoader(TensorDataset(x, lab), 30, shuffle=True):
        noisy = img + .1 * torch.randn_like(img)
        out = m(noisy); loss = crit(out, img); opt.zero_grad(); loss.backward(); opt.step()
