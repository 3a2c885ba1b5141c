"""Q-learning with a target network that is copied now and then."""

import copy
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
q = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 4))
target = copy.deepcopy(q)
optimizer = torch.optim.Adam(q.parameters(), lr=1e-3)
memory = [(torch.randn(3), random.randrange(4), random.random(), torch.randn(3), random.random() < 0.1) for _ in range(200)]
for step in range(20):
    s, a, r, s2, done = zip(*random.sample(memory, 32))
    s, s2 = torch.stack(s), torch.stack(s2)
    a, r, done = torch.tensor(a), torch.tensor(r), torch.tensor(done).float()
    value = q(s).gather(1, a.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        wanted = r + 0.99 * target(s2).max(1).values * (1 - done)
    loss = nn.functional.smooth_l1_loss(value, wanted)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(q.parameters(), 1.0)
    optimizer.step()
    if step % 10 == 0:
        target.load_state_dict(q.state_dict())
print(loss.item())
