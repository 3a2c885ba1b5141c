"""Delivery times: a forest of trees that stops when the median miss no longer gets better."""

import lightgbm as lgb
import numpy as np
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(4)
X = rng.normal(size=(900, 6))
minutes = 30 + 8 * X[:, 0] - 5 * X[:, 1] * X[:, 2] + rng.normal(size=900) * 4


def median_miss(truth, said):
    return "median_miss", float(np.median(np.abs(truth - said))), True


X_fit, X_rest, y_fit, y_rest = train_test_split(X, minutes, test_size=0.4, random_state=0)
X_stop, X_test, y_stop, y_test = train_test_split(X_rest, y_rest, test_size=0.5, random_state=0)
model = lgb.LGBMRegressor(n_estimators=200, num_leaves=15, metric="None", n_jobs=1, verbosity=-1)
model.fit(
    X_fit,
    y_fit,
    eval_set=[(X_stop, y_stop)],
    eval_metric=median_miss,
    callbacks=[lgb.early_stopping(10, verbose=False)],
)
print(model.best_iteration_, np.median(np.abs(y_test - model.predict(X_test))))
