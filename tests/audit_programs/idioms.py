"""Programs in less common idioms, right and wrong."""

import functools

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def _g(seed=0):
    return torch.Generator().manual_seed(seed)


def _case(model, loss, x, y, task="multiclass", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def _mlp(k=3, *more):
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, k), *more)


X = torch.randn(40, 6, generator=_g())
Y = torch.arange(40) % 3
R = X @ torch.arange(6.0)


def right_einops_like_heads():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.q, self.o = nn.Linear(4, 8), nn.Linear(4, 3)

        def forward(self, x):
            b, n, d = x.shape
            q = self.q(x).view(b, n, 2, 4).transpose(1, 2)
            a = (q @ q.transpose(-1, -2) / 2).softmax(-1)
            return self.o((a @ q).transpose(1, 2).reshape(b, n, 8)[..., :4].mean(1))

    return _case(Heads(), nn.CrossEntropyLoss(), torch.randn(12, 5, 4, generator=_g()), torch.arange(12) % 3)


def right_patch_transformer_with_class_token():
    class Vit(nn.Module):
        def __init__(self):
            super().__init__()
            self.patch, self.token = nn.Conv2d(3, 8, 4, 4), nn.Parameter(torch.zeros(1, 1, 8))
            self.place = nn.Parameter(torch.randn(1, 5, 8) * 0.02)
            self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.head = nn.Linear(8, 3)

        def forward(self, x):
            h = self.patch(x).flatten(2).transpose(1, 2)
            h = torch.cat([self.token.expand(len(x), -1, -1), h], 1) + self.place
            return self.head(self.block(h)[:, 0])

    return _case(
        Vit(), nn.CrossEntropyLoss(label_smoothing=0.1), torch.randn(10, 3, 8, 8, generator=_g()), torch.arange(10) % 3
    )


def right_sequence_to_sequence_teacher_forcing():
    class S2s(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.enc = nn.Embedding(12, 8), nn.GRU(8, 8, batch_first=True)
            self.dec, self.o = nn.GRU(8, 8, batch_first=True), nn.Linear(8, 12)

        def forward(self, source, target):
            _, h = self.enc(self.e(source))
            return self.o(self.dec(self.e(target), h)[0])

    src, tgt = torch.randint(1, 12, (2, 6, 8), generator=_g())

    def loss(o, t):
        return F.cross_entropy(o.reshape(-1, 12), t.reshape(-1), ignore_index=0)

    return _case(S2s(), loss, (src, tgt[:, :-1]), tgt[:, 1:], "sequence")


def right_packed_sequence():
    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.r, self.o = nn.Embedding(12, 8), nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 3)

        def forward(self, ids, lengths):
            packed = nn.utils.rnn.pack_padded_sequence(self.e(ids), lengths, batch_first=True, enforce_sorted=False)
            return self.o(self.r(packed)[1][0][-1])

    ids = torch.randint(1, 12, (6, 7), generator=_g())
    return _case(Packed(), nn.CrossEntropyLoss(), (ids, torch.tensor([7, 5, 3, 6, 2, 4])), torch.arange(6) % 3)


def right_bidirectional_crf_like_scores():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.r, self.o = (
                nn.Embedding(12, 8),
                nn.LSTM(8, 4, batch_first=True, bidirectional=True),
                nn.Linear(8, 4),
            )
            self.t = nn.Parameter(torch.zeros(4, 4))

        def forward(self, ids):
            return self.o(self.r(self.e(ids))[0])

        def nll(self, z, tags):
            gold = z.gather(2, tags.unsqueeze(2)).sum((1, 2)) + self.t[tags[:, :-1], tags[:, 1:]].sum(1)
            alpha = z[:, 0]
            for step in z.unbind(1)[1:]:
                alpha = torch.logsumexp(alpha.unsqueeze(2) + self.t, 1) + step
            return (torch.logsumexp(alpha, 1) - gold).mean()

    model = Tagger()
    ids = torch.randint(1, 12, (6, 7), generator=_g())
    return _case(model, model.nll, ids, ids % 4, "sequence")


def right_partial_loss():
    loss = functools.partial(F.cross_entropy, label_smoothing=0.05, weight=torch.tensor([1.0, 1.2, 0.9]))
    return _case(_mlp(), loss, X, Y)


def right_callable_object_loss():
    class Loss:
        def __init__(self):
            self.history = []

        def __call__(self, o, t):
            value = F.cross_entropy(o, t)
            self.history.append(value.item())
            return value

    return _case(_mlp(), Loss(), X, Y)


