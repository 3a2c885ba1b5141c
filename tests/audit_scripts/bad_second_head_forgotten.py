"""Age and gender from face embeddings: one trunk, two heads."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

rng = np.random.default_rng(3)
N = 1500
emb = rng.normal(size=(N, 32)).astype("float32")
age = (40 + 10 * emb[:, :4].sum(1) / 2 + rng.normal(size=N) * 3).astype("float32")
gender = (emb[:, 5] + 0.5 * rng.normal(size=N) > 0).astype("float32")


class AgeGender(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.age = nn.Linear(32, 1)
        self.gender = nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return {"age": self.age(h).squeeze(-1), "gender": self.gender(h).squeeze(-1)}


net = AgeGender()
opt = torch.optim.AdamW(net.parameters(), lr=3e-3)
mu, sd = age[:1200].mean(), age[:1200].std()
X = torch.from_numpy(emb)
A = torch.from_numpy((age - mu) / sd)
G = torch.from_numpy(gender)

for epoch in range(10):
    perm = torch.randperm(1200)
    tot_a = tot_g = 0.0
    for i in range(0, 1200, 100):
        idx = perm[i : i + 100]
        out = net(X[idx])
        loss_age = F.mse_loss(out["age"], A[idx])
        loss_gender = F.binary_cross_entropy_with_logits(out["gender"], G[idx])
        loss = loss_age
        opt.zero_grad()
        loss.backward()
        opt.step()
        tot_a += loss_age.item()
        tot_g += loss_gender.item()
    print(f"epoch {epoch} age {tot_a / 12:.3f} gender {tot_g / 12:.3f}")

net.eval()
with torch.no_grad():
    out = net(X[1200:])
print("gender acc", ((out["gender"] > 0).float() == G[1200:]).float().mean().item())
print("age mae", (out["age"] * sd + mu - torch.from_numpy(age[1200:])).abs().mean().item())
