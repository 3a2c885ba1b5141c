"""A likelihood is maximised where its negative should be minimised: the sign of a hand-written loss."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def log_likelihood(logits, labels):
    return torch.log_softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).mean()


torch.manual_seed(0)
x = torch.randn(300, 5)
y = x[:, :4].argmax(1)
net = nn.Linear(5, 4)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True):
        opt.zero_grad()
        loss = log_likelihood(net(xb), yb)
        loss.backward()
        opt.step()
    print(loss.item())
