"""from_logits=True after a softmax layer."""

import keras
import numpy as np

rng = np.random.default_rng(0)
images = rng.normal(size=(200, 8, 8, 1)).astype("float32")
labels = (images.mean((1, 2, 3)) > 0).astype("int64") + (images[:, 0, 0, 0] > 0)
inputs = keras.Input((8, 8, 1))
hidden = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(hidden))
model = keras.Model(inputs, outputs)
model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
history = model.fit(images, labels, epochs=2, batch_size=20, verbose=0)
model.save("digits.keras")
print(history.history["accuracy"])
