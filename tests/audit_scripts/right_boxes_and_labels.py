"""A one-box detector; targets are dictionaries, losses are weighed by a dictionary."""
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Shapes(Dataset):
    def __len__(self):
        return 96

    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        img = 0.1 * torch.randn(1, 16, 16, generator=g)
        r, c, k = (int(v) for v in torch.randint(0, 10, (3,), generator=g))
        img[0, r:r + 5, c:c + 5] += 1 + k % 3
        return img, {"boxes": torch.tensor([r, c, r + 5, c + 5]) / 16.0, "labels": torch.tensor(k % 3), "image_id": i}


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.cls, self.box = nn.Linear(128, 3), nn.Linear(128, 4)

    def forward(self, x):
        h = self.body(x)
        return {"logits": self.cls(h), "boxes": self.box(h).sigmoid()}


weights = {"cls": 1.0, "box": 5.0}
torch.manual_seed(0)
net = Detector().train()
opt = torch.optim.AdamW(net.parameters(), 1e-3)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 12)
for epoch in range(3):
    for img, tgt in DataLoader(Shapes(), batch_size=24, shuffle=True):
        out = net(img)
        losses = {"cls": F.cross_entropy(out["logits"], tgt["labels"]), "box": F.l1_loss(out["boxes"], tgt["boxes"])}
        loss = sum(weights[k] * v for k, v in losses.items())
        opt.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        sched.step()
    print({k: round(v.item(), 3) for k, v in losses.items()})
