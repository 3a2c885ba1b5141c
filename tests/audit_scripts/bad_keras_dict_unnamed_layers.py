"""Two outputs of a dictionary, whose layers have no names of their own, with targets of one number a row."""
import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(500, 8)).astype("float32")
clicked, amount = (x[:, 0] > 0).astype("float32"), x[:, 1] * 3

inputs = keras.Input((8,))
body = keras.layers.Dense(16, activation="relu")(inputs)
outputs = {"clicked": keras.layers.Dense(1)(body), "amount": keras.layers.Dense(1)(body)}
model = keras.Model(inputs, outputs)
model.compile("adam", loss={"clicked": "binary_crossentropy", "amount": "mse"})
model.fit(x, {"clicked": clicked, "amount": amount}, epochs=2, batch_size=50, verbose=0)
