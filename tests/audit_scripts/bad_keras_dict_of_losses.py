"""Two heads by name: a price, and a category whose scores never saw a softmax."""
import os
os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(0)
x = np.random.rand(512, 8).astype("float32")
price = x[:, :1] * 3 + x[:, 1:2]
kind = (x[:, 2] * 4).astype("int32")

inp = keras.Input((8,), name="features")
h = layers.Dense(32, activation="relu")(inp)
out = {"price": layers.Dense(1, name="price")(h), "kind": layers.Dense(4, name="kind")(h)}
model = keras.Model(inp, out)
model.compile(optimizer="adam", loss={"price": "mse", "kind": "sparse_categorical_crossentropy"}, metrics={"kind": "accuracy"})
model.fit({"features": x}, {"price": price, "kind": kind}, epochs=2, batch_size=64, validation_split=0.2, verbose=0)
print(model.evaluate({"features": x}, {"price": price, "kind": kind}, verbose=0))
