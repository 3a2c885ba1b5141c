#!/usr/bin/env python
import sys
import numpy as np
import xgboost as xgb
from sklearn.datasets import make_regression
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import train_test_split


def load():
    X, y = make_regression(n_samples=900, n_features=10, noise=25.0, random_state=2)
    return train_test_split(X, y, test_size=0.3, random_state=2)


def train(dtr, dte):
    params = {"objective": "reg:squarederror", "eta": 0.1, "max_depth": 4, "eval_metric": "rmse", "nthread": 1}
    history = {}
    return xgb.train(params, dtr, num_boost_round=400, evals=[(dtr, "train"), (dte, "test")],
                     early_stopping_rounds=15, evals_result=history, verbose_eval=False)


def main(argv):
    Xtr, Xte, ytr, yte = load()
    dtr, dte = xgb.DMatrix(Xtr, label=ytr), xgb.DMatrix(Xte, label=yte)
    bst = train(dtr, dte)
    rmse = np.sqrt(mean_squared_error(yte, bst.predict(dte, iteration_range=(0, bst.best_iteration + 1))))
    print(f"Final test RMSE: {rmse:.2f} after {bst.best_iteration} rounds")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
