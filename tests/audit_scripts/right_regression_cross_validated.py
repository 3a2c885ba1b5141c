"""A counts model compared with a baseline by cross-validation, refitted on all rows at the end."""

import numpy as np
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import PoissonRegressor
from sklearn.metrics import mean_poisson_deviance
from sklearn.model_selection import KFold, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(0)
X = rng.normal(size=(500, 4))
y = rng.poisson(np.exp(0.3 + 0.5 * X[:, 0] - 0.3 * X[:, 1]))
models = {
    "mean": DummyRegressor(),
    "glm": make_pipeline(StandardScaler(), PoissonRegressor()),
    "trees": HistGradientBoostingRegressor(loss="poisson", max_iter=20),
}
for name, model in models.items():
    scores = cross_val_score(model, X, y, cv=KFold(3, shuffle=True, random_state=0), scoring="neg_mean_poisson_deviance")
    print(name, -scores.mean())
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
best = models["glm"].fit(X_train, y_train)
print(mean_poisson_deviance(y_test, best.predict(X_test)))
final = models["glm"].fit(X, y)
