import numpy as np, keras
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(240, 6)).astype("float32")
c = (x[:, 0] + x[:, 1] > 0).astype("int64") + (x[:, 2] > 0.5).astype("int64")
v = (x @ rng.normal(size=6)).astype("float32")

inp = keras.Input((6,))
h = layers.Dense(16, activation="relu")(inp)
a = layers.Dense(3, activation="softmax", name="kind")(h)
b = layers.Dense(1, name="value")(h)
model = keras.Model(inp, [a, b])
model.compile("adam", loss=["sparse_categorical_crossentropy", "mse"])
model.fit(x, [c, v[:, None]], epochs=3, verbose=0)
