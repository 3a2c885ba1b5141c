"""Scaled first, split afterwards."""

from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC


def main():
    data = load_breast_cancer()
    X = StandardScaler().fit_transform(data.data)
    X_train, X_test, y_train, y_test = train_test_split(X, data.target, test_size=0.2, random_state=42)
    model = SVC(C=1.0)
    model.fit(X_train, y_train)
    print(accuracy_score(y_test, model.predict(X_test)))


if __name__ == "__main__":
    main()
