import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def augment(x):
    return x + 0.3 * torch.randn_like(x)


class Encoder(nn.Module):
    def __init__(self, d_in=30, d_h=64, d_z=16):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(d_in, d_h), nn.ReLU(), nn.Linear(d_h, d_h), nn.ReLU())
        self.g = nn.Sequential(nn.Linear(d_h, d_h), nn.ReLU(), nn.Linear(d_h, d_z))

    def forward(self, x):
        return F.normalize(self.g(self.f(x)), dim=1)


def nt_xent(z1, z2, tau=0.2):
    z = torch.cat([z1, z2], 0)
    sim = z @ z.t() / tau
    labels = torch.arange(len(z))
    return F.cross_entropy(sim, labels)


def run(epochs=3):
    torch.manual_seed(0)
    centres = torch.randn(10, 30) * 2
    x = centres[torch.randint(0, 10, (1000,))] + torch.randn(1000, 30)
    loader = DataLoader(TensorDataset(x), batch_size=100, shuffle=True, drop_last=True)
    enc = Encoder()
    opt = torch.optim.SGD(enc.parameters(), lr=0.05, momentum=0.9)
    for e in range(epochs):
        for (xb,) in loader:
            loss = nt_xent(enc(augment(xb)), enc(augment(xb)))
            opt.zero_grad()
            loss.backward()
            opt.step()
        print(e, loss.item())


run()
