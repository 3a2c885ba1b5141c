"""More programs, right and wrong: batches, weights, metrics, unusual losses."""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from torch import nn


def _xy(n=40, d=6, seed=2):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, d, generator=g)
    return x, x @ torch.randn(d, generator=g)


def _case(model, loss, x, y, task="regression", **more):
    return {"framework": "torch", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def _net(k=1, *more):
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, k), *more)


class Recurrent(nn.Module):
    """An LSTM whose last state is classified."""

    def __init__(self, batch_first):
        super().__init__()
        self.first = batch_first
        self.r, self.o = nn.LSTM(4, 8, batch_first=batch_first), nn.Linear(8, 3)

    def forward(self, x):
        h = self.r(x)[0]
        return self.o(h[:, -1])


def bad_lstm_along_the_batch():
    x = torch.randn(12, 7, 4, generator=torch.Generator().manual_seed(0))
    return _case(Recurrent(False), nn.CrossEntropyLoss(), x, torch.arange(12) % 3, "multiclass")


def right_lstm_batch_first():
    x = torch.randn(12, 7, 4, generator=torch.Generator().manual_seed(0))
    return _case(Recurrent(True), nn.CrossEntropyLoss(), x, torch.arange(12) % 3, "multiclass")


def bad_attention_along_the_batch():
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.o = nn.MultiheadAttention(8, 2), nn.Linear(8, 3)

        def forward(self, x):
            return self.o(self.a(x, x, x)[0].mean(1))

    x = torch.randn(12, 7, 8, generator=torch.Generator().manual_seed(0))
    return _case(Attend(), nn.CrossEntropyLoss(), x, torch.arange(12) % 3, "multiclass")


def right_attention_batch_first():
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.o = nn.MultiheadAttention(8, 2, batch_first=True), nn.Linear(8, 3)

        def forward(self, x):
            return self.o(self.a(x, x, x, need_weights=False)[0].mean(1))

    x = torch.randn(12, 7, 8, generator=torch.Generator().manual_seed(0))
    return _case(Attend(), nn.CrossEntropyLoss(), x, torch.arange(12) % 3, "multiclass")


def bad_view_for_transpose():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.r, self.o = nn.GRU(4, 8), nn.Linear(8, 1)

        def forward(self, x):
            n, t, f = x.shape
            return self.o(self.r(x.reshape(t, n, f))[0][-1]).squeeze(-1)

    x = torch.randn(6, 8, 4, generator=torch.Generator().manual_seed(0))
    return _case(Net(), nn.MSELoss(), x, x.sum((1, 2)))


def bad_weights_stretch():
    x, y = _xy()
    w = torch.rand(40, generator=torch.Generator().manual_seed(0))
    return _case(_net(), lambda o, t: (F.mse_loss(o, t, reduction="none") * w).mean(), x, y.unsqueeze(1))


def bad_constant_labels():
    x, _ = _xy()
    onehot = F.one_hot(torch.arange(40) % 3, 3)
    labels = onehot.float().mul(0.9).long().argmax(1)
    return _case(_net(3), nn.CrossEntropyLoss(), x, labels, "multiclass")


def bad_regressed_classes():
    x, _ = _xy()
    return _case(_net(1, nn.Flatten(0)), nn.MSELoss(), x, (torch.arange(40) % 4).float(), "multiclass")


def right_regressed_grades():
    x, _ = _xy()
    return _case(_net(1, nn.Flatten(0)), nn.MSELoss(), x, (torch.arange(40) % 4).float(), "ordinal")


def bad_ignored_class():
    x, _ = _xy()
    return _case(_net(3), nn.CrossEntropyLoss(ignore_index=0), x, torch.arange(40) % 3, "multiclass")


def bad_smoothing_confused_with_confidence():
    x, _ = _xy()
    return _case(_net(3), nn.CrossEntropyLoss(label_smoothing=0.9), x, torch.arange(40) % 3, "multiclass")


