"""A LightningModule with a scheduler, validation and a logger."""

import lightning as L
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Regressor(L.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
        self.loss_fn = nn.MSELoss()

    def forward(self, x):
        return self.net(x).squeeze(-1)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss_fn(self(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        self.log("val_loss", self.loss_fn(self(x), y))

    def configure_optimizers(self):
        optimizer = torch.optim.AdamW(self.parameters(), lr=1e-3)
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "epoch"}}


L.seed_everything(1)
x = torch.randn(300, 6)
y = x[:, 0] - 2 * x[:, 1] + 0.1 * torch.randn(300)
train = DataLoader(TensorDataset(x[:240], y[:240]), batch_size=24, shuffle=True)
valid = DataLoader(TensorDataset(x[240:], y[240:]), batch_size=60)
trainer = L.Trainer(max_epochs=3, accelerator="cpu", enable_progress_bar=False)
trainer.fit(Regressor(), train, valid)
print(trainer.callback_metrics)
