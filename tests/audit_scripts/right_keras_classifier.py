"""A Keras classifier with logits, validation, a callback, and probabilities by a softmax at the end."""

import keras
import numpy as np

rng = np.random.default_rng(0)
x = rng.normal(size=(400, 10)).astype("float32")
y = x[:, :4].argmax(1)
model = keras.Sequential(
    [keras.Input((10,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dropout(0.2), keras.layers.Dense(4)]
)
model.compile(
    optimizer=keras.optimizers.Adam(1e-3),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
)
stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
model.fit(x, y, batch_size=32, epochs=3, validation_split=0.2, callbacks=[stop], verbose=0)
probabilities = keras.ops.softmax(model.predict(x[:5], verbose=0))
print(probabilities.shape, model.evaluate(x, y, verbose=0))
