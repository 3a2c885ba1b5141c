"""A regression whose weights are written in a format that is not opened by Python."""

import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(200, 5)).astype("float32")
y = x[:, :1] * 2 + 0.1 * rng.normal(size=(200, 1)).astype("float32")
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
model.fit(x, y, batch_size=20, epochs=3, validation_split=0.2, verbose=0)
model.save_weights("regression.weights.h5")
print(np.abs(model.predict(x, verbose=0) - y).mean())
