"""Text pipeline."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.model_selection import train_test_split, cross_val_score
from sklearn.metrics import f1_score
import random
random.seed(0)
good, bad, both = "great fine lovely happy superb".split(), "awful poor sad bleak dull".split(), "film plot actor scene music".split()
texts, y = [], []
for i in range(300):
    y.append(i % 2); texts.append(" ".join(random.choices((good if i % 2 else bad) + both, k=8)))
tr, te, ytr, yte = train_test_split(texts, y, random_state=0)
m = make_pipeline(TfidfVectorizer(), SGDClassifier(random_state=0))
print(cross_val_score(m, tr, ytr, cv=3))
m.fit(tr, ytr); print(f1_score(yte, m.predict(te)))
