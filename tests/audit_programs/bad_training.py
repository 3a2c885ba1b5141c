"""Wrong programs: the training step."""

import torch
import torch.nn.functional as F
from torch import nn


def _xy(n=40, k=3):
    g = torch.Generator().manual_seed(4)
    x = torch.randn(n, 6, generator=g)
    return x, (x @ torch.randn(6, k, generator=g)).argmax(1)


def _case(step, model=None, loss=None, optimizer=None, task="multiclass", xy=None, **more):
    x, y = xy or _xy()
    model = model or nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = optimizer or torch.optim.SGD(model.parameters(), lr=0.05)
    loss = loss or nn.CrossEntropyLoss()
    return {
        "framework": "torch",
        "task": task,
        "model": model,
        "loss": loss,
        "inputs": x,
        "targets": y,
        "step": step,
        "optimizer": optimizer,
        **more,
    }


def bad_no_zero_grad():
    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value.item()

    return _case(step)


def bad_zero_grad_of_another():
    other = nn.Linear(2, 2)

    def step(model, loss, inputs, targets, optimizer):
        other.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step)


def bad_zero_grad_after_backward():
    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.zero_grad()
        optimizer.step()
        return value

    return _case(step)


def bad_no_step():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        return value

    return _case(step)


def bad_no_backward():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        optimizer.step()
        return value

    return _case(step)


def bad_optimizer_of_an_old_model():
    old = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step, optimizer=torch.optim.Adam(old.parameters()))


def bad_head_replaced_after_optimizer():
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model[2] = nn.Linear(16, 3)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        optimizer.step()

    return _case(step, model=model, optimizer=optimizer)


def bad_loss_parameters_left_out():
    class Centre(nn.Module):
        def __init__(self):
            super().__init__()
            self.centres = nn.Parameter(torch.randn(3, 8))

        def forward(self, h, t):
            return (h - self.centres[t]).pow(2).sum(1).mean() + F.cross_entropy(-torch.cdist(h, self.centres), t)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    model = nn.Linear(6, 8)
    return _case(step, model=model, loss=Centre(), optimizer=torch.optim.SGD(model.parameters(), 0.01))


def bad_accumulation_undivided():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        for i in range(0, 40, 10):
            loss(model(inputs[i : i + 10]), targets[i : i + 10]).backward()
        optimizer.step()

    return _case(step)


def bad_accumulation_of_unequal_tokens():
    x, y = _xy()
    y = y.clone()
    y[:8] = -100

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        for xb, yb in zip(inputs.split(10), targets.split(10), strict=True):
            (loss(model(xb), yb) / 4).backward()
        optimizer.step()

    return _case(step, xy=(x, y))


def bad_last_batch_smaller():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        losses = [loss(model(xb), yb) for xb, yb in zip(inputs.split(16), targets.split(16), strict=True)]
        total = torch.stack(losses).mean()
        total.backward()
        optimizer.step()
        return total

    return _case(step)


def bad_clip_before_backward():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        value.backward()
        optimizer.step()
        return value

    return _case(step)


def bad_clip_after_step():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        nn.utils.clip_grad_value_(model.parameters(), 1.0)
        return value

    return _case(step)


def bad_scheduler_first():
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)

    def step(model, loss, inputs, targets, optimizer):
        scheduler.step()
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step, model=model, optimizer=optimizer)


def bad_eval_mode():
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))

    def step(model, loss, inputs, targets, optimizer):
        model.eval()
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step, model=model)


def bad_ascent_by_minus():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        (-value).backward()
        optimizer.step()
        return value

    return _case(step)


def bad_ascent_by_hand():
    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets)
        value.backward()
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.1 * p.grad)
                p.grad = None
        return value

    return _case(step)


def bad_learning_rate():
    x, _y = _xy()
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(
        step,
        model=model,
        loss=nn.MSELoss(),
        optimizer=torch.optim.SGD(model.parameters(), lr=50.0),
        task="regression",
        xy=(x, x.sum(1)),
    )


def bad_no_grad_in_step():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        with torch.no_grad():
            output = model(inputs)
        value = loss(output, targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step)


def bad_step_at_the_first_part():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        for k, (xb, yb) in enumerate(zip(inputs.chunk(4), targets.chunk(4), strict=True)):
            (loss(model(xb), yb) / 4).backward()
            if k == 0:
                optimizer.step()

    return _case(step)
