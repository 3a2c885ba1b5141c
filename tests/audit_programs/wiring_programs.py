"""What runs and what learns, what depends on what, and where constants escape: right and wrong programs."""

import torch
import torch.nn.functional as F
from torch import nn


def _draw(*shape, seed=5):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _case(model, loss, inputs, targets, task, **more):
    return {
        "framework": "torch",
        "task": task,
        "model": model,
        "loss": loss,
        "inputs": inputs,
        "targets": targets,
        **more,
    }


def _plain_step(model, loss, inputs, targets, optimizer):
    optimizer.zero_grad(set_to_none=True)
    value = loss(model(inputs), targets)
    value.backward()
    optimizer.step()
    return value.item()


class _TwoStage(nn.Module):
    def __init__(self, stop):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(7, 12), nn.GELU(), nn.Linear(12, 10))
        self.head = nn.Linear(10, 3)
        self.stop = stop

    def forward(self, x):
        if self.stop == "no_grad":
            with torch.no_grad():
                features = self.backbone(x)
        else:
            features = self.backbone(x)
        return self.head(features.detach() if self.stop == "detach" else features)


def _labels(n=24, k=3):
    return torch.arange(n) % k


def bad_backbone_detached():
    return _case(_TwoStage("detach"), nn.CrossEntropyLoss(), _draw(24, 7), _labels(), "multiclass")


def bad_backbone_without_grad_in_the_optimizer():
    model = _TwoStage("no_grad")
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    return _case(
        model,
        nn.CrossEntropyLoss(),
        _draw(24, 7),
        _labels(),
        "multiclass",
        step=_plain_step,
        optimizer=optimizer,
    )


def right_backbone_frozen_by_the_optimizer():
    model = _TwoStage("detach")
    optimizer = torch.optim.AdamW(model.head.parameters(), lr=1e-3)
    return _case(
        model,
        nn.CrossEntropyLoss(),
        _draw(24, 7),
        _labels(),
        "multiclass",
        step=_plain_step,
        optimizer=optimizer,
    )


def right_backbone_under_no_grad():
    return _case(_TwoStage("no_grad"), nn.CrossEntropyLoss(), _draw(24, 7), _labels(), "multiclass")


def right_whole_model_learns():
    return _case(_TwoStage(""), nn.CrossEntropyLoss(), _draw(24, 7), _labels(), "multiclass")


class _SlowCopy(nn.Module):
    """A network and its slow copy, which predicts what the network is to predict."""

    def __init__(self):
        super().__init__()
        self.fast = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4))
        self.slow = nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 4))

    def forward(self, x, after):
        with torch.no_grad():
            goal = self.slow(after).max(1).values
        return self.fast(x), goal


def right_slow_copy_gets_no_gradient():
    def loss(output, reward):
        values, goal = output
        return F.smooth_l1_loss(values.gather(1, _labels(20, 4)[:, None])[:, 0], reward + 0.9 * goal)

    return _case(_SlowCopy(), loss, (_draw(20, 6), _draw(20, 6, seed=6)), _draw(20, seed=7), "rl")


