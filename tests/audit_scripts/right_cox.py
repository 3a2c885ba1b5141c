"""Cox."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
x = torch.randn(300, 4); time = torch.exp(torch.randn(300) - .5 * x[:, 0]); event = (torch.rand(300) < .7).float()
m = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1)); opt = torch.optim.Adam(m.parameters(), 1e-2)
def cox(risk, time, event):
    order = torch.argsort(time, descending=True); risk, event = risk[order], event[order]
    return -((risk - torch.logcumsumexp(risk, 0)) * event).sum() / event.sum()
for e in range(15):
    loss = cox(m(x).squeeze(1), time, event); opt.zero_grad(); loss.backward(); opt.step()
