"""Truncated backprop."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
text = torch.randint(0, 12, (2000,))
class RNN(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(12, 8); self.r = nn.LSTM(8, 16); self.o = nn.Linear(16, 12)
    def forward(self, x, h):
        out, h = self.r(self.e(x), h); return self.o(out).view(-1, 12), h
data = text[: 2000 // 10 * 10].view(10, -1).t().contiguous()
m = RNN(); opt = torch.optim.SGD(m.parameters(), 1.0); h = None
for i in range(0, data.size(0) - 21, 20):
    if h is not None: h = tuple(s.detach() for s in h)
    x, y = data[i:i + 20], data[i + 1:i + 21].reshape(-1)
    opt.zero_grad(); out, h = m(x, h); loss = F.cross_entropy(out, y); loss.backward()
    nn.utils.clip_grad_norm_(m.parameters(), 0.25); opt.step()
