"""XGBoost native hessian."""

import numpy as np, xgboost as xgb
rng = np.random.default_rng(0)
X = rng.normal(size=(300, 4)); y = (X[:, 0] > 0).astype(float)
dtrain = xgb.DMatrix(X, label=y)
def logistic(pred, data):
    p = 1 / (1 + np.exp(-pred)); t = data.get_label()
    return p - t, -p * (1 - p)
booster = xgb.train({"max_depth": 2, "eta": .3}, dtrain, num_boost_round=10, obj=logistic)
print(booster.predict(dtrain)[:3])
