"""A service that counts what Stepdown cannot see, and answers a rollout's webhook as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.kit.looping import PATIENCE


class App:
    """A service that answers a POST as a test says."""

    def __init__(self) -> None:
        self.answer: Callable[[Any], tuple[int, Any]] = lambda _: (200, {})
        self.told: list[Any] = []
        self.headers: list[dict[str, str]] = []
        app = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                app.told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                app.headers.append({name.lower(): value for name, value in self.headers.items()})
                status, document = app.answer(app.told[-1])
                body = document if isinstance(document, bytes) else json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing to say."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/counts"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
