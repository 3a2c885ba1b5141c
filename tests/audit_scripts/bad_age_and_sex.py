"""Targets as a tuple: age and sex from a face (features); the age broadcasts."""
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Faces(Dataset):
    def __init__(self, n):
        torch.manual_seed(n)
        self.f = torch.randn(n, 20)

    def __len__(self):
        return len(self.f)

    def __getitem__(self, i):
        f = self.f[i]
        return f, (35 + 10 * f[0], (f[1] > 0).long())


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(20, 64), nn.ReLU())
        self.age, self.sex = nn.Linear(64, 1), nn.Linear(64, 2)

    def forward(self, f):
        h = self.trunk(f)
        return self.age(h), self.sex(h)


net = TwoHeads()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
ce = nn.CrossEntropyLoss()
for epoch in range(3):
    for f, (age, sex) in DataLoader(Faces(320), 32, shuffle=True):
        p_age, p_sex = net(f)
        loss_age = torch.sqrt(torch.mean((p_age - age) ** 2) + 1e-8)
        loss = 0.1 * loss_age + ce(p_sex, sex)
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, loss_age.item())
