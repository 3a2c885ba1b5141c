"""View for permute."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class Tagger(nn.Module):
    def __init__(self):
        super().__init__(); self.e = nn.Embedding(30, 8); self.g = nn.GRU(8, 12, batch_first=True); self.o = nn.Linear(12, 4)
    def forward(self, t): return self.o(self.g(self.e(t))[0])
tok = torch.randint(0, 30, (160, 7)); tag = tok % 4
m = Tagger(); opt = torch.optim.Adam(m.parameters(), 1e-2)
for e in range(2):
    for t, y in DataLoader(TensorDataset(tok, tag), 16, shuffle=True):
        out = m(t)
        loss = F.cross_entropy(out.view(out.size(0), out.size(2), out.size(1)), y)
        opt.zero_grad(); loss.backward(); opt.step()
