"""Right programs: sequences, segmentation, generative models, metric learning, distillation, reinforcement learning."""

import copy

import torch
import torch.nn.functional as F
from torch import nn


def _gen(seed=0):
    return torch.Generator().manual_seed(seed)


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


class Tokens(nn.Module):
    """Embedding, GRU, linear."""

    def __init__(self, v=13, out=None, batch_first=True):
        super().__init__()
        self.e, self.r, self.o = nn.Embedding(v, 8), nn.GRU(8, 8, batch_first=batch_first), nn.Linear(8, out or v)

    def forward(self, ids):
        return self.o(self.r(self.e(ids))[0])


def _ids(n=6, t=9, v=13):
    ids = torch.randint(1, v, (n, t), generator=_gen())
    lengths = torch.tensor([9, 6, 4, 8, 3, 5])[:n]
    ids[torch.arange(t)[None] >= lengths[:, None]] = 0
    return ids, lengths


def right_language_model_shifted_in_data():
    ids, _ = _ids()
    loss = nn.CrossEntropyLoss(ignore_index=0)
    return _case(
        Tokens(), lambda o, t: loss(o.reshape(-1, 13), t.reshape(-1)), ids[:, :-1], ids[:, 1:], "language_model"
    )


def right_language_model_shifted_in_loss():
    ids = torch.randint(0, 13, (5, 8), generator=_gen())

    def loss(o, t):
        return F.cross_entropy(o[:, :-1].transpose(1, 2), t[:, 1:])

    return _case(Tokens(), loss, ids, ids, "language_model")


def right_tied_weights():
    class Tied(Tokens):
        def __init__(self):
            super().__init__()
            self.o.weight = self.e.weight

    ids = torch.randint(0, 13, (5, 8), generator=_gen())
    return _case(
        Tied(), lambda o, t: F.cross_entropy(o.flatten(0, 1), t.flatten()), ids[:, :-1], ids[:, 1:], "language_model"
    )


def right_masked_language_model():
    ids = torch.randint(1, 13, (6, 8), generator=_gen())
    hide = torch.rand(ids.shape, generator=_gen(2)) < 0.3
    labels = torch.where(hide, ids, -100)
    return _case(
        Tokens(),
        lambda o, t: F.cross_entropy(o.view(-1, 13), t.view(-1)),
        torch.where(hide, 0, ids),
        labels,
        "sequence",
    )


def right_masked_sum_over_count():
    ids, _ = _ids()

    def loss(o, t):
        token = F.cross_entropy(o.transpose(1, 2), t, reduction="none")
        keep = t.ne(0)
        return token[keep].mean()

    return _case(Tokens(), loss, ids[:, :-1], ids[:, 1:], "sequence")


def right_masked_per_sequence():
    ids, _ = _ids()

    def loss(o, t):
        token = F.cross_entropy(o.transpose(1, 2), t, reduction="none")
        keep = t.ne(0).float()
        return ((token * keep).sum(1) / keep.sum(1).clamp_min(1)).mean()

    return _case(Tokens(), loss, ids[:, :-1], ids[:, 1:], "sequence")


def right_tagging_time_first():
    ids, _lengths = _ids()
    tags = torch.where(ids == 0, -100, ids % 4)
    return _case(
        Tokens(out=4, batch_first=False),
        lambda o, t: F.cross_entropy(o.reshape(-1, 4), t.reshape(-1)),
        ids.T,
        tags.T,
        "sequence",
    )


def right_transformer_encoder():
    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.e = nn.Embedding(13, 16)
            self.t = nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1), 1)
            self.o = nn.Linear(16, 3)

        def forward(self, ids, mask):
            h = self.t(self.e(ids), src_key_padding_mask=~mask)
            return self.o((h * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True))

    ids, _lengths = _ids()
    return _case(Encoder(), nn.CrossEntropyLoss(), (ids, ids != 0), torch.arange(6) % 3, "multiclass")


def right_ctc():
    class Recogniser(nn.Module):
        def __init__(self):
            super().__init__()
            self.c, self.o = nn.Conv1d(5, 12, 3, padding=1), nn.Linear(12, 7)

        def forward(self, x):
            return self.o(torch.relu(self.c(x)).permute(2, 0, 1)).log_softmax(-1)

    x = torch.randn(4, 5, 20, generator=_gen())
    y = torch.randint(1, 7, (4, 6), generator=_gen())
    ctc = nn.CTCLoss(blank=0, zero_infinity=True)
    return _case(
        Recogniser(), lambda o, t: ctc(o, t, torch.full((4,), 20), torch.tensor([6, 5, 4, 6])), x, y, "sequence"
    )


