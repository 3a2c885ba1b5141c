import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset


class TwoViews(Dataset):
    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        def aug(v):
            keep = (torch.rand_like(v) > 0.1).float()
            return v * keep + 0.2 * torch.randn_like(v)
        return aug(self.x[i]), aug(self.x[i])


def nt_xent(a, b, t=0.5):
    n = a.size(0)
    z = F.normalize(torch.cat([a, b]), dim=-1)
    sim = z @ z.T / t
    sim.fill_diagonal_(float("-inf"))
    target = torch.cat([torch.arange(n, 2 * n), torch.arange(n)])
    return F.cross_entropy(sim, target)


def main():
    torch.manual_seed(0)
    proto = torch.randn(8, 24) * 3
    x = proto[torch.randint(0, 8, (512,))] + torch.randn(512, 24)
    model = nn.Sequential(nn.Linear(24, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 16))
    opt = torch.optim.AdamW(model.parameters(), lr=1e-3)
    dl = DataLoader(TwoViews(x), batch_size=64, shuffle=True, drop_last=True, num_workers=2)
    for epoch in range(2):
        for v1, v2 in dl:
            loss = nt_xent(model(v1), model(v2))
            opt.zero_grad(set_to_none=True)
            loss.backward()
            opt.step()
        print(epoch, loss.item())


if __name__ == "__main__":
    main()
