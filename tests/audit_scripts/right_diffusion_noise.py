"""A denoiser that predicts the noise it was given."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 32), nn.SiLU(), nn.Linear(32, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, t[:, None].float() / 100], dim=1))


torch.manual_seed(0)
betas = torch.linspace(1e-4, 0.02, 100)
alpha_bar = torch.cumprod(1 - betas, 0)
data = torch.randn(256, 2) * 0.3 + 1.0
model, ema = Denoiser(), Denoiser()
ema.load_state_dict(model.state_dict())
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for epoch in range(2):
    for (x0,) in DataLoader(TensorDataset(data), batch_size=32, shuffle=True):
        t = torch.randint(0, 100, (len(x0),))
        noise = torch.randn_like(x0)
        a = alpha_bar[t][:, None]
        predicted = model(a.sqrt() * x0 + (1 - a).sqrt() * noise, t)
        loss = nn.functional.mse_loss(predicted, noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for p, q in zip(ema.parameters(), model.parameters()):
                p.mul_(0.99).add_(q, alpha=0.01)
print(loss.item())
