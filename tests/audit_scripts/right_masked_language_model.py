"""Masked language model."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class MLM(nn.Module):
    def __init__(self): super().__init__(); self.e = nn.Embedding(40, 16); self.p = nn.Embedding(12, 16); self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 1); self.o = nn.Linear(16, 40)
    def forward(self, ids): return self.o(self.t(self.e(ids) + self.p(torch.arange(ids.size(1)))))
def collate(rows):
    ids = torch.stack(rows); labels = ids.clone(); mask = torch.rand(ids.shape) < .15; mask[:, 0] = True
    labels[~mask] = -100; ids = ids.masked_fill(mask, 39); return {"input_ids": ids, "labels": labels}
m = MLM(); opt = torch.optim.AdamW(m.parameters(), 1e-3)
for b in DataLoader(list(torch.randint(0, 39, (160, 12))), 16, collate_fn=collate):
    out = m(b["input_ids"]); loss = F.cross_entropy(out.view(-1, 40), b["labels"].view(-1)); loss.backward(); opt.step(); opt.zero_grad()
