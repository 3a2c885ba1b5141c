import numpy as np
import torch
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, TensorDataset

X, y = make_friedman1(1500, n_features=10, noise=1.0, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
sx, sy = StandardScaler(), StandardScaler()
X_train = sx.fit_transform(X_train)
X_test = sx.transform(X_test)
y_train = sy.fit_transform(y_train.reshape(-1, 1))

train = TensorDataset(torch.tensor(X_train).float(), torch.tensor(y_train).float())
loader = DataLoader(train, batch_size=64, shuffle=True)
net = torch.nn.Sequential(torch.nn.Linear(10, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
loss_fn = torch.nn.MSELoss()

for epoch in range(15):
    for xb, yb in loader:
        opt.zero_grad()
        loss = loss_fn(net(xb), yb)
        loss.backward()
        opt.step()

net.eval()
with torch.no_grad():
    y_hat = net(torch.tensor(X_test).float()).numpy().ravel()
print("MAE", mean_absolute_error(y_test, y_hat))
print("R2", r2_score(y_test, y_hat))
