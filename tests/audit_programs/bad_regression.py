"""Wrong programs: regression, counts, distributions, divergences, sequences."""

import torch
import torch.nn.functional as F
from torch import nn


def _xy(n=40, d=6, seed=2):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, x @ torch.randn(d, generator=g) + 0.1 * torch.randn(n, generator=g)


def _case(model, loss, x, y, task="regression", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def _net(k=1, *more):
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, k), *more)


def bad_broadcast_by_hand():
    x, y = _xy()
    return _case(_net(), lambda o, t: (o - t).pow(2).mean(), x, y)


def bad_broadcast_r2():
    x, y = _xy()

    def loss(o, t):
        return torch.sum((t - o) ** 2) / torch.sum((t - t.mean()) ** 2)

    return _case(_net(), loss, x, y)


def bad_broadcast_other_way():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), nn.SmoothL1Loss(), x, y.unsqueeze(-1))


def bad_broadcast_poisson():
    x, y = _xy()
    return _case(_net(), nn.PoissonNLLLoss(), x, torch.poisson(torch.exp(0.3 * y.clamp(-3, 3))), "count")


def bad_broadcast_gaussian():
    x, y = _xy()
    nll = nn.GaussianNLLLoss()
    return _case(_net(2), lambda o, t: nll(o[:, :1], t, F.softplus(o[:, 1:]) + 1e-6), x, y)


def bad_broadcast_dict():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _net()

        def forward(self, x):
            return {"pred": self.f(x)}

    x, y = _xy()
    return _case(Net(), lambda o, t: F.huber_loss(o["pred"], t["y"]), x, {"y": y})


def bad_sigmoid_on_unscaled():
    x, y = _xy()
    return _case(_net(1, nn.Sigmoid(), nn.Flatten(0)), nn.MSELoss(), x, 3 + y)


def bad_relu_on_standardised():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _net()

        def forward(self, x):
            return torch.clamp(self.f(x), min=0).squeeze(-1)

    x, y = _xy()
    return _case(Net(), lambda o, t: (o - t).abs().mean(), x, (y - y.mean()) / y.std())


def bad_softplus_on_log_target():
    x, y = _xy()
    return _case(_net(1, nn.Softplus()), nn.MSELoss(), x, (y.abs() + 0.05).log().unsqueeze(1))


def bad_normalised_output_on_wide_target():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 8), nn.Linear(6, 8)

        def forward(self, x):
            return F.cosine_similarity(self.a(x), self.b(x))

    x, y = _xy()
    return _case(Net(), nn.MSELoss(), x, (2.5 + y).clamp(0, 5))


def bad_dead_relu():
    model = _net(1, nn.ReLU())
    nn.init.constant_(model[2].bias, -50.0)
    x, y = _xy()
    return _case(model, nn.MSELoss(), x, y.abs().unsqueeze(1) + 1)


def bad_poisson_softplus_default():
    x, y = _xy()
    return _case(
        _net(1, nn.Softplus(), nn.Flatten(0)),
        F.poisson_nll_loss,
        x,
        torch.poisson(torch.exp(0.3 * y.clamp(-3, 3))),
        "count",
    )


def bad_poisson_by_hand_twice():
    x, y = _xy()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _net()

        def forward(self, x):
            return self.f(x).squeeze(-1).exp()

    return _case(
        Net(), lambda o, t: (o.exp() - t * o).mean(), x, torch.poisson(torch.exp(0.3 * y.clamp(-3, 3))), "count"
    )


def bad_poisson_linear_rate():
    x, y = _xy()
    return _case(
        _net(1, nn.Flatten(0)),
        nn.PoissonNLLLoss(log_input=False),
        x,
        torch.poisson(torch.exp(0.3 * y.clamp(-3, 3))),
        "count",
    )


def bad_gaussian_linear_variance():
    x, y = _xy()
    nll = nn.GaussianNLLLoss()
    return _case(_net(2), lambda o, t: nll(o[:, 0], t, o[:, 1]), x, y)


def bad_ctc_softmax():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.r, self.o = nn.LSTM(5, 8), nn.Linear(8, 7)

        def forward(self, x):
            return self.o(self.r(x)[0]).softmax(-1)

    x = torch.randn(15, 4, 5, generator=torch.Generator().manual_seed(0))
    y = torch.randint(1, 7, (4, 5))
    ctc = nn.CTCLoss()
    return _case(Net(), lambda o, t: ctc(o, t, torch.full((4,), 15), torch.tensor([5, 4, 3, 5])), x, y, "sequence")


def bad_ctc_blank_in_labels():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.o = nn.Linear(5, 7)

        def forward(self, x):
            return self.o(x).log_softmax(-1)

    x = torch.randn(15, 4, 5, generator=torch.Generator().manual_seed(0))
    y = torch.arange(20).reshape(4, 5) % 6
    return _case(Net(), lambda o, t: F.ctc_loss(o, t, torch.full((4,), 15), torch.full((4,), 5)), x, y, "sequence")


def bad_ctc_lengths_swapped():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.o = nn.Linear(5, 7)

        def forward(self, x):
            return self.o(x).log_softmax(-1)

    x = torch.randn(8, 4, 5, generator=torch.Generator().manual_seed(0))
    y = torch.randint(1, 7, (4, 8))
    return _case(
        Net(),
        lambda o, t: F.ctc_loss(o, t, torch.full((4,), 3), torch.full((4,), 8), zero_infinity=True),
        x,
        y,
        "sequence",
    )


def bad_kl_probabilities_first():
    x, _ = _xy()
    soft = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)).softmax(-1)
    return _case(_net(5), lambda o, t: F.kl_div(o.softmax(-1), t, reduction="batchmean"), x, soft, "distillation")


