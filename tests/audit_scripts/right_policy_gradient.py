"""REINFORCE on a toy corridor: the loss weighs log-probabilities by returns."""

import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
for episode in range(10):
    log_probs, rewards = [], []
    position = 0.0
    for t in range(12):
        state = torch.tensor([position, t / 12, 1.0, position**2])
        dist = Categorical(logits=policy(state))
        action = dist.sample()
        position += 0.1 if action.item() == 1 else -0.1
        log_probs.append(dist.log_prob(action))
        rewards.append(position)
    returns = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    loss = -(torch.stack(log_probs) * returns).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(sum(rewards))