def right_loss_returns_dict_total():
    def loss(o, t):
        parts = {"ce": F.cross_entropy(o, t), "norm": o.square().mean()}
        return parts["ce"] + 1e-3 * parts["norm"]

    return _case(_mlp(), loss, X, Y)


def right_lora():
    class Lora(nn.Module):
        def __init__(self):
            super().__init__()
            self.base = nn.Linear(6, 3).requires_grad_(False)
            self.a, self.b = nn.Parameter(torch.randn(6, 2) * 0.1), nn.Parameter(torch.zeros(2, 3))

        def forward(self, x):
            return self.base(x) + x @ self.a @ self.b

    return _case(Lora(), nn.CrossEntropyLoss(), X, Y)


def right_hypernetwork():
    class Hyper(nn.Module):
        def __init__(self):
            super().__init__()
            self.h = nn.Linear(6, 6 * 3)

        def forward(self, x):
            return torch.bmm(x.unsqueeze(1), self.h(x).view(-1, 6, 3)).squeeze(1)

    return _case(Hyper(), nn.CrossEntropyLoss(), X, Y)


def right_prototypes_by_distance():
    class Prototypes(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.p = nn.Linear(6, 8), nn.Parameter(torch.randn(3, 8))

        def forward(self, x):
            return -torch.cdist(self.f(x), self.p).square()

    return _case(Prototypes(), nn.CrossEntropyLoss(), X, Y)


def right_episode_of_few_shots():
    class Episode(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 8)

        def forward(self, support, query):
            centres = self.f(support).view(3, 5, 8).mean(1)
            return -(self.f(query)[:, None] - centres[None]).square().sum(-1)

    return _case(Episode(), nn.CrossEntropyLoss(), (X[:15], X[15:39]), torch.arange(24) % 3)


def right_two_towers_with_bias_and_regression():
    class Towers(nn.Module):
        def __init__(self):
            super().__init__()
            self.u, self.i, self.b = nn.Embedding(9, 4), nn.Embedding(9, 4), nn.Embedding(9, 1)

        def forward(self, u, i):
            return (self.u(u) * self.i(i)).sum(1) + self.b(u).squeeze(1) + 3.0

    u, i = torch.randint(0, 9, (2, 40), generator=_g())
    return _case(Towers(), nn.MSELoss(), (u, i), (1 + (u + i) % 5).float(), "regression")


def right_censored_regression():
    def loss(o, t):
        y, seen = t[:, 0], t[:, 1].bool()
        return torch.where(seen, (o - y) ** 2, F.relu(y - o) ** 2).mean()

    return _case(_mlp(1, nn.Flatten(0)), loss, X, torch.stack([R, (Y > 0).float()], 1), "regression")


def right_zero_inflated():
    class Hurdle(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 2)

        def forward(self, x):
            return self.f(x).unbind(1)

    counts = torch.poisson(torch.rand(40, generator=_g()) * 2)

    def loss(o, t):
        gate, log_rate = o
        zero = F.binary_cross_entropy_with_logits(gate, (t == 0).float())
        return zero + (F.poisson_nll_loss(log_rate, t, reduction="none") * (t > 0)).sum() / (t > 0).sum()

    return _case(Hurdle(), loss, X, counts, "count")


def right_negative_binomial():
    def loss(o, t):
        mean, shape = o[:, 0].exp(), F.softplus(o[:, 1]) + 1e-3
        dist = torch.distributions.NegativeBinomial(total_count=shape, logits=(mean / shape).log())
        return -dist.log_prob(t).mean()

    return _case(_mlp(2), loss, X, torch.poisson(torch.rand(40, generator=_g()) * 4), "count")


def right_beta_likelihood():
    def loss(o, t):
        a, b = F.softplus(o).add(1e-3).unbind(1)
        return -torch.distributions.Beta(a, b).log_prob(t).mean()

    return _case(_mlp(2), loss, X, torch.rand(40, generator=_g()) * 0.98 + 0.01, "regression")


def right_spherical_regression():
    class Unit(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp(3)

        def forward(self, x):
            return F.normalize(self.f(x), dim=-1)

    t = F.normalize(torch.randn(40, 3, generator=_g()), dim=-1)
    return _case(Unit(), lambda o, t: (1 - (o * t).sum(-1)).mean(), X, t, "regression")


def right_image_to_image_tanh():
    x = torch.rand(4, 3, 8, 8, generator=_g()) * 2 - 1
    return _case(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3, padding=1), nn.Tanh()),
        nn.L1Loss(),
        x,
        x,
        "regression",
    )


