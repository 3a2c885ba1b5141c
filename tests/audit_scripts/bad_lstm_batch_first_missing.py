"""LSTM batch first missing."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
seq = torch.randn(200, 10, 4); y = seq[:, :, 0].sum(1, keepdim=True)
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.lstm = nn.LSTM(4, 16); self.fc = nn.Linear(16, 1)
    def forward(self, x):
        out, (h, c) = self.lstm(x)
        return self.fc(out[:, -1, :])
net = Net(); opt = torch.optim.Adam(net.parameters(), 1e-2); crit = nn.MSELoss()
for e in range(2):
    for a, b in DataLoader(TensorDataset(seq, y), 20, shuffle=True):
        opt.zero_grad(); loss = crit(net(a), b); loss.backward(); opt.step()
