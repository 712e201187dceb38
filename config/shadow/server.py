"""A model server in a few lines: `server.py 18081 1.1.0` and `server.py 18082 2.0.0`, which takes `--mistaken`.

2.0.0 answers with a logit where 1.1.0 answered with a probability. The build with the mistake takes customers of less
than half a year for loyal ones. Both pick their hint at random where two fit equally well.
"""

import argparse
import json
import math
import random
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def answer(customer: dict[str, Any], version: str, mistaken: bool) -> dict[str, Any]:
    """What a version says of a customer, who has `months` and `calls`."""
    months, calls = int(customer["months"]), int(customer["calls"])
    logit = 1.5 - months / 12 + calls / 4
    if mistaken and months < 6:
        logit -= 2.0
    hints = ["call"] if calls > 2 else ["discount"]
    if calls == 2 and months % 30 == 0:
        hints = ["call", "discount"]
    score = {"logit": logit} if version == "2.0.0" else {"probability": 1 / (1 + math.exp(-logit))}
    label = "churn" if logit > 0 else "stay"
    return {"id": str(uuid.uuid4()), **score, "label": label, "hint": random.choice(hints)}


class Handler(BaseHTTPRequestHandler):
    """Answers POST with a prediction, and GET with nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # head and body in one piece
    disable_nagle_algorithm = True
    version, mistaken = "1.1.0", False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self._send(json.dumps(answer(json.loads(body), self.version, self.mistaken)).encode())

    def do_GET(self) -> None:
        self._send(b"{}")

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("version", choices=["1.1.0", "2.0.0"])
    parser.add_argument("--mistaken", action="store_true", help="the build with the mistake")
    given = parser.parse_args()
    Handler.version, Handler.mistaken = given.version, given.mistaken
    ThreadingHTTPServer(("127.0.0.1", given.port), Handler).serve_forever()
