import torch
from torch import nn
import torch.nn.functional as F


class TwoTower(nn.Module):
    def __init__(self, users=60, items=120, k=12):
        super().__init__()
        self.user, self.item, self.bias = nn.Embedding(users, k), nn.Embedding(items, k), nn.Embedding(items, 1)
        for e in (self.user, self.item):
            nn.init.normal_(e.weight, std=0.05)
        nn.init.zeros_(self.bias.weight)

    def score(self, u, i):
        return (self.user(u) * self.item(i)).sum(1) + self.bias(i).squeeze(1)

    def forward(self, u, pos, neg):
        return self.score(u, pos) - self.score(u, neg)


torch.manual_seed(2)
U = torch.randint(0, 60, (3000,))
I = (2 * U + torch.randint(0, 8, (3000,))) % 120
model = TwoTower()
opt = torch.optim.SparseAdam if False else torch.optim.Adam
opt = opt(model.parameters(), lr=0.01, weight_decay=1e-5)
for epoch in range(3):
    for idx in torch.randperm(2400).split(200):
        diff = model(U[idx], I[idx], torch.randint(0, 120, (len(idx),)))
        loss = -F.logsigmoid(diff).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
    with torch.no_grad():
        print(epoch, loss.item(), (model(U[2400:], I[2400:], torch.randint(0, 120, (600,))) > 0).float().mean().item())
