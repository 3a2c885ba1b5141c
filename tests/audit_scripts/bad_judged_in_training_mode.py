"""Nothing is said to the model before it is judged: dropout goes on."""

import torch
from torch import nn

torch.manual_seed(1)
x = torch.randn(480, 12)
y = (x[:, :3].sum(1) > 0).long()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(12, 40)
        self.d = nn.Dropout(0.4)
        self.l2 = nn.Linear(40, 2)

    def forward(self, t):
        return self.l2(self.d(torch.relu(self.l1(t))))


def evaluate(net, xs, ys):
    with torch.inference_mode():
        return float((net(xs).argmax(-1) == ys).float().mean())


net = Net()
opt = torch.optim.AdamW(net.parameters(), 1e-3)
for epoch in range(4):
    for part in torch.randperm(400).split(40):
        loss = nn.functional.cross_entropy(net(x[part]), y[part])
        opt.zero_grad()
        loss.backward()
        opt.step()
    print(epoch, evaluate(net, x[400:], y[400:]))