def bad_self_pairs():
    x, _ = _xy(16)

    def loss(z, t):
        z = F.normalize(z, dim=1)
        return F.cross_entropy(z @ z.T / 0.1, torch.arange(16))

    return _case(_net(8), loss, x, None, "contrastive")


def bad_answer_in_the_table():
    r = np.random.default_rng(0)
    frame = pd.DataFrame(r.normal(size=(60, 2)), columns=["rooms", "age"]).assign(target=r.integers(0, 2, 60))
    x = torch.tensor((frame / frame.std()).to_numpy(), dtype=torch.float32)
    y = torch.tensor(frame["target"], dtype=torch.float32)
    return _case(nn.Sequential(nn.Linear(x.shape[1], 1), nn.Flatten(0)), nn.BCEWithLogitsLoss(), x, y, "binary")


def bad_costs_of_one_class():
    x, _ = _xy()
    costs = 1 - torch.eye(4)
    costs[2] = torch.tensor([0.0, 1.0, 2.0, 1.0])
    return _case(_net(4), lambda z, t: (costs[t] * z.softmax(-1)).sum(-1).mean(), x, torch.arange(40) % 4, "multiclass")


def bad_views_meet_themselves():
    x, _ = _xy(16)
    views = torch.cat([x, x + 0.1 * torch.randn(16, 6, generator=torch.Generator().manual_seed(0))])

    def loss(z, t):
        z = F.normalize(z, dim=1)
        return F.cross_entropy(z @ z.T / 0.1, torch.arange(32).roll(16))

    return _case(_net(8), loss, views, None, "contrastive")


def bad_dropout_on_scores():
    x, _ = _xy()
    return _case(_net(3, nn.Dropout(0.5)), nn.CrossEntropyLoss(), x, torch.arange(40) % 3, "multiclass")


def bad_signed_error():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), lambda o, t: (o - t).mean(), x, y)


def bad_prediction_against_itself():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), lambda o, t: F.mse_loss(o, o.detach() * 0.9), x, y)


def bad_drowned_term():
    x, y = _xy()
    small, large = (lambda o: 1e-7 * o.square().mean()), (lambda o: (o.squeeze(1) - y).square().sum())
    return _case(_net(), lambda o, t: small(o) + large(o), x, y, terms={"small": small, "large": large})


def right_terms():
    x, y = _xy()
    fit, smooth = (lambda o: (o - y).square().mean()), (lambda o: o.diff().abs().mean())
    return _case(
        _net(1, nn.Flatten(0)), lambda o, t: fit(o) + 0.1 * smooth(o), x, y, terms={"fit": fit, "smooth": smooth}
    )


def bad_probability_served_without_sigmoid_threshold():
    x, y = _xy()
    model = nn.Linear(6, 1)

    def decide(o):
        return torch.where(o > 0.7, 1, 0)

    return _case(model, nn.BCEWithLogitsLoss(), x, (y > 0).float().unsqueeze(1), "binary", decide=decide, threshold=0.7)


def right_logit_of_the_threshold():
    x, y = _xy()
    cut = float(np.log(0.7 / 0.3))
    return _case(
        nn.Linear(6, 1),
        nn.BCEWithLogitsLoss(),
        x,
        (y > 0).float().unsqueeze(1),
        "binary",
        decide=lambda o: (o > cut).long(),
        threshold=0.7,
    )


def right_serve_adds_the_sigmoid():
    x, y = _xy()
    model = nn.Linear(6, 1)

    def serve(v):
        model.eval()
        with torch.no_grad():
            return torch.sigmoid(model(v))

    return _case(model, nn.BCEWithLogitsLoss(), x, (y > 0).float().unsqueeze(1), "binary", serve=serve)


def right_raw_targets_standardised():
    x, y = _xy()
    raw = 100 + 20 * y
    return _case(_net(1, nn.Flatten(0)), nn.MSELoss(), x, (raw - raw.mean()) / raw.std(), raw=raw)


