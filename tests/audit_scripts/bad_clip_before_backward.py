"""Old gradients are clipped, and new ones are not."""

import torch
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(256, 4)
y = x.sum(1, keepdim=True)
model = torch.nn.LSTM(4, 8, batch_first=True)
head = torch.nn.Linear(8, 1)
params = list(model.parameters()) + list(head.parameters())
opt = torch.optim.RMSprop(params, lr=1e-3)
for epoch in range(2):
    for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32):
        out, _ = model(xb.unsqueeze(1))
        loss = torch.nn.functional.mse_loss(head(out[:, -1]), yb)
        opt.zero_grad()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        loss.backward()
        opt.step()
print(loss.item())
