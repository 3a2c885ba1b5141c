import numpy as np, keras
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(240, 6)).astype("float32")
c = (x[:, 0] + x[:, 1] > 0).astype("int64") + (x[:, 2] > 0.5).astype("int64")
v = (x @ rng.normal(size=6)).astype("float32")

import torch

model = keras.Sequential(
    [
        keras.Input((6,)),
        layers.BatchNormalization(),
        layers.Dense(16, activation="relu"),
        layers.Dropout(0.1),
        layers.Dense(1),
    ]
)
opt = keras.optimizers.SGD(1e-2, momentum=0.9)
lossy = keras.losses.MeanSquaredError()
for step in range(10):
    i = rng.integers(0, 240, 32)
    model.zero_grad()
    loss = lossy(v[i][:, None], model(x[i], training=True))
    loss.backward()
    with torch.no_grad():
        opt.apply([w.value.grad for w in model.trainable_weights], model.trainable_weights)
