"""Tabular with scalers."""

import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, Dataset
torch.manual_seed(0)
from sklearn.preprocessing import StandardScaler
from sklearn.model_selection import train_test_split
from sklearn.metrics import mean_squared_error, r2_score
import numpy as np
rng = np.random.default_rng(0); X = rng.normal(size=(400, 6)); y = 100 + 30 * X[:, 0] + rng.normal(size=400)
Xa, Xb, ya, yb = train_test_split(X, y, random_state=0); sx, sy = StandardScaler().fit(Xa), StandardScaler().fit(ya[:, None])
t = lambda a: torch.tensor(a, dtype=torch.float32)
tr = DataLoader(TensorDataset(t(sx.transform(Xa)), t(sy.transform(ya[:, None]))), 32, shuffle=True)
m = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 1)); opt = torch.optim.Adam(m.parameters(), 1e-2)
for e in range(20):
    for a, b in tr: loss = F.mse_loss(m(a), b); opt.zero_grad(); loss.backward(); opt.step()
m.eval()
with torch.no_grad(): p = sy.inverse_transform(m(t(sx.transform(Xb))).numpy())[:, 0]
print(mean_squared_error(yb, p), r2_score(yb, p))
