"""A small network trained on any loss of the catalogue: ``python examples/train_torch.py huber``.

The loss says what its target is and how many raw outputs it wants; nothing else changes from one loss to another.
"""

import sys

import torch

import goodmeasure as gm
from goodmeasure.frameworks.torch import to_torch


def data(loss: gm.Loss, rows: int = 600, classes: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs, and targets of the kind that the loss is about, which depend on them."""
    noise = torch.Generator().manual_seed(0)
    x = torch.randn(rows, 4, generator=noise)
    score = x[:, 0] - 0.5 * x[:, 1] ** 2 + 0.3 * torch.randn(rows, generator=noise)
    if loss.is_classwise or loss.is_graded:
        codes = torch.bucketize(score, torch.quantile(score, torch.linspace(0, 1, classes + 1)[1:-1]))
        return x, codes if loss.is_classwise else codes.float()
    if loss.is_binary:
        return x, (score > -0.5).float()
    if loss.target.high == 1:
        return x, torch.sigmoid(score)
    if loss.target.low == 0:
        return x, torch.poisson(torch.exp(score), generator=noise) if loss.target.whole else torch.exp(score)
    return x, score


def train(loss: gm.Loss, epochs: int = 60) -> tuple[float, float]:
    """The mean loss on the training rows before and after."""
    torch.manual_seed(0)
    x, y = data(loss)
    outputs = 3 if loss.is_classwise else len(loss.activation)
    network = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, outputs))
    criterion = to_torch(loss)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)

    def raw(rows: torch.Tensor) -> torch.Tensor:
        return network(rows) if outputs > 1 else network(rows)[:, 0]

    with torch.no_grad():
        before = criterion(raw(x), y).item()
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(100):
            optimizer.zero_grad()
            criterion(raw(x[part]), y[part]).backward()
            optimizer.step()
    with torch.no_grad():
        return before, criterion(raw(x), y).item()


if __name__ == "__main__":
    for name in sys.argv[1:] or ["cross_entropy", "huber", "poisson"]:
        chosen = getattr(gm.losses, name)()
        print("{}: mean loss {:.4f} before, {:.4f} after training".format(chosen, *train(chosen)))
