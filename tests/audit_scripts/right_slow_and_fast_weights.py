"""Lookahead by hand: every fifth step the weights go back half the way; and weights are kept in a box."""
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(500, 5)
y = torch.sin(x.sum(1, keepdim=True))
model = nn.Sequential(nn.Linear(5, 40), nn.ReLU(), nn.Linear(40, 1))
slow = [p.detach().clone() for p in model.parameters()]
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.8)
step = 0
for epoch in range(15):
    for k in range(0, 500, 50):
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x[k:k + 50]), y[k:k + 50])
        loss.backward()
        optimizer.step()
        step += 1
        with torch.no_grad():
            for p in model.parameters():
                p.clamp_(-2, 2)
            if step % 5 == 0:
                for s, p in zip(slow, model.parameters()):
                    s.add_(p - s, alpha=0.5)
                    p.copy_(s)
print(loss.item())
