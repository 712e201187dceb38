"""Adds what `train.py` made to the model registry, from which the model servers load.

    python config/churn/register.py FOLDER     reads FOLDER/training, makes FOLDER/model_registry

It needs Stepdown and no scikit-learn: adding copies an artifact and never loads it.
"""

import json
import shutil
import sys
from pathlib import Path

from stepdown.registry import Registry

HERE = Path(__file__).parent
VERSIONS = {"v1": "1.1.0", "v2": "2.0.0"}


def register(folder: Path) -> list[str]:
    """Adds both versions; returns a line about each."""
    # A team keeps its registry for good. Here every training begins a new one: another build of the libraries may train
    # other bytes, and a version that is there never changes.
    shutil.rmtree(folder / "model_registry", ignore_errors=True)
    registry = Registry(folder / "model_registry")
    lines = []
    for name, version in VERSIONS.items():
        training = json.loads((folder / "training" / f"{name}.json").read_text())
        added = registry.add(
            "churn",
            version,
            folder / "training" / f"{name}.joblib",
            output=f"contracts/{version}.json",
            input="contracts/input.json",
            preprocessing="models/preprocessing.py",
            training=training,
            beside=HERE,
        )
        right = f"right about {training['accuracy']:.1%} of {training['unseen rows']} unseen customers"
        lines.append(f"{name}: {right}; registered as {added.manifest.artifact.name}")
    return lines


if __name__ == "__main__":
    print(*register(Path(sys.argv[1])), sep="\n")
