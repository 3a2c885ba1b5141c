"""XGBoost objective sign."""

import numpy as np
from xgboost import XGBRegressor
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split
rng = np.random.default_rng(0)
X = rng.normal(size=(400, 4)); y = X[:, 0] * 2 + rng.normal(size=400) * .1
def squared(y_true, y_pred):
    return y_true - y_pred, np.ones_like(y_pred)
a, b, c, d = train_test_split(X, y, random_state=0)
m = XGBRegressor(n_estimators=10, objective=squared, max_depth=2).fit(a, c)
print(mean_squared_error(d, m.predict(b)))
