import torch
import lightning as L
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics.classification import MultilabelF1Score


class Tagger(L.LightningModule):
    def __init__(self, n_tags=5, lr=1e-3):
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, n_tags), nn.Sigmoid())
        self.loss = nn.MultiLabelSoftMarginLoss()
        self.f1 = MultilabelF1Score(n_tags)

    def forward(self, x):
        return self.net(x)

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = self.loss(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        p = self(x)
        self.f1.update(p, y.int())
        self.log("val_loss", self.loss(p, y))

    def on_validation_epoch_end(self):
        self.log("val_f1", self.f1.compute())
        self.f1.reset()

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.hparams.lr)


def loaders():
    torch.manual_seed(0)
    x = torch.randn(800, 20)
    y = (x @ torch.randn(20, 5) + torch.randn(800, 5) > 2).float()
    return (DataLoader(TensorDataset(x[:600], y[:600]), 32, shuffle=True),
            DataLoader(TensorDataset(x[600:], y[600:]), 64))


if __name__ == "__main__":
    tr, va = loaders()
    trainer = L.Trainer(max_epochs=2, accelerator="cpu", logger=False, enable_checkpointing=False,
                        enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(Tagger(), tr, va)
