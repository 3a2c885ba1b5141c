"""Keras two outputs one wrong."""

import numpy as np, keras
rng = np.random.default_rng(0)
x = rng.normal(size=(200, 4)).astype("float32")
i = keras.Input((4,)); h = keras.layers.Dense(8, activation="relu")(i)
price = keras.layers.Dense(1, name="price")(h); kind = keras.layers.Dense(3, activation="softmax", name="kind")(h)
m = keras.Model(i, {"price": price, "kind": kind})
m.compile("adam", loss={"price": "mse", "kind": keras.losses.SparseCategoricalCrossentropy(from_logits=True)})
m.fit(x, {"price": x[:, :1], "kind": x[:, 1:].argmax(1)}, epochs=2, verbose=0)
