"""A character model that is asked for the character it was just given."""
import torch
import torch.nn as nn

text = "the quick brown fox jumps over the lazy dog. " * 40
chars = sorted(set(text))
ids = torch.tensor([chars.index(c) for c in text])


def get_batch(n=16, block=24):
    ix = torch.randint(0, len(ids) - block, (n,))
    x = torch.stack([ids[i:i + block] for i in ix])
    y = torch.stack([ids[i:i + block] for i in ix])
    return x, y


class CharRNN(nn.Module):
    def __init__(self, v, d=48):
        super().__init__()
        self.embed = nn.Embedding(v, d)
        self.lstm = nn.LSTM(d, d, batch_first=True)
        self.head = nn.Linear(d, v)

    def forward(self, x):
        return self.head(self.lstm(self.embed(x))[0])


torch.manual_seed(1337)
model = CharRNN(len(chars))
opt = torch.optim.AdamW(model.parameters(), lr=3e-3)
for it in range(200):
    x, y = get_batch()
    logits = model(x)
    loss = nn.functional.cross_entropy(logits.view(-1, len(chars)), y.view(-1))
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
print(loss.item())
