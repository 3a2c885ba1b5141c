import numpy as np, torch
from sklearn.datasets import make_friedman1
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

X, y = make_friedman1(1200, noise=1.0, random_state=1)
y = y * 1000 + 20000
X_tr, X_te, y_tr, y_te = train_test_split(X, y, random_state=1)
X_tr, X_va, y_tr, y_va = train_test_split(X_tr, y_tr, random_state=1)
xs = MinMaxScaler().fit(X_tr)
ys = StandardScaler().fit(y_tr[:, None])
tt = lambda a: torch.tensor(a, dtype=torch.float32)
Xt, Yt = tt(xs.transform(X_tr)), tt(ys.transform(y_tr[:, None]))
Xv, Yv = tt(xs.transform(X_va)), tt(ys.transform(y_va[:, None]))
net = torch.nn.Sequential(torch.nn.Linear(10, 64), torch.nn.ReLU(), torch.nn.Dropout(0.1), torch.nn.Linear(64, 1))
opt = torch.optim.Adam(net.parameters(), lr=5e-3)
best, state, bad = float("inf"), None, 0
for epoch in range(40):
    net.train()
    for i in torch.randperm(len(Xt)).split(64):
        opt.zero_grad()
        loss = torch.nn.functional.huber_loss(net(Xt[i]), Yt[i])
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        v = torch.nn.functional.huber_loss(net(Xv), Yv).item()
    if v < best:
        best, state, bad = v, {k: t.clone() for k, t in net.state_dict().items()}, 0
    else:
        bad += 1
        if bad == 5:
            break
net.load_state_dict(state)
net.eval()
with torch.no_grad():
    pred = ys.inverse_transform(net(tt(xs.transform(X_te))).numpy()).ravel()
print("MAE", mean_absolute_error(y_te, pred), "R2", r2_score(y_te, pred))
