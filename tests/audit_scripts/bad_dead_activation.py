"""Wine quality: a small network by the book."""
import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(400, 11)
y = (X[:, 0] - 0.5 * X[:, 3] + 0.2 * torch.randn(400) + 5.6).unsqueeze(1)
Xtr, ytr, Xte, yte = X[:320], y[:320], X[320:], y[320:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(11, 32)
        self.fc2 = nn.Linear(32, 16)
        self.fc3 = nn.Linear(16, 1)

    def forward(self, x):
        x = torch.relu(self.fc1(x))
        x = torch.relu(-torch.relu(self.fc2(x)))
        return self.fc3(x)


net, lossf = Net(), nn.MSELoss()
optim = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)
for epoch in range(300):
    optim.zero_grad()
    out = net(Xtr)
    loss = lossf(out, ytr)
    loss.backward()
    optim.step()
with torch.no_grad():
    print("test mse", lossf(net(Xte), yte).item())
