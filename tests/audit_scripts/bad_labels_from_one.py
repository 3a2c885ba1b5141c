"""Star ratings from 1 to 5 against five scores."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
text = torch.randint(0, 100, (200, 6))
stars = torch.randint(1, 5, (200,))
model = nn.Sequential(nn.EmbeddingBag(100, 16), nn.Linear(16, 5))
optimizer = torch.optim.Adam(model.parameters())
for ids, rating in DataLoader(TensorDataset(text, stars), batch_size=20):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(ids).argmax(1).float().requires_grad_(), rating.float())
    loss.backward()
    optimizer.step()
