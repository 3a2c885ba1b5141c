"""Right programs: classification in the idioms of many code bases."""

from dataclasses import dataclass
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn


def _xy(n=32, d=8, k=4, seed=1):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, (x @ torch.randn(d, k, generator=g)).argmax(1)


def _case(model, loss, x, y, task="multiclass", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def _mlp(d=8, k=4):
    return nn.Sequential(nn.Linear(d, 16), nn.GELU(), nn.Linear(16, k))


def right_functional_cross_entropy():
    x, y = _xy()
    return _case(_mlp(), F.cross_entropy, x, y)


def right_manual_log_sum_exp():
    x, y = _xy()

    def nll(z, t):
        top = z.max(1, keepdim=True).values
        log_z = (z - top).exp().sum(1).log() + top.squeeze(1)
        return (log_z - z.gather(1, t[:, None]).squeeze(1)).mean()

    return _case(_mlp(), nll, x, y)


def right_einsum_head():
    class Head(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.randn(4, 8) * 0.1)
            self.b = nn.Parameter(torch.zeros(4))

        def forward(self, x):
            return torch.einsum("nd,kd->nk", x, self.w) + self.b

    x, y = _xy()
    return _case(Head(), nn.CrossEntropyLoss(label_smoothing=0.1), x, y)


def right_soft_labels_mixup():
    x, y = _xy()
    lam, perm = 0.3, torch.arange(31, -1, -1)
    hot = F.one_hot(y, 4).float()
    return _case(_mlp(), nn.CrossEntropyLoss(), lam * x + (1 - lam) * x[perm], lam * hot + (1 - lam) * hot[perm])


def right_mixup_two_losses():
    x, y = _xy()
    ya, yb, lam = y, y.flip(0), 0.7

    def loss(z, t):
        return lam * F.cross_entropy(z, t[:, 0]) + (1 - lam) * F.cross_entropy(z, t[:, 1])

    return _case(_mlp(), loss, x, torch.stack([ya, yb], 1))


def right_focal():
    class Focal(nn.Module):
        def __init__(self, gamma=2.0):
            super().__init__()
            self.gamma = gamma

        def forward(self, z, t):
            logp = F.log_softmax(z, dim=-1).gather(-1, t.unsqueeze(-1)).squeeze(-1)
            return -((1 - logp.exp()) ** self.gamma * logp).mean()

    x, y = _xy()
    return _case(_mlp(), Focal(), x, y)


def right_focal_with_alpha_and_binary():
    x, y = _xy(k=2)

    def loss(z, t):
        p = torch.sigmoid(z)
        ce = F.binary_cross_entropy_with_logits(z, t, reduction="none")
        pt = p * t + (1 - p) * (1 - t)
        return ((0.25 * t + 0.75 * (1 - t)) * (1 - pt) ** 2 * ce).mean()

    return _case(nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)), loss, x, y.float(), "binary")


def right_balanced_class_weights():
    g = torch.Generator().manual_seed(3)
    x = torch.randn(60, 8, generator=g)
    y = (torch.arange(60) % 10 == 0).long()
    counts = torch.bincount(y).float()
    return _case(_mlp(k=2), nn.CrossEntropyLoss(weight=counts.sum() / counts), x, y)


def right_pos_weight():
    x = torch.randn(60, 8, generator=torch.Generator().manual_seed(3))
    y = (torch.arange(60) % 10 == 0).float().unsqueeze(1)
    return _case(_mlp(k=1), nn.BCEWithLogitsLoss(pos_weight=torch.tensor([9.0])), x, y, "binary")


def right_hf_style_dataclass():
    @dataclass
    class Output:
        loss: torch.Tensor | None
        logits: torch.Tensor

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.classifier = nn.Linear(8, 16), nn.Linear(16, 4)

        def forward(self, x, labels=None):
            logits = self.classifier(torch.tanh(self.encoder(x)))
            return Output(F.cross_entropy(logits, labels) if labels is not None else None, logits)

    x, y = _xy()
    return _case(Model(), lambda out, t: out.loss, {"x": x, "labels": y}, y)


def right_namespace_output_and_own_loss():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x):
            return SimpleNamespace(logits=self.f(x), hidden=x)

    x, y = _xy()
    return _case(Model(), lambda out, t: F.cross_entropy(out.logits, t), x, y)


