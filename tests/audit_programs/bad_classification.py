"""Wrong programs: activations, classes, targets and weights, in idioms of many code bases."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


def _xy(n=40, d=8, k=4, seed=1):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, (x @ torch.randn(d, k, generator=g)).argmax(1)


def _case(model, loss, x, y, task="multiclass", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def _mlp(d=8, k=4):
    return nn.Sequential(nn.Linear(d, 16), nn.GELU(), nn.Linear(16, k))


def bad_softmax_by_hand_into_cross_entropy():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x):
            e = torch.exp(self.f(x))
            return e / e.sum(-1, keepdim=True)

    x, y = _xy()
    return _case(Net(), F.cross_entropy, x, y)


def bad_probabilities_as_categorical_logits():
    x, y = _xy()

    def loss(z, t):
        return -torch.distributions.Categorical(logits=z.softmax(-1)).log_prob(t).mean()

    return _case(_mlp(), loss, x, y)


def bad_log_softmax_of_softmax_by_gather():
    x, y = _xy()

    def loss(o, t):
        return -o.log_softmax(1).gather(1, t.unsqueeze(1)).mean()

    return _case(nn.Sequential(_mlp(), nn.Softmax(1)), loss, x, y)


def bad_softmax_hf_style():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x, labels):
            probs = F.softmax(self.f(x), dim=1)
            return SimpleNamespace(loss=F.cross_entropy(probs, labels), probs=probs)

    x, y = _xy()
    return _case(Model(), lambda o, t: o.loss, {"x": x, "labels": y}, y)


def bad_softmax_in_ensemble_mean():
    class Ensemble(nn.Module):
        def __init__(self):
            super().__init__()
            self.members = nn.ModuleList(_mlp() for _ in range(3))

        def forward(self, x):
            return torch.stack([m(x).softmax(-1) for m in self.members]).mean(0)

    x, y = _xy()
    return _case(Ensemble(), nn.CrossEntropyLoss(), x, y)


def bad_tanh_logits():
    x, y = _xy()
    return _case(nn.Sequential(_mlp(), nn.Tanh()), nn.CrossEntropyLoss(), x, y)


def bad_relu_logits_binary():
    x, y = _xy(k=2)
    return _case(nn.Sequential(nn.Linear(8, 1), nn.ReLU()), nn.BCEWithLogitsLoss(), x, y.float().unsqueeze(1), "binary")


def bad_relu_logits():
    x, y = _xy()
    return _case(nn.Sequential(_mlp(), nn.ReLU()), nn.CrossEntropyLoss(), x, y)


def bad_sigmoid_in_forward_and_softplus_form():
    x, y = _xy(k=2)

    def loss(p, t):
        return F.binary_cross_entropy(torch.sigmoid(p), t)

    return _case(nn.Sequential(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(0)), loss, x, y.float(), "binary")


def bad_sigmoid_before_logsigmoid():
    x, y = _xy(k=2)

    def loss(p, t):
        return -(t * F.logsigmoid(p) + (1 - t) * F.logsigmoid(-p)).mean()

    return _case(nn.Sequential(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(0)), loss, x, y.float(), "binary")


def bad_cosine_without_temperature():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(8, 16), nn.Linear(8, 16)

        def forward(self, u, v):
            return F.normalize(self.a(u), dim=1) @ F.normalize(self.b(v), dim=1).T

    x, _ = _xy()
    return _case(Pair(), nn.CrossEntropyLoss(), (x, x), torch.arange(40), "contrastive")


def bad_temperature_multiplied():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(8, 16), nn.Linear(8, 16)

        def forward(self, u, v):
            a, b = self.a(u), self.b(v)
            a, b = a / a.norm(dim=1, keepdim=True), b / b.norm(dim=1, keepdim=True)
            return torch.einsum("nd,md->nm", a, b) * 0.07

    x, _ = _xy()
    return _case(Pair(), nn.CrossEntropyLoss(), (x, x), torch.arange(40), "contrastive")


def bad_nll_on_logits():
    x, y = _xy()
    return _case(_mlp(), nn.NLLLoss(), x, y)


def bad_nll_on_log_sigmoid():
    x, y = _xy()
    return _case(nn.Sequential(_mlp(), nn.LogSigmoid()), nn.NLLLoss(), x, y)


def bad_softmax_over_batch():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x):
            return F.softmax(self.f(x), dim=0)

    x, y = _xy()
    return _case(Net(), lambda o, t: F.nll_loss((o + 1e-9).log(), t), x, y)


def bad_log_softmax_over_batch_in_the_loss():
    x, y = _xy()

    def loss(z, t):
        return -(F.one_hot(t, 4).float() * F.log_softmax(z, dim=0)).sum(1).mean()

    return _case(_mlp(), loss, x, y)


def bad_softmax_over_width_in_segmentation():
    x = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    y = F.one_hot(torch.randint(0, 4, (2, 8, 8)), 4).movedim(-1, 1).float()

    def loss(z, t):
        p = F.softmax(z, dim=-1)
        return 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)

    return _case(nn.Conv2d(3, 4, 3, padding=1), loss, x, y, "segmentation")


def bad_bce_with_class_indices():
    x, y = _xy()
    return _case(
        _mlp(k=1), lambda o, t: F.binary_cross_entropy_with_logits(o.squeeze(1), t.float()), x, y, "multiclass"
    )


def bad_bce_with_signed_labels():
    x, y = _xy(k=2)
    return _case(nn.Linear(8, 1), nn.BCEWithLogitsLoss(), x, (2 * y.float() - 1).unsqueeze(1), "binary")


def bad_bce_with_pixel_targets():
    x = torch.rand(8, 10, generator=torch.Generator().manual_seed(0)) * 255
    return _case(
        nn.Sequential(nn.Linear(10, 4), nn.ReLU(), nn.Linear(4, 10)),
        nn.BCEWithLogitsLoss(),
        x / 255,
        x.round(),
        "autoencoder",
    )


def bad_soft_margin_zero_one():
    x, y = _xy(k=2)
    return _case(nn.Linear(8, 1), nn.SoftMarginLoss(), x, y.float().unsqueeze(1), "binary")


def bad_cosine_embedding_zero_one():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(8, 8)

        def forward(self, a, b):
            return self.f(a), self.f(b)

    x, y = _xy(k=2)
    return _case(Pair(), lambda o, t: F.cosine_embedding_loss(*o, t), (x, x.flip(0)), y.float(), "metric")


def bad_squared_hinge_zero_one():
    x, y = _xy(k=2)

    class SquaredHinge(nn.Module):
        def forward(self, s, t):
            return F.relu(1.0 - t * s.squeeze(-1)).pow(2).mean()

    return _case(nn.Linear(8, 1), SquaredHinge(), x, y.float(), "binary")


def bad_labels_from_one():
    x, y = _xy()
    return _case(_mlp(), nn.CrossEntropyLoss(), x, y + 1)


def bad_missing_label_minus_one():
    x, y = _xy()
    y = y.clone()
    y[::7] = -1
    return _case(nn.Sequential(_mlp(), nn.LogSoftmax(-1)), nn.NLLLoss(), x, y)


def bad_one_unit_softmax():
    x, y = _xy(k=2)
    return _case(nn.Sequential(nn.Linear(8, 1), nn.Softmax(dim=1)), nn.BCELoss(), x, y.float().unsqueeze(1), "binary")


def bad_one_logit_cross_entropy():
    x, y = _xy(k=2)
    return _case(nn.Linear(8, 1), nn.CrossEntropyLoss(), x, y * 0, "binary")


def bad_multi_hot_cross_entropy():
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    return _case(_mlp(k=5), nn.CrossEntropyLoss(), x, (x[:, :5] > 0).float(), "multilabel")


def bad_smoothing_mass():
    x, y = _xy()

    class Smooth(nn.Module):
        def forward(self, z, t):
            return torch.sum(-t * F.log_softmax(z, dim=-1), dim=-1).mean()

    hot = F.one_hot(y, 4).float()
    return _case(_mlp(), Smooth(), x, hot * 0.9 + 0.1)


def bad_weights_by_frequency():
    x = torch.randn(60, 8, generator=torch.Generator().manual_seed(3))
    y = (torch.arange(60) % 10 == 0).long() + (torch.arange(60) % 15 == 1).long() * 2
    counts = torch.bincount(y, minlength=3).float()
    return _case(_mlp(k=3), nn.CrossEntropyLoss(weight=counts / counts.sum()), x, y)


def bad_weights_by_frequency_indexed():
    x = torch.randn(60, 8, generator=torch.Generator().manual_seed(3))
    y = (torch.arange(60) % 10 == 0).long()
    freq = torch.bincount(y).float() / 60

    def loss(z, t):
        return (freq[t] * F.cross_entropy(z, t, reduction="none")).mean()

    return _case(_mlp(k=2), loss, x, y, "binary")


def bad_pos_weight_as_rate():
    x = torch.randn(60, 8, generator=torch.Generator().manual_seed(3))
    y = (torch.arange(60) % 12 == 0).float().unsqueeze(1)

    def loss(z, t):
        return F.binary_cross_entropy_with_logits(z, t, pos_weight=t.mean())

    return _case(nn.Linear(8, 1), loss, x, y, "binary")


def bad_smoothing_with_weights_functional():
    x, y = _xy()

    def loss(z, t):
        return F.cross_entropy(z, t, weight=torch.tensor([100.0, 1.0, 1.0, 1.0]), label_smoothing=0.2)

    return _case(_mlp(), loss, x, y)


def bad_focal_from_mean():
    class Focal(nn.Module):
        def __init__(self):
            super().__init__()
            self.ce = nn.CrossEntropyLoss()

        def forward(self, z, t):
            logp = self.ce(z, t)
            p = torch.exp(-logp)
            return (1 - p) ** 2 * logp

    x, y = _xy()
    return _case(_mlp(), Focal(), x, y)


def bad_focal_from_pos_weight():
    x, y = _xy(k=2)

    def loss(z, t):
        bce = F.binary_cross_entropy_with_logits(z.squeeze(1), t, pos_weight=torch.tensor(4.0), reduction="none")
        pt = (-bce).exp()
        return ((1 - pt) ** 2 * bce).mean()

    return _case(nn.Linear(8, 1), loss, x, y.float(), "binary")


def bad_log_of_one_minus_sigmoid():
    x, y = _xy(k=2)

    def loss(z, t):
        p = z.squeeze(-1).sigmoid()
        return torch.mean(-t * torch.log(p) - (1 - t) * torch.log(1 - p))

    return _case(nn.Linear(8, 1), loss, x, y.float(), "binary")


def bad_iou_on_logits():
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    y = (x.mean(1, keepdim=True) > 0.3).float()

    class Iou(nn.Module):
        def forward(self, z, t):
            overlap = (z * t).flatten(1).sum(1)
            union = (z + t - z * t).flatten(1).sum(1)
            return (1 - (overlap + 1) / (union + 1)).mean()

    return _case(nn.Conv2d(3, 1, 3, padding=1), Iou(), x, y, "binary")


def bad_sign_of_log_likelihood():
    x, y = _xy()
    return _case(_mlp(), lambda z, t: z.log_softmax(-1).gather(-1, t[:, None]).mean(), x, y)


def bad_argmax_in_the_loss():
    x, y = _xy()
    return _case(_mlp(), lambda z, t: (z.argmax(1) != t).float().mean().requires_grad_(), x, y)


def bad_hard_dice_only():
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    y = (x.mean(1, keepdim=True) > 0.3).float()

    def loss(z, t):
        p = (z.sigmoid() > 0.5).float()
        value = 1 - (2 * (p * t).sum() + 1) / (p.sum() + t.sum() + 1)
        return value.requires_grad_()

    return _case(nn.Conv2d(3, 1, 3, padding=1), loss, x, y, "binary")


def bad_mse_on_class_indices_of_softmax():
    x, y = _xy()
    return _case(nn.Sequential(_mlp(k=1), nn.Sigmoid()), lambda o, t: F.mse_loss(o.squeeze(1), t.float()), x, y)


def bad_no_grad_around_forward():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.g = nn.Linear(8, 16), nn.Linear(16, 4)

        def forward(self, x):
            with torch.no_grad():
                return self.g(torch.relu(self.f(x)))

    x, y = _xy()
    return _case(Net(), nn.CrossEntropyLoss(), x, y)


def bad_data_attribute():
    x, y = _xy()
    return _case(_mlp(), lambda z, t: F.cross_entropy(z.data, t).requires_grad_(True), x, y)


def bad_wrong_class_axis():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 5)

        def forward(self, x):
            return self.f(x)

    g = torch.Generator().manual_seed(0)
    return _case(
        Tagger(),
        nn.CrossEntropyLoss(),
        torch.randn(8, 5, 6, generator=g),
        torch.randint(0, 5, (8, 5), generator=g),
        "sequence",
    )


def bad_view_without_permute():
    x = torch.randn(3, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    y = torch.randint(0, 4, (3, 6, 6))

    class Ce(nn.Module):
        def forward(self, z, t):
            return F.cross_entropy(z.contiguous().view(-1, 4), t.view(-1))

    return _case(nn.Conv2d(3, 4, 3, padding=1), Ce(), x, y, "segmentation")


def bad_time_first_scores_batch_first_tags():
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.r, self.o = nn.GRU(6, 8), nn.Linear(8, 4)

        def forward(self, x):
            return self.o(self.r(x.transpose(0, 1))[0])

    g = torch.Generator().manual_seed(0)
    tags = torch.randint(0, 4, (8, 5), generator=g)
    return _case(
        Tagger(),
        lambda o, t: F.cross_entropy(o.reshape(-1, 4), t.reshape(-1)),
        torch.randn(8, 5, 6, generator=g),
        tags,
        "sequence",
    )


def bad_threshold_on_logits_round():
    x, y = _xy(k=2)
    return _case(
        nn.Linear(8, 1),
        nn.BCEWithLogitsLoss(),
        x,
        y.float().unsqueeze(1),
        "binary",
        decide=lambda o: o.round().clamp(0, 1),
    )


def bad_threshold_on_logits_numpy():
    x, y = _xy(k=2)

    def decide(o):
        return (o.detach().numpy() >= 0.5).astype(int)

    return _case(
        nn.Linear(8, 1), nn.BCEWithLogitsLoss(), x, y.float().unsqueeze(1), "binary", decide=decide, threshold=0.5
    )


def bad_threshold_zero_on_probabilities():
    x, y = _xy(k=2)
    return _case(
        nn.Sequential(nn.Linear(8, 1), nn.Sigmoid()),
        nn.BCELoss(),
        x,
        y.float().unsqueeze(1),
        "binary",
        decide=lambda o: (o > 0).float(),
    )


def bad_argmax_over_batch():
    x, y = _xy()
    return _case(_mlp(), nn.CrossEntropyLoss(), x, y, decide=lambda o: o.argmax(0))


def bad_argmin():
    x, y = _xy()
    return _case(_mlp(), nn.CrossEntropyLoss(), x, y, decide=lambda o: torch.argmin(o, dim=-1))


def bad_served_sigmoid_twice():
    x, y = _xy(k=2)
    model = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
    return _case(model, nn.BCELoss(), x, y.float().unsqueeze(1), "binary", serve=lambda v: torch.sigmoid(model(v)))


def bad_served_with_dropout():
    x, y = _xy()
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 4))
    return _case(model, nn.CrossEntropyLoss(), x, y, serve=lambda v: model(v).softmax(-1))
