"""A student taught by a frozen teacher: soft targets at a temperature, and the labels."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(320, 8)
y = x[:, :3].argmax(1)
teacher = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 3)).eval()
student = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3))
for p in teacher.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.Adam(student.parameters(), lr=1e-2)
T, alpha = 2.0, 0.5
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
        with torch.no_grad():
            soft = teacher(xb)
        logits = student(xb)
        kd = F.kl_div(F.log_softmax(logits / T, dim=1), F.softmax(soft / T, dim=1), reduction="batchmean") * T * T
        loss = alpha * kd + (1 - alpha) * F.cross_entropy(logits, yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
print(loss.item())
