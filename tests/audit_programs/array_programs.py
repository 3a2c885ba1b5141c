"""Plain NumPy training code, right and wrong."""

import numpy as np


def _data(n=30, k=3):
    r = np.random.default_rng(0)
    X = r.normal(size=(n, 4))
    return X, (X @ r.normal(size=(4, k))).argmax(1), r


def _case(loss, outputs, targets, task, **more):
    return {"framework": "numpy", "task": task, "loss": loss, "outputs": outputs, "targets": targets, **more}


def _log_loss(z, t):
    return np.mean(np.logaddexp(0, z) - t * z)


def _cross_entropy(z, t):
    z = z - z.max(1, keepdims=True)
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(len(t)), t])


def _softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def right_logistic():
    _X, y, r = _data(k=2)
    return _case(
        _log_loss, r.normal(size=30), y.astype(float), "binary", grad=lambda z, t: (1 / (1 + np.exp(-z)) - t) / len(t)
    )


def right_softmax():
    _X, y, r = _data()
    return _case(
        _cross_entropy, r.normal(size=(30, 3)), y, "multiclass", grad=lambda z, t: (_softmax(z) - np.eye(3)[t]) / len(t)
    )


def right_squared_error_and_loop():
    X, _, _r = _data()
    y = X @ np.arange(4.0)

    def train():
        w, losses = np.zeros(4), []
        for _ in range(20):
            miss = X @ w - y
            losses.append(np.mean(miss**2))
            w -= 0.1 * 2 * X.T @ miss / len(y)
        return losses

    return _case(
        lambda p, t: np.mean((p - t) ** 2),
        np.zeros(30),
        y,
        "regression",
        grad=lambda p, t: 2 * (p - t) / len(t),
        train=train,
    )


def right_loop_returns_weights():
    X, _, _r = _data()
    y = X @ np.array([1.0, -2.0, 3.0, 4.0])

    def train():
        w = np.zeros(4)
        for _ in range(50):
            w -= 0.1 * 2 * X.T @ (X @ w - y) / len(y)
        return w

    return _case(lambda p, t: np.mean((p - t) ** 2), np.zeros(30), y, "regression", train=train)


def bad_sign():
    _X, y, r = _data(k=2)
    return _case(
        _log_loss, r.normal(size=30), y.astype(float), "binary", grad=lambda z, t: (t - 1 / (1 + np.exp(-z))) / len(t)
    )


def bad_factor():
    _X, y, r = _data()
    return _case(_cross_entropy, r.normal(size=(30, 3)), y, "multiclass", grad=lambda z, t: _softmax(z) - np.eye(3)[t])


def bad_softmax_without_coupling():
    _X, y, r = _data()

    def grad(z, t):
        p = _softmax(z)
        return (p - np.eye(3)[t]) * p * (1 - p) / len(t)

    return _case(_cross_entropy, r.normal(size=(30, 3)), y, "multiclass", grad=grad)


def bad_broadcast():
    X, _, r = _data()
    return _case(lambda p, t: np.mean((p - t) ** 2), r.normal(size=(30, 1)), X.sum(1), "regression")


def bad_overflow():
    _X, y, r = _data(k=2)

    def loss(z, t):
        p = 1 / (1 + np.exp(-z))
        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))

    return _case(loss, r.normal(size=30), y.astype(float), "binary")


def bad_unshifted_softmax():
    _X, y, r = _data()

    def loss(z, t):
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        return -np.mean(np.log(p[np.arange(len(t)), t]))

    return _case(loss, 400 * r.normal(size=(30, 3)), y, "multiclass")


def bad_loop_rises():
    X, _, _r = _data()
    y = X.sum(1)

    def train():
        w, losses = np.zeros(4), []
        for _ in range(20):
            miss = X @ w - y
            losses.append(float(np.mean(miss**2)))
            w += 0.1 * X.T @ miss / len(y)
        return w, losses

    return _case(lambda p, t: np.mean((p - t) ** 2), np.zeros(30), y, "regression", train=train)


def right_column_made_inside():
    r = np.random.default_rng(3)

    def loss(p, t):
        return np.sqrt(np.mean((p - t.reshape(len(p), -1)) ** 2))

    return _case(loss, r.normal(size=(24, 1)), r.normal(size=24), "regression")


def bad_loop_stands_still():
    X, y, _r = _data(k=2)

    def train():
        w, costs = np.zeros(4), []
        for _ in range(12):
            z = X @ w
            costs.append(_log_loss(z, y))
            w - 0.3 * X.T @ (1 / (1 + np.exp(-z)) - y) / len(y)
        return w, costs

    return {"framework": "numpy", "task": "binary", "train": train, "targets": y}


def bad_loop_overshoots():
    X, _y, r = _data()
    t = X @ r.normal(size=4)

    def train():
        w, seen = np.zeros(4), {"loss": []}
        for _ in range(15):
            seen["loss"].append(float(((X @ w - t) ** 2).mean()))
            w -= 3.0 * X.T @ (X @ w - t) / len(t)
        return seen

    return {"framework": "numpy", "task": "regression", "train": train, "targets": t}


def right_loop_reports_its_accuracy():
    X, y, _r = _data(k=2)

    def train():
        w, right = np.full(4, 0.01), []
        for _ in range(20):
            z = X @ w
            right.append(float(((z > 0) == y).mean()))
            w -= 0.3 * X.T @ (1 / (1 + np.exp(-z)) - y) / len(y)
        return right

    return {"framework": "numpy", "task": "binary", "train": train, "targets": y}
