import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import Dataset, DataLoader


class Shapes(Dataset):
    """Squares of three brightnesses on a dark ground."""
    def __init__(self, n=120, size=24):
        g = torch.Generator().manual_seed(0)
        self.img = torch.rand(n, 1, size, size, generator=g) * 0.2
        self.mask = torch.zeros(n, size, size, dtype=torch.long)
        for i in range(n):
            for c in (1, 2):
                y, x = torch.randint(0, size - 8, (2,), generator=g).tolist()
                self.img[i, 0, y:y + 8, x:x + 8] += 0.4 * c
                self.mask[i, y:y + 8, x:x + 8] = c

    def __len__(self):
        return len(self.img)

    def __getitem__(self, i):
        return {"image": self.img[i], "mask": self.mask[i]}


class TinyUNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.d1 = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())
        self.d2 = nn.Sequential(nn.Conv2d(8, 16, 3, padding=1), nn.ReLU())
        self.u1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.head = nn.Conv2d(16, classes, 1)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(F.max_pool2d(a, 2))
        return self.head(torch.cat([a, self.u1(b)], 1))


def train():
    torch.manual_seed(0)
    net = TinyUNet()
    optim = torch.optim.Adam(net.parameters(), 2e-3)
    for epoch in range(4):
        net.train()
        running = 0
        for batch in DataLoader(Shapes(), batch_size=12, shuffle=True):
            logits = net(batch["image"])
            loss = F.cross_entropy(logits.contiguous().view(-1, 3), batch["mask"].view(-1))
            optim.zero_grad()
            loss.backward()
            optim.step()
            running += loss.item()
        print(f"[{epoch}] loss={running / 10:.4f}")
    return net


if __name__ == "__main__":
    train()
