import torch
from torch import nn


class Backbone(nn.Module):
    def __init__(self, classes=100):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2),
                                      nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(16, classes)

    def forward(self, x):
        return self.fc(self.features(x))


class FineTuner:
    def __init__(self, lr=1e-2):
        self.model = Backbone()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)
        self.criterion = nn.CrossEntropyLoss()

    def adapt(self, n_classes):
        self.model.fc = nn.Linear(self.model.fc.in_features, n_classes)
        return self

    def fit(self, X, y, epochs=3, bs=32):
        for epoch in range(epochs):
            self.model.train()
            order = torch.randperm(len(X))
            for chunk in order.split(bs):
                self.optimizer.zero_grad()
                loss = self.criterion(self.model(X[chunk]), y[chunk])
                loss.backward()
                self.optimizer.step()
            print("epoch", epoch, "loss", float(loss))


if __name__ == "__main__":
    torch.manual_seed(0)
    y = torch.randint(0, 5, (320,))
    X = torch.randn(320, 3, 16, 16) + y.float().view(-1, 1, 1, 1) / 2
    FineTuner().adapt(5).fit(X, y)
