import torch, lightning
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
X = torch.randn(128, 6)
C = (X[:, 0] > 0).long() + (X[:, 1] > 0).long()


class Rows(Dataset):
    def __len__(self):
        return 128

    def __getitem__(self, i):
        return {"features": X[i], "label": C[i]}


QUIET = dict(logger=False, enable_progress_bar=False, enable_model_summary=False, accelerator="cpu", max_epochs=2)


class Lit(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))

    def training_step(self, batch, i):
        loss = nn.functional.cross_entropy(self.net(batch["features"]), batch["label"])
        self.log("loss", loss)
        return loss

    def validation_step(self, batch, i):
        self.log("acc", (self.net(batch["features"]).argmax(0) == batch["label"][:3]).float().mean())

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), 1e-2)


lightning.Trainer(**QUIET).fit(Lit(), DataLoader(Rows(), 16, shuffle=True), DataLoader(Rows(), 32))
