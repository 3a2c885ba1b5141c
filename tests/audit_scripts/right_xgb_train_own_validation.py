import numpy as np
import xgboost as xgb
from sklearn.metrics import mean_absolute_error, roc_auc_score
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(3)
X = rng.normal(size=(1500, 9))
y = (X[:, 0] + X[:, 1] ** 2 + rng.normal(size=1500) > 2.2).astype(int)
X_dev, X_test, y_dev, y_test = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
X_tr, X_val, y_tr, y_val = train_test_split(X_dev, y_dev, test_size=0.2, random_state=0, stratify=y_dev)
dtr, dval, dtest = (xgb.DMatrix(a, label=b) for a, b in ((X_tr, y_tr), (X_val, y_val), (X_test, y_test)))
params = {"objective": "binary:logistic", "eval_metric": ["logloss", "auc"], "max_depth": 3, "eta": 0.1,
          "scale_pos_weight": float((y_tr == 0).sum() / (y_tr == 1).sum()), "nthread": 1}
bst = xgb.train(params, dtr, 300, evals=[(dtr, "train"), (dval, "val")], early_stopping_rounds=20, verbose_eval=False)
score = bst.predict(dtest, iteration_range=(0, bst.best_iteration + 1))
print("AUC on test", roc_auc_score(y_test, score))

reg = xgb.XGBRegressor(n_estimators=60, max_depth=3, learning_rate=0.1, n_jobs=1, objective="reg:absoluteerror")
t = X[:, 2] * 3 + rng.standard_t(3, 1500)
reg.fit(X[:1200], t[:1200])
print("MAE", mean_absolute_error(t[1200:], reg.predict(X[1200:])))
