"""Trains both versions of the churn model, and lays out a folder for the model server of each.

scikit-learn ships no table of customers, so its breast cancer table stands in: 569 rows, of which the first ten columns
(means of what was measured) count as a customer's habits, and a malignant finding counts as one who left. What matters
here is that the data is real, is at hand without a network, and that the two models are trained on it in seconds.

    .envs/mlserver/bin/python config/churn/train.py FOLDER     writes FOLDER/v1, FOLDER/v2, FOLDER/customers.json, and
                                                               FOLDER/training with what `register.py` adds
"""

import json
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import joblib
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MODELS = Path(__file__).parent / "models"
COLUMNS = 10


def train(folder: Path) -> None:
    """Writes both models, a folder for each server, and `customers.json` with unseen rows for clients to ask about."""
    table = load_breast_cancer()
    rows, left = table.data[:, :COLUMNS], table.target == 0
    seen, asked, seen_left, asked_left = train_test_split(rows, left, test_size=0.3, random_state=1, stratify=left)

    regression = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen, seen_left)
    trees = GradientBoostingClassifier(random_state=1).fit(seen, seen_left)
    usual = [float(value) for value in seen[~seen_left].mean(axis=0)]
    training = folder / "training"
    training.mkdir(parents=True, exist_ok=True)
    libraries = {name: version(name) for name in ("joblib", "numpy", "scikit-learn")}
    for name, model, estimator in (
        ("v1", regression, regression),
        ("v2", trees, {"trees": trees, "usual": usual}),
    ):
        joblib.dump(estimator, training / f"{name}.joblib")
        score = round(model.score(asked, asked_left), 4)
        facts = {
            "data": "scikit-learn's breast cancer table, ten columns",
            "rows": len(seen),
            "unseen rows": len(asked),
        }
        told = facts | {"accuracy": score, "libraries": libraries}
        (training / f"{name}.json").write_text(json.dumps(told, indent=2))
        _lay_out(folder / name)
    (folder / "customers.json").write_text(json.dumps(asked.tolist()))


def _lay_out(folder: Path) -> None:
    """A folder to start the model server of a version in; its model comes from the registry."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = MODELS / folder.name / "model-settings.json"
    for source in (MODELS / "runtime.py", MODELS / "preprocessing.py", MODELS / "settings.json", settings):
        shutil.copy(source, folder)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
