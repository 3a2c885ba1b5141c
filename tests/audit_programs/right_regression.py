"""Right programs: regression, counts, distributions."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def _xy(n=40, d=6, seed=2):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, x @ torch.randn(d, generator=g) + 0.1 * torch.randn(n, generator=g)


def _case(model, loss, x, y, task="regression", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def right_squeeze():
    x, y = _xy()
    return _case(nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0)), nn.MSELoss(), x, y)


def right_several_targets_huber():
    x, y = _xy()
    return _case(nn.Linear(6, 2), nn.HuberLoss(delta=0.5), x, torch.stack([y, -y], 1))


def right_gaussian_log_variance():
    class MeanVar(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 2)

        def forward(self, x):
            return self.f(x).unbind(-1)

    x, y = _xy()

    def loss(o, t):
        mean, log_var = o
        return 0.5 * (log_var + (t - mean) ** 2 * torch.exp(-log_var)).mean()

    return _case(MeanVar(), loss, x, y)


def right_gaussian_softplus_variance():
    x, y = _xy()
    nll = nn.GaussianNLLLoss()
    return _case(nn.Linear(6, 2), lambda o, t: nll(o[:, 0], t, F.softplus(o[:, 1]) + 1e-6), x, y)


def right_normal_distribution_object():
    x, y = _xy()
    return _case(
        nn.Linear(6, 2), lambda o, t: -torch.distributions.Normal(o[:, 0], o[:, 1].exp()).log_prob(t).mean(), x, y
    )


def right_mixture_density():
    class Mdn(nn.Module):
        def __init__(self, k=3):
            super().__init__()
            self.k, self.f = k, nn.Linear(6, 3 * k)

        def forward(self, x):
            weights, mean, scale = self.f(x).split(self.k, dim=-1)
            return weights.log_softmax(-1), mean, F.softplus(scale) + 1e-3

    x, y = _xy()

    def loss(o, t):
        log_w, mean, scale = o
        z = (t[:, None] - mean) / scale
        return -torch.logsumexp(log_w - 0.5 * z**2 - scale.log() - 0.5 * math.log(2 * math.pi), -1).mean()

    return _case(Mdn(), loss, x, y)


def right_poisson_log_rate():
    x, y = _xy()
    counts = torch.poisson(torch.exp(0.3 * y.clamp(-3, 3) + 1))
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), nn.PoissonNLLLoss(), x, counts, "count")


def right_poisson_rate_softplus():
    x, y = _xy()
    counts = torch.poisson(torch.exp(0.3 * y.clamp(-3, 3) + 1)).unsqueeze(1)
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Softplus()), nn.PoissonNLLLoss(log_input=False), x, counts, "count")


def right_poisson_with_exposure():
    class Rate(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x, exposure):
            return self.f(x).squeeze(-1) + exposure.log()

    x, y = _xy()
    exposure = torch.rand(40, generator=torch.Generator().manual_seed(1)) + 0.5
    counts = torch.poisson(exposure * torch.exp(0.3 * y.clamp(-3, 3)))
    return _case(Rate(), nn.PoissonNLLLoss(), (x, exposure), counts, "count")


def right_gamma_by_hand():
    x, y = _xy()
    return _case(
        nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)),
        lambda z, t: (t * torch.exp(-z) + z).mean(),
        x,
        y.exp(),
        "regression",
    )


def right_exp_output_mse_on_positive():
    class Positive(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x):
            return self.f(x).exp()

    x, y = _xy()
    return _case(Positive(), nn.MSELoss(), x, (0.5 * y).exp().unsqueeze(1))


def right_relu_output_on_counts_with_bias():
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 1), nn.Softplus())
    x, y = _xy()
    return _case(model, nn.L1Loss(), x, y.abs().unsqueeze(1))


def right_quantiles_crossing_free():
    class Quantiles(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 3)

        def forward(self, x):
            first, *steps = self.f(x).unbind(-1)
            return torch.stack([first, *[first + F.softplus(s) for s in steps]], -1)

    x, y = _xy()
    levels = torch.tensor([0.1, 0.5, 0.9])

    def pinball(o, t):
        e = t.unsqueeze(-1) - o
        return torch.max(levels * e, (levels - 1) * e).sum(-1).mean()

    return _case(Quantiles(), pinball, x, y, "quantile")


def right_expectile():
    x, y = _xy()

    def loss(o, t):
        e = t - o
        return (torch.where(e > 0, 0.8, 0.2) * e**2).mean()

    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), loss, x, y)


def right_log_target():
    x, y = _xy()
    price = (12 + 0.3 * y).exp()
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), nn.MSELoss(), x, price.log())


def right_large_targets_scaled_output():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x):
            return (180_000 + 60_000 * self.f(x)).squeeze(-1)

    x, y = _xy()
    return _case(Scaled(), nn.SmoothL1Loss(beta=60_000.0), x, 180_000 + 60_000 * y)


def right_tanh_output_on_scaled_targets():
    x, y = _xy()
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Tanh(), nn.Flatten(0)), nn.MSELoss(), x, y / (y.abs().max() * 1.05))


def right_sigmoid_times_range():
    class Rating(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x):
            return 1 + 4 * torch.sigmoid(self.f(x)).squeeze(-1)

    x, y = _xy()
    return _case(Rating(), nn.MSELoss(), x, (3 + y).clamp(1, 5).round())


def right_masked_regression():
    x, y = _xy()
    t = torch.stack([y, -y], 1)
    t[::5, 1] = float("nan")

    def loss(o, t):
        keep = ~t.isnan()
        return F.mse_loss(o[keep], t[keep])

    return _case(nn.Linear(6, 2), loss, x, t)


def right_masked_with_where():
    x, y = _xy()
    t = torch.stack([y, -y], 1)
    mask = torch.ones_like(t, dtype=torch.bool)
    mask[::4, 0] = False

    def loss(o, t):
        error = torch.where(mask, o - t, 0.0)
        return error.square().sum() / mask.sum()

    return _case(nn.Linear(6, 2), loss, x, t, mask=mask)


def right_weighted_examples():
    x, y = _xy()
    w = torch.rand(40, generator=torch.Generator().manual_seed(0)) + 0.2
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), lambda o, t: (w * (o - t) ** 2).sum() / w.sum(), x, y)


def right_relative_error_of_positive_targets():
    x, y = _xy()
    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), lambda o, t: ((o - t) / t).abs().mean(), x, y.abs() + 1)


def right_sequence_forecast():
    class Forecast(nn.Module):
        def __init__(self):
            super().__init__()
            self.r, self.o = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x):
            return self.o(self.r(x)[0]).squeeze(-1)

    g = torch.Generator().manual_seed(0)
    x = torch.randn(6, 10, 3, generator=g)
    return _case(Forecast(), nn.MSELoss(), x, x.sum(-1))


def right_autoencoder_linear():
    x, _ = _xy()
    return _case(nn.Sequential(nn.Linear(6, 2), nn.ReLU(), nn.Linear(2, 6)), nn.MSELoss(), x, x)


def right_residual_in_metres():
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x):
            return x[:, :1] + self.f(x)

    x, y = _xy()
    return _case(Residual(), nn.L1Loss(), x, y.unsqueeze(1))


def right_log_cosh():
    x, y = _xy()

    def loss(o, t):
        r = (o - t).abs()
        return (r + F.softplus(-2 * r) - math.log(2)).mean()

    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), loss, x, y)


def right_one_row():
    x, y = _xy(n=1)
    return _case(nn.Linear(6, 1), nn.MSELoss(), x, y.unsqueeze(1))


def right_beta_nll():
    x, y = _xy()

    def loss(o, t):
        mean, var = o[:, 0], F.softplus(o[:, 1]) + 1e-6
        return (0.5 * ((t - mean) ** 2 / var + var.log()) * var.detach() ** 0.5).mean()

    return _case(nn.Linear(6, 2), loss, x, y)


def right_evidential_positive_heads():
    x, y = _xy()

    def loss(o, t):
        mean, nu = o[:, 0], F.softplus(o[:, 1]) + 1e-3
        alpha, beta = F.softplus(o[:, 2]) + 1.001, F.softplus(o[:, 3]) + 1e-3
        omega = 2 * beta * (1 + nu)
        nll = (
            0.5 * torch.log(math.pi / nu)
            - alpha * omega.log()
            + (alpha + 0.5) * torch.log((t - mean) ** 2 * nu + omega)
        )
        return (nll + torch.lgamma(alpha) - torch.lgamma(alpha + 0.5)).mean()

    return _case(nn.Linear(6, 4), loss, x, y)


def right_cox_partial_likelihood():
    x, y = _xy()
    time = (-y).exp()
    event = torch.arange(40) % 3 != 0

    def loss(risk, t):
        order = t[:, 0].argsort(descending=True)
        risk, seen = risk[order], t[order, 1]
        return -((risk - torch.logcumsumexp(risk, 0)) * seen).sum() / seen.sum()

    return _case(
        nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), loss, x, torch.stack([time, event.float()], 1), "survival"
    )


def right_crps_of_an_ensemble():
    x, y = _xy()

    def loss(o, t):
        spread = (o.unsqueeze(2) - o.unsqueeze(1)).abs().mean((1, 2))
        return ((o - t.unsqueeze(1)).abs().mean(1) - 0.5 * spread).mean()

    return _case(nn.Linear(6, 8), loss, x, y)
