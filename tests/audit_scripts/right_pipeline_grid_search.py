"""Columns of two kinds, a pipeline, a grid search, and scores on rows it never saw."""

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, average_precision_score, brier_score_loss, roc_auc_score
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(0)
n = 600
frame = pd.DataFrame(
    {
        "age": rng.integers(18, 80, n).astype(float),
        "income": rng.lognormal(10, 0.5, n),
        "city": rng.choice(["Basel", "Bern", "Chur"], n),
    }
)
frame.loc[rng.random(n) < 0.1, "income"] = np.nan
p = 1 / (1 + np.exp(-(frame["age"] - 50) / 15 + 0.5 * (frame["city"] == "Bern")))
y = (rng.random(n) < p).astype(int)

numeric = Pipeline([("impute", SimpleImputer()), ("scale", StandardScaler())])
prepare = ColumnTransformer(
    [("num", numeric, ["age", "income"]), ("cat", OneHotEncoder(handle_unknown="ignore"), ["city"])]
)
X_train, X_test, y_train, y_test = train_test_split(frame, y, test_size=0.25, random_state=0, stratify=y)
search = GridSearchCV(Pipeline([("prepare", prepare), ("clf", LogisticRegression())]), {"clf__C": [0.1, 1.0]}, cv=3)
search.fit(X_train, y_train)
proba = search.predict_proba(X_test)[:, 1]
print(accuracy_score(y_test, search.predict(X_test)), roc_auc_score(y_test, proba))
print(average_precision_score(y_test, proba), brier_score_loss(y_test, proba))
