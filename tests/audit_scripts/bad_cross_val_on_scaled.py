"""Cross val on scaled."""

import numpy as np
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.svm import SVC
from sklearn.model_selection import cross_val_score
rng = np.random.default_rng(0)
X, y = rng.normal(size=(100, 1000)), rng.integers(0, 2, 100)
X = SelectKBest(f_classif, k=10).fit_transform(X, y)
print(cross_val_score(SVC(), X, y, cv=5).mean())
