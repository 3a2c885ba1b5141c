"""A model that is written as a class and says a dictionary; one of its losses is a function of its own."""
import keras
import numpy as np

rng = np.random.default_rng(1)
x = rng.normal(size=(400, 8)).astype("float32")
late, delay = (x[:, 2] > 0.3).astype("float32"), x[:, 1] * 3


class Trips(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = keras.layers.Dense(16, activation="relu")
        self.late, self.delay = keras.layers.Dense(1), keras.layers.Dense(1)

    def call(self, x):
        h = self.body(x)
        return {"late": self.late(h), "delay": self.delay(h)}


def squared(truth, said):
    return keras.ops.mean(keras.ops.square(truth - said), axis=-1)


model = Trips()
model.compile("adam", loss={"late": keras.losses.BinaryCrossentropy(), "delay": squared})
model.fit(x, {"late": late, "delay": delay}, batch_size=40, epochs=2, verbose=0)