class _Towers(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Linear(8, 11)
        self.price, self.kind = nn.Linear(11, 1), nn.Linear(11, 4)

    def forward(self, x):
        h = self.shared(x).relu()
        return self.price(h)[:, 0], self.kind(h)


def _two_targets():
    return {"price": _draw(28, seed=8), "kind": _labels(28, 4)}


def bad_term_replaced():
    def loss(output, targets):
        terms = {"t": F.huber_loss(output[0], targets["price"])}
        terms["t"] = F.cross_entropy(output[1], targets["kind"])
        return sum(terms.values())

    return _case(_Towers(), loss, _draw(28, 8), _two_targets(), "multitask")


def right_both_terms():
    def loss(output, targets):
        return F.huber_loss(output[0], targets["price"]) + F.cross_entropy(output[1], targets["kind"])

    return _case(_Towers(), loss, _draw(28, 8), _two_targets(), "multitask")


class _Bank(nn.Module):
    def __init__(self, registered):
        super().__init__()
        made = {name: nn.Linear(5, 5) for name in ("a", "b")}
        self.bank = nn.ModuleDict(made) if registered else made
        self.out = nn.Linear(5, 1)

    def forward(self, x):
        for layer in self.bank.values():
            x = layer(x).tanh()
        return self.out(x)


def bad_layers_in_a_dict():
    return _case(_Bank(registered=False), nn.MSELoss(), _draw(22, 5), _draw(22, 1, seed=9), "regression")


def right_layers_in_a_module_dict():
    return _case(_Bank(registered=True), nn.MSELoss(), _draw(22, 5), _draw(22, 1, seed=9), "regression")


def right_loose_tensor_in_the_optimizer():
    model, spread = nn.Linear(5, 1), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([*model.parameters(), spread], lr=1e-2)

    def loss(output, targets):
        return (0.5 * spread + 0.5 * (output - targets).square() / spread.exp()).mean()

    return _case(model, loss, _draw(22, 5), _draw(22, 1, seed=9), "regression", optimizer=optimizer)


def right_penalty_on_the_slope_at_the_inputs():
    class Field(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 1))

        def forward(self, x):
            x = x.detach().requires_grad_()
            value = self.net(x)
            return value, torch.autograd.grad(value.sum(), x, create_graph=True)[0]

    def loss(output, targets):
        return F.mse_loss(output[0], targets) + 0.1 * output[1].square().mean()

    return _case(Field(), loss, _draw(26, 2), _draw(26, 1, seed=10), "regression")


class _Centred(nn.Module):
    def __init__(self, axis):
        super().__init__()
        self.first, self.last, self.axis = nn.Linear(6, 10), nn.Linear(10, 2), axis

    def forward(self, x):
        h = self.first(x).relu()
        return self.last(h - h.mean(self.axis, keepdim=True))


def bad_centred_over_the_batch():
    return _case(_Centred(0), nn.CrossEntropyLoss(), _draw(21, 6), _labels(21, 2), "multiclass")


def right_centred_over_the_features():
    return _case(_Centred(1), nn.CrossEntropyLoss(), _draw(21, 6), _labels(21, 2), "multiclass")


def right_centred_over_the_batch_in_training_only():
    class Whitened(_Centred):
        def __init__(self):
            super().__init__(0)
            self.register_buffer("middle", torch.zeros(10))

        def forward(self, x):
            h = self.first(x).relu()
            if self.training:
                self.middle.lerp_(h.detach().mean(0), 0.1)
            return self.last(h - (h.mean(0) if self.training else self.middle))

    return _case(Whitened(), nn.CrossEntropyLoss(), _draw(21, 6), _labels(21, 2), "multiclass")


def right_graph_with_an_average_over_nodes():
    class Nodes(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 8), nn.Linear(8, 3)

        def forward(self, x, near):
            h = (near @ self.one(x)).relu()
            return self.two(h - h.mean(0))

    near = (_draw(18, 18, seed=11) > 0.5).float() + torch.eye(18)
    return _case(
        Nodes(), nn.CrossEntropyLoss(), (_draw(18, 4), near / near.sum(1, keepdim=True)), _labels(18), "multiclass"
    )


class _NextSymbol(nn.Module):
    def __init__(self, both_ways):
        super().__init__()
        self.embed = nn.Embedding(30, 12)
        self.run = nn.GRU(12, 10, batch_first=True, bidirectional=both_ways)
        self.out = nn.Linear(20 if both_ways else 10, 30)

    def forward(self, tokens):
        return self.out(self.run(self.embed(tokens))[0])


def _text(rows=6, length=13):
    return torch.randint(0, 30, (rows, length), generator=torch.Generator().manual_seed(12))


def _next_loss(output, targets):
    return F.cross_entropy(output.transpose(1, 2), targets)


def bad_reads_the_future():
    text = _text()
    return _case(_NextSymbol(both_ways=True), _next_loss, text[:, :-1], text[:, 1:], "language_model")


