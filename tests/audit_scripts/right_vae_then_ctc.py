"""Two small trainings of one afternoon: a VAE and a CTC reader."""
import torch
from torch import nn
from torch.nn import functional as F


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.mu, self.lv = nn.Linear(36, 24), nn.Linear(24, 3), nn.Linear(24, 3)
        self.dec = nn.Sequential(nn.Linear(3, 24), nn.ReLU(), nn.Linear(24, 36))

    def forward(self, x):
        h = torch.relu(self.enc(x))
        mu, lv = self.mu(h), self.lv(h)
        z = mu + torch.randn_like(mu) * (lv / 2).exp()
        return self.dec(z), mu, lv


def train_vae(x):
    vae = VAE()
    opt = torch.optim.Adam(vae.parameters(), 2e-3)
    for step in range(40):
        b = x[torch.randint(0, len(x), (64,))]
        logits, mu, lv = vae(b)
        rec = F.binary_cross_entropy_with_logits(logits, b, reduction="none").sum(1).mean()
        kl = (-0.5 * (1 + lv - mu ** 2 - lv.exp()).sum(1)).mean()
        opt.zero_grad()
        (rec + kl).backward()
        opt.step()
    print("elbo", -(rec + kl).item())


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(5, 24, batch_first=True, bidirectional=True)
        self.out = nn.Linear(48, 6)

    def forward(self, x):
        return self.out(self.rnn(x)[0])


def train_ctc():
    net = Reader()
    opt = torch.optim.Adam(net.parameters(), 5e-3)
    ctc = nn.CTCLoss(blank=0, zero_infinity=True)
    for step in range(30):
        y = torch.randint(1, 6, (16, 4))
        x = F.one_hot(y.repeat_interleave(3, 1) - 1, 5).float() + 0.1 * torch.randn(16, 12, 5)
        lp = net(x).log_softmax(-1).transpose(0, 1)
        loss = ctc(lp, y, torch.full((16,), 12), torch.full((16,), 4))
        opt.zero_grad()
        loss.backward()
        opt.step()
    print("ctc", loss.item())


if __name__ == "__main__":
    torch.manual_seed(0)
    train_vae((torch.rand(500, 36) > 0.6).float())
    train_ctc()
