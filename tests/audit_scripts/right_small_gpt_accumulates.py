import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(0)
text = "to be or not to be that is the question whether tis nobler in the mind to suffer " * 50
vocab = sorted(set(text))
enc = {c: i for i, c in enumerate(vocab)}
ids = torch.tensor([enc[c] for c in text])
B, T, C = 12, 24, 32


class Attn(nn.Module):
    def __init__(self, heads=2):
        super().__init__()
        self.qkv = nn.Linear(C, 3 * C, bias=False)
        self.proj = nn.Linear(C, C)
        self.h = heads

    def forward(self, x):
        b, t, c = x.shape
        q, k, v = (z.view(b, t, self.h, c // self.h).transpose(1, 2) for z in self.qkv(x).split(C, -1))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.proj(y.transpose(1, 2).reshape(b, t, c))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.n1, self.a, self.n2 = nn.LayerNorm(C), Attn(), nn.LayerNorm(C)
        self.m = nn.Sequential(nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, C), nn.Dropout(0.1))

    def forward(self, x):
        x = x + self.a(self.n1(x))
        return x + self.m(self.n2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(len(vocab), C), nn.Embedding(T, C)
        self.h = nn.ModuleList([Block() for _ in range(2)])
        self.f = nn.LayerNorm(C)
        self.lm_head = nn.Linear(C, len(vocab), bias=False)
        self.lm_head.weight = self.wte.weight

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for b in self.h:
            x = b(x)
        logits = self.lm_head(self.f(x))
        loss = F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1) if targets is not None else None
        return logits, loss


m = GPT()
decay = [p for p in m.parameters() if p.dim() >= 2]
nodecay = [p for p in m.parameters() if p.dim() < 2]
opt = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": nodecay, "weight_decay": 0.0}], lr=1e-3)
accum = 2
for it in range(30):
    for g in opt.param_groups:
        g["lr"] = 1e-3 * min(1.0, (it + 1) / 5)
    for micro in range(accum):
        ix = torch.randint(len(ids) - T - 1, (B,))
        x = torch.stack([ids[i:i + T] for i in ix]); y = torch.stack([ids[i + 1:i + 1 + T] for i in ix])
        _, loss = m(x, y)
        (loss / accum).backward()
    torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
    opt.step()
    opt.zero_grad(set_to_none=True)
print(loss.item())
