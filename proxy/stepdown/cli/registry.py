"""`stepdown registry ...`: adds versions of models to a local registry, and finds, verifies and loads them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer

from stepdown.cli import registry_output as output
from stepdown.registry import Registry, layout, loading, training
from stepdown.registry.errors import BadInputError, PreprocessingDriftWarning
from stepdown.registry.names import CLIENTS, LATEST, PICKLES

HELP = """Keep the versions of your models: immutable, with contracts, code's hash and training, verified before use.

\b
  stepdown registry add churn 1.1.0 model.joblib --output contracts/1.1.0.json
  stepdown registry list               what is there
  stepdown registry show churn latest  all that is known of one version
  stepdown registry verify             is every byte as it was added?
  stepdown registry load churn '^1.0'  verify one version and say where its artifact lies
  stepdown registry schema churn 1.1.0 its fields, and what changed since the release before

The registry is the folder model_registry, or what --registry or STEPDOWN_REGISTRY names. Exit codes: 0 done; 1 refused,
or not as it was added; 2 impossible, as nothing of that name is there or what was given cannot be read.
"""

registry = typer.Typer(name="registry", help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

Folder = Annotated[
    Path | None,
    typer.Option(
        "--registry",
        metavar="DIR",
        envvar=layout.VARIABLE,
        help="The registry's folder.",
        show_default="model_registry",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="The answer as JSON, for machines.")]
Model = Annotated[str, typer.Argument(metavar="MODEL", help="The model's name.", show_default=False)]
Wanted = Annotated[
    str, typer.Argument(metavar="VERSION", help=f"A version, a range such as ^1.0, or {LATEST}.", show_default=False)
]
Sha256 = Annotated[
    str | None,
    typer.Option("--sha256", metavar="HEX", help="The artifact's hash as noted down elsewhere.", show_default=False),
]


@registry.command()
def add(
    model: Model,
    version: Annotated[str, typer.Argument(metavar="VERSION", help="SemVer 2.0, as 1.2.0.", show_default=False)],
    artifact: Annotated[
        Path,
        typer.Argument(metavar="ARTIFACT", help="A .pkl, .joblib or .onnx file, or a SavedModel.", show_default=False),
    ],
    *,
    output_: Annotated[
        str, typer.Option("--output", metavar="CONTRACT", help="The contract of answers.", show_default=False)
    ],
    input_: Annotated[
        str | None, typer.Option("--input", metavar="CONTRACT", help="That of requests.", show_default=False)
    ] = None,
    preprocessing: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="File, folder or import path of preprocessing code.", show_default=False),
    ] = None,
    training_: Annotated[
        Path | None,
        typer.Option("--training", metavar="FILE", help="JSON object about the training.", show_default=False),
    ] = None,
    client: Annotated[
        str, typer.Option(help="With whose eyes contracts are compared: strict, or tolerant of unknown fields.")
    ] = "strict",
    allow_bump: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Why the version may say less than changed.", show_default=False),
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Add a version, which nobody can change afterwards.

    The artifact is copied and never loaded. A CONTRACT is a JSON Schema (FILE.json, FILE.yaml), an answer of an OpenAPI
    document (FILE::operationId/200), a Protobuf message (FILE.proto::package.Message) or a Pydantic model
    (package.module:Model). Refused are a version that is there with other content, and one whose number says less than
    its contracts changed since the release before; the same content again changes nothing and is no mistake.

    \b
    Examples:
      stepdown registry add churn 1.1.0 build/model.joblib --output contracts/1.1.0.json --preprocessing churn.features
      stepdown registry add churn 2.0.0 build/saved_model --output api.yaml::predict --training build/training.json
      stepdown registry add churn 1.1.1 fixed.pkl --output contracts/1.1.1.json --allow-bump 'the bound was never meant'
    """
    with output.answering(as_json):
        if client not in CLIENTS:
            raise BadInputError(f"--client {client}", f"found neither {' nor '.join(CLIENTS)}")
        if allow_bump is not None and not allow_bump.strip():
            raise BadInputError("--allow-bump", "is empty; a reason is kept with the version, for those who come later")
        added = Registry(folder).add(
            model,
            version,
            artifact,
            output=output_,
            input=input_,
            preprocessing=preprocessing,
            training=training.read(training_) if training_ is not None else None,
            client="tolerant" if client == "tolerant" else "strict",
            allow_bump=allow_bump,
        )
        output.show_added(added, as_json=as_json)


