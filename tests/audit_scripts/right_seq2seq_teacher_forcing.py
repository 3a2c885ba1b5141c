"""Seq2seq teacher forcing."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
import random
class S2S(nn.Module):
    def __init__(self, v=20, d=16):
        super().__init__(); self.e = nn.Embedding(v, d, padding_idx=0); self.enc = nn.GRU(d, d, batch_first=True); self.dec = nn.GRUCell(d, d); self.o = nn.Linear(d, v)
    def forward(self, src, tgt, force=0.5):
        _, h = self.enc(self.e(src)); h = h[0]; tok = tgt[:, 0]; outs = []
        for t in range(1, tgt.size(1)):
            h = self.dec(self.e(tok), h); logit = self.o(h); outs.append(logit)
            tok = tgt[:, t] if random.random() < force else logit.argmax(1)
        return torch.stack(outs, 1)
random.seed(0)
src = torch.randint(2, 20, (200, 6)); tgt = torch.cat([torch.ones(200, 1, dtype=torch.long), src.flip(1)], 1)
m = S2S(); opt = torch.optim.Adam(m.parameters(), 1e-2); crit = nn.CrossEntropyLoss(ignore_index=0)
for s, t in DataLoader(TensorDataset(src, tgt), 20):
    out = m(s, t); loss = crit(out.reshape(-1, 20), t[:, 1:].reshape(-1))
    opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 1); opt.step()
