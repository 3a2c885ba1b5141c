"""Multilabel torchmetrics."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
from torchmetrics.classification import MultilabelF1Score
x = torch.randn(300, 12); y = (x[:, :4] + .2 * torch.randn(300, 4) > .3).float()
m = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 4)); opt = torch.optim.RMSprop(m.parameters(), 1e-3); crit = nn.BCEWithLogitsLoss(); f1 = MultilabelF1Score(4)
for e in range(2):
    for a, b in DataLoader(TensorDataset(x[:240], y[:240]), 30, shuffle=True):
        opt.zero_grad(); loss = crit(m(a), b); loss.backward(); opt.step()
    with torch.no_grad(): f1.update(m(x[240:]).sigmoid(), y[240:].int()); print(f1.compute().item()); f1.reset()
