"""The rare class is given the small weight; only accuracy is reported."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(0)
X = rng.normal(size=(800, 4))
y = (X[:, 0] + rng.normal(size=800) > 2.2).astype(int)
Xtr, Xte, ytr, yte = train_test_split(X, y, stratify=y, random_state=0)
model = LogisticRegression(class_weight={0: 0.9, 1: 0.1}).fit(Xtr, ytr)
print(accuracy_score(yte, model.predict(Xte)))
