"""Log softmax over batch."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__(); self.l = nn.Linear(8, 5)
    def forward(self, x): return F.log_softmax(self.l(x), dim=0)
x = torch.randn(300, 8); y = x[:, :5].argmax(1)
net = Net(); opt = torch.optim.SGD(net.parameters(), 0.1)
for e in range(2):
    for a, b in DataLoader(TensorDataset(x, y), 30, shuffle=True):
        opt.zero_grad(); loss = F.nll_loss(net(a), b); loss.backward(); opt.step()
