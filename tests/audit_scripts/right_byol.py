"""BYOL."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
import copy
x1 = torch.randn(256, 10); enc = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16)); pred = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 16)); tgt = copy.deepcopy(enc)
for p in tgt.parameters(): p.requires_grad_(False)
opt = torch.optim.SGD([*enc.parameters(), *pred.parameters()], .05, momentum=.9)
for (a,) in DataLoader(TensorDataset(x1), 32, shuffle=True, drop_last=True):
    v1, v2 = a + .1 * torch.randn_like(a), a + .1 * torch.randn_like(a)
    with torch.no_grad(): t1, t2 = tgt(v1), tgt(v2)
    loss = 2 - F.cosine_similarity(pred(enc(v1)), t2).mean() - F.cosine_similarity(pred(enc(v2)), t1).mean()
    opt.zero_grad(); loss.backward(); opt.step()
    with torch.no_grad():
        for p, q in zip(tgt.parameters(), enc.parameters()): p.lerp_(q, .01)