@registry.command("list")
def list_(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Only this one.", show_default=False)] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """List models and their versions, oldest first.

    \b
    Examples:
      stepdown registry list
      stepdown registry list churn --json | jq -r '.versions[].version'
    """
    with output.answering(as_json):
        there = Registry(folder)
        if model is not None and not there.versions(model):
            there.manifest(model, LATEST)
        folders = [
            at
            for name in ([model] if model is not None else there.models())
            for at in layout.versions(there.folder, name).values()
        ]
        output.show_list(there.folder, folders, as_json=as_json)


@registry.command()
def show(model: Model, version: Wanted, folder: Folder = None, as_json: Json = False) -> None:
    """Show all that is known of one version: hashes, contracts, preprocessing code, training, and the step to it.

    \b
    Examples:
      stepdown registry show churn 1.1.0
      stepdown registry show churn latest --json | jq -r .artifact.sha256
    """
    with output.answering(as_json):
        output.show_manifest(Registry(folder).manifest(model, version), as_json=as_json)


@registry.command()
def verify(
    model: Annotated[str | None, typer.Argument(metavar="[MODEL]", help="Only this one.", show_default=False)] = None,
    version: Annotated[
        str | None, typer.Argument(metavar="[VERSION]", help="Only this one.", show_default=False)
    ] = None,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Hash everything anew, and name all that is not as it was added.

    Found are files that are missing, cut short, changed, added or linked, manifests that were edited, and versions that
    were taken away or replaced after a later one was compared with them.

    \b
    Examples:
      stepdown registry verify
      stepdown registry verify churn 1.1.0 || echo 'do not deploy this'
    """
    with output.answering(as_json):
        report = Registry(folder).verify(model, version)
        output.show_report(report, as_json=as_json)
    raise typer.Exit(output.EXIT_REFUSED if report.damages else 0)


@registry.command()
def load(
    model: Model,
    version: Wanted,
    *,
    unpickle: Annotated[bool, typer.Option("--unpickle", help="Load the object, and say what it is.")] = False,
    sha256: Sha256 = None,
    preprocessing: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Where the preprocessing code at hand is.", show_default=False),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Where preprocessing code differs, exit with 1.")] = False,
    folder: Folder = None,
    as_json: Json = False,
) -> None:
    """Verify a version, and print the path of its artifact; load it too, where --unpickle says so.

    Nothing is loaded before everything was verified. Unpickling runs whatever code the file names: verified means that
    it is the file that was added, not that whoever added it meant well. --sha256 holds it against a hash of your own.
    Where the preprocessing code at hand is not what the version was trained with, as it happens after a rollback, a
    warning says so.

    \b
    Examples:
      cp "$(stepdown registry load churn '^1.0')" /models/churn.joblib
      stepdown registry load churn 1.1.0 --unpickle --preprocessing src/features.py --strict
    """
    with output.answering(as_json):
        there = Registry(folder)
        manifest = there.manifest(model, version)
        drift = loading.drift(manifest, preprocessing)
        said = [loading.drifted(manifest, drift)] if drift is not None else []
        found = None
        path = there.artifact(model, manifest.version, sha256=sha256)
        if manifest.artifact.kind in PICKLES and sha256 is None:
            said.append(loading.risk(path.parent, manifest))
        held_back = strict and drift is not None
        if unpickle and not held_back:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                found = there.load(model, manifest.version, sha256=sha256, trusted=True, preprocessing=preprocessing)
            said += [str(one.message) for one in caught if one.category is not PreprocessingDriftWarning]
        output.show_loaded(path, manifest, found, said, unpickled=unpickle and not held_back, as_json=as_json)
    raise typer.Exit(output.EXIT_REFUSED if held_back else 0)


@registry.command()
def schema(model: Model, version: Wanted, folder: Folder = None, as_json: Json = False) -> None:
    """Print a version's SCHEMA.md: its fields, types, ranges and meaning, and what changed since the release before.

    \b
    Examples:
      stepdown registry schema churn latest
      stepdown registry schema churn 2.0.0 --json | jq '.output[].path'
    """
    with output.answering(as_json):
        there = Registry(folder)
        page = there.page(model, version)
        if as_json:
            output.show_fields(layout.find(there.folder, model, version)[1], there.manifest(model, version))
        else:
            print(page, end="")
