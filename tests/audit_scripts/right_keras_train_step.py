import numpy as np, keras
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(240, 6)).astype("float32")
c = (x[:, 0] + x[:, 1] > 0).astype("int64") + (x[:, 2] > 0.5).astype("int64")
v = (x @ rng.normal(size=6)).astype("float32")


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.a = layers.Dense(16, activation="relu")
        self.b = layers.Dense(3, activation="softmax")
        self.lossy = keras.losses.SparseCategoricalCrossentropy()
        self.mean = keras.metrics.Mean(name="loss")

    def call(self, x, training=False):
        return self.b(self.a(x))

    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        loss = self.lossy(y, self(x, training=True))
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply([w.value.grad for w in self.trainable_weights], self.trainable_weights)
        self.mean.update_state(loss)
        return {"loss": self.mean.result()}


net = Net()
net.compile("adam")
net.fit(x, c, epochs=2, verbose=0)