def _clf():
    r = np.random.default_rng(0)
    X = r.normal(size=(500, 3))
    y = (X[:, 0] + r.normal(size=500) > 0.5).astype(int)
    return X, y, LogisticRegression().fit(X, y)


def _fitted(X, y, clf, output, kind, **more):
    return {
        "framework": "sklearn",
        "task": "binary",
        "estimator": clf,
        "X": X,
        "y": y,
        "output": output,
        "output_kind": kind,
        **more,
    }


def bad_auc_of_labels():
    X, y, clf = _clf()
    return _fitted(X, y, clf, clf.predict, "label", metric=roc_auc_score)


def bad_log_loss_of_labels():
    X, y, clf = _clf()
    return _fitted(X, y, clf, clf.predict, "label", metric=log_loss)


def right_auc_of_scores():
    X, y, clf = _clf()
    return _fitted(X, y, clf, clf.decision_function, "score", metric=roc_auc_score)


def bad_weighted_twice():
    X, y, _ = _clf()
    w = np.where(y == 1, 3.0, 1.0)
    clf = LogisticRegression(class_weight="balanced").fit(X, y, sample_weight=w)
    return _fitted(X, y, clf, clf.predict, "label", sample_weight=w)


def bad_sigmoid_of_a_probability():
    X, y, clf = _clf()
    return _fitted(X, y, clf, lambda X: 1 / (1 + np.exp(-clf.predict_proba(X)[:, 1])), "probability")


def right_dict_inputs_and_tuple_outputs():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.g = nn.Linear(6, 3), nn.Linear(6, 2)

        def forward(self, *, image, meta=None):
            return self.f(image), {"side": [self.g(image)]}

    x, _ = _xy()
    t = (torch.arange(40) % 3, torch.arange(40) % 2)

    def loss(o, t):
        return F.cross_entropy(o[0], t[0]) + F.cross_entropy(o[1]["side"][0], t[1])

    return _case(Model(), loss, {"image": x, "meta": "ignored"}, t, "multitask")


def right_reduction_none_per_example():
    x, _ = _xy()
    return _case(_net(3), nn.CrossEntropyLoss(reduction="none"), x, torch.arange(40) % 3, "multiclass")


