"""A small transformer with a padding mask, a class token, and weight decay on some parameters only."""

import math

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Words(Dataset):
    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.rows = [torch.randint(1, 30, (int(torch.randint(3, 15, (1,), generator=g)),), generator=g) for _ in range(n)]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], int((self.rows[i] > 15).float().mean() > 0.5)


def collate(rows):
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.stack([nn.functional.pad(ids, (0, longest - len(ids))) for ids, _ in rows])
    return ids, torch.tensor([label for _, label in rows])


class Model(nn.Module):
    def __init__(self, d=16):
        super().__init__()
        self.emb = nn.Embedding(30, d, padding_idx=0)
        self.cls = nn.Parameter(torch.randn(1, 1, d) / math.sqrt(d))
        layer = nn.TransformerEncoderLayer(d, 2, 32, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.out = nn.Linear(d, 2)

    def forward(self, ids):
        x = torch.cat([self.cls.expand(len(ids), -1, -1), self.emb(ids)], dim=1)
        mask = torch.cat([torch.zeros(len(ids), 1, dtype=torch.bool), ids == 0], dim=1)
        return self.out(self.encoder(x, src_key_padding_mask=mask)[:, 0])


torch.manual_seed(0)
model = Model()
decay = [p for p in model.parameters() if p.dim() > 1]
rest = [p for p in model.parameters() if p.dim() <= 1]
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": rest, "weight_decay": 0.0}], lr=1e-3)
train = DataLoader(Words(160, 0), batch_size=16, shuffle=True, collate_fn=collate)
valid = DataLoader(Words(40, 1), batch_size=40, collate_fn=collate)
for epoch in range(2):
    model.train()
    for ids, labels in train:
        loss = nn.functional.cross_entropy(model(ids), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.inference_mode():
        for ids, labels in valid:
            print((model(ids).argmax(-1) == labels).float().mean().item())