def right_segmentation_ignoring_border():
    x = torch.randn(2, 3, 8, 8, generator=_g())
    y = torch.randint(0, 4, (2, 8, 8), generator=_g())
    y[:, 0] = 255
    return _case(nn.Conv2d(3, 4, 3, padding=1), nn.CrossEntropyLoss(ignore_index=255), x, y, "segmentation")


def right_multilabel_focal_masked():
    t = (X[:, :4] > 0).float()
    known = torch.rand(40, 4, generator=_g()) > 0.2

    def loss(z, t):
        ce = F.binary_cross_entropy_with_logits(z, t, reduction="none")
        p = torch.exp(-ce)
        return (((1 - p) ** 2 * ce) * known).sum() / known.sum()

    return _case(_mlp(4), loss, X, t, "multilabel", mask=known)


def right_asymmetric_loss():
    t = (X[:, :4] > 0).float()

    def loss(z, t):
        p = torch.sigmoid(z)
        q = (p - 0.05).clamp(min=0)
        return -(t * torch.log(p.clamp(min=1e-8)) + (1 - t) * q**4 * torch.log((1 - q).clamp(min=1e-8))).mean()

    return _case(_mlp(4), loss, X, t, "multilabel")


def right_symmetric_cross_entropy():
    def loss(z, t):
        p = z.softmax(-1).clamp(1e-7, 1)
        hot = F.one_hot(t, 3).float().clamp(1e-4, 1)
        return F.cross_entropy(z, t) - 0.1 * (p * hot.log()).sum(-1).mean()

    return _case(_mlp(), loss, X, Y)


def right_generalised_cross_entropy():
    def loss(z, t):
        p = z.softmax(-1).gather(1, t[:, None]).squeeze(1)
        return ((1 - p**0.7) / 0.7).mean()

    return _case(_mlp(), loss, X, Y)


def right_r_drop():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))

        def forward(self, x):
            return self.f(x), self.f(x)

    def loss(o, t):
        p, q = (z.log_softmax(-1) for z in o)
        kl = F.kl_div(p, q, log_target=True, reduction="batchmean") + F.kl_div(
            q, p, log_target=True, reduction="batchmean"
        )
        return (F.nll_loss(p, t) + F.nll_loss(q, t)) / 2 + kl / 4

    return _case(Twice(), loss, X, Y)


def right_pseudo_labels():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x, u):
            return self.f(x), self.f(u)

    def loss(o, t):
        with torch.no_grad():
            confidence, pseudo = o[1].softmax(-1).max(-1)
        unlabelled = (F.cross_entropy(o[1], pseudo, reduction="none") * (confidence > 0.4)).mean()
        return F.cross_entropy(o[0], t) + unlabelled

    return _case(Both(), loss, (X, X + 0.1), Y, "semi_supervised")


def right_barlow_twins():
    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(_mlp(8), nn.BatchNorm1d(8, affine=False))

        def forward(self, a, b):
            return self.f(a), self.f(b)

    def loss(o, t):
        c = o[0].T @ o[1] / len(o[0])
        return (c.diagonal() - 1).square().sum() + 5e-3 * c.fill_diagonal_(0).square().sum()

    return _case(Views(), loss, (X, X + 0.1), None, "self_supervised")


