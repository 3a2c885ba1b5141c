import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(1337)
text = ("the quick brown fox jumps over the lazy dog and runs away from the angry bear. " * 60)
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]
block_size, batch_size, n_embd, vocab = 32, 16, 32, len(chars)


def get_batch(split):
    d = train_data if split == "train" else val_data
    ix = torch.randint(len(d) - block_size - 1, (batch_size,))
    x = torch.stack([d[i:i + block_size] for i in ix])
    y = torch.stack([d[i + 1:i + block_size + 1] for i in ix])
    return x, y


class CharLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.tok = nn.Embedding(vocab, n_embd)
        self.pos = nn.Embedding(block_size, n_embd)
        layer = nn.TransformerEncoderLayer(n_embd, 4, 64, dropout=0.1, batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(n_embd, vocab)

    def forward(self, idx, targets=None):
        h = self.tok(idx) + self.pos(torch.arange(idx.shape[1]))
        logits = self.head(self.blocks(h))
        loss = None
        if targets is not None:
            B, L, C = logits.shape
            loss = F.cross_entropy(logits.view(B * L, C), targets.view(B * L))
        return logits, loss


model = CharLM()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
for it in range(60):
    xb, yb = get_batch("train")
    logits, loss = model(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    if it % 20 == 0:
        model.eval()
        with torch.no_grad():
            print(it, loss.item(), model(*get_batch("val"))[1].item())
        model.train()