def right_two_heads():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.kind, self.size = nn.Linear(8, 16), nn.Linear(16, 4), nn.Linear(16, 1)

        def forward(self, x):
            h = F.silu(self.body(x))
            return {"kind": self.kind(h), "size": self.size(h).squeeze(-1)}

    x, y = _xy()

    def loss(o, t):
        return F.cross_entropy(o["kind"], t["kind"]) + 0.5 * F.smooth_l1_loss(o["size"], t["size"])

    return _case(Two(), loss, x, {"kind": y, "size": x[:, 0] * 2}, "multitask")


def right_deep_supervision():
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.aux, self.out = nn.Linear(8, 16), nn.Linear(16, 16), nn.Linear(16, 4), nn.Linear(16, 4)

        def forward(self, x):
            h = torch.relu(self.a(x))
            return self.out(torch.relu(self.b(h))), self.aux(h)

    x, y = _xy()
    return _case(Deep(), lambda o, t: F.cross_entropy(o[0], t) + 0.3 * F.cross_entropy(o[1], t), x, y)


def right_multilabel_sigmoid_in_the_model():
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    y = (x[:, :5] > 0).float()
    return _case(nn.Sequential(_mlp(k=5), nn.Sigmoid()), nn.BCELoss(), x, y, "multilabel")


def right_multilabel_soft_margin():
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    return _case(_mlp(k=5), nn.MultiLabelSoftMarginLoss(), x, (x[:, :5] > 0).float(), "multilabel")


def right_one_vs_rest_bce_on_one_hot_logits():
    x, y = _xy()
    return _case(_mlp(), nn.BCEWithLogitsLoss(), x, F.one_hot(y, 4).float(), "multiclass")


def right_two_class_softmax_bce():
    x, y = _xy(k=2)
    return _case(nn.Sequential(_mlp(k=2), nn.Softmax(-1)), nn.BCELoss(), x, F.one_hot(y, 2).float(), "binary")


def right_hinge_signed():
    x, y = _xy(k=2)

    def loss(s, t):
        return torch.clamp(1 - t * s, min=0).mean()

    return _case(nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)), loss, x, 2 * y.float() - 1, "binary")


def right_crammer_singer():
    x, y = _xy()
    return _case(_mlp(), nn.MultiMarginLoss(), x, y)


def right_cosine_classifier_with_scale():
    class Cosine(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.w = nn.Linear(8, 16), nn.Parameter(torch.randn(4, 16))

        def forward(self, x):
            return 30 * F.normalize(self.f(x), dim=-1) @ F.normalize(self.w, dim=-1).T

    x, y = _xy()
    return _case(Cosine(), nn.CrossEntropyLoss(), x, y)


def right_additive_margin():
    class Margin(nn.Module):
        def forward(self, cosine, t):
            return F.cross_entropy(20 * (cosine - 0.35 * F.one_hot(t, cosine.shape[1])), t)

    class Embed(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.w = nn.Linear(8, 16), nn.Parameter(torch.randn(4, 16))

        def forward(self, x):
            return F.linear(F.normalize(self.f(x)), F.normalize(self.w))

    x, y = _xy()
    return _case(Embed(), Margin(), x, y)


def right_soft_capped_logits():
    class Capped(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _mlp()

        def forward(self, x):
            return 30.0 * torch.tanh(self.f(x) / 30.0)

    x, y = _xy()
    return _case(Capped(), nn.CrossEntropyLoss(), x, y)


def right_categorical_distribution():
    x, y = _xy()

    def loss(z, t):
        return -torch.distributions.Categorical(logits=z).log_prob(t).mean()

    return _case(_mlp(), loss, x, y)


def right_bernoulli_distribution():
    x, y = _xy(k=2)
    return _case(
        nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)),
        lambda z, t: -torch.distributions.Bernoulli(logits=z).log_prob(t).mean(),
        x, y.float(), "binary",
    )  # fmt: skip


def right_softplus_form():
    x, y = _xy(k=2)
    return _case(
        nn.Sequential(nn.Linear(8, 1), nn.Flatten(0)),
        lambda z, t: (F.softplus(z) - t * z).mean(),
        x,
        y.float(),
        "binary",
    )


def right_squashed_then_clamped():
    x, y = _xy(k=2)

    def loss(p, t):
        p = p.clamp(1e-6, 1 - 1e-6)
        return -(t * p.log() + (1 - t) * (1 - p).log()).mean()

    return _case(nn.Sequential(nn.Linear(8, 1), nn.Sigmoid(), nn.Flatten(0)), loss, x, y.float(), "binary")


def right_ordinal_cumulative():
    class Ordinal(nn.Module):
        def __init__(self, levels=5):
            super().__init__()
            self.f, self.cuts = nn.Linear(8, 1), nn.Parameter(torch.linspace(-2, 2, levels - 1))

        def forward(self, x):
            return self.f(x) - self.cuts

    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(0))
    grade = torch.bucketize(x[:, 0], torch.tensor([-1.0, -0.3, 0.3, 1.0]))

    def loss(z, t):
        return F.binary_cross_entropy_with_logits(z, (t[:, None] > torch.arange(4)).float())

    return _case(Ordinal(), loss, x, grade, "ordinal")


