"""Cross-validation by hand, on data that were scaled and selected once."""
import numpy as np
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

rng = np.random.RandomState(0)
X = rng.normal(size=(120, 300))
y = X[:, 0] + rng.normal(size=120)
X = StandardScaler().fit_transform(X)
X = SelectKBest(f_regression, k=10).fit_transform(X, y)
scores = []
for train, test in KFold(5, shuffle=True, random_state=0).split(X):
    model = Ridge().fit(X[train], y[train])
    scores.append(model.score(X[test], y[test]))
print("R2", np.mean(scores))
