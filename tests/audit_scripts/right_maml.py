"""MAML."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
from torch.func import functional_call
net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1)); meta = torch.optim.Adam(net.parameters(), 1e-3)
for it in range(6):
    total = 0.
    for task in range(3):
        A, ph = torch.rand(2) * 3; xs, xq = torch.randn(10, 1), torch.randn(10, 1)
        params = dict(net.named_parameters())
        inner = F.mse_loss(functional_call(net, params, (xs,)), A * torch.sin(xs + ph))
        g = torch.autograd.grad(inner, list(params.values()), create_graph=True)
        fast = {k: p - .01 * gi for (k, p), gi in zip(params.items(), g)}
        total = total + F.mse_loss(functional_call(net, fast, (xq,)), A * torch.sin(xq + ph))
    meta.zero_grad(); (total / 3).backward(); meta.step()