def right_reads_the_past():
    text = _text()
    return _case(_NextSymbol(both_ways=False), _next_loss, text[:, :-1], text[:, 1:], "language_model")


def right_tags_from_both_sides():
    text = _text()
    return _case(_NextSymbol(both_ways=True), _next_loss, text, (text * 7 + 3) % 30, "sequence")


class _Gauss(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(5, 14), nn.SiLU())
        self.centre, self.width = nn.Linear(14, 1), nn.Linear(14, 1)

    def forward(self, x):
        h = self.trunk(x)
        return {"centre": self.centre(h)[:, 0], "log_precision": self.width(h)[:, 0]}


def bad_precision_is_rewarded():
    def loss(output, targets):
        error = (output["centre"] - targets).abs()
        return (error * output["log_precision"].exp() + 0.0 * output["log_precision"]).mean()

    return _case(_Gauss(), loss, _draw(30, 5), _draw(30, seed=13), "regression")


def bad_log_precision_added_twice_over():
    def loss(output, targets):
        error = (output["centre"] - targets).square()
        return (error * (-output["log_precision"]).exp() - output["log_precision"]).mean()

    return _case(_Gauss(), loss, _draw(30, 5), _draw(30, seed=13), "regression")


def right_laplace_with_its_precision():
    def loss(output, targets):
        error = (output["centre"] - targets).abs()
        return (error * output["log_precision"].exp() - output["log_precision"]).mean()

    return _case(_Gauss(), loss, _draw(30, 5), _draw(30, seed=13), "regression")


def right_flow_returns_its_log_determinant():
    class Flow(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.shift = nn.Linear(2, 2), nn.Linear(2, 2)

        def forward(self, x):
            kept, other = x.chunk(2, 1)
            s = self.scale(kept).tanh()
            return torch.cat([kept, other * s.exp() + self.shift(kept)], 1), s.sum(1)

    def loss(output, _):
        return (0.5 * output[0].square().sum(1) - output[1]).mean()

    x = _draw(40, 4)
    return _case(Flow(), loss, x, x, "density")


def _scaled_step(scale, unscale):
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets)
        (scale * value).backward()
        if unscale == "first":
            for p in model.parameters():
                p.grad /= scale
        nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        if unscale == "last":
            for p in model.parameters():
                p.grad /= scale
        optimizer.step()
        return value.item()

    return step


