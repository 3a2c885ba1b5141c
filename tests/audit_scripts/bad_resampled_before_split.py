import pandas as pd
import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import classification_report, f1_score
from sklearn.model_selection import train_test_split
from sklearn.utils import resample


def load_transactions(seed=5):
    rng = np.random.default_rng(seed)
    n = 2000
    frame = pd.DataFrame({"amount": rng.lognormal(3, 1, n), "hour": rng.integers(0, 24, n),
                          "age": rng.normal(40, 12, n), "distance": rng.exponential(10, n)})
    logit = -4 + 0.02 * frame.amount + 0.03 * frame.distance
    frame["fraud"] = (rng.random(n) < 1 / (1 + np.exp(-logit))).astype(int)
    return frame


def balance(frame):
    majority = frame[frame.fraud == 0]
    minority = frame[frame.fraud == 1]
    up = resample(minority, replace=True, n_samples=len(majority), random_state=1)
    return pd.concat([majority, up])


def main():
    frame = balance(load_transactions())
    X, y = frame.drop(columns=["fraud"]), frame["fraud"]
    X_tr, X_te, y_tr, y_te = train_test_split(X, y, test_size=0.2, random_state=0)
    model = RandomForestClassifier(n_estimators=50, random_state=0).fit(X_tr, y_tr)
    pred = model.predict(X_te)
    print(classification_report(y_te, pred))
    print("F1", f1_score(y_te, pred))


if __name__ == "__main__":
    main()
