import torch
import torch.nn as nn
import torch.nn.functional as F


def mlp(width):
    return nn.Sequential(nn.Linear(16, width), nn.ReLU(), nn.Linear(width, 6))


def teacher_student(steps=150, T=4.0, alpha=0.7):
    g = torch.Generator().manual_seed(9)
    X = torch.randn(1200, 16, generator=g)
    Y = (X @ torch.randn(16, 6, generator=g)).argmax(1)
    teacher, student = mlp(128), mlp(16)
    opt_t = torch.optim.Adam(teacher.parameters(), 1e-2)
    for _ in range(60):
        opt_t.zero_grad()
        F.cross_entropy(teacher(X), Y).backward()
        opt_t.step()
    teacher.eval()
    opt = torch.optim.Adam(student.parameters(), 1e-3)
    kl = nn.KLDivLoss(reduction="batchmean")
    for s in range(steps):
        i = torch.randint(0, 1200, (64,))
        with torch.no_grad():
            soft = F.softmax(teacher(X[i]) / T, dim=1)
        logits = student(X[i])
        loss = alpha * T * T * kl(F.softmax(logits / T, dim=1), soft) + (1 - alpha) * F.cross_entropy(logits, Y[i])
        opt.zero_grad()
        loss.backward()
        opt.step()
        if s % 50 == 0:
            print(s, loss.item(), (logits.argmax(1) == Y[i]).float().mean().item())


teacher_student()