def right_segmentation_multiclass_dice():
    x = torch.randn(2, 3, 8, 8, generator=_gen())
    y = torch.randint(0, 4, (2, 8, 8), generator=_gen())

    def loss(o, t):
        p = o.softmax(1)
        hot = F.one_hot(t, 4).movedim(-1, 1).float()
        overlap = 2 * (p * hot).sum((0, 2, 3))
        dice = 1 - (overlap + 1) / (p.sum((0, 2, 3)) + hot.sum((0, 2, 3)) + 1)
        return dice.mean() + F.cross_entropy(o, t)

    return _case(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 4, 1)), loss, x, y, "segmentation"
    )


def right_tversky_on_probabilities():
    x = torch.randn(2, 3, 8, 8, generator=_gen())
    y = (x.mean(1, keepdim=True) > 0.3).float()

    def loss(p, t):
        tp, fp, fn = (p * t).sum(), (p * (1 - t)).sum(), ((1 - p) * t).sum()
        return 1 - (tp + 1) / (tp + 0.3 * fp + 0.7 * fn + 1)

    return _case(nn.Sequential(nn.Conv2d(3, 1, 3, padding=1), nn.Sigmoid()), loss, x, y, "binary")


def right_heat_map_over_positions():
    class KeyPoints(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(3, 5, 3, padding=1)

        def forward(self, x):
            return self.c(x).flatten(2)

    x = torch.randn(4, 3, 6, 6, generator=_gen())
    where = torch.randint(0, 36, (4, 5), generator=_gen())
    return _case(KeyPoints(), lambda o, t: F.cross_entropy(o.flatten(0, 1), t.flatten()), x, where, "keypoints")


def right_span_extraction():
    class Span(nn.Module):
        def __init__(self):
            super().__init__()
            self.b = Tokens(out=2)

        def forward(self, ids):
            start, end = self.b(ids).split(1, dim=-1)
            return start.squeeze(-1), end.squeeze(-1)

    ids = torch.randint(1, 13, (6, 9), generator=_gen())
    t = torch.stack([torch.arange(6), torch.arange(6) + 2], 1)
    return _case(
        Span(), lambda o, t: (F.cross_entropy(o[0], t[:, 0]) + F.cross_entropy(o[1], t[:, 1])) / 2, ids, t, "span"
    )


def right_multiple_choice():
    class Choice(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, x):
            return self.f(x).squeeze(-1)

    return _case(
        Choice(), nn.CrossEntropyLoss(), torch.randn(10, 4, 6, generator=_gen()), torch.arange(10) % 4, "multiclass"
    )


def right_vae():
    class Vae(nn.Module):
        def __init__(self):
            super().__init__()
            self.enc, self.mu, self.lv, self.dec = (
                nn.Linear(12, 16),
                nn.Linear(16, 3),
                nn.Linear(16, 3),
                nn.Linear(3, 12),
            )

        def forward(self, x):
            h = torch.relu(self.enc(x))
            mu, lv = self.mu(h), self.lv(h)
            return self.dec(mu + torch.randn_like(mu) * (0.5 * lv).exp()), mu, lv

    x = torch.rand(16, 12, generator=_gen())

    def loss(o, t):
        logits, mu, lv = o
        rec = F.binary_cross_entropy_with_logits(logits, t, reduction="none").sum(1).mean()
        return rec - 0.5 * (1 + lv - mu**2 - lv.exp()).sum(1).mean()

    return _case(Vae(), loss, x, x, "vae")


def right_vector_quantised():
    class Vq(nn.Module):
        def __init__(self):
            super().__init__()
            self.enc, self.book, self.dec = nn.Linear(12, 4), nn.Embedding(8, 4), nn.Linear(4, 12)

        def forward(self, x):
            z = self.enc(x)
            q = self.book(torch.cdist(z, self.book.weight).argmin(1))
            return self.dec(z + (q - z).detach()), z, q

    x = torch.randn(16, 12, generator=_gen())

    def loss(o, t):
        rec, z, q = o
        return F.mse_loss(rec, t) + F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())

    return _case(Vq(), loss, x, x, "autoencoder")


