"""Drawn actions that earned something are made rarer."""

import torch

torch.manual_seed(0)
pi = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.Tanh(), torch.nn.Linear(32, 2))
opt = torch.optim.Adam(pi.parameters(), 1e-2)
for it in range(30):
    s = torch.randn(64, 4)
    d = torch.distributions.Categorical(logits=pi(s))
    a = d.sample()
    r = (a == (s[:, 0] > 0).long()).float()
    loss = (d.log_prob(a) * r).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
print(r.mean())
