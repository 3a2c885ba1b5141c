"""DDPM on points with a running average of the weights, which is what samples at the end."""
import copy
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
T = 50
betas = torch.linspace(1e-4, 0.08, T)
abar = torch.cumprod(1 - betas, 0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(T, 16)
        self.net = nn.Sequential(nn.Linear(18, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, self.time(t)], -1))


data = torch.randn(600, 2) * 0.1 + torch.tensor([1.0, -1.0])
model = Denoiser()
ema = copy.deepcopy(model).eval().requires_grad_(False)
opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
for step in range(80):
    x0 = data[torch.randint(0, 600, (128,))]
    t = torch.randint(0, T, (128,))
    noise = torch.randn_like(x0)
    a = abar[t][:, None]
    xt = a.sqrt() * x0 + (1 - a).sqrt() * noise
    loss = F.mse_loss(model(xt, t), noise)
    opt.zero_grad()
    loss.backward()
    opt.step()
    with torch.no_grad():
        for e, p in zip(ema.parameters(), model.parameters()):
            e.mul_(0.99).add_(p, alpha=0.01)
with torch.no_grad():
    x = torch.randn(16, 2)
    for k in reversed(range(T)):
        t = torch.full((16,), k)
        eps = ema(x, t)
        x = (x - betas[k] / (1 - abar[k]).sqrt() * eps) / (1 - betas[k]).sqrt()
        if k:
            x = x + betas[k].sqrt() * torch.randn_like(x)
print(x.mean(0))
