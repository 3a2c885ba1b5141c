"""A toy DDPM on two moons."""
import math
import torch
from torch import nn
from sklearn.datasets import make_moons

T = 100
betas = torch.linspace(1e-4, 0.02, T)
alphas_bar = torch.cumprod(1 - betas, 0)


class Denoiser(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.time = nn.Embedding(T, hidden)
        self.inp = nn.Linear(2, hidden)
        self.mid = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 2))

    def forward(self, x, t):
        return self.mid(self.inp(x) + self.time(t))


def q_sample(x0, t, noise):
    ab = alphas_bar[t].unsqueeze(1)
    return ab.sqrt() * x0 + (1 - ab).sqrt() * noise


def main():
    torch.manual_seed(0)
    X, _ = make_moons(2000, noise=0.05, random_state=0)
    X = torch.tensor(X, dtype=torch.float32)
    model = Denoiser()
    opt = torch.optim.Adam(model.parameters(), lr=2e-3)
    for step in range(300):
        x0 = X[torch.randint(0, len(X), (128,))]
        t = torch.randint(0, T, (128,))
        noise = torch.randn_like(x0)
        xt = q_sample(x0, t, noise)
        loss = (model(xt, t) - xt).pow(2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        if step % 100 == 0:
            print(step, loss.item())


main()
