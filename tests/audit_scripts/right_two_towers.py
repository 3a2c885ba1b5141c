"""Two towers with in-batch negatives, both directions, a learned temperature."""
import torch, torch.nn as nn, torch.nn.functional as F

torch.manual_seed(3)
N, V = 512, 60
queries = torch.randint(1, V, (N, 6))
docs = torch.cat([queries[:, :4], torch.randint(1, V, (N, 8))], 1)


class Tower(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.emb, self.out = nn.EmbeddingBag(V, dim), nn.Linear(dim, dim)

    def forward(self, ids):
        return F.normalize(self.out(self.emb(ids)), dim=-1)


q_tower, d_tower = Tower(), Tower()
log_scale = nn.Parameter(torch.tensor(2.6))
opt = torch.optim.Adam([*q_tower.parameters(), *d_tower.parameters(), log_scale], lr=3e-3)
for epoch in range(12):
    order = torch.randperm(N)
    for start in range(0, N, 64):
        idx = order[start:start + 64]
        q, d = q_tower(queries[idx]), d_tower(docs[idx])
        scores = log_scale.exp() * q @ d.t()
        labels = torch.arange(len(idx))
        loss = (F.cross_entropy(scores, labels) + F.cross_entropy(scores.t(), labels)) / 2
        opt.zero_grad(); loss.backward(); opt.step()
with torch.no_grad():
    hit = (q_tower(queries) @ d_tower(docs).t()).argmax(1) == torch.arange(N)
print("recall@1", hit.float().mean().item())
