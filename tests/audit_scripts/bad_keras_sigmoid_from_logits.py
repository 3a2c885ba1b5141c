import os
os.environ.setdefault("KERAS_BACKEND", "torch")
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
x = rng.normal(size=(800, 16)).astype("float32")
y = (x[:, 0] - x[:, 1] + 0.7 * rng.normal(size=800) > 0).astype("float32")

inputs = keras.Input(shape=(16,), name="features")
h = layers.Dense(32, activation="relu")(inputs)
h = layers.Dropout(0.2)(h)
outputs = layers.Dense(1, activation="sigmoid")(h)
model = keras.Model(inputs, outputs)
model.compile(optimizer=keras.optimizers.Adam(1e-3),
              loss=keras.losses.BinaryCrossentropy(from_logits=True),
              metrics=["accuracy"])
model.fit(x[:600], y[:600], validation_split=0.2, epochs=5, batch_size=32, verbose=2)
print(model.evaluate(x[600:], y[600:], verbose=0))
