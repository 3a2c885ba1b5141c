"""Right programs: the training step in many idioms."""

import copy

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


def right_clear_at_the_end():
    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        return value

    return _case(step)


def right_clip_between():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        return value.item()

    return _case(step, optimizer=None)


def right_scheduler_last():
    model = nn.Linear(6, 3)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        scheduler.step()
        return value

    return _case(step, model=model, optimizer=optimizer)


def right_closure_optimizer():
    model = nn.Linear(6, 3)

    def step(model, loss, inputs, targets, optimizer):
        def closure():
            optimizer.zero_grad()
            value = loss(model(inputs), targets)
            value.backward()
            return value

        return optimizer.step(closure)

    return _case(step, model=model, optimizer=torch.optim.LBFGS(model.parameters(), lr=0.1, max_iter=3))


def right_ema_teacher():
    model = nn.Linear(6, 3)
    ema = copy.deepcopy(model).requires_grad_(False)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        with torch.no_grad():
            for slow, fast in zip(ema.parameters(), model.parameters(), strict=True):
                slow.lerp_(fast, 0.01)
        return value

    return _case(step, model=model)


def right_accumulation_by_tokens():
    x, y = _xy()
    y = y.clone()
    y[:8] = -100

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        counted = (targets != -100).sum()
        for xb, yb in zip(inputs.split(10), targets.split(10), strict=True):
            (loss(model(xb), yb) * (yb != -100).sum() / counted).backward()
        optimizer.step()

    return _case(step, xy=(x, y))


def right_accumulation_with_sum():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        for xb, yb in zip(inputs.split(16), targets.split(16), strict=True):
            (loss(model(xb), yb) / len(inputs)).backward()
        optimizer.step()

    return _case(step, loss=nn.CrossEntropyLoss(reduction="sum"))


def right_accumulation_over_calls():
    model = nn.Linear(6, 3)
    state = {"calls": 0}

    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets) / 2
        value.backward()
        state["calls"] += 1
        if state["calls"] % 2 == 0:
            optimizer.step()
            optimizer.zero_grad()
        return value

    return _case(step, model=model)


def right_one_sgd_step_per_micro_batch():
    def step(model, loss, inputs, targets, optimizer):
        total = 0.0
        for xb, yb in zip(inputs.split(10), targets.split(10), strict=True):
            optimizer.zero_grad()
            value = loss(model(xb), yb)
            value.backward()
            optimizer.step()
            total += value.item() * len(xb)
        return total / len(inputs)

    return _case(step)


def right_head_only():
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 3))
    model[0].requires_grad_(False)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step, model=model, optimizer=torch.optim.SGD((p for p in model.parameters() if p.requires_grad), 0.1))


def right_frozen_batch_norm():
    model = nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))

    def step(model, loss, inputs, targets, optimizer):
        model.train()
        model[1].eval()
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return value

    return _case(step, model=model)


def right_by_hand():
    def step(model, loss, inputs, targets, optimizer):
        value = loss(model(inputs), targets)
        grads = torch.autograd.grad(value, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), grads, strict=True):
                p.sub_(0.1 * g)
        return value

    return _case(step)


def right_sam():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        loss(model(inputs), targets).backward()
        shifts = [0.05 * p.grad / (p.grad.norm() + 1e-12) for p in model.parameters()]
        with torch.no_grad():
            for p, s in zip(model.parameters(), shifts, strict=True):
                p.add_(s)
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        with torch.no_grad():
            for p, s in zip(model.parameters(), shifts, strict=True):
                p.sub_(s)
        optimizer.step()
        return value

    return _case(step)


def right_two_optimizers():
    model = nn.ModuleDict({"g": nn.Linear(2, 3), "d": nn.Linear(3, 1)})
    other = torch.optim.Adam(model["d"].parameters(), 1e-3)

    def step(model, loss, inputs, targets, optimizer):
        fake = model["g"](inputs)
        other.zero_grad()
        d = loss(model["d"](fake.detach()), torch.zeros(40, 1)) + loss(
            model["d"](torch.randn(40, 3)), torch.ones(40, 1)
        )
        d.backward()
        other.step()
        optimizer.zero_grad()
        g = loss(model["d"](fake), torch.ones(40, 1))
        g.backward()
        optimizer.step()
        return g

    x = torch.randn(40, 2)
    return _case(
        step,
        model=model,
        loss=nn.BCEWithLogitsLoss(),
        optimizer=torch.optim.Adam(model["g"].parameters(), 1e-3),
        task="gan",
        xy=(x, torch.ones(40, 1)),
    )


def right_warm_up_from_zero():
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: n / 100)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        scheduler.step()
        return value

    return _case(step, model=model, optimizer=optimizer)


def right_noisy_regression_with_momentum():
    x, _ = _xy()
    model = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = F.mse_loss(model(inputs), targets)
        value.backward()
        optimizer.step()
        return float(value)

    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    return _case(step, model=model, loss=nn.MSELoss(), optimizer=optimizer, task="regression", xy=(x, x.sum(1)))


def right_step_at_the_last_part():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        for k, (xb, yb) in enumerate(zip(inputs.chunk(4), targets.chunk(4), strict=True)):
            (loss(model(xb), yb) / 4).backward()
            if k == 3:
                optimizer.step()

    return _case(step)
