import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(11)
n = 1200
df = pd.DataFrame(rng.normal(size=(n, 12)), columns=[f"f{i}" for i in range(12)])
df["default"] = (df.f0 + 0.5 * df.f1 * df.f2 + rng.normal(size=n) > 0.8).astype(int)

X = df.drop(columns="default")
y = df["default"]
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25, stratify=y, random_state=7)

dtrain = lgb.Dataset(X_train, label=y_train)
dtest = lgb.Dataset(X_test, label=y_test, reference=dtrain)

params = dict(objective="binary", metric="auc", learning_rate=0.05, num_leaves=15, verbose=-1, num_threads=1)
bst = lgb.train(params, dtrain, num_boost_round=500, valid_sets=[dtest],
                callbacks=[lgb.early_stopping(20, verbose=False)])
pred = bst.predict(X_test, num_iteration=bst.best_iteration)
print("rounds", bst.best_iteration)
print("test AUC", roc_auc_score(y_test, pred))
