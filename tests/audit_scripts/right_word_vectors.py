"""Word vectors."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
V = 60; center = torch.randint(0, V, (800,)); ctx = (center + torch.randint(1, 4, (800,))) % V
I, O = nn.Embedding(V, 12), nn.Embedding(V, 12); opt = torch.optim.SparseAdam if False else torch.optim.Adam; opt = opt([*I.parameters(), *O.parameters()], 1e-2)
for c, o in DataLoader(TensorDataset(center, ctx), 64, shuffle=True):
    neg = torch.randint(0, V, (len(c), 5)); v = I(c)
    loss = -(F.logsigmoid((v * O(o)).sum(1)) + F.logsigmoid(-(O(neg) @ v.unsqueeze(2)).squeeze(2)).sum(1)).mean()
    opt.zero_grad(); loss.backward(); opt.step()
