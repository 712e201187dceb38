"""What the demo runs on: addresses, the two model servers, the sidecar, and how they start and end."""

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from config.churn.processes import Program, free_port, is_taken
from config.churn.servers import ROOT, ModelServer

CONFIGURATION = Path(__file__).parents[1] / "stepdown.yaml"

# The variables of the environment that `stepdown.yaml` reads, with the same defaults.
ADDRESSES = {
    "CHURN_LISTEN": "127.0.0.1:8080",
    "CHURN_STATUS": "127.0.0.1:9902",
    "CHURN_V1_URL": "http://127.0.0.1:18081",
    "CHURN_V2_URL": "http://127.0.0.1:18082",
}


class TakenError(Exception):
    """An address that the demo needs is in use."""


class Stage:
    """All programs of the demo; leaving it as a context ends every one that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {name: os.environ.get(name, default) for name, default in ADDRESSES.items()}
        self.url = f"http://{self.environment['CHURN_LISTEN']}"
        self.status_url = f"http://{self.environment['CHURN_STATUS']}"
        self.v1 = ModelServer(folder / "v1", _port(self.environment["CHURN_V1_URL"]))
        self.v2 = ModelServer(folder / "v2", _port(self.environment["CHURN_V2_URL"]))
        self._sidecar: Program | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever presses Ctrl-C once more while this runs still leaves nothing behind: the children die with us.
        if self._sidecar is not None:
            self._sidecar.stop()
        self.v1.stop()
        self.v2.stop()

    def check_addresses(self) -> None:
        """Makes sure that nobody else listens where the demo wants to.

        Raises:
            TakenError: names every port in use, and the command that uses others.
        """
        taken = {name: port for name in ADDRESSES if is_taken("127.0.0.1", port := _port(self.environment[name]))}
        if taken:
            moved = [ADDRESSES[name].replace(str(_port(ADDRESSES[name])), str(free_port())) for name in taken]
            settings = " ".join(f"{name}={address}" for name, address in zip(taken, moved, strict=True))
            ports = ", ".join(str(port) for port in taken.values())
            raise TakenError(
                f"Another program listens on port {ports}. End it, or choose other ports:\n  make demo {settings}"
            )

    @cached_property
    def customers(self) -> list[list[float]]:
        """Rows that neither model was trained on."""
        return json.loads((self.folder / "customers.json").read_text())

    @property
    def customer(self) -> list[float]:
        """One of them, about whom the two models are not of one mind."""
        return self.customers[33]

    def start_sidecar(self) -> None:
        """Starts `stepdown run` on the example's file and returns once it is ready."""
        self._sidecar = Program(
            name="the sidecar",
            arguments=[str(Path(sys.executable).parent / "stepdown"), "run", str(CONFIGURATION)],
            log=self.folder / "logs" / "stepdown.log",
            environment=self.environment,
            folder=ROOT,
        )
        self._sidecar.wait_for(f"{self.status_url}/readyz", seconds=20)


def _port(address: str) -> int:
    port = urlsplit(address if "//" in address else f"//{address}").port
    assert port is not None, f"{address} names no port"
    return port
