"""Large effective batch: chunks of one batch, one step; by slices."""
import torch
import torch.nn.functional as F

torch.manual_seed(0)
X, W = torch.randn(1024, 8), torch.randn(8, 1)
Y = X @ W + 0.1 * torch.randn(1024, 1)
net = torch.nn.Sequential(torch.nn.Linear(8, 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.05)
K = 4
for step in range(100):
    rows = torch.randint(0, 1024, (128,))
    opt.zero_grad()
    for k, chunk in enumerate(rows.chunk(K)):
        loss = F.mse_loss(net(X[chunk]), Y[chunk]) / K
        loss.backward()
        if k % K == 0:
            opt.step()
    if step % 25 == 0:
        print(step, loss.item() * K)
