import math
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def sinusoidal(t, dim):
    half = dim // 2
    f = torch.exp(-math.log(10000) * torch.arange(half) / half)
    a = t[:, None].float() * f[None]
    return torch.cat([a.sin(), a.cos()], -1)


class Eps(nn.Module):
    def __init__(self, d=2, h=96):
        super().__init__()
        self.t = nn.Sequential(nn.Linear(32, h), nn.SiLU())
        self.x = nn.Linear(d, h)
        self.net = nn.Sequential(nn.SiLU(), nn.Linear(h, h), nn.SiLU(), nn.Linear(h, d))

    def forward(self, x, t):
        return self.net(self.x(x) + self.t(sinusoidal(t, 32)))


class GaussianDiffusion:
    def __init__(self, T=200):
        self.T = T
        self.beta = torch.linspace(1e-4, 0.03, T)
        self.abar = (1 - self.beta).cumprod(0)

    def loss(self, model, x0):
        t = torch.randint(0, self.T, (x0.shape[0],))
        eps = torch.randn_like(x0)
        ab = self.abar[t][:, None]
        return nn.functional.mse_loss(model(ab.sqrt() * x0 + (1 - ab).sqrt() * eps, t), eps)


torch.manual_seed(0)
theta = torch.rand(1024) * 2 * math.pi
data = torch.stack([theta.cos(), theta.sin()], 1) * 1.4
loader = DataLoader(TensorDataset(data), batch_size=128, shuffle=True)
model, diff = Eps(), GaussianDiffusion()
ema = {k: v.clone() for k, v in model.state_dict().items()}
opt = torch.optim.Adam(model.parameters(), 1e-3)
for epoch in range(4):
    for (x0,) in loader:
        loss = diff.loss(model, x0)
        opt.zero_grad(); loss.backward(); opt.step()
        for k, v in model.state_dict().items():
            ema[k].mul_(0.99).add_(v, alpha=0.01)
    print(epoch, float(loss))
torch.save(ema, "ema.pt")
