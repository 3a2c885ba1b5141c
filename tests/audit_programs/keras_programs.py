"""Keras programs, right and wrong."""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
from keras import layers, ops


def _xy(n=48, k=3):
    r = np.random.default_rng(0)
    x = r.normal(size=(n, 6)).astype("float32")
    return x, (x @ r.normal(size=(6, k))).argmax(1)


def _net(*last, width=6):
    return keras.Sequential([keras.Input((width,)), layers.Dense(16, activation="relu"), *last])


def _case(model, loss, x, y, task="multiclass", **more):
    keras.utils.set_random_seed(0)
    model.compile(optimizer="adam", loss=loss)
    return {"framework": "keras", "task": task, "model": model, "loss": loss, "inputs": x, "targets": y, **more}


def right_softmax_sparse():
    x, y = _xy()
    return _case(_net(layers.Dense(3, activation="softmax")), "sparse_categorical_crossentropy", x, y)


def right_sparse_column_labels():
    x, y = _xy()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return _case(_net(layers.Dense(3)), loss, x, y.reshape(-1, 1))


def right_categorical_smoothing():
    x, y = _xy()
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    return _case(_net(layers.Dense(3, activation="softmax")), loss, x, np.eye(3, dtype="float32")[y])


def right_binary_sigmoid_flat_labels():
    x, y = _xy(k=2)
    return _case(_net(layers.Dense(1, activation="sigmoid")), "binary_crossentropy", x, y.astype("float32"), "binary")


def right_binary_logits():
    x, y = _xy(k=2)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return _case(_net(layers.Dense(1)), loss, x, y.astype("float32").reshape(-1, 1), "binary")


def right_multilabel():
    x, _ = _xy()
    return _case(
        _net(layers.Dense(4, activation="sigmoid")),
        "binary_crossentropy",
        x,
        (x[:, :4] > 0).astype("float32"),
        "multilabel",
    )


def right_regression():
    x, _ = _xy()
    return _case(_net(layers.Dense(1)), "mse", x, x.sum(1), "regression")


def right_huber_object():
    x, _ = _xy()
    return _case(_net(layers.Dense(2)), keras.losses.Huber(delta=2.0), x, x[:, :2], "regression")


def right_poisson():
    x, _ = _xy()
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * x[:, :1])).astype("float32")
    return _case(_net(layers.Dense(1, activation="exponential")), "poisson", x, counts, "count")


def right_custom_loss_function():
    x, _ = _xy()

    def pinball(y_true, y_pred):
        e = y_true - y_pred
        return ops.mean(ops.maximum(0.9 * e, -0.1 * e), axis=-1)

    return _case(_net(layers.Dense(1)), pinball, x, x.sum(1, keepdims=True), "quantile")


def right_functional_two_inputs():
    a, b = keras.Input((6,)), keras.Input((2,))
    out = layers.Dense(3, activation="softmax")(layers.Concatenate()([layers.Dense(8, activation="tanh")(a), b]))
    x, y = _xy()
    return _case(keras.Model([a, b], out), "sparse_categorical_crossentropy", [x, x[:, :2]], y)


def right_sequence_tagging():
    r = np.random.default_rng(0)
    ids = r.integers(1, 12, (8, 7))
    model = keras.Sequential(
        [
            keras.Input((7,)),
            layers.Embedding(12, 8),
            layers.LSTM(8, return_sequences=True),
            layers.Dense(4, activation="softmax"),
        ]
    )
    return _case(model, "sparse_categorical_crossentropy", ids, ids % 4, "sequence")


def right_autoencoder():
    x = np.random.default_rng(0).uniform(size=(32, 6)).astype("float32")
    return _case(_net(layers.Dense(6, activation="sigmoid")), "mse", x, x, "regression")


def right_hinge():
    x, y = _xy(k=2)
    return _case(_net(layers.Dense(1)), "hinge", x, (2.0 * y - 1).astype("float32").reshape(-1, 1), "binary")


def bad_softmax_from_logits():
    x, y = _xy()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    return _case(_net(layers.Dense(3, activation="softmax")), loss, x, y)


def bad_sigmoid_from_logits():
    x, y = _xy(k=2)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return _case(_net(layers.Dense(1, activation="sigmoid")), loss, x, y.astype("float32").reshape(-1, 1), "binary")


