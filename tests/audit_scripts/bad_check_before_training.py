import argparse
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset, random_split


def get_args():
    p = argparse.ArgumentParser(description="tabular classifier")
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--epochs", type=int, default=5)
    p.add_argument("--batch-size", type=int, default=64)
    return p.parse_args()


class Net(nn.Module):
    def __init__(self, d, k):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.3))
        self.out = nn.Linear(64, k)

    def forward(self, x):
        return self.out(self.body(x))


def validate(model, loader):
    model.eval()
    hit = n = 0
    with torch.no_grad():
        for x, y in loader:
            hit += (model(x).argmax(1) == y).sum().item()
            n += len(y)
    return hit / n


def main():
    args = get_args()
    torch.manual_seed(1)
    x = torch.randn(2000, 20)
    w = torch.randn(20, 4)
    y = (x @ w + torch.randn(2000, 4)).argmax(1)
    tr, va = random_split(TensorDataset(x, y), [1600, 400])
    tl = DataLoader(tr, batch_size=args.batch_size, shuffle=True)
    vl = DataLoader(va, batch_size=256)
    model = Net(20, 4)
    opt = optim.Adam(model.parameters(), lr=args.lr)
    crit = nn.CrossEntropyLoss()
    model.train()
    print("before training", validate(model, vl))
    for ep in range(args.epochs):
        for x, y in tl:
            opt.zero_grad()
            loss = crit(model(x), y)
            loss.backward()
            opt.step()
        print(ep, validate(model, vl))


if __name__ == "__main__":
    main()
