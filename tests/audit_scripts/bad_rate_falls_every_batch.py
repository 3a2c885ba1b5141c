import math
from dataclasses import dataclass
import torch
import torch.nn as nn


@dataclass
class Config:
    lr: float = 1e-3
    epochs: int = 10
    batch: int = 50


def build(cfg):
    model = nn.Sequential(nn.Linear(12, 48), nn.Tanh(), nn.Linear(48, 1))
    opt = torch.optim.Adam(model.parameters(), lr=cfg.lr)
    sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.1)
    return model, opt, sched


def run(cfg):
    torch.manual_seed(0)
    x = torch.randn(2000, 12)
    y = torch.sin(x[:, :1]) + x[:, 1:2] ** 2 * 0.3
    model, opt, sched = build(cfg)
    for epoch in range(cfg.epochs):
        total = 0.0
        for start in range(0, len(x), cfg.batch):
            xb, yb = x[start:start + cfg.batch], y[start:start + cfg.batch]
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(xb), yb)
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item()
        print(f"epoch {epoch:02d} rmse {math.sqrt(total / (len(x) / cfg.batch)):.4f} lr {sched.get_last_lr()[0]:.2e}")


run(Config())
