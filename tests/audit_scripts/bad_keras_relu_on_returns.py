import os
os.environ.setdefault("KERAS_BACKEND", "torch")
import numpy as np
import keras


@keras.saving.register_keras_serializable()
class PriceModel(keras.Model):
    """log-return forecaster"""
    def __init__(self, width=32, **kw):
        super().__init__(**kw)
        self.d1 = keras.layers.Dense(width, activation="relu")
        self.d2 = keras.layers.Dense(width, activation="relu")
        self.drop = keras.layers.Dropout(0.5)
        self.out = keras.layers.Dense(1, activation="relu")

    def call(self, inputs, training=None):
        h = self.drop(self.d1(inputs), training=training)
        return self.out(self.d2(h))


def make_data(n=1000):
    rng = np.random.default_rng(42)
    x = rng.normal(size=(n, 6)).astype("float32")
    y = (x @ np.array([1, -1, 0.5, 0, 0, 2], "float32") + 0.3 * rng.normal(size=n)).astype("float32")
    return x, y


if __name__ == "__main__":
    x, y = make_data()
    m = PriceModel()
    m.compile(optimizer="adam", loss="mse", metrics=["mae"])
    m.fit(x[:800], y[:800], epochs=3, batch_size=64, verbose=0)
    print(m.evaluate(x[800:], y[800:], verbose=0, return_dict=True))
