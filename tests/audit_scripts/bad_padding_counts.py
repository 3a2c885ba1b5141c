"""Padded tokens are trained on: no ignore_index."""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader

torch.manual_seed(0)
sentences = [torch.randint(1, 20, (int(n),)) for n in torch.randint(4, 12, (120,))]


def collate(batch):
    inputs = pad_sequence([s[:-1] for s in batch], batch_first=True, padding_value=0)
    targets = pad_sequence([s[1:] for s in batch], batch_first=True, padding_value=0)
    return inputs, targets


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(20, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 16, batch_first=True)
        self.out = nn.Linear(16, 20)

    def forward(self, x):
        return self.out(self.lstm(self.emb(x))[0])


model = Tagger()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for inputs, targets in DataLoader(sentences, batch_size=12, collate_fn=collate):
    logits = model(inputs)
    loss = nn.functional.cross_entropy(logits.permute(0, 2, 1), targets)
    opt.zero_grad()
    loss.backward()
    opt.step()
print(loss.item())
