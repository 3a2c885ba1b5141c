"""XGBoost and LightGBM."""

import numpy as np, xgboost as xgb, lightgbm as lgb
from sklearn.model_selection import train_test_split
from sklearn.metrics import roc_auc_score, log_loss, mean_pinball_loss
rng = np.random.default_rng(0)
X = rng.normal(size=(500, 5)); y = (X[:, 0] + rng.normal(size=500) > 1).astype(int)
a, b, c, d = train_test_split(X, y, random_state=0, stratify=y)
fit, stop, fit_y, stop_y = train_test_split(a, c, random_state=0, stratify=c)
clf = xgb.XGBClassifier(n_estimators=20, max_depth=3, early_stopping_rounds=5, eval_metric="logloss").fit(fit, fit_y, eval_set=[(stop, stop_y)], verbose=False)
p = clf.predict_proba(b)[:, 1]; print(roc_auc_score(d, p), log_loss(d, p))
t = X[:, 0] + rng.normal(size=500); reg = lgb.LGBMRegressor(objective="quantile", alpha=.9, n_estimators=20, verbose=-1).fit(X[:400], t[:400])
print(mean_pinball_loss(t[400:], reg.predict(X[400:]), alpha=.9))
dtrain = xgb.DMatrix(a, label=c); booster = xgb.train({"objective": "binary:logistic", "max_depth": 2}, dtrain, 10)
print(roc_auc_score(d, booster.predict(xgb.DMatrix(b))))
