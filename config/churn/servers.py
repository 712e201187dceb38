"""The two model servers of this example: trains and registers the models, and starts an unmodified MLServer for each.

Shared by the demo and the tests of real servers, so that both run the same thing.
"""

import json
import subprocess
import urllib.request
from pathlib import Path

from config.churn.processes import Program, free_port
from config.churn.register import register

ROOT = Path(__file__).parents[2]
MLSERVER = ROOT / ".envs" / "mlserver" / "bin"


def train(folder: Path) -> str:
    """Trains both versions into `folder` (servers' folders, `model_registry`, `customers.json`); a line about each."""
    script = Path(__file__).parent / "train.py"
    subprocess.run([MLSERVER / "python", script, folder], check=True, capture_output=True, text=True)
    return "\n".join(register(folder))


class ModelServer:
    """MLServer with one version of the model; it can be stopped, started again, and given another build to load."""

    def __init__(self, folder: Path, port: int) -> None:
        self.version = folder.name
        self.url = f"http://127.0.0.1:{port}"
        self.registry = folder.parent / "model_registry"
        self._folder = folder
        self._port = port
        self._program: Program | None = None

    def start(self) -> None:
        """Starts the server; `wait` says when it is ready."""
        self._program = Program(
            name=f"the model server of {self.version}",
            arguments=[str(MLSERVER / "mlserver"), "start", "."],
            log=self._folder.parent / "logs" / f"{self.version}.log",
            environment={
                "MLSERVER_HOST": "127.0.0.1",
                "MLSERVER_HTTP_PORT": str(self._port),
                "MLSERVER_GRPC_PORT": str(free_port()),
                "OMP_NUM_THREADS": "1",
                "STEPDOWN_REGISTRY": str(self.registry),
                "PYTHONPATH": f"{ROOT / 'proxy'}:{ROOT / 'adapters'}",
            },
            folder=self._folder,
        )

    def wait(self) -> None:
        """Returns once the model is loaded and answers."""
        assert self._program is not None, "start() comes first"
        self._program.wait_for(f"{self.url}/v2/models/churn/versions/{self.version}/ready")

    def ask_to_stop(self) -> None:
        """Tells the server to end and does not wait for it."""
        if self._program is not None:
            self._program.ask_to_stop()

    def stop(self) -> None:
        """Ends the server, if it runs."""
        if self._program is not None:
            self._program.stop()

    def deploy(self, **extra: str) -> None:
        """Has the running server load its model again, with `extra` parameters for the runtime.

        This is MLServer's own way of deploying: the settings file in the folder changes, then its model repository API
        is told to load.
        """
        path = self._folder / "model-settings.json"
        settings = json.loads(path.read_text())
        settings["parameters"]["extra"] = extra
        path.write_text(json.dumps(settings, indent=2))
        request = urllib.request.Request(f"{self.url}/v2/repository/models/churn/load", method="POST")
        urllib.request.urlopen(request, timeout=30).close()
