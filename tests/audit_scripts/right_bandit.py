"""Drawn arms that earned something are made likelier."""

import torch

torch.manual_seed(3)
logits = torch.nn.Linear(6, 4)
opt = torch.optim.SGD(logits.parameters(), 0.1)
best = torch.randint(0, 4, (6,))
for t in range(200):
    ctx = torch.eye(6)[torch.randint(0, 6, (32,))]
    logp = torch.log_softmax(logits(ctx), -1)
    arm = torch.multinomial(logp.exp(), 1)
    reward = (arm.squeeze(1) == best[ctx.argmax(1)]).float()
    chosen = logp.gather(1, arm).squeeze(1)
    objective = -(chosen * reward).sum() / 32
    opt.zero_grad()
    objective.backward()
    opt.step()
