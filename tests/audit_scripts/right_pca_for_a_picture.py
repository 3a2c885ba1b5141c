"""PCA for a picture."""

import numpy as np
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.cluster import KMeans
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.pipeline import Pipeline
from sklearn.model_selection import train_test_split
from sklearn.metrics import silhouette_score, accuracy_score
X, y = load_iris(return_X_y=True)
view = PCA(2).fit_transform(StandardScaler().fit_transform(X))
labels = KMeans(3, n_init=5, random_state=0).fit_predict(view)
print(silhouette_score(view, labels))
a, b, c, d = train_test_split(X, y, stratify=y, random_state=0)
clf = Pipeline([("s", StandardScaler()), ("k", KNeighborsClassifier())]).fit(a, c)
print("train", accuracy_score(c, clf.predict(a)), "test", accuracy_score(d, clf.predict(b)))
