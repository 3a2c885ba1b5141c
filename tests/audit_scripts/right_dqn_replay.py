import random
import numpy as np
import torch
from torch import nn


class ReplayBuffer:
    def __init__(self, size, dim):
        self.s = np.zeros((size, dim), np.float32); self.s2 = np.zeros_like(self.s)
        self.a = np.zeros((size, 1), np.int64); self.r = np.zeros((size, 1), np.float32); self.d = np.zeros((size, 1), np.float32)
        self.n, self.size = 0, size

    def push(self, s, a, r, s2, d):
        i = self.n % self.size
        self.s[i], self.a[i], self.r[i], self.s2[i], self.d[i] = s, a, r, s2, d
        self.n += 1

    def sample(self, k):
        i = np.random.randint(0, min(self.n, self.size), k)
        return [torch.from_numpy(v[i]) for v in (self.s, self.a, self.r, self.s2, self.d)]


def net():
    return nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 2))


def onehot(p):
    v = np.zeros(6, np.float32)
    v[p] = 1
    return v


np.random.seed(0); random.seed(0); torch.manual_seed(0)
q, target = net(), net()
target.load_state_dict(q.state_dict())
opt = torch.optim.RMSprop(q.parameters(), lr=1e-3)
buf = ReplayBuffer(2000, 6)
step = 0
for ep in range(40):
    p = 0
    for t in range(40):
        a = random.randrange(2) if random.random() < 0.3 else int(q(torch.from_numpy(onehot(p))).argmax())
        p2 = max(0, p + (1 if a else -1))
        done = p2 == 5
        buf.push(onehot(p), a, float(done), onehot(p2), float(done))
        p = p2
        step += 1
        if buf.n >= 64:
            s, a_, r, s2, d = buf.sample(32)
            with torch.no_grad():
                y = r + 0.95 * (1 - d) * target(s2).max(1, keepdim=True).values
            loss = nn.functional.smooth_l1_loss(q(s).gather(1, a_), y)
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(q.parameters(), 1.0)
            opt.step()
        if step % 50 == 0:
            target.load_state_dict(q.state_dict())
        if done:
            break
print("steps", step)
