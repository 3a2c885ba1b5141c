"""A rare event: weights of the positives, logits, a sigmoid only where probabilities are needed."""

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(1000, 6)
y = ((x[:, 0] + 0.5 * torch.randn(1000)) > 1.6).float()
train = DataLoader(TensorDataset(x[:800], y[:800]), batch_size=8, shuffle=True)
test = DataLoader(TensorDataset(x[800:], y[800:]), batch_size=100)
net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1))
weight = (y == 0).sum() / (y == 1).sum()
criterion = nn.BCEWithLogitsLoss(pos_weight=weight)
opt = torch.optim.Adam(net.parameters(), 1e-3)
for epoch in range(2):
    for xb, yb in train:
        opt.zero_grad()
        criterion(net(xb).squeeze(1), yb).backward()
        opt.step()
net.eval()
scores, truth = [], []
with torch.no_grad():
    for xb, yb in test:
        scores.append(torch.sigmoid(net(xb)).squeeze(1).numpy())
        truth.append(yb.numpy())
scores, truth = np.concatenate(scores), np.concatenate(truth)
print(roc_auc_score(truth, scores), average_precision_score(truth, scores))
