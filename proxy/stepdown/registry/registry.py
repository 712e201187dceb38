"""The registry as programs use it: `Registry("model_registry").load("churn", "^1.0")`.

Loading, finding and verifying need the standard library only, so that a model server can do it with nothing else of
Stepdown's dependencies installed; adding reads contracts, and needs them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from stepdown.registry import layout, loading, verifying
from stepdown.registry.manifest import Manifest
from stepdown.registry.verifying import Report
from stepdown_adapters.versions import Version

if TYPE_CHECKING:
    from stepdown.registry.adding import Added


class Registry:
    """A folder with immutable versions of models; it is made by the first `add`."""

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        """`folder` is the registry's; without one, STEPDOWN_REGISTRY of the environment, or `model_registry`."""
        self.folder = layout.chosen(folder)

    def add(
        self,
        model: str,
        version: str,
        artifact: str | os.PathLike[str],
        *,
        output: str | Mapping[str, Any],
        input: str | Mapping[str, Any] | None = None,
        preprocessing: str | Path | None = None,
        training: Mapping[str, Any] | None = None,
        client: Literal["strict", "tolerant"] = "strict",
        allow_bump: str | None = None,
        beside: str | os.PathLike[str] = ".",
        wait: float = 30.0,
    ) -> Added:
        """Adds a version, which nobody can change afterwards.

        Args:
            model: a name of a-z, 0-9, `_` and `-`.
            version: SemVer 2.0.
            artifact: a file that ends in .pkl, .joblib or .onnx, or a SavedModel folder; it is copied, never loaded.
            output: the contract of answers, as text (`api.yaml::predict`) or mapping (`{"openapi": ...}`).
            input: the contract of requests.
            preprocessing: file, folder or import path of the code between a request and the model.
            training: whatever should be known of the training, as JSON values; commit and library versions are added.
            client: with whose eyes contracts are compared: strict, or tolerant of unknown fields.
            allow_bump: why a version number may say less than the contracts changed.
            beside: the folder that references and relative paths of code start from.
            wait: seconds to wait for somebody else who is adding.

        Raises:
            RegistryError: nothing was added; the message says why, and what to do.
        """
        from stepdown.registry import adding  # noqa: PLC0415 - see the module's text

        candidate = adding.read(
            model,
            version,
            Path(artifact),
            output=output,
            input=input,
            code=preprocessing,
            metadata=training,
            beside=Path(beside).absolute(),
        )
        return adding.add(self.folder, candidate, client=client, allow=allow_bump, seconds=wait)

    def load(
        self,
        model: str,
        version: str,
        *,
        sha256: str | None = None,
        trusted: bool = False,
        preprocessing: str | Path | None = None,
    ) -> Any:
        """The model that an exact version, a range or `latest` means; verified before anything of it is loaded.

        A pickle runs whatever code it names, and a warning says so unless the decision was made: by `trusted`, or by
        `sha256`, the artifact's hash as it was noted down elsewhere. Code under `preprocessing` (else under the name
        that was recorded, if it is at hand) that is not the code of the training is warned of.

        Raises:
            RegistryError: nothing was loaded; the message says why.
        """
        _, folder = layout.find(self.folder, model, version)
        found, _ = loading.load(folder, sha256=sha256, trusted=trusted, code=preprocessing)
        return found

    def artifact(self, model: str, version: str, *, sha256: str | None = None) -> Path:
        """The path of a verified artifact, for a server that loads it by itself."""
        _, folder = layout.find(self.folder, model, version)
        manifest = verifying.sound(folder)
        loading.check_expected(manifest, sha256)
        return folder / manifest.artifact.name

    def manifest(self, model: str, version: str) -> Manifest:
        """What is known of a version; the manifest alone is verified."""
        return verifying.believed(layout.find(self.folder, model, version)[1])

    def page(self, model: str, version: str) -> str:
        """SCHEMA.md of a version, verified."""
        _, folder = layout.find(self.folder, model, version)
        verifying.sound(folder)
        return (folder / layout.PAGE).read_text(encoding="utf-8")

    def models(self) -> list[str]:
        """The names of all models."""
        return layout.models(self.folder)

    def versions(self, model: str) -> list[Version]:
        """A model's versions, oldest first."""
        return list(layout.versions(self.folder, model))

    def verify(self, model: str | None = None, version: str | None = None) -> Report:
        """Hashes everything anew; the report names each byte's file that is not as it was added."""
        return verifying.report(self.folder, model, version)
