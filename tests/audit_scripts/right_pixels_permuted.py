import torch, torch.nn as nn, torch.nn.functional as F
torch.manual_seed(0)
N, S, C = 96, 20, 4
masks = torch.randint(0, C, (N, S // 4, S // 4)).repeat_interleave(4, 1).repeat_interleave(4, 2)
imgs = torch.stack([masks.float() / C, 1 - masks.float() / C, torch.rand(N, S, S)], 1) + 0.1 * torch.randn(N, 3, S, S)

def block(i, o):
    return nn.Sequential(nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU(inplace=True))

net = nn.Sequential(block(3, 16), block(16, 16), nn.Conv2d(16, C, 1))
opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True)

def soft_dice(logits, y):
    p = logits.softmax(1)
    t = F.one_hot(y, C).permute(0, 3, 1, 2).float()
    inter = (p * t).sum((0, 2, 3))
    return 1 - ((2 * inter + 1) / (p.sum((0, 2, 3)) + t.sum((0, 2, 3)) + 1)).mean()

for epoch in range(3):
    net.train()
    for idx in torch.randperm(80).split(16):
        out = net(imgs[idx])
        ce = F.cross_entropy(out.permute(0, 2, 3, 1).reshape(-1, C), masks[idx].reshape(-1))
        loss = ce + soft_dice(out, masks[idx])
        opt.zero_grad(); loss.backward(); opt.step()
    net.eval()
    with torch.no_grad():
        pred = net(imgs[80:]).argmax(1)
        iou = [((pred == c) & (masks[80:] == c)).sum().item() / max(1, ((pred == c) | (masks[80:] == c)).sum().item()) for c in range(C)]
    print(epoch, loss.item(), sum(iou) / C)
