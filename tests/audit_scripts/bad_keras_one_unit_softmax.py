"""Keras one unit softmax."""

import numpy as np, keras
x = np.random.default_rng(0).normal(size=(200, 4)).astype("float32"); y = (x[:, 0] > 0).astype("float32")
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1, activation="softmax")])
m.compile("adam", "binary_crossentropy", metrics=["accuracy"])
m.fit(x, y, epochs=2, verbose=0)
