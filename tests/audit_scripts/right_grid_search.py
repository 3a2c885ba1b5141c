import numpy as np
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline, Pipeline
from sklearn.preprocessing import StandardScaler, OneHotEncoder
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split, StratifiedKFold
from sklearn.metrics import roc_auc_score, accuracy_score, make_scorer

X, y = make_classification(400, 8, weights=[0.8], random_state=0)

Xa, Xb, ya, yb = train_test_split(X, y, stratify=y, random_state=0)
grid = GridSearchCV(
    make_pipeline(StandardScaler(), LogisticRegression()), {"logisticregression__C": [0.1, 1.0]}, scoring="roc_auc"
)
grid.fit(Xa, ya)
print(grid.best_params_, roc_auc_score(yb, grid.predict_proba(Xb)[:, 1]))
