"""Least squares by L-BFGS, whose closure is evaluated many times at one batch."""

import torch

torch.manual_seed(0)
x = torch.randn(100, 3)
y = x @ torch.tensor([[1.0], [2.0], [3.0]]) + 0.1 * torch.randn(100, 1)
net = torch.nn.Linear(3, 1)
optimizer = torch.optim.LBFGS(net.parameters(), lr=1)


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.mse_loss(net(x), y)
    loss.backward()
    return loss


for _ in range(10):
    print(optimizer.step(closure).item())
