"""A pytest plugin: `assert_contract`, and `v1_client`, an old client whose expectations hold for a newer answer.

It is loaded with every run where the package is installed, so nothing heavy is imported before a fixture is used.

    stepdown_file        the model's description, or a configuration; relative to the ini-file's folder, as all files
    stepdown_model       which model of it, where there are several
    stepdown_client      the version that the client was built for: the oldest, unless said otherwise
    stepdown_server      the version that answers: the newest, unless said otherwise
    stepdown_recordings  folder of recorded exchanges, for `v1_recording`

The marker `stepdown` says the same for a test, a class or a module: `@pytest.mark.stepdown(client="1.0.0")`; what is
nearer to the test counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stepdown_adapters.integrations.expectations import OldClient
    from stepdown_adapters.integrations.recordings import Recording
    from stepdown_adapters.model import Model

_SETTINGS = {
    "file": "a model's description, or a configuration of Stepdown",
    "model": "which model of stepdown_file, where there are several",
    "client": "version that the client of v1_client was built for (default: the oldest)",
    "server": "version whose answers v1_client is given (default: the newest)",
    "recordings": "folder of recorded exchanges for v1_recording",
}
_MARKER = f"stepdown({', '.join(_SETTINGS)}): for this test, what the ini options stepdown_... say for all"
_models = pytest.StashKey[dict[tuple[Path, str], "Model"]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini options."""
    for name, what in _SETTINGS.items():
        parser.addini(f"stepdown_{name}", what, default="")


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line("markers", _MARKER)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `v1_recording` runs once for each; the files are listed, not read."""
    if "v1_recording" not in metafunc.fixturenames:
        return
    from stepdown_adapters.integrations.recordings import RecordingError, names  # noqa: PLC0415 - see the module's text

    folder = _file(metafunc.config, _setting(metafunc.config, metafunc.definition, "recordings"), "recordings")
    try:
        found = names(folder)
    except RecordingError as error:
        raise pytest.UsageError(str(error)) from None
    metafunc.parametrize("v1_recording", [(folder, name) for name in found], indirect=True, ids=found)


@pytest.fixture
def assert_contract(pytestconfig: pytest.Config) -> Callable[..., None]:
    """`assert_contract(document, contract)` fails with every violation; files are relative to the ini-file's folder."""
    from stepdown_adapters.integrations import expectations  # noqa: PLC0415

    def check(document: Any, contract: Any, *, folder: str | Path = ".", side: Any = "output") -> None:
        __tracebackhide__ = True
        expectations.assert_contract(document, contract, folder=_root(pytestconfig) / folder, side=side)

    return check


@pytest.fixture
def v1_client(request: pytest.FixtureRequest) -> OldClient:
    """An old client: called with a newer answer, it gives the document that it reads, and fails where it could not."""
    from stepdown_adapters.errors import ModelError  # noqa: PLC0415
    from stepdown_adapters.integrations.expectations import OldClient  # noqa: PLC0415
    from stepdown_adapters.versions import VersionError  # noqa: PLC0415

    chosen = {name: _setting(request.config, request.node, name) for name in _SETTINGS}
    try:
        model = _model(request.config, _file(request.config, chosen["file"], "file"), chosen["model"])
        client, server = chosen["client"] or model.versions[0], chosen["server"] or model.versions[-1]
        return OldClient(model, client, server)
    except (ModelError, VersionError) as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture
def v1_recording(request: pytest.FixtureRequest) -> Recording:
    """One recorded exchange of the old version, for `v1_client.replay`; the test runs once for each."""
    from stepdown_adapters.integrations.recordings import RecordingError, recording  # noqa: PLC0415

    try:
        return recording(*request.param)
    except RecordingError as error:
        raise pytest.UsageError(str(error)) from None


def _model(config: pytest.Config, file: Path, name: str) -> Model:
    """The model, read once for all tests."""
    from stepdown_adapters.model import Model  # noqa: PLC0415

    models = config.stash.setdefault(_models, {})
    if (file, name) not in models:
        models[file, name] = Model.load(file, name or None)
    return models[file, name]


def _setting(config: pytest.Config, item: pytest.Item | Any, name: str) -> str:
    """What the nearest marker says, or else the ini-file."""
    for marker in _markers(item):
        if name in marker.kwargs:
            return str(marker.kwargs[name])
    return str(config.getini(f"stepdown_{name}"))


def _markers(item: Any) -> Iterator[pytest.Mark]:
    """The markers around a test, nearest first; raises `UsageError` for what they cannot say."""
    for marker in item.iter_markers("stepdown"):
        unknown = [*map(repr, marker.args), *sorted(marker.kwargs.keys() - _SETTINGS.keys())]
        if unknown:
            raise pytest.UsageError(f"the marker stepdown takes {', '.join(_SETTINGS)} by name, not {unknown[0]}")
        yield marker


def _file(config: pytest.Config, text: str, name: str) -> Path:
    if not text:
        raise pytest.UsageError(f"say where: stepdown_{name} in the ini-file, or @pytest.mark.stepdown({name}=...)")
    return _root(config) / text


def _root(config: pytest.Config) -> Path:
    """What files are relative to."""
    return config.inipath.parent if config.inipath else config.rootpath