def bad_kl_log_target():
    x, _ = _xy()
    soft = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    return _case(_net(5), lambda o, t: F.kl_div(o.log_softmax(-1), t, reduction="batchmean"), x, soft, "distillation")


def bad_kl_none_then_mean():
    x, _ = _xy()
    soft = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)).softmax(-1)
    return _case(_net(5), lambda o, t: F.kl_div(o.log_softmax(-1), t, reduction="none").mean(), x, soft, "distillation")


def bad_distillation_by_hand():
    x, _ = _xy()
    y = torch.arange(40) % 4
    teacher = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    T = 5

    def loss(o, t):
        soft = -(torch.softmax(teacher / T, -1) * torch.log_softmax(o / T, -1)).sum(-1).mean()
        return 0.9 * soft + 0.1 * F.cross_entropy(o, t)

    return _case(_net(4), loss, x, y, "distillation")


def bad_sign():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), lambda o, t: -((o - t) ** 2).mean(), x, y)


def bad_mape_with_epsilon():
    x, y = _xy()
    t = torch.where(torch.arange(40) % 4 == 0, 0.0, y)
    return _case(_net(1, nn.Flatten(0)), lambda o, t: ((o - t).abs() / (t.abs() + 1e-8)).mean(), x, t)


def bad_norm_at_zero():
    x, _ = _xy()
    x[3] = 0
    model = nn.Linear(6, 3, bias=False)
    return _case(model, lambda o, t: ((o - t) ** 2).sum(-1).sqrt().mean(), x, torch.zeros(40, 3))


def bad_nan_times_mask():
    x, y = _xy()
    t = y.clone()
    t[::6] = float("nan")

    def loss(o, t):
        keep = (~t.isnan()).float()
        return (torch.nan_to_num((o.squeeze(-1) - t) ** 2) * keep).sum() / keep.sum()

    def poisoned(o, t):
        error = (o.squeeze(-1) - t) ** 2
        return error[t == t].sum() / 34

    return _case(_net(), poisoned, x, t)


def bad_prices():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), nn.MSELoss(), x, 250_000 + 80_000 * y)


def bad_item_in_sum():
    x, y = _xy()
    model = _net(1, nn.Flatten(0))
    goal = torch.zeros(40)

    def loss(o, t):
        penalty = F.l1_loss(o, goal).item()
        return F.mse_loss(o, t) + 0.1 * penalty

    return _case(model, loss, x, y)


def bad_no_grad_term():
    x, y = _xy()

    def loss(o, t):
        with torch.no_grad():
            smooth = (o[1:] - o[:-1]).abs().mean()
        return F.mse_loss(o, t) + smooth

    return _case(_net(1, nn.Flatten(0)), loss, x, y)


def bad_detached_prediction():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), lambda o, t: F.mse_loss(o.detach(), t).requires_grad_(), x, y)


class _Lm(nn.Module):
    def __init__(self, v=13):
        super().__init__()
        self.e, self.r, self.o = nn.Embedding(v, 8), nn.GRU(8, 8, batch_first=True), nn.Linear(8, v)

    def forward(self, ids):
        return self.o(self.r(self.e(ids))[0])


def _ids():
    ids = torch.randint(1, 13, (6, 9), generator=torch.Generator().manual_seed(0))
    lengths = torch.tensor([9, 6, 4, 8, 3, 5])
    ids[torch.arange(9)[None] >= lengths[:, None]] = 0
    return ids


def bad_padding_in_the_loss():
    ids = _ids()
    return _case(
        _Lm(), lambda o, t: F.cross_entropy(o.reshape(-1, 13), t.reshape(-1)), ids[:, :-1], ids[:, 1:], "language_model"
    )


def bad_padding_despite_mask():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(6, 9, 4, generator=g)
    mask = torch.arange(9)[None] < torch.tensor([9, 6, 4, 8, 3, 5])[:, None]
    return _case(nn.Sequential(nn.Linear(4, 1), nn.Flatten(1)), nn.MSELoss(), x, x.sum(-1) * mask, mask=mask)


def bad_masked_mean():
    ids = _ids()

    class Ce(nn.Module):
        def forward(self, o, t):
            token = F.cross_entropy(o.flatten(0, 1), t.flatten(), reduction="none").view_as(t)
            return torch.mean(token * (t > 0))

    return _case(_Lm(), Ce(), ids[:, :-1], ids[:, 1:], "sequence")


def bad_masked_mean_missing_labels():
    x, _ = _xy()
    t = (x[:, :3] > 0).float()
    t[::3, 1] = -1

    def loss(o, t):
        keep = (t >= 0).float()
        return (F.binary_cross_entropy_with_logits(o, t.clamp_min(0), reduction="none") * keep).mean()

    return _case(_net(3), loss, x, t, "multilabel")


def bad_unshifted_language_model():
    ids = torch.randint(0, 13, (5, 8), generator=torch.Generator().manual_seed(0))
    return _case(_Lm(), lambda o, t: F.cross_entropy(o.transpose(1, 2), t), ids, ids, "language_model")


def bad_shifted_twice():
    ids = torch.randint(0, 13, (5, 8), generator=torch.Generator().manual_seed(0))

    def loss(o, t):
        return F.cross_entropy(o[:, :-1].flatten(0, 1), t[:, 1:].flatten())

    return _case(_Lm(), loss, ids[:, :-1], ids[:, 1:], "language_model")


def bad_raw_targets_as_bytes():
    x, y = _xy()
    raw = (y * 100 + 300).round()
    return _case(_net(1, nn.Flatten(0)), nn.L1Loss(), x, (raw % 256), raw=raw)