def right_gradient_penalty():
    critic = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))

    class Critic(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = critic

        def forward(self, real, fake):
            mix = (0.5 * real + 0.5 * fake).requires_grad_()
            slope = torch.autograd.grad(self.c(mix).sum(), mix, create_graph=True)[0]
            return self.c(real), self.c(fake), slope.norm(dim=1)

    return _case(
        Critic(), lambda o, t: o[1].mean() - o[0].mean() + 10 * (o[2] - 1).square().mean(), (X, -X), None, "gan"
    )


def right_flow():
    class Flow(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Linear(3, 6)

        def forward(self, x):
            a, b = x.chunk(2, 1)
            log_scale, shift = self.net(a).chunk(2, 1)
            return torch.cat([a, b * log_scale.tanh().exp() + shift], 1), log_scale.tanh().sum(1)

    return _case(Flow(), lambda o, t: (0.5 * o[0].square().sum(1) - o[1]).mean(), X, None, "density")


def right_numpy_metric_and_logits():
    def score(t, o):
        return float((np.asarray(o).argmax(1) == np.asarray(t)).mean())

    return _case(_mlp(), nn.CrossEntropyLoss(), X, Y, score=score)


def right_decide_by_name():
    names = ["a", "b", "c"]
    return _case(_mlp(), nn.CrossEntropyLoss(), X, Y, decide=lambda o: [names[i] for i in o.argmax(-1).tolist()])


def right_multilabel_threshold_per_label():
    cut = torch.tensor([0.3, 0.5, 0.6, 0.4])
    return _case(
        _mlp(4),
        nn.BCEWithLogitsLoss(),
        X,
        (X[:, :4] > 0).float(),
        "multilabel",
        decide=lambda o: (o.sigmoid() >= cut).float(),
    )


def bad_softmax_in_a_wrapper_class():
    class Probabilities(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def forward(self, x):
            return torch.nn.functional.softmax(self.inner(x), dim=-1)

    class Smoothed(nn.Module):
        def forward(self, o, t):
            logp = F.log_softmax(o, -1)
            hot = torch.full_like(logp, 0.1 / 3).scatter_(1, t[:, None], 0.9 + 0.1 / 3)
            return -(hot * logp).sum(-1).mean()

    return _case(Probabilities(_mlp()), Smoothed(), X, Y)


def bad_sequence_softmax_over_time():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.o = nn.Embedding(12, 8), nn.Linear(8, 4)

        def forward(self, ids):
            return self.o(self.e(ids)).log_softmax(1)

    ids = torch.randint(1, 12, (6, 7), generator=_g())
    return _case(Tagger(), lambda o, t: F.nll_loss(o.flatten(0, 1), t.flatten()), ids, ids % 4, "sequence")


def bad_probabilities_then_bce_with_logits_multitask():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 3), nn.Linear(6, 1)

        def forward(self, x):
            return self.a(x), torch.sigmoid(self.b(x)).squeeze(-1)

    t = (Y, (Y > 0).float())
    return _case(
        Two(),
        lambda o, t: F.cross_entropy(o[0], t[0]) + F.binary_cross_entropy_with_logits(o[1], t[1]),
        X,
        t,
        "multitask",
    )


def bad_bce_by_hand_on_logits():
    t = (X[:, :1] > 0).float()
    return _case(nn.Linear(6, 1), lambda o, t: -(t * torch.log(o) + (1 - t) * torch.log(1 - o)).mean(), X, t, "binary")


def bad_gaussian_sign():
    def loss(o, t):
        mean, log_var = o.unbind(1)
        return (log_var - (t - mean) ** 2 / log_var.exp()).mean()

    return _case(_mlp(2), loss, X, R, "regression")


def bad_pinball_broadcast():
    q = torch.tensor(0.9)

    def loss(o, t):
        e = t - o
        return torch.maximum(q * e, (q - 1) * e).mean()

    return _case(_mlp(1), loss, X, R, "quantile")


def bad_transposed_pairs():
    return _case(_mlp(1), lambda o, t: ((o.T - t[:, None]) ** 2).mean(), X, R, "regression")


def bad_softmax_over_one_class_map():
    x = torch.randn(4, 3, 8, 8, generator=_g())
    y = (x.mean(1, keepdim=True) > 0).float()

    def loss(z, t):
        p = z.softmax(1)
        return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)

    return _case(nn.Conv2d(3, 1, 3, padding=1), loss, x, y, "binary")


def bad_argmax_then_one_hot():
    def loss(z, t):
        return F.mse_loss(F.one_hot(z.argmax(1), 3).float().requires_grad_(), F.one_hot(t, 3).float())

    return _case(_mlp(), loss, X, Y)


def bad_log_of_softmax_over_batch_contract():
    return _case(_mlp(3, nn.Softmax(0)), lambda o, t: -o.log().gather(1, t[:, None]).mean(), X, Y)


def bad_step_uses_stale_output():
    model = _mlp()
    kept = {}

    def step(model, loss, inputs, targets, optimizer):
        if "o" not in kept:
            kept["o"] = model(inputs)
        optimizer.zero_grad()
        value = loss(kept["o"], targets)
        value.backward()
        optimizer.step()
        return value

    return _case(model, nn.CrossEntropyLoss(), X, Y, step=step, optimizer=torch.optim.SGD(model.parameters(), 0.1))
