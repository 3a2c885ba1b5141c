import torch
from torch import nn

torch.manual_seed(4)
nz, batch = 8, 64
G = nn.Sequential(nn.Linear(nz, 32), nn.LeakyReLU(0.2), nn.Linear(32, 2))
D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
optG = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
optD = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()


def real_batch():
    a = torch.rand(batch) * 6.2832
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(batch, 2)


for it in range(200):
    real = real_batch()
    z = torch.randn(batch, nz)
    fake = G(z).detach()

    # discriminator
    optD.zero_grad()
    lossD = bce(D(real), torch.ones(batch, 1)) + bce(D(fake), torch.zeros(batch, 1))
    lossD.backward()
    optD.step()

    # generator
    optG.zero_grad()
    lossG = bce(D(fake), torch.ones(batch, 1))
    lossG.backward()
    optG.step()
    if it % 50 == 0:
        print(f"{it}: D {lossD.item():.3f} G {lossG.item():.3f}")
