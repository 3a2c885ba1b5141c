"""Double DQN with a dueling head and soft updates of the target network."""
import copy
import random
from collections import deque
import torch
from torch import nn

random.seed(1); torch.manual_seed(1)


class Dueling(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 32), nn.ReLU())
        self.value, self.advantage = nn.Linear(32, 1), nn.Linear(32, 3)

    def forward(self, s):
        h = self.body(s)
        a = self.advantage(h)
        return self.value(h) + a - a.mean(-1, keepdim=True)


online = Dueling()
target = copy.deepcopy(online).requires_grad_(False)
optimizer = torch.optim.Adam(online.parameters(), lr=1e-3)
memory = deque(maxlen=5000)
state = torch.zeros(4)
for t in range(300):
    with torch.no_grad():
        action = random.randrange(3) if random.random() < 0.2 else int(online(state).argmax())
    nxt = state + 0.1 * torch.randn(4) + 0.1 * (action - 1)
    done = abs(float(nxt.mean())) > 1
    memory.append((state, action, float(nxt[0]), nxt, float(done)))
    state = torch.zeros(4) if done else nxt
    if t < 64:
        continue
    s, a, r, s2, d = map(list, zip(*random.sample(memory, 64)))
    s, s2, a = torch.stack(s), torch.stack(s2), torch.tensor(a)
    r, d = torch.tensor(r), torch.tensor(d)
    q = online(s)[torch.arange(64), a]
    with torch.no_grad():
        chosen = online(s2).argmax(1)
        y = r + 0.97 * (1 - d) * target(s2)[torch.arange(64), chosen]
    loss = nn.functional.huber_loss(q, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        for slow, fast in zip(target.parameters(), online.parameters()):
            slow.lerp_(fast, 0.01)
print(loss.item())
