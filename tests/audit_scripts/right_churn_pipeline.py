import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

rng = np.random.default_rng(21)
n = 1500
df = pd.DataFrame({"tenure": rng.exponential(24, n), "charge": rng.normal(60, 20, n),
                   "plan": rng.choice(["basic", "plus", "pro"], n), "region": rng.choice(list("NESW"), n)})
df.loc[rng.random(n) < 0.05, "charge"] = np.nan
p = 1 / (1 + np.exp(-(-1.5 - 0.03 * df.tenure + 0.02 * df.charge.fillna(60) + (df.plan == "basic"))))
df["churn"] = (rng.random(n) < p).astype(int)
num, cat = ["tenure", "charge"], ["plan", "region"]
pre = ColumnTransformer([("n", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), num),
                         ("c", OneHotEncoder(handle_unknown="ignore"), cat)])
pipe = make_pipeline(pre, LogisticRegression(max_iter=1000))
Xa, Xb, ya, yb = train_test_split(df[num + cat], df.churn, stratify=df.churn, test_size=0.25, random_state=0)
gs = GridSearchCV(pipe, {"logisticregression__C": [0.1, 1, 10]}, scoring="neg_log_loss", cv=StratifiedKFold(5, shuffle=True, random_state=0))
gs.fit(Xa, ya)
prob = gs.predict_proba(Xb)[:, 1]
print(gs.best_params_, "AP", average_precision_score(yb, prob), "log loss", log_loss(yb, prob))
