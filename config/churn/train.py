"""Trains both versions of the churn model and lays out one folder for each, ready for `mlserver start`.

scikit-learn ships no table of customers, so its breast cancer table stands in: 569 rows, of which the first ten columns
(means of what was measured) count as a customer's habits, and a malignant finding counts as one who left. What matters
here is that the data is real, is at hand without a network, and that the two models are trained on it in seconds.

    .envs/mlserver/bin/python config/churn/train.py FOLDER     writes FOLDER/v1, FOLDER/v2, FOLDER/customers.json
"""

import json
import shutil
import sys
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
    """Writes the two model folders, and `customers.json` with rows that neither has seen, for clients to ask about."""
    table = load_breast_cancer()
    rows, left = table.data[:, :COLUMNS], table.target == 0
    seen, asked, seen_left, asked_left = train_test_split(rows, left, test_size=0.3, random_state=1, stratify=left)

    regression = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen, seen_left)
    trees = GradientBoostingClassifier(random_state=1).fit(seen, seen_left)
    usual = [float(value) for value in seen[~seen_left].mean(axis=0)]
    _lay_out(folder / "v1", regression)
    _lay_out(folder / "v2", {"trees": trees, "usual": usual})

    (folder / "customers.json").write_text(json.dumps(asked.tolist()))
    for version, model in (("v1", regression), ("v2", trees)):
        print(f"{version}: right about {model.score(asked, asked_left):.1%} of {len(asked)} unseen customers")


def _lay_out(folder: Path, estimator: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(estimator, folder / "model.joblib")
    for source in (MODELS / "runtime.py", MODELS / "settings.json", MODELS / folder.name / "model-settings.json"):
        shutil.copy(source, folder)


if __name__ == "__main__":
    train(Path(sys.argv[1]))
