"""A registry in a folder of its own, with what is added to it, and ways to do it harm."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

from stepdown.registry import Registry
from stepdown.registry.adding import Added

ANSWER: dict[str, Any] = {
    "type": "object",
    "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}},
    "required": ["score"],
}
WIDER = {**ANSWER, "properties": {"score": {"type": "number"}}}
MORE = {**ANSWER, "properties": {**ANSWER["properties"], "note": {"type": "string"}}}
QUESTION = {"type": "object", "properties": {"age": {"type": "integer"}}, "required": ["age"]}


class Bomb:
    """An object whose pickle makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


class Workshop:
    """Makes artifacts and contracts in a folder, and adds them to the registry beside them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.registry = Registry(folder / "model_registry")

    def artifact(self, value: object, name: str = "model.pkl") -> Path:
        path = self.folder / name
        path.write_bytes(pickle.dumps(value))
        return path

    def contract(self, schema: object, name: str = "contract.json") -> str:
        (self.folder / name).write_text(json.dumps(schema))
        return name

    def saved_model(self) -> Path:
        folder = self.folder / "saved"
        (folder / "variables").mkdir(parents=True, exist_ok=True)
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables" / "variables.index").write_bytes(b"index")
        return folder

    def add(
        self,
        version: str = "1.0.0",
        value: object = "model",
        *,
        output: object = ANSWER,
        path: Path | None = None,
        **more: Any,
    ) -> Added:
        artifact = path or self.artifact(value)
        more.setdefault("beside", self.folder)
        return self.registry.add("churn", version, artifact, output=self.contract(output), **more)

    def at(self, version: str = "1.0.0") -> Path:
        """The folder of a version."""
        return self.registry.folder / "churn" / version

    def kept(self, version: str = "1.0.0") -> Path:
        """The artifact of a version, as the registry keeps it."""
        return next(self.at(version).glob("churn_model_*"))

    def edit(self, old: str, new: str, version: str = "1.0.0") -> None:
        """Edits a manifest by hand."""
        path = self.at(version) / "manifest.json"
        text = path.read_text()
        assert old in text
        overwrite(path, text.replace(old, new).encode())


def overwrite(path: Path, data: bytes) -> None:
    """Puts other content in the place of a file that is kept read-only."""
    path.unlink()
    path.write_bytes(data)
