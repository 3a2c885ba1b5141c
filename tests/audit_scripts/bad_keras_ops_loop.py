import numpy as np, keras
from keras import layers, ops

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.normal(size=(240, 6)).astype("float32")
c = (x[:, 0] + x[:, 1] > 0).astype("int64") + (x[:, 2] > 0.5).astype("int64")
v = (x @ rng.normal(size=6)).astype("float32")

import torch

model = keras.Sequential([keras.Input((6,)), layers.Dense(16, activation="relu"), layers.Dense(3)])
opt = keras.optimizers.Adam(1e-2)
for step in range(20):
    i = rng.integers(0, 240, 32)
    model.zero_grad()
    z = model(x[i], training=True)
    p = ops.softmax(ops.softmax(z))
    loss = -ops.mean(ops.sum(ops.one_hot(c[i], 3) * ops.log(p + 1e-7), axis=-1))
    loss.backward()
    with torch.no_grad():
        opt.apply([w.value.grad for w in model.trainable_weights], model.trainable_weights)
print(float(loss.detach()))
