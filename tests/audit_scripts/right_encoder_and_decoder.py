"""An encoder and a decoder of two modules."""

import torch, numpy as np
from torch import nn

torch.manual_seed(0)
enc = nn.Sequential(nn.Linear(9, 16), nn.Tanh())
dec = nn.Linear(16, 1)
opt = torch.optim.Adam([*enc.parameters(), *dec.parameters()], 1e-2)
x = torch.randn(128, 9)
y = x[:, :1]
for i in range(40):
    z = enc(x)
    loss = (dec(z) - y).pow(2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
