"""Key points as heat maps; the penalty is reduced near each peak, and peaks are few."""
import torch
import torch.nn as nn

torch.manual_seed(0)


def peaks(n, size=24):
    at = torch.randint(3, size - 3, (n, 2)).float()
    grid = torch.arange(size).float()
    d = (grid[None, :, None] - at[:, 0, None, None]) ** 2 + (grid[None, None, :] - at[:, 1, None, None]) ** 2
    heat = torch.exp(-d / 4).unsqueeze(1)
    return heat + 0.3 * torch.randn_like(heat), heat


def centre_focal(pred, heat):
    p = pred.sigmoid().clamp(1e-4, 1 - 1e-4)
    pos = heat.eq(1).float()
    neg_weight = (1 - heat) ** 4
    pos_loss = (1 - p) ** 2 * p.log() * pos
    neg_loss = p ** 2 * (1 - p).log() * neg_weight * (1 - pos)
    return -(pos_loss.sum() + neg_loss.sum()) / pos.sum().clamp(min=1)


net = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 1, 3, padding=1))
nn.init.constant_(net[-1].bias, -2.19)
opt = torch.optim.Adam(net.parameters(), 1e-3)
for it in range(40):
    img, heat = peaks(16)
    loss = centre_focal(net(img), heat)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
