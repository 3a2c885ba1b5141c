import numpy as np, xgboost as xgb, lightgbm as lgb
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from sklearn.metrics import roc_auc_score, log_loss

X, y = make_classification(600, 8, weights=[0.9], random_state=0)
Xa, Xb, ya, yb = train_test_split(X, y, stratify=y, random_state=0)
Xt, Xv, yt, yv = train_test_split(Xa, ya, stratify=ya, random_state=0)

m = xgb.XGBClassifier(n_estimators=200, early_stopping_rounds=10, eval_metric="logloss")
m.fit(Xa, ya, eval_set=[(Xa, ya)], verbose=False)
print(roc_auc_score(yb, m.predict_proba(Xb)[:, 1]))
