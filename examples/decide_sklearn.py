"""A classifier that decides for your costs, beside the same classifier alone: ``python examples/decide_sklearn.py``."""

from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB

import goodmeasure as gm

COSTS = gm.Costs(false_negative=40, false_positive=5)


def main() -> tuple[float, float]:
    """The mean cost of a classifier on new rows, and of the one around it that knows what mistakes cost."""
    X, y = load_breast_cancer(return_X_y=True)  # 0 is malignant
    old_X, new_X, old_y, new_y = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    plain = GaussianNB()
    deciding = gm.CostSensitiveClassifier(clone(plain), COSTS, pos_label=0)
    price = gm.to_sklearn(COSTS, pos_label=0)
    alone, knowing = (price(new_y, model.fit(old_X, old_y).predict(new_X)) for model in (plain, deciding))
    print(f"its own predict costs {alone:.3f} a row, with costs and calibration {knowing:.3f}")
    print(deciding.decision_)
    return alone, knowing


if __name__ == "__main__":
    main()
