import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
rs = np.random.RandomState(0)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 32)
        self.fc2 = nn.Linear(32, 3)
        self.saved_log_probs = []
        self.rewards = []

    def forward(self, x):
        return torch.softmax(self.fc2(torch.relu(self.fc1(x))), dim=-1)


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)


def env_step(state, action):
    best = int(np.argmax(state[:3]))
    return rs.randn(4).astype("float32"), 1.0 if action == best else 0.0


def select_action(state):
    probs = policy(torch.from_numpy(state).unsqueeze(0))
    m = Categorical(probs)
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episode(gamma=0.9):
    R, returns = 0, []
    for r in policy.rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    policy_loss = []
    for log_prob, R in zip(policy.saved_log_probs, returns):
        policy_loss.append(log_prob * R)
    optimizer.zero_grad()
    policy_loss = torch.cat(policy_loss).sum()
    policy_loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]


for episode in range(8):
    state = rs.randn(4).astype("float32")
    ep_reward = 0
    for t in range(20):
        action = select_action(state)
        state, reward = env_step(state, action)
        policy.rewards.append(reward)
        ep_reward += reward
    finish_episode()
    if episode % 4 == 0:
        print("episode", episode, "reward", ep_reward)
