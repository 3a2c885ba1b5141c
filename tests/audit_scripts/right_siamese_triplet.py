"""A shared encoder called three times, and a triplet loss."""

import torch
from torch import nn

torch.manual_seed(3)
encoder = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 4))
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
centres = torch.randn(5, 6)
for step in range(40):
    k = torch.randint(5, (32,))
    other = (k + torch.randint(1, 5, (32,))) % 5
    anchor, positive = centres[k] + 0.1 * torch.randn(32, 6), centres[k] + 0.1 * torch.randn(32, 6)
    negative = centres[other] + 0.1 * torch.randn(32, 6)
    loss = criterion(encoder(anchor), encoder(positive), encoder(negative))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(float(loss))
