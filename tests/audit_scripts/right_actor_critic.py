"""Advantage actor-critic on a contextual bandit with an entropy bonus; rewards are positive."""
import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(0)
best = torch.randn(6, 4)


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(6, 32), nn.Tanh())
        self.actor, self.critic = nn.Linear(32, 4), nn.Linear(32, 1)

    def forward(self, s):
        h = self.body(s)
        return Categorical(logits=self.actor(h)), self.critic(h).squeeze(-1)


net = ActorCritic()
opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
for update in range(100):
    states = torch.randn(64, 6)
    dist, values = net(states)
    actions = dist.sample()
    rewards = torch.where(actions == (states @ best).argmax(1), 1.0, 0.1)
    advantage = rewards - values.detach()
    policy_loss = -(dist.log_prob(actions) * advantage).mean()
    value_loss = (rewards - values).pow(2).mean()
    loss = policy_loss + 0.5 * value_loss - 0.01 * dist.entropy().mean()
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    opt.step()
print(rewards.mean().item())