def right_half_precision_outputs():
    class Half(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _net(3)

        def forward(self, x):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                return self.f(x)

    x, _ = _xy()
    return _case(Half(), lambda o, t: F.cross_entropy(o.float(), t), x, torch.arange(40) % 3, "multiclass")


def right_gumbel_gate():
    class Gate(nn.Module):
        def __init__(self):
            super().__init__()
            self.g, self.f = nn.Linear(6, 2), nn.Linear(6, 2 * 3)

        def forward(self, x):
            gate = F.gumbel_softmax(self.g(x), tau=1.0, hard=True)
            return (gate.unsqueeze(-1) * self.f(x).view(-1, 2, 3)).sum(1)

    x, _ = _xy()
    return _case(Gate(), nn.CrossEntropyLoss(), x, torch.arange(40) % 3, "multiclass")


def right_probabilities_logged_and_trained():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.ModuleList(nn.Linear(6, 3) for _ in range(2))

        def forward(self, x):
            return sum(m(x).softmax(-1) for m in self.f) / 2

    x, _ = _xy()
    return _case(Mixed(), lambda o, t: F.nll_loss(o.clamp_min(1e-7).log(), t), x, torch.arange(40) % 3, "multiclass")


def right_straight_through():
    class Round(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.o = nn.Linear(6, 8), nn.Linear(8, 1)

        def forward(self, x):
            h = torch.sigmoid(self.f(x))
            return self.o(h + (h.round() - h).detach()).squeeze(-1)

    x, y = _xy()
    return _case(Round(), nn.MSELoss(), x, y)


def right_maximum_mean_discrepancy():
    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = _net(2)

        def forward(self, z):
            return self.f(z)

    def kernel(a, b):
        return torch.exp(-torch.cdist(a, b).square() / 2).mean()

    x, _ = _xy()
    real = torch.randn(40, 2, generator=torch.Generator().manual_seed(0))
    return _case(Generator(), lambda o, t: kernel(o, o) - 2 * kernel(o, t) + kernel(t, t), x, real, "generative")


def right_noise_contrastive():
    class Embed(nn.Module):
        def __init__(self):
            super().__init__()
            self.u, self.v = nn.Embedding(20, 8), nn.Embedding(20, 8)

        def forward(self, centre, other):
            return (self.u(centre) * self.v(other)).sum(-1)

    g = torch.Generator().manual_seed(0)
    a, b = torch.randint(0, 20, (2, 40), generator=g)
    return _case(Embed(), nn.BCEWithLogitsLoss(), (a, b), (torch.arange(40) % 2).float(), "binary")


def right_huge_margin_satisfied():
    x, y = _xy()
    model = nn.Sequential(nn.Linear(6, 1, bias=False), nn.Flatten(0))
    with torch.no_grad():
        model[0].weight.copy_(1000 * torch.linalg.lstsq(x, y.unsqueeze(1)).solution.T)
    return _case(model, lambda s, t: F.relu(1 - t * s).mean(), x, y.sign(), "binary")


def right_exploding_but_fine_start():
    x, y = _xy()
    return _case(_net(1, nn.Flatten(0)), nn.HuberLoss(), x, 500 + 100 * y)


def bad_clamp_as_sigmoid():
    x, y = _xy()
    return _case(
        _net(), lambda o, t: F.binary_cross_entropy(o.clamp(0, 1), t), x, (y > 0).float().unsqueeze(1), "binary"
    )


def right_clamp_after_sigmoid():
    x, y = _xy()

    def loss(o, t):
        return F.binary_cross_entropy(o.sigmoid().clamp(1e-6, 1 - 1e-6), t)

    return _case(_net(), loss, x, (y > 0).float().unsqueeze(1), "binary")


def bad_kl_swapped():
    x, _ = _xy()
    soft = torch.randn(40, 5, generator=torch.Generator().manual_seed(0)).softmax(-1)
    model = _net(5)
    return _case(
        model, lambda o, t: F.kl_div(t.log(), o.softmax(-1), reduction="sum") / len(t), x, soft, "distillation"
    )


def bad_inverse_temperatures():
    x, _ = _xy()
    teacher = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    T = 4.0

    def loss(o, t):
        return F.kl_div(F.log_softmax(o / T, -1), F.softmax(t * T, -1), reduction="batchmean")

    return _case(_net(5), loss, x, teacher, "distillation")


def right_sharper_teacher():
    x, _ = _xy()
    teacher = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
    return _case(
        _net(5),
        lambda o, t: -(F.softmax(t / 0.04, -1) * F.log_softmax(o / 0.1, -1)).sum(-1).mean(),
        x,
        teacher,
        "distillation",
    )


def bad_accuracy_on_a_rare_event():
    r = np.random.default_rng(0)
    X = r.normal(size=(800, 3))
    y = (X[:, 0] + r.normal(size=800) > 2.6).astype(int)
    clf = LogisticRegression().fit(X, y)
    return _fitted(X, y, clf, clf.predict, "label", metric=lambda a, b: np.mean(a == b))


def bad_gradient_of_another_loss():
    import lightgbm as lgb

    r = np.random.default_rng(0)
    X = r.normal(size=(200, 3))
    y = X[:, 0] + 10

    def objective(pred, data):
        miss = pred - data.get_label()
        return np.where(miss < -1, -miss, miss), np.ones_like(pred)  # the sign is lost far below the target

    booster = lgb.train({"objective": objective, "verbosity": -1, "num_threads": 1}, lgb.Dataset(X, label=y), 5)
    return {
        "framework": "lightgbm", "task": "regression", "estimator": booster, "X": X, "y": y, "objective": objective,
        "loss": lambda p, t: (p - t) ** 2,
    }  # fmt: skip
