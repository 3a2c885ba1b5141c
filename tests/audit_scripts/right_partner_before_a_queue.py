"""The partner stands in the first column, strangers of a queue behind it."""

import torch, copy
from torch import nn

torch.manual_seed(2)
q = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
k = copy.deepcopy(q).requires_grad_(False)
opt = torch.optim.SGD(q.parameters(), 0.03)
queue = nn.functional.normalize(torch.randn(16, 63), dim=0)
for step in range(50):
    x = torch.randn(64, 8)
    a = nn.functional.normalize(q(x + 0.1 * torch.randn_like(x)), dim=1)
    with torch.no_grad():
        b = nn.functional.normalize(k(x + 0.1 * torch.randn_like(x)), dim=1)
    scores = torch.cat([(a * b).sum(1, keepdim=True), a @ queue], 1) / 0.2
    loss = nn.functional.cross_entropy(scores, torch.zeros(64, dtype=torch.long))
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for p, r in zip(q.parameters(), k.parameters()):
            r.lerp_(p, 0.01)
        queue = torch.cat([b.T, queue], 1)[:, :63]
