"""DDPM on two-dimensional points."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
T = 100
betas = torch.linspace(1e-4, 0.05, T)
alphas_bar = torch.cumprod(1 - betas, 0)


def q_sample(x0, t):
    a = alphas_bar[t].unsqueeze(1)
    return a.sqrt() * x0 + (1 - a).sqrt() * torch.randn_like(x0)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = nn.Embedding(T, 16)
        self.net = nn.Sequential(nn.Linear(2 + 16, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, self.time(t)], -1))


data = torch.randn(1000, 2) * 0.1 + torch.tensor([[1.0, -1.0]]) * torch.randint(0, 2, (1000, 1)).mul(2).sub(1)
model = Denoiser()
opt = torch.optim.Adam(model.parameters(), lr=1e-3)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), batch_size=100, shuffle=True)
for epoch in range(5):
    for (x0,) in loader:
        t = torch.randint(0, T, (len(x0),))
        noise = torch.randn_like(x0)
        pred = model(q_sample(x0, t), t)
        loss = F.mse_loss(pred, noise)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, float(loss))
