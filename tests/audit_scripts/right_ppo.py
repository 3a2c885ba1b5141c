"""PPO."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
class AC(nn.Module):
    def __init__(self): super().__init__(); self.b = nn.Sequential(nn.Linear(4, 32), nn.Tanh()); self.pi = nn.Linear(32, 3); self.v = nn.Linear(32, 1)
    def forward(self, s): h = self.b(s); return torch.distributions.Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)
m = AC(); opt = torch.optim.Adam(m.parameters(), 3e-4, eps=1e-5)
for it in range(3):
    with torch.no_grad():
        s = torch.randn(128, 4); d, v = m(s); a = d.sample(); old = d.log_prob(a); r = (a == s[:, :3].argmax(1)).float(); adv = r - v; ret = r
    for ep in range(2):
        for idx in torch.randperm(128).split(32):
            d, v = m(s[idx]); ratio = (d.log_prob(a[idx]) - old[idx]).exp(); A = adv[idx]; A = (A - A.mean()) / (A.std() + 1e-8)
            pl = -torch.min(ratio * A, ratio.clamp(.8, 1.2) * A).mean(); vl = .5 * (v - ret[idx]).pow(2).mean()
            loss = pl + .5 * vl - .01 * d.entropy().mean()
            opt.zero_grad(); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), .5); opt.step()
