"""The head of a language model without its table of raw outputs: ``python examples/linear_loss_torch.py``.

Each word is learned from the one before. The loss is focal, which no fused head knows, and padding does not count.
"""

import torch

import goodmeasure as gm

WORDS, WIDTH, PADDING = 500, 32, -100


def sentences(count: int = 64, length: int = 20) -> torch.Tensor:
    """Words of which each follows from the one before, but for some, and ends that are padding."""
    noise = torch.Generator().manual_seed(0)
    words = torch.zeros(count, length, dtype=torch.int64)
    words[:, 0] = torch.randint(0, WORDS, (count,), generator=noise)
    for k in range(1, length):
        chance = torch.rand(count, generator=noise) < 0.05
        words[:, k] = torch.where(
            chance, torch.randint(0, WORDS, (count,), generator=noise), (words[:, k - 1] * 7 + 1) % 50
        )
    words[: count // 4, length // 2 :] = PADDING
    return words


def train(loss: gm.Loss, steps: int = 60) -> tuple[float, float]:
    """The mean loss of a word before and after."""
    torch.manual_seed(0)
    words = sentences()
    given, following = words[:, :-1].clamp(min=0), words[:, 1:]
    body, head = torch.nn.Embedding(WORDS, WIDTH), torch.nn.Linear(WIDTH, WORDS)
    optimizer = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=0.03)
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        value = gm.linear_loss(loss, body(given), head.weight, following, head.bias, ignore_index=PADDING)
        value.backward()
        optimizer.step()
        found.append(value.item())
    return found[0], found[-1]


if __name__ == "__main__":
    print("mean loss {:.3f} before, {:.3f} after training".format(*train(gm.losses.focal(gamma=2.0))))
