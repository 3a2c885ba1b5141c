"""Drawn arms that cost much are made rarer."""

import torch

torch.manual_seed(3)
logits = torch.nn.Linear(6, 4)
opt = torch.optim.SGD(logits.parameters(), 0.1)
price = torch.rand(6, 4)
for t in range(200):
    k = torch.randint(0, 6, (32,))
    ctx = torch.eye(6)[k]
    d = torch.distributions.Categorical(logits=logits(ctx))
    a = d.sample()
    c = price[k, a]
    objective = (d.log_prob(a) * (c - c.mean())).mean()
    opt.zero_grad()
    objective.backward()
    opt.step()
