"""Masks of blobs: binary cross-entropy plus soft Dice on probabilities."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Blobs(Dataset):
    def __len__(self):
        return 48

    def __getitem__(self, i):
        g = torch.Generator().manual_seed(i)
        cx, cy = torch.randint(4, 12, (2,), generator=g)
        yy, xx = torch.meshgrid(torch.arange(16), torch.arange(16), indexing="ij")
        mask = (((xx - cx) ** 2 + (yy - cy) ** 2) < 9).float()[None]
        return mask + 0.3 * torch.randn(1, 16, 16, generator=g), mask


def dice_loss(logits, target, eps=1.0):
    p = torch.sigmoid(logits)
    inter = (p * target).sum((1, 2, 3))
    return (1 - (2 * inter + eps) / (p.sum((1, 2, 3)) + target.sum((1, 2, 3)) + eps)).mean()


if __name__ == "__main__":
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for epoch in range(2):
        for image, mask in DataLoader(Blobs(), batch_size=8, shuffle=True):
            logits = model(image)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, mask) + dice_loss(logits, mask)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        predicted = (torch.sigmoid(logits) > 0.5).float()
        print((predicted == mask).float().mean().item())
