"""Logistic regression by L-BFGS, whose step calls a closure."""

import torch

torch.manual_seed(0)
X = torch.randn(120, 4)
y = (X @ torch.tensor([1.0, -2.0, 0.5, 0.0]) + 0.3 * torch.randn(120) > 0).float()
model = torch.nn.Linear(4, 1)
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)


def closure():
    optimizer.zero_grad()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model(X).squeeze(-1), y)
    loss.backward()
    return loss


for _ in range(5):
    loss = optimizer.step(closure)
accuracy = ((torch.sigmoid(model(X)).squeeze(-1) > 0.5).float() == y).float().mean()
print(loss.item(), accuracy.item())
