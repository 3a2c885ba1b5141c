"""A large batch in chunks: gradients add up, one step, then they are cleared."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
X, W = torch.randn(1000, 8), torch.randn(8, 1)
Y = X @ W + 0.1 * torch.randn(1000, 1)
net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, nesterov=True)
for step in range(60):
    rows = torch.randint(0, 1000, (128,))
    for chunk in rows.chunk(4):
        loss = F.mse_loss(net(X[chunk]), Y[chunk]) * (len(chunk) / len(rows))
        loss.backward()
    opt.step()
    opt.zero_grad()
print("mse", F.mse_loss(net(X), Y).item())