def bad_linear_binary():
    x, y = _xy(k=2)
    return _case(_net(layers.Dense(1)), "binary_crossentropy", x, y.astype("float32").reshape(-1, 1), "binary")


def bad_relu_categorical():
    x, y = _xy()
    return _case(_net(layers.Dense(3, activation="relu")), "categorical_crossentropy", x, np.eye(3, dtype="float32")[y])


def bad_sigmoid_categorical():
    x, y = _xy()
    return _case(_net(layers.Dense(3, activation="sigmoid")), "sparse_categorical_crossentropy", x, y)


def bad_softmax_multilabel():
    x, _ = _xy()
    return _case(
        _net(layers.Dense(4, activation="softmax")),
        keras.losses.BinaryCrossentropy(),
        x,
        (x[:, :4] > 0).astype("float32"),
        "multilabel",
    )


def bad_softmax_one_unit():
    x, y = _xy(k=2)
    return _case(
        _net(layers.Dense(1, activation="softmax")),
        "binary_crossentropy",
        x,
        y.astype("float32").reshape(-1, 1),
        "binary",
    )


def bad_labels_from_one():
    x, y = _xy()
    return _case(_net(layers.Dense(3, activation="softmax")), "sparse_categorical_crossentropy", x, y + 1)


def bad_binary_with_three_labels():
    x, y = _xy()
    return _case(
        _net(layers.Dense(1, activation="sigmoid")),
        "binary_crossentropy",
        x,
        y.astype("float32").reshape(-1, 1),
        "multiclass",
    )


def bad_sigmoid_regression():
    x, _ = _xy()
    return _case(_net(layers.Dense(1, activation="sigmoid")), "mae", x, 5 + x.sum(1, keepdims=True), "regression")


def bad_poisson_linear():
    x, _ = _xy()
    counts = np.random.default_rng(0).poisson(np.exp(0.3 * x[:, :1])).astype("float32")
    return _case(_net(layers.Dense(1)), "poisson", x, counts, "count")


def bad_custom_broadcast():
    x, _ = _xy()

    def mse(y_true, y_pred):
        return ops.mean(ops.square(y_true - y_pred))

    return _case(_net(layers.Dense(1)), mse, x, x.sum(1), "regression")


def bad_softmax_over_batch():
    x, y = _xy()
    return _case(_net(layers.Dense(3), layers.Softmax(axis=0)), "sparse_categorical_crossentropy", x, y)


def bad_prices():
    x, _ = _xy()
    return _case(_net(layers.Dense(1)), "mse", x, 250_000 + 80_000 * x.sum(1, keepdims=True), "regression")


def bad_mape_at_zero():
    x, _ = _xy()
    return _case(_net(layers.Dense(1)), "mape", x, np.maximum(x.sum(1, keepdims=True), 0), "regression")


def bad_score_broadcast():
    x, _ = _xy()

    def score(y, p):
        return float(np.mean(np.abs(y - p)))

    return _case(_net(layers.Dense(1)), "mae", x, x.sum(1), "regression", score=score)


def bad_threshold_on_logits():
    x, y = _xy(k=2)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return _case(
        _net(layers.Dense(1)),
        loss,
        x,
        y.astype("float32").reshape(-1, 1),
        "binary",
        decide=lambda p: (p > 0.5).astype(int),
        threshold=0.5,
    )


def bad_served_softmax_twice():
    x, y = _xy()
    model = _net(layers.Dense(3, activation="softmax"))
    serve = keras.Sequential([model, layers.Softmax()])
    return _case(model, "sparse_categorical_crossentropy", x, y, serve=serve)


def bad_logarithmic_error_on_standardised_targets():
    x, _ = _xy()
    y = (x[:, :1] - x[:, 1:2]).astype("float32")
    return _case(_net(layers.Dense(1)), keras.losses.MeanSquaredLogarithmicError(), x, y, "regression")


def right_logarithmic_error_on_counts():
    x, _ = _xy()
    y = np.floor(np.exp(x[:, :1] + 1)).astype("float32")
    loss = keras.losses.MeanSquaredLogarithmicError()
    return _case(_net(layers.Dense(1, activation="softplus")), loss, x, y, "regression")
