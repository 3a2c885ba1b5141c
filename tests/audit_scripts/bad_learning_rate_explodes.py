"""Raw prices, squared error, and a learning rate for standardised ones."""

import torch

torch.manual_seed(0)
size = 50 + 100 * torch.rand(100, 1)
price = 3000 * size + 10000 * torch.randn(100, 1)
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
for epoch in range(100):
    loss = torch.nn.functional.mse_loss(model(size), price)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(loss.item())
