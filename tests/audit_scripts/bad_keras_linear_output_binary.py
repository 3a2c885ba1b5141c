"""A binary model without a sigmoid, and a loss that expects probabilities."""

import keras
import numpy as np

rng = np.random.default_rng(0)
X = rng.normal(size=(300, 6)).astype("float32")
y = (X[:, 0] > 0).astype("float32")
model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(X, y, epochs=2, verbose=0)