def _gan_parts():
    g = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 3))
    d = nn.Sequential(nn.Linear(3, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    return nn.ModuleDict({"g": g, "d": d})


def right_gan_discriminator_step():
    class Gan(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = _gan_parts()

        def forward(self, z):
            return self.parts["d"](self.parts["g"](z))

    def step(model, loss, inputs, targets, optimizer):
        optimizer.zero_grad(set_to_none=True)
        real = torch.randn(16, 3)
        with torch.no_grad():
            fake = model.parts["g"](inputs)
        value = F.softplus(-model.parts["d"](real)).mean() + F.softplus(model.parts["d"](fake)).mean()
        value.backward()
        optimizer.step()
        return value.item()

    model = Gan()
    opt = torch.optim.Adam(model.parts["d"].parameters(), 1e-3)
    return _case(model, nn.BCEWithLogitsLoss(), torch.randn(16, 2), torch.zeros(16, 1), "gan", optimizer=opt, step=step)


def right_wasserstein_critic():
    critic = nn.Sequential(nn.Linear(3, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    x = torch.randn(32, 3, generator=_gen())
    is_real = (torch.arange(32) % 2).float()

    def loss(o, t):
        o = o.squeeze(-1)
        return o[t == 0].mean() - o[t == 1].mean()

    return _case(critic, loss, x, is_real, "gan")


class Pair(nn.Module):
    """Two encoders with normalised outputs."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Linear(5, 8)

    def forward(self, u, v):
        return F.normalize(self.a(u), dim=-1), F.normalize(self.b(v), dim=-1)


def right_clip_learned_temperature():
    class Clip(Pair):
        def __init__(self):
            super().__init__()
            self.log_scale = nn.Parameter(torch.tensor(2.66))

        def forward(self, u, v):
            a, b = super().forward(u, v)
            return self.log_scale.exp() * a @ b.T

    u = torch.randn(16, 6, generator=_gen())

    def loss(o, t):
        return (F.cross_entropy(o, t) + F.cross_entropy(o.T, t)) / 2

    return _case(Clip(), loss, (u, u[:, :5]), torch.arange(16), "contrastive")


def right_info_nce_log_softmax_both_ways():
    u = torch.randn(16, 6, generator=_gen())

    def loss(o, t):
        sim = o[0] @ o[1].T / 0.07
        return -(sim.log_softmax(0).diagonal() + sim.log_softmax(1).diagonal()).mean() / 2

    return _case(Pair(), loss, (u, u[:, :5]), None, "contrastive")


def right_nt_xent():
    class Views(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 8))

        def forward(self, a, b):
            return F.normalize(torch.cat([self.f(a), self.f(b)]), dim=1)

    x = torch.randn(12, 6, generator=_gen())

    def loss(z, t):
        sim = z @ z.T / 0.5
        sim = sim.masked_fill(torch.eye(24, dtype=torch.bool), float("-inf"))
        return F.cross_entropy(sim, torch.arange(24).roll(12))

    return _case(Views(), loss, (x, x + 0.1), None, "contrastive")


def right_supervised_contrastive():
    x = torch.randn(24, 6, generator=_gen())
    y = torch.arange(24) % 4

    def loss(z, t):
        z = F.normalize(z, dim=1)
        logits = (z @ z.T / 0.1).masked_fill(torch.eye(24, dtype=torch.bool), -1e9)
        same = (t[:, None] == t[None]).float() - torch.eye(24)
        return -((same * logits.log_softmax(1)).sum(1) / same.sum(1)).mean()

    return _case(nn.Linear(6, 8), loss, x, y, "metric")


def right_triplet():
    class Three(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 8)

        def forward(self, a, p, n):
            return self.f(a), self.f(p), self.f(n)

    a, p, n = torch.randn(3, 16, 6, generator=_gen())
    return _case(Three(), lambda o, t: F.triplet_margin_loss(*o, margin=1.0), (a, a + 0.1 * p, n), None, "metric")


def right_siamese_contrastive():
    class Siamese(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 8)

        def forward(self, a, b):
            return F.pairwise_distance(self.f(a), self.f(b))

    a, b = torch.randn(2, 20, 6, generator=_gen())
    same = (torch.arange(20) % 2).float()

    def loss(d, t):
        return (t * d**2 + (1 - t) * (1 - d).clamp_min(0) ** 2).mean()

    return _case(Siamese(), loss, (a, b), same, "metric")


def right_cosine_embedding():
    u = torch.randn(16, 6, generator=_gen())
    t = (torch.arange(16) % 2) * 2 - 1
    return _case(Pair(), lambda o, t: F.cosine_embedding_loss(*o, t.float()), (u, u[:, :5]), t, "metric")


def right_pairwise_ranking():
    x = torch.randn(20, 6, generator=_gen())
    grade = x[:, 0]

    def loss(s, t):
        wins = (t[:, None] > t[None]).float()
        return (F.softplus(-(s[:, None] - s[None])) * wins).sum() / wins.sum()

    return _case(nn.Sequential(nn.Linear(6, 1), nn.Flatten(0)), loss, x, grade, "ranking")


def right_list_net():
    x = torch.randn(6, 5, 4, generator=_gen())
    grade = torch.randint(0, 4, (6, 5), generator=_gen()).float()

    def loss(s, t):
        return -(t.softmax(-1) * s.log_softmax(-1)).sum(-1).mean()

    return _case(nn.Sequential(nn.Linear(4, 1), nn.Flatten(1)), loss, x, grade, "ranking")


def right_distillation():
    teacher = nn.Linear(6, 4).requires_grad_(False)
    x = torch.randn(32, 6, generator=_gen())
    y = torch.arange(32) % 4
    T = 4.0

    def loss(o, t):
        with torch.no_grad():
            soft = (teacher(x) / T).softmax(-1)
        kl = F.kl_div((o / T).log_softmax(-1), soft, reduction="batchmean") * T**2
        return 0.9 * kl + 0.1 * F.cross_entropy(o, t)

    return _case(nn.Linear(6, 4), loss, x, y, "distillation")


def right_distillation_log_target():
    x = torch.randn(32, 6, generator=_gen())
    teacher = torch.randn(32, 4, generator=_gen()).log_softmax(-1)
    return _case(
        nn.Linear(6, 4),
        lambda o, t: F.kl_div(o.log_softmax(-1), t, log_target=True, reduction="batchmean"),
        x,
        teacher,
        "distillation",
    )


def right_self_distillation_with_ema_teacher():
    class Student(nn.Module):
        def __init__(self):
            super().__init__()
            self.online = nn.Linear(6, 8)
            self.target = copy.deepcopy(self.online).requires_grad_(False)

        def forward(self, x):
            with torch.no_grad():
                t = self.target(x + 0.1).div(0.04).softmax(-1)
            return self.online(x) / 0.1, t

    x = torch.randn(16, 6, generator=_gen())
    return _case(Student(), lambda o, t: -(o[1] * o[0].log_softmax(-1)).sum(-1).mean(), x, None, "self_supervised")


def right_byol():
    class Byol(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.p = nn.Linear(6, 8), nn.Linear(8, 8)

        def forward(self, a, b):
            return self.p(self.f(a)), self.f(b).detach()

    x = torch.randn(16, 6, generator=_gen())
    return _case(
        Byol(), lambda o, t: 2 - 2 * F.cosine_similarity(*o, dim=-1).mean(), (x, x + 0.1), None, "self_supervised"
    )


def right_reinforce():
    x = torch.randn(24, 6, generator=_gen())
    reward = torch.randn(24, generator=_gen(1))

    def loss(logits, actions):
        logp = torch.distributions.Categorical(logits=logits).log_prob(actions)
        return -(logp * (reward - reward.mean())).mean()

    return _case(nn.Linear(6, 3), loss, x, torch.arange(24) % 3, "policy_gradient")


def right_ppo():
    class ActorCritic(nn.Module):
        def __init__(self):
            super().__init__()
            self.pi, self.v = nn.Linear(6, 3), nn.Linear(6, 1)

        def forward(self, x):
            return self.pi(x), self.v(x).squeeze(-1)

    x = torch.randn(24, 6, generator=_gen())
    actions, old = torch.arange(24) % 3, torch.full((24,), -1.1)
    advantage, returns = torch.randn(2, 24, generator=_gen(1))

    def loss(o, t):
        dist = torch.distributions.Categorical(logits=o[0])
        ratio = (dist.log_prob(t) - old).exp()
        surrogate = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        return -surrogate + 0.5 * (o[1] - returns).pow(2).mean() - 0.01 * dist.entropy().mean()

    return _case(ActorCritic(), loss, x, actions, "policy_gradient")


def right_dqn():
    net = nn.Linear(6, 3)
    slow = copy.deepcopy(net).requires_grad_(False)
    x, nxt = torch.randn(2, 24, 6, generator=_gen())
    actions = torch.arange(24) % 3

    def loss(q, t):
        with torch.no_grad():
            goal = torch.ones(24) + 0.9 * slow(nxt).max(1).values
        return F.smooth_l1_loss(q.gather(1, t[:, None]).squeeze(1), goal)

    return _case(net, loss, x, actions, "value")


def right_preference_optimisation():
    class Policy(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(6, 1)

        def forward(self, chosen, rejected):
            return self.f(chosen).squeeze(-1), self.f(rejected).squeeze(-1)

    a, b = torch.randn(2, 16, 6, generator=_gen())
    return _case(Policy(), lambda o, t: -F.logsigmoid(0.1 * (o[0] - o[1])).mean(), (a, b), None, "preference")


def right_diffusion():
    class Denoiser(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Linear(7, 6)

        def forward(self, x, t):
            return self.f(torch.cat([x, t[:, None].float() / 10], 1))

    x, noise = torch.randn(2, 20, 6, generator=_gen())
    t = torch.arange(20) % 10
    return _case(Denoiser(), nn.MSELoss(), (x + noise, t), noise, "regression")


def right_detection_heads():
    class Boxes(nn.Module):
        def __init__(self):
            super().__init__()
            self.c = nn.Conv2d(3, 5 + 2, 3, padding=1)

        def forward(self, x):
            o = self.c(x)
            return {"box": o[:, :4], "object": o[:, 4], "kind": o[:, 5:]}

    x = torch.randn(2, 3, 6, 6, generator=_gen())
    present = (torch.rand(2, 6, 6, generator=_gen()) > 0.7).float()
    t = {
        "box": torch.rand(2, 4, 6, 6, generator=_gen()),
        "object": present,
        "kind": torch.randint(0, 2, (2, 6, 6), generator=_gen()),
    }

    def loss(o, t):
        m = t["object"].bool()
        box = F.smooth_l1_loss(o["box"].permute(0, 2, 3, 1)[m].sigmoid(), t["box"].permute(0, 2, 3, 1)[m])
        kind = F.cross_entropy(o["kind"].permute(0, 2, 3, 1)[m], t["kind"][m])
        return box + F.binary_cross_entropy_with_logits(o["object"], t["object"]) + kind

    return _case(Boxes(), loss, x, t, "detection")


def right_graph_nodes_with_train_mask():
    class Gcn(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(6, 16), nn.Linear(16, 3)

        def forward(self, x, adjacency):
            return self.b(adjacency @ torch.relu(self.a(adjacency @ x)))

    adjacency = torch.eye(20) + torch.diag(torch.ones(19), 1) + torch.diag(torch.ones(19), -1)
    adjacency = adjacency / adjacency.sum(1, keepdim=True)
    keep = torch.arange(20) < 10
    x, y = torch.randn(20, 6, generator=_gen()), torch.arange(20) % 3
    return _case(Gcn(), lambda o, t: F.cross_entropy(o[keep], t[keep]), (x, adjacency), y, "multiclass")


def right_hsic_style_regulariser():
    class Feat(nn.Module):
        def __init__(self):
            super().__init__()
            self.f, self.c = nn.Linear(6, 8), nn.Linear(8, 3)

        def forward(self, x):
            h = torch.tanh(self.f(x))
            return self.c(h), h

    x, y = torch.randn(20, 6, generator=_gen()), torch.arange(20) % 3

    def loss(o, t):
        h = o[1] - o[1].mean(0)
        return F.cross_entropy(o[0], t) + 0.01 * (h.T @ h / len(h)).triu(1).pow(2).sum()

    return _case(Feat(), loss, x, y, "multiclass")


def right_physics_informed():
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
    x = torch.linspace(0, 1, 20)[:, None].requires_grad_()

    class Solve(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net

        def forward(self, x):
            u = self.net(x)
            return torch.autograd.grad(u.sum(), x, create_graph=True)[0] + u

    return _case(Solve(), lambda o, t: (o**2).mean(), x, torch.zeros(20, 1), "regression")
