"""Linear regression from scratch with autograd; the error is a sum."""
import torch

torch.manual_seed(0)
X = torch.randn(300, 3) * torch.tensor([1.0, 5.0, 20.0])
y = X @ torch.tensor([1.0, -0.3, 0.05]) + 2
w = torch.zeros(3, requires_grad=True)
b = torch.zeros(1, requires_grad=True)
lr = 0.01
for epoch in range(50):
    pred = X @ w + b
    loss = ((pred - y) ** 2).sum()
    loss.backward()
    with torch.no_grad():
        w -= lr * w.grad
        b -= lr * b.grad
        w.grad.zero_()
        b.grad.zero_()
print(w, b, loss.item())
