import copy
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
X = torch.randn(900, 15)
Y = (X[:, :5] + 0.5 * torch.randn(900, 5)).argmax(1)
labelled = torch.arange(120)
backbone = nn.Sequential(nn.Linear(15, 64), nn.ReLU())
for p in backbone.parameters():
    p.requires_grad_(False)
student = nn.Sequential(backbone, nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 5))
teacher = copy.deepcopy(student)
for p in teacher.parameters():
    p.requires_grad_(False)
teacher.eval()
opt = torch.optim.SGD([p for p in student.parameters() if p.requires_grad], lr=0.05, momentum=0.9)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=5)
for epoch in range(5):
    student.train()
    for _ in range(10):
        l = labelled[torch.randint(0, 120, (32,))]
        u = torch.randint(120, 800, (64,))
        sup = F.cross_entropy(student(X[l] + 0.05 * torch.randn(32, 15)), Y[l], label_smoothing=0.05)
        with torch.no_grad():
            pseudo = teacher(X[u]).softmax(1)
        cons = F.mse_loss(student(X[u] + 0.1 * torch.randn(64, 15)).softmax(1), pseudo)
        loss = sup + 2.0 * min(1.0, epoch / 3) * cons
        opt.zero_grad()
        loss.backward()
        opt.step()
        with torch.no_grad():
            for a, b in zip(teacher.parameters(), student.parameters()):
                a.lerp_(b, 0.05)
    sched.step()
    print(epoch, (teacher(X[800:]).argmax(1) == Y[800:]).float().mean().item())