def _scaled(step):
    model = nn.Sequential(nn.Linear(6, 12), nn.ELU(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    return _case(model, nn.CrossEntropyLoss(), _draw(24, 6), _labels(), "multiclass", step=step, optimizer=optimizer)


def bad_clipped_while_scaled():
    return _scaled(_scaled_step(2.0**15, "last"))


def right_clipped_after_unscaling():
    return _scaled(_scaled_step(2.0**15, "first"))


def right_clipped_without_scale():
    return _scaled(_scaled_step(1.0, ""))


def bad_schedule_stays_at_zero():
    case = _scaled(_plain_step)
    torch.optim.lr_scheduler.LambdaLR(case["optimizer"], lambda epoch: min(1, epoch // 50))
    return case


def right_schedule_starts_low():
    case = _scaled(_plain_step)
    torch.optim.lr_scheduler.OneCycleLR(case["optimizer"], max_lr=0.1, total_steps=40)
    return case


def right_schedule_called_in_the_step():
    case = _scaled(None)
    schedule = torch.optim.lr_scheduler.LambdaLR(case["optimizer"], lambda k: min(1.0, k / 3))

    def step(*args):
        value = _plain_step(*args)
        schedule.step()
        return value

    return case | {"step": step}


def right_shapes_made_equal_in_the_step():
    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        value = loss(model(inputs), targets.float().view(-1, 1))
        value.backward()
        optimizer.step()
        return value

    model = nn.Linear(4, 1)
    x = _draw(26, 4)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    return _case(model, nn.BCEWithLogitsLoss(), x, (x[:, 0] > 0).long(), "binary", step=step, optimizer=optimizer)


def right_parts_weighted_by_their_tokens():
    def loss(output, targets):
        return F.cross_entropy(output.flatten(0, 1), targets.flatten(), ignore_index=0)

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad()
        total = 0.0
        for x, y in zip(inputs.split(2), targets.split(2), strict=True):
            part = loss(model(x), y) * (y > 0).sum() / (targets > 0).sum()
            part.backward()
            total += part.item()
        optimizer.step()
        return total

    tags = torch.randint(1, 5, (6, 9), generator=torch.Generator().manual_seed(14))
    tags[2:, 5:] = 0
    tags[4:, 2:] = 0
    model = nn.Sequential(nn.Embedding(30, 8), nn.Linear(8, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    return _case(model, loss, _text(6, 9), tags, "sequence", step=step, optimizer=optimizer)


def _served(undo):
    x = _draw(48, 4)
    price = 90_000 + 20_000 * x[:, :1] - 7_000 * x[:, 1:2]
    low, high = price.min(), price.max()
    model = nn.Linear(4, 1)
    with torch.no_grad():
        solved = torch.linalg.lstsq(torch.cat([x, torch.ones(48, 1)], 1), (price - low) / (high - low)).solution
        model.weight.copy_(solved[:4].T)
        model.bias.copy_(solved[4])

    def serve(rows):
        with torch.inference_mode():
            return low + model(rows) * (high - low) if undo else model(rows)

    return _case(model, nn.L1Loss(), x, (price - low) / (high - low), "regression", raw=price, serve=serve)


def bad_served_between_zero_and_one():
    return _served(undo=False)


def right_served_as_prices():
    return _served(undo=True)


def _log_shares():
    return nn.Sequential(nn.Linear(6, 10), nn.ReLU(), nn.Linear(10, 5), nn.LogSoftmax(dim=-1))


def bad_served_shares_of_shares():
    model = _log_shares()
    return _case(
        model,
        nn.NLLLoss(),
        _draw(30, 6),
        _labels(30, 5),
        "multiclass",
        serve=lambda x: model(x).exp().softmax(-1),
    )


def right_served_shares_from_their_logarithms():
    model = _log_shares()
    return _case(model, nn.NLLLoss(), _draw(30, 6), _labels(30, 5), "multiclass", serve=lambda x: model(x).softmax(-1))


class _Pair(nn.Module):
    def __init__(self, stop):
        super().__init__()
        self.left, self.right, self.stop = nn.Linear(6, 9), nn.Linear(6, 9), stop

    def forward(self, a, b):
        right = self.right(b)
        return self.left(a), right.detach() if self.stop else right


def _views():
    x = _draw(20, 6)
    return x, x + 0.1 * _draw(20, 6, seed=15)


def right_two_towers_with_a_spread_term():
    def loss(output, _):
        spread = sum(F.relu(1 - o.std(0)).mean() for o in output)
        return F.mse_loss(*output) + spread

    return _case(_Pair(stop=False), loss, _views(), None, "representation")


def right_one_tower_follows_the_other():
    case = _case(_Pair(stop=True), lambda o, _: F.mse_loss(*o), _views(), None, "representation")
    return case | {"optimizer": torch.optim.SGD(case["model"].left.parameters(), lr=0.1)}


def right_two_towers_with_negatives():
    def loss(output, _):
        a, b = (F.normalize(o, dim=-1) for o in output)
        return F.cross_entropy(a @ b.T / 0.1, torch.arange(len(a)))

    return _case(_Pair(stop=False), loss, _views(), None, "representation")


def right_predictor_with_the_stop_in_the_loss():
    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.encode, self.predict = nn.Linear(6, 9), nn.Linear(9, 9)

        def forward(self, a, b):
            one, two = self.encode(a), self.encode(b)
            return self.predict(one), self.predict(two), one, two

    def loss(output, _):
        p, q, one, two = output
        return F.mse_loss(p, two.detach()) + F.mse_loss(q, one.detach())

    return _case(Siamese(), loss, _views(), None, "representation")
