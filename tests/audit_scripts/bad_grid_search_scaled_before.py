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

X = StandardScaler().fit_transform(X)
grid = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, scoring="roc_auc")
grid.fit(X, y)
print(grid.best_score_)
