import torch
from torch import nn, autograd


class Gen(nn.Module):
    def __init__(self, z=6):
        super().__init__()
        self.m = nn.Sequential(nn.Linear(z, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, z):
        return self.m(z)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))

    def forward(self, x):
        return self.m(x).view(-1)


def gradient_penalty(critic, real, fake):
    a = torch.rand(real.size(0), 1)
    x = (a * real + (1 - a) * fake).requires_grad_(True)
    g, = autograd.grad(critic(x).sum(), x, create_graph=True)
    return ((g.norm(2, dim=1) - 1) ** 2).mean()


def main(iters=40, n_critic=3, lam=10.0):
    torch.manual_seed(0)
    gen, critic = Gen(), Critic()
    og = torch.optim.Adam(gen.parameters(), lr=1e-4, betas=(0.0, 0.9))
    oc = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.0, 0.9))
    for i in range(iters):
        for _ in range(n_critic):
            real = torch.randn(64, 2) * 0.2 + torch.tensor([2.0, -1.0])
            fake = gen(torch.randn(64, 6)).detach()
            lc = critic(fake).mean() - critic(real).mean() + lam * gradient_penalty(critic, real, fake)
            oc.zero_grad()
            lc.backward()
            oc.step()
        lg = -critic(gen(torch.randn(64, 6))).mean()
        og.zero_grad()
        lg.backward()
        og.step()
        if i % 10 == 0:
            print(i, lc.item(), lg.item())


if __name__ == "__main__":
    main()
