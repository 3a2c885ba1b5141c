"""House prices from a handful of columns, without a loader: all rows at once, standardised, in a plain loop."""

import torch

torch.manual_seed(1)
X = torch.rand(200, 5)
price = 50_000 + 100_000 * X[:, 0] + 40_000 * X[:, 1] * X[:, 2] + 5_000 * torch.randn(200)
mean, std = price[:150].mean(), price[:150].std()
y = ((price - mean) / std).unsqueeze(1)

model = torch.nn.Sequential(torch.nn.Linear(5, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1))
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
loss_fn = torch.nn.MSELoss()

for step in range(200):
    pred = model(X[:150])
    loss = loss_fn(pred, y[:150])
    opt.zero_grad()
    loss.backward()
    opt.step()

model.eval()
with torch.no_grad():
    test = model(X[150:]) * std + mean
    print("rmse", (test.squeeze(1) - price[150:]).pow(2).mean().sqrt().item())
