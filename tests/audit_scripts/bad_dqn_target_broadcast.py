import random
from collections import deque, namedtuple
import torch
import torch.nn as nn
import torch.optim as optim

Transition = namedtuple("Transition", "s a r s2 done")


class Corridor:
    """Walk right to the goal."""
    def __init__(self, n=8):
        self.n = n

    def reset(self):
        self.p = 0
        return self._obs()

    def _obs(self):
        o = [0.0] * self.n
        o[self.p] = 1.0
        return o

    def step(self, a):
        self.p = max(0, self.p + (1 if a == 1 else -1))
        done = self.p == self.n - 1
        return self._obs(), (1.0 if done else -0.01), done


class QNet(nn.Module):
    def __init__(self, n_obs, n_act):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(n_obs, 32), nn.ReLU(), nn.Linear(32, n_act))

    def forward(self, x):
        return self.net(x)


class Agent:
    def __init__(self):
        self.q, self.target = QNet(8, 2), QNet(8, 2)
        self.target.load_state_dict(self.q.state_dict())
        self.opt = optim.Adam(self.q.parameters(), lr=1e-3)
        self.mem = deque(maxlen=5000)
        self.eps = 1.0

    def act(self, s):
        if random.random() < self.eps:
            return random.randrange(2)
        with torch.no_grad():
            return self.q(torch.tensor([s])).argmax().item()

    def learn(self, batch_size=32, gamma=0.97):
        if len(self.mem) < batch_size:
            return None
        b = Transition(*zip(*random.sample(self.mem, batch_size)))
        s, s2 = torch.tensor(b.s), torch.tensor(b.s2)
        a = torch.tensor(b.a).unsqueeze(1)
        r = torch.tensor(b.r)
        done = torch.tensor(b.done, dtype=torch.float32)
        q_sa = self.q(s).gather(1, a)
        q_next = self.target(s2).max(1)[0].detach()
        target = r + gamma * q_next * (1 - done)
        loss = ((q_sa - target) ** 2).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return loss.item()


def main():
    random.seed(0)
    torch.manual_seed(0)
    env, agent = Corridor(), Agent()
    for ep in range(60):
        s, total = env.reset(), 0
        for t in range(60):
            a = agent.act(s)
            s2, r, d = env.step(a)
            agent.mem.append(Transition(s, a, r, s2, d))
            agent.learn()
            s = s2
            total += r
            if d:
                break
        agent.eps = max(0.05, agent.eps * 0.95)
        if ep % 10 == 0:
            agent.target.load_state_dict(agent.q.state_dict())
            print(ep, round(total, 2))


if __name__ == "__main__":
    main()
