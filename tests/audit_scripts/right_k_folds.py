"""K folds."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
import numpy as np
from sklearn.model_selection import StratifiedKFold
x = torch.randn(240, 6); y = (x[:, 0] + .3 * torch.randn(240) > 0).long(); scores = []
for fold, (tr, va) in enumerate(StratifiedKFold(3, shuffle=True, random_state=0).split(x.numpy(), y.numpy())):
    net = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(.3), nn.Linear(16, 2)); opt = torch.optim.AdamW(net.parameters(), 1e-3)
    best, wait = 1e9, 0
    for epoch in range(5):
        net.train()
        for a, b in DataLoader(TensorDataset(x[tr], y[tr]), 32, shuffle=True, drop_last=True):
            opt.zero_grad(); F.cross_entropy(net(a), b, label_smoothing=.05).backward(); opt.step()
        net.eval()
        with torch.no_grad(): val = F.cross_entropy(net(x[va]), y[va]).item(); acc = (net(x[va]).argmax(-1) == y[va]).numpy().mean()
        if val < best: best, wait = val, 0
        else: wait += 1
        if wait > 2: break
    scores.append(acc)
print(np.mean(scores))