def right_nll_of_mixture():
    class Mixture(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate, self.experts = nn.Linear(8, 3), nn.Linear(8, 3 * 4)

        def forward(self, x):
            weights = F.log_softmax(self.gate(x), -1).unsqueeze(-1)
            experts = F.log_softmax(self.experts(x).view(-1, 3, 4), -1)
            return torch.logsumexp(weights + experts, 1)

    x, y = _xy()
    return _case(Mixture(), nn.NLLLoss(), x, y)


def right_mixture_of_experts_top_two():
    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.router, self.experts = nn.Linear(8, 3), nn.ModuleList(nn.Linear(8, 4) for _ in range(3))

        def forward(self, x):
            top, chosen = self.router(x).softmax(-1).topk(2)
            top = top / top.sum(-1, keepdim=True)
            all_out = torch.stack([e(x) for e in self.experts], 1)
            return (all_out.gather(1, chosen.unsqueeze(-1).expand(-1, -1, 4)) * top.unsqueeze(-1)).sum(1)

    x, y = _xy()
    return _case(Experts(), nn.CrossEntropyLoss(), x, y)


def right_bag_of_instances_attention():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.a, self.c = nn.Linear(8, 16), nn.Linear(16, 1), nn.Linear(16, 2)

        def forward(self, bag):
            h = torch.tanh(self.f(bag))
            return self.c((self.a(h).softmax(1) * h).sum(1))

    g = torch.Generator().manual_seed(0)
    return _case(Bag(), nn.CrossEntropyLoss(), torch.randn(12, 5, 8, generator=g), torch.arange(12) % 2)


def right_compiled():
    x, y = _xy()
    return _case(torch.compile(_mlp(), backend="eager"), nn.CrossEntropyLoss(), x, y)


def right_checkpointed():
    from torch.utils.checkpoint import checkpoint

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 4)

        def forward(self, x):
            return self.b(checkpoint(lambda v: torch.relu(self.a(v)), x, use_reentrant=False))

    x, y = _xy()
    return _case(Net(), nn.CrossEntropyLoss(), x, y)


def right_weight_norm_and_dropout_and_batch_norm():
    x, y = _xy()
    first = nn.utils.parametrizations.weight_norm(nn.Linear(8, 16))
    return _case(
        nn.Sequential(first, nn.BatchNorm1d(16), nn.ReLU(inplace=True), nn.Dropout(0.3), nn.Linear(16, 4)),
        nn.CrossEntropyLoss(),
        x,
        y,
    )


def right_argmax_decision():
    x, y = _xy()
    return _case(_mlp(), nn.CrossEntropyLoss(), x, y, decide=lambda o: o.argmax(-1))


def right_probability_threshold():
    x, y = _xy(k=2)
    model = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
    return _case(
        model, nn.BCELoss(), x, y.float().unsqueeze(1), "binary", decide=lambda o: (o >= 0.35).long(), threshold=0.35
    )


def right_logit_threshold_zero():
    x, y = _xy(k=2)
    return _case(
        nn.Linear(8, 1),
        nn.BCEWithLogitsLoss(),
        x,
        y.float().unsqueeze(1),
        "binary",
        decide=lambda o: (o > 0).float(),
        threshold=0.0,
    )


def right_tempered_confidence_penalty():
    x, y = _xy()

    def loss(z, t):
        logp = z.log_softmax(-1)
        entropy = -(logp.exp() * logp).sum(-1).mean()
        return F.nll_loss(logp, t) - 0.1 * entropy

    return _case(_mlp(), loss, x, y)


def right_batch_of_two():
    x, y = _xy(n=2)
    return _case(_mlp(), nn.CrossEntropyLoss(), x, y)


def right_l2_in_closure():
    x, y = _xy()
    model = _mlp()
    return _case(
        model, lambda z, t: F.cross_entropy(z, t) + 1e-4 * sum(p.pow(2).sum() for p in model.parameters()), x, y
    )


def right_poly_loss():
    x, y = _xy()

    def loss(z, t):
        ce = F.cross_entropy(z, t, reduction="none")
        return (ce + 1.0 * (1 - torch.exp(-ce))).mean()

    return _case(_mlp(), loss, x, y)
