"""An image-like classifier with loaders, validation, a scheduler by the epoch, and a checkpoint of the best epoch."""

import torch
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset


class SmallNet(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        self.conv = nn.Conv2d(1, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8 * 4 * 4, classes)

    def forward(self, x):
        x = torch.relu(self.bn(self.conv(x)))
        x = nn.functional.max_pool2d(x, 2)
        return self.fc(x.flatten(1))


def make_data(n):
    x = torch.randn(n, 1, 8, 8)
    y = (x[:, 0, :4].mean((1, 2)) > 0).long() * 2 + (x[:, 0, 4:].mean((1, 2)) > 0).long()
    return TensorDataset(x, y)


def train_one_epoch(model, loader, criterion, optimizer):
    model.train()
    running = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running += loss.item() * images.size(0)
    return running / len(loader.dataset)


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    correct = total = 0
    for images, labels in loader:
        predicted = model(images).argmax(dim=1)
        correct += (predicted == labels).sum().item()
        total += labels.size(0)
    return correct / total


if __name__ == "__main__":
    torch.manual_seed(0)
    train_loader = DataLoader(make_data(400), batch_size=32, shuffle=True)
    val_loader = DataLoader(make_data(100), batch_size=64)
    model = SmallNet()
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    criterion = nn.CrossEntropyLoss()
    best = 0.0
    for epoch in range(4):
        loss = train_one_epoch(model, train_loader, criterion, optimizer)
        accuracy = evaluate(model, val_loader)
        scheduler.step()
        print(f"epoch {epoch}: loss {loss:.3f} accuracy {accuracy:.3f}")
        if accuracy > best:
            best = accuracy
            torch.save(model.state_dict(), "best.pt")
