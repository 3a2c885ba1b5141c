import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical


class ActorCritic(nn.Module):
    def __init__(self, obs=4, act=3):
        super().__init__()
        self.shared = nn.Linear(obs, 64)
        self.pi = nn.Linear(64, act)
        self.v = nn.Linear(64, 1)

    def forward(self, x):
        h = F.relu(self.shared(x))
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


class BanditEnv:
    """Vectorised: reward for naming the largest of three numbers."""
    def __init__(self, n):
        self.n = n

    def reset(self):
        self.s = torch.randn(self.n, 4)
        return self.s

    def step(self, a):
        r = (self.s[:, :3].argmax(1) == a).float()
        return self.reset(), r


def rollout(env, model, s, T=16):
    logps, values, rewards, ents = [], [], [], []
    for _ in range(T):
        dist, v = model(s)
        a = dist.sample()
        s, r = env.step(a)
        logps.append(dist.log_prob(a)); values.append(v); rewards.append(r); ents.append(dist.entropy())
    return s, torch.stack(logps), torch.stack(values), torch.stack(rewards), torch.stack(ents)


def main():
    torch.manual_seed(0)
    env, model = BanditEnv(8), ActorCritic()
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    s = env.reset()
    for update in range(60):
        s, logp, v, r, ent = rollout(env, model, s)
        with torch.no_grad():
            R = model(s)[1]
            rets = []
            for t in reversed(range(len(r))):
                R = r[t] + 0.5 * R
                rets.insert(0, R)
            rets = torch.stack(rets)
        adv = rets - v
        loss = -(logp * adv.detach()).mean() + 0.5 * adv.pow(2).mean() - 0.01 * ent.mean()
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        opt.step()
        if update % 20 == 0:
            print(update, r.mean().item())


if __name__ == "__main__":
    main()
