"""The target stays in the table."""
import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, r2_score
from sklearn.model_selection import train_test_split

rng = np.random.default_rng(5)
df = pd.DataFrame(rng.normal(size=(600, 5)), columns=list("abcde"))
df["price"] = 3 * df.a + df.b * df.c + rng.normal(size=600)
train, test = train_test_split(df, test_size=0.25, random_state=0)
model = GradientBoostingRegressor(n_estimators=50).fit(train, train["price"])
pred = model.predict(test)
print("R2", r2_score(test["price"], pred), "MAE", mean_absolute_error(test["price"], pred))
